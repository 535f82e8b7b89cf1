//! The directories of a repository that say where its branches are, watched by Linux's inotify.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use git2::RepositoryOpenFlags;
use inotify::{EventMask, Inotify, WatchMask};
use tokio::io::unix::AsyncFd;
use tokio::task::spawn_blocking;

use super::Found;
use crate::fault::ended_by;

/// Directories below `refs` that are watched at most: as many as branches with a `/` in their names need, and few enough to
/// leave others some of the system's watches (8,192 on a small machine, by default).
const DIRECTORIES_MAX: usize = 1_000;

/// How much is read of what happened at a time; more is read the next time.
const EVENTS_BYTES: usize = 4096;

/// What in the repository's own directory says where its branches are.
const NAMES: [&str; 4] = ["HEAD", "packed-refs", "refs", "reftable"];

/// Events of creating, moving, removing and finishing a write. Not of reading, because the poll that follows reads.
const CHANGES: WatchMask = WatchMask::CREATE
    .union(WatchMask::MOVED_TO)
    .union(WatchMask::MOVED_FROM)
    .union(WatchMask::DELETE)
    .union(WatchMask::CLOSE_WRITE)
    .union(WatchMask::DELETE_SELF)
    .union(WatchMask::MOVE_SELF)
    .union(WatchMask::ONLYDIR);

/// A repository that is being watched, until this is dropped.
pub(super) struct Watched {
    inotify: AsyncFd<Inotify>,
    /// The descriptor of the repository's own directory; all others are of directories below.
    top: i32,
    /// The directory that has the branches; another one than the operator's for a working tree.
    directory: PathBuf,
    identity: Identity,
}

/// Which directories the names mean; another repository under the same name has others.
type Identity = [(u64, u64); 3];

impl Watched {
    /// Begins to watch the repository at a path. What happens from here on is found.
    pub(super) async fn begin(path: &Path) -> Result<Self, String> {
        let path = path.to_owned();
        // Opens files: a network file system may take its time.
        let begun = spawn_blocking(move || begin(&path)).await.map_err(|error| ended_by(&error))??;
        let (inotify, top, directory, identity) = begun;
        #[expect(
            deprecated,
            reason = "its replacement is unsafe code, for descriptors that somebody else may close; this one is owned \
                      until it is dropped"
        )]
        let inotify = AsyncFd::new(inotify).map_err(|error| error.to_string())?;
        Ok(Self { inotify, top, directory, identity })
    }

    /// Whether the repository at the path is still the one that is watched.
    pub(super) async fn is_there(&self, path: &Path) -> bool {
        let (path, directory) = (path.to_owned(), self.directory.clone());
        let now = spawn_blocking(move || identity(&path, &directory)).await;
        now.is_ok_and(|now| now.is_ok_and(|now| now == self.identity))
    }

    /// Waits until something happens, and says what. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Found {
        let Ok(mut ready) = self.inotify.readable_mut().await else { return Found::Otherwise };
        let mut buffer = [0; EVENTS_BYTES];
        let read = ready.try_io(|inotify| {
            let events = inotify.get_mut().read_events(&mut buffer)?;
            let found =
                events.map(|event| judge(event.wd.get_watch_descriptor_id() == self.top, event.name, event.mask));
            Ok(found.max().unwrap_or(Found::Nothing))
        });
        match read {
            Ok(Ok(found)) => found,
            // What cannot be read is watched anew.
            Ok(Err(_)) => Found::Otherwise,
            Err(_) => Found::Nothing,
        }
    }
}

fn begin(path: &Path) -> Result<(Inotify, i32, PathBuf, Identity), String> {
    let none = std::iter::empty::<&OsStr>();
    let repository = git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none);
    let directory = repository.map_err(|error| error.message().to_owned())?.commondir().to_owned();
    let words = |error: io::Error| error.to_string();
    // Before watching, so that what is replaced in between is seen to have been.
    let identity = identity(path, &directory).map_err(words)?;
    let inotify = Inotify::init().map_err(words)?;
    let mut watches = inotify.watches();
    let top = watches.add(&directory, CHANGES).map_err(words)?;
    let mut left = vec![directory.join("refs"), directory.join("reftable")];
    let mut count = 0;
    while let Some(below) = left.pop() {
        count += 1;
        if count > DIRECTORIES_MAX {
            return Err(format!("there are more than {DIRECTORIES_MAX} directories below `refs`"));
        }
        match watches.add(&below, CHANGES) {
            Ok(_) => {}
            // No reftable; or removed meanwhile, which the directory above tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(words(error)),
        }
        // Looked at after it is watched: a directory that comes in between is found twice rather than never.
        let entries = fs::read_dir(&below).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        left.extend(directories.map(|entry| entry.path()));
    }
    Ok((inotify, top.get_watch_descriptor_id(), directory, identity))
}

fn identity(path: &Path, directory: &Path) -> io::Result<Identity> {
    let of = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino()));
    Ok([of(path)?, of(directory)?, of(&directory.join("refs"))?])
}

/// Whether an event may be a push. `is_top`: it is about the repository's own directory, which has much else.
fn judge(is_top: bool, name: Option<&OsStr>, mask: EventMask) -> Found {
    let gone = EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::IGNORED | EventMask::UNMOUNT;
    // When events were lost, nobody knows which.
    if mask.intersects(gone | EventMask::Q_OVERFLOW) {
        return Found::Otherwise;
    }
    let Some(name) = name else { return Found::Nothing };
    let is_lock = Path::new(name).extension().is_some_and(|ending| ending == "lock");
    if is_lock || is_top && NAMES.iter().all(|known| name != *known) {
        Found::Nothing
    } else if mask.contains(EventMask::ISDIR) {
        Found::Otherwise
    } else {
        Found::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_push_is_told_from_what_is_not() {
        let (top, below) = (true, false);
        let table = [
            (below, Some("main"), EventMask::MOVED_TO, Found::Moved),
            (below, Some("main"), EventMask::CLOSE_WRITE, Found::Moved),
            (below, Some("main"), EventMask::DELETE, Found::Moved),
            (below, Some("main.lock"), EventMask::CREATE, Found::Nothing),
            (below, Some("tables.list"), EventMask::MOVED_TO, Found::Moved),
            (below, Some("feature"), EventMask::CREATE | EventMask::ISDIR, Found::Otherwise),
            (below, None, EventMask::DELETE_SELF, Found::Otherwise),
            (below, None, EventMask::IGNORED, Found::Otherwise),
            (top, Some("packed-refs"), EventMask::MOVED_TO, Found::Moved),
            (top, Some("packed-refs.lock"), EventMask::CREATE, Found::Nothing),
            (top, Some("HEAD"), EventMask::MOVED_TO, Found::Moved),
            (top, Some("refs"), EventMask::MOVED_FROM | EventMask::ISDIR, Found::Otherwise),
            (top, Some("FETCH_HEAD"), EventMask::CLOSE_WRITE, Found::Nothing),
            (top, Some("index"), EventMask::MOVED_TO, Found::Nothing),
            (top, Some("objects"), EventMask::CREATE | EventMask::ISDIR, Found::Nothing),
            (top, None, EventMask::MOVE_SELF, Found::Otherwise),
            (top, None, EventMask::Q_OVERFLOW, Found::Otherwise),
        ];
        for (is_top, name, mask, expected) in table {
            assert_eq!(judge(is_top, name.map(OsStr::new), mask), expected, "{is_top} {name:?} {mask:?}");
        }
    }
}
