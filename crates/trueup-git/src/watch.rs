//! Noticing a push to a repository on this machine when it happens, by watching its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use git2::RepositoryOpenFlags;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::location::Transport;
use crate::repository::Repository;

/// How long after something moved it is told: a push moves a lock, a ref and its log within a millisecond or two.
const QUIET: Duration = Duration::from_millis(20);

/// How often it is looked whether what is watched is still what is there, and tried again where it could not be watched. A
/// repository that was replaced is noticed by polling until then.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// What in the repository's directory says where its branches are; beside the directories `refs` and `reftable`.
const FILES: [&str; 4] = ["HEAD", "packed-refs", "refs", "reftable"];

/// Calls `changed` when something may have been pushed to a repository on this machine, for as long as it is polled. Ends
/// at once for a repository that is elsewhere.
///
/// It is called once at the beginning, and whenever watching begins anew: nobody knows what happened before. Where files
/// cannot be watched (no such repository yet, the system's limit of watches, some network file systems), that is told in the
/// log once, tried again every 30 seconds, and polling has to do meanwhile.
pub async fn watch(repository: &Repository, changed: impl Fn()) {
    let Transport::Path(path) = repository.transport() else { return };
    let (moved, mut moves) = watch::channel(());
    let moved = Arc::new(moved);
    let mut watched: Option<Watched> = None;
    let mut was_told = false;
    loop {
        let (path, moved) = (path.clone(), Arc::clone(&moved));
        let kept = watched.take();
        // Opens files: a network file system may take its time.
        let looked = tokio::task::spawn_blocking(move || match kept {
            Some(watched) if watched.is_there(&path) => Ok((watched, false)),
            _ => Watched::begin(&path, &moved).map(|watched| (watched, true)),
        });
        match looked.await {
            Ok(Ok((now, is_new))) => {
                watched = Some(now);
                was_told = false;
                if is_new {
                    changed();
                }
            }
            Ok(Err(error)) if was_told => tracing::debug!(%error, "The repository still cannot be watched."),
            Ok(Err(error)) => {
                was_told = true;
                tracing::warn!(%error, "The repository cannot be watched; pushes are noticed by polling.");
            }
            // The runtime is going down.
            Err(_) => return,
        }
        tokio::select! {
            // It cannot fail: the sender lives as long as this.
            _ = moves.changed() => {
                sleep(QUIET).await;
                // What moves from here on is told once more.
                moves.mark_unchanged();
                changed();
            }
            () = sleep(LOOK_AFTER) => {}
        }
    }
}

/// A repository that is being watched, until this is dropped.
struct Watched {
    _watcher: RecommendedWatcher,
    /// The directory that has the branches; another one than the operator's for a working tree.
    directory: PathBuf,
    identity: Identity,
}

/// Which directories the names mean; another repository under the same name has others.
type Identity = [(u64, u64); 3];

impl Watched {
    fn begin(path: &Path, moved: &Arc<watch::Sender<()>>) -> Result<Self, String> {
        let none = std::iter::empty::<&std::ffi::OsStr>();
        let repository = git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none);
        let directory = repository.map_err(|error| error.message().to_owned())?.commondir().to_owned();
        // Before watching, so that what is replaced in between is seen to have been.
        let identity = identity(path, &directory).map_err(|error| error.to_string())?;
        let (root, moved) = (directory.clone(), Arc::clone(moved));
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is about events that were lost.
            if event.as_ref().map_or(true, |event| is_of_interest(event, &root)) {
                moved.send_replace(());
            }
        })
        .map_err(|error| error.to_string())?;
        let reftable = directory.join("reftable");
        let mut watch = |path: &Path, mode| watcher.watch(path, mode).map_err(|error| error.to_string());
        watch(&directory, RecursiveMode::NonRecursive)?;
        watch(&directory.join("refs"), RecursiveMode::Recursive)?;
        if reftable.is_dir() {
            watch(&reftable, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { _watcher: watcher, directory, identity })
    }

    fn is_there(&self, path: &Path) -> bool {
        identity(path, &self.directory).is_ok_and(|identity| identity == self.identity)
    }
}

fn identity(path: &Path, directory: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;

    let of = |path: &Path| std::fs::metadata(path).map(|data| (data.dev(), data.ino()));
    Ok([of(path)?, of(directory)?, of(&directory.join("refs"))?])
}

/// Whether an event may be a push. Reading is none: we read, too.
fn is_of_interest(event: &Event, directory: &Path) -> bool {
    if event.need_rescan() {
        return true;
    }
    let concerns = |path: &PathBuf| {
        let Ok(inner) = path.strip_prefix(directory) else { return false };
        let is_lock = inner.extension().is_some_and(|ending| ending == "lock");
        let first = inner.iter().next();
        // No part at all: the directory itself was moved or deleted.
        !is_lock && first.is_none_or(|first| FILES.iter().any(|name| first == *name))
    };
    !event.kind.is_access() && event.paths.iter().any(concerns)
}

#[cfg(test)]
mod tests {
    use notify::EventKind;
    use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, Flag, ModifyKind, RemoveKind, RenameMode};

    use super::*;

    #[test]
    fn what_may_be_a_push_is_told_from_what_is_not() {
        let create = EventKind::Create(CreateKind::File);
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let rename = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let remove = EventKind::Remove(RemoveKind::Folder);
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let table = [
            (rename, "/r/refs/heads/main", true),
            (create, "/r/refs/heads/main.lock", false),
            (create, "/r/refs/heads/feature", true),
            (write, "/r/refs/heads/main", true),
            (rename, "/r/packed-refs", true),
            (create, "/r/packed-refs.lock", false),
            (rename, "/r/HEAD", true),
            (rename, "/r/reftable/tables.list", true),
            (remove, "/r", true),
            (remove, "/r/refs", true),
            (write, "/r/index", false),
            (write, "/r/logs", false),
            (create, "/r/objects", false),
            (write, "/r/FETCH_HEAD", false),
            (read, "/r/refs/heads/main", false),
            (read, "/r/HEAD", false),
            (rename, "/other/refs/heads/main", false),
        ];
        for (kind, path, expected) in table {
            let event = Event::new(kind).add_path(path.into());
            assert_eq!(is_of_interest(&event, Path::new("/r")), expected, "{kind:?} {path}");
        }
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(is_of_interest(&lost, Path::new("/r")), "events were lost");
    }
}
