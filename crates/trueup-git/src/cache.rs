//! The directory that outlives the process: a bare repository, and the locks that let processes share it.
//!
//! ```text
//! CACHE_DIR/0123456789abcdef/   one per URL and branch, for its owner only
//!   fetch.lock                  held while the server is talked to, and by nothing that a reader waits for
//!   store.lock                  shared by readers; exclusive while refs change, packs are merged or the store is swapped
//!   repo.git/                   the store
//!   next.git/, old.git/         while it is swapped
//! ```
//!
//! Locks are advisory locks of the operating system, so that a killed process leaves none behind. Objects are written
//! before the refs to them, refs by renaming: whatever instant a process is killed at, the store holds what it held.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use git2::{ErrorClass, ErrorCode, Oid, Repository, RepositoryInitOptions};
use sha2::{Digest as _, Sha256};
use trueup_ports::SourceError;

use crate::fault::{Fault, cache_io, lasting, one_line, passing};

/// The branch's head at the last fetch.
pub(crate) const HEAD: &str = "refs/trueup/head";
/// The revision accepted last.
pub(crate) const ACCEPTED: &str = "refs/trueup/accepted";
/// The commit last requested by name, which may be on no branch of the cache.
pub(crate) const NAMED: &str = "refs/trueup/named";
/// Heads that no later head descends from, numbered.
const FORMER: &str = "refs/trueup/former/";

/// The commits that were verified last, each by its environment.
const VERIFIED: &str = "refs/trueup/verified/";

/// So many former heads are kept: force pushes are rare, and each keeps its objects.
const FORMER_MAX: usize = 64;

/// Every fetch adds a pack, and every pack costs memory and time in every lookup; this many are merged into one.
const PACKS_MAX: usize = 40;

/// How long another process's fetch is waited for.
const FETCH_LOCK_WAIT: Duration = Duration::from_secs(30);

/// The cache of one repository and branch.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

/// The right to talk to the server and to replace objects, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Cache {
    /// Opens the cache and repairs what a killed process may have left.
    ///
    /// # Errors
    /// When the directory cannot be created or written to, or belongs to another user.
    pub(crate) fn open(cache_dir: &Path, url: &str, branch: &str) -> Result<Self, SourceError> {
        let key = Sha256::digest(format!("{url}\n{branch}"));
        let key = key.first_chunk().map_or(0, |key| u64::from_be_bytes(*key));
        let directory = std::path::absolute(cache_dir)
            .map_err(|error| cache_io("use the cache directory", cache_dir, &error))?
            .join(format!("{key:016x}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|error| cache_io("create the cache directory", &directory, &error))?;
        let cache = Self { directory };
        cache.recover()?;
        Ok(cache)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Repairs the store: finishes or undoes a swap, and creates an empty store where none can be opened.
    fn recover(&self) -> Result<(), SourceError> {
        let _lock = self.lock("store.lock", true)?;
        let (store, old) = (self.at("repo.git"), self.at("old.git"));
        // A store is replaced by two renames: the current one to `old.git`, the new one into its place. A process that was
        // killed between them left no store: the old one is whole, and is restored.
        if !store.exists() && old.exists() {
            rename(&old, &store)?;
        }
        remove(&old)?;
        match Repository::open_bare(&store) {
            Ok(_) => {}
            Err(error) if error.code() == ErrorCode::Owner => {
                return Err(lasting(
                    format!("the cache directory `{}` belongs to another user", self.directory.display()),
                    "give this user a cache directory of its own with `--cache-dir`",
                ));
            }
            Err(error) => {
                if store.exists() {
                    tracing::warn!(error = %one_line(error.message()), "The git cache cannot be opened; the repository will be fetched again.");
                    remove(&store)?;
                }
                // Created next to its place and moved there, so that no incomplete store is ever found.
                drop(self.fresh("init.git")?);
                rename(&self.at("init.git"), &store)?;
            }
        }
        // A fetch that was killed leaves its temporary pack. While another process is fetching, the pack is that fetch's.
        if let Ok(Some(_turn)) = self.try_turn() {
            self.remove_stale(&store)?;
        }
        Ok(())
    }

    /// Removes the temporary files of killed processes. Both locks are held.
    fn remove_stale(&self, store: &Path) -> Result<(), SourceError> {
        let packs = store.join("objects/pack");
        for name in names(&packs)? {
            if !name.starts_with("pack-") {
                remove(&packs.join(name))?;
            }
        }
        remove(&self.at("next.git"))
    }

    /// Creates an empty bare repository next to the store.
    fn fresh(&self, name: &str) -> Result<Repository, SourceError> {
        let path = self.at(name);
        remove(&path)?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).no_reinit(true).external_template(false);
        let make = || -> Result<Repository, git2::Error> {
            let repository = Repository::init_opts(&path, &options)?;
            let mut config = repository.config()?.open_level(git2::ConfigLevel::Local)?;
            // In the store's configuration, because git2 has no option for it on the connection: redirects stay
            // within the host, so that neither the token nor the trust goes to another one.
            config.set_bool("http.followRedirects", false)?;
            // A power cut must not leave a ref to a pack that was never written.
            config.set_bool("core.fsyncObjectFiles", true)?;
            Ok(repository)
        };
        make().map_err(|error| cache_git("create the store", &path, &error))
    }

    fn lock(&self, name: &str, exclusive: bool) -> Result<File, SourceError> {
        let path = self.at(name);
        let file = self.lock_file(name)?;
        let locked = if exclusive { file.lock() } else { file.lock_shared() };
        locked.map_err(|error| cache_io("lock", &path, &error))?;
        Ok(file)
    }

    fn lock_file(&self, name: &str) -> Result<File, SourceError> {
        let path = self.at(name);
        // For reading too: NFS, and so EFS, gives no shared lock otherwise (flock(2), "NFS details").
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| cache_io("open", &path, &error))
    }

    /// The right to fetch, unless another process has it.
    fn try_turn(&self) -> Result<Option<Turn>, SourceError> {
        let file = self.lock_file("fetch.lock")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(cache_io("lock", &self.at("fetch.lock"), &error)),
        }
    }

    /// Waits for the right to fetch, for a bounded time.
    ///
    /// # Errors
    /// When another process keeps it.
    pub(crate) fn turn(&self) -> Result<Turn, SourceError> {
        let deadline = Instant::now() + FETCH_LOCK_WAIT;
        loop {
            if let Some(turn) = self.try_turn()? {
                return Ok(turn);
            }
            if Instant::now() > deadline {
                return Err(passing(
                    format!("another process is fetching into the cache `{}`", self.directory.display()),
                    "trueup asks again; a cache directory of its own (`--cache-dir`) avoids the wait",
                ));
            }
            // Locks of the operating system cannot be waited for with a limit.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn store(&self) -> Result<Repository, git2::Error> {
        Repository::open_bare(self.at("repo.git"))
    }

    /// The store, for the holder of the turn: no other process replaces objects meanwhile, and readers do not block
    /// it.
    pub(crate) fn with_turn(&self, _turn: &Turn) -> Result<Repository, git2::Error> {
        self.store()
    }

    /// Reads the store. Never waits for the network.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Repository) -> Result<T, Fault>) -> Result<T, Fault> {
        let _lock = self.lock("store.lock", false)?;
        read(&self.store()?)
    }

    /// Changes refs. Never waits for the network.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&Repository) -> Result<T, Fault>) -> Result<T, Fault> {
        let _lock = self.lock("store.lock", true)?;
        // Nobody else writes refs now, so a ref's own lock is one that a killed process left.
        for directory in ["repo.git/refs/trueup", "repo.git/refs/trueup/former", "repo.git/refs/trueup/verified"] {
            let directory = self.at(directory);
            for name in names(&directory)?.iter().filter(|name| has_extension(name, "lock")) {
                remove(&directory.join(name))?;
            }
        }
        write(&self.store()?)
    }

    /// Fills a fresh store with `fill` and puts it in the place of the present one. The refs of the present one go along
    /// where the fresh one has their commits.
    pub(crate) fn replace<T>(
        &self,
        _turn: &Turn,
        fill: impl FnOnce(&Repository) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let fresh = self.fresh("next.git")?;
        let filled = fill(&fresh)?;
        let _lock = self.lock("store.lock", true)?;
        if let Ok(present) = self.store() {
            for (name, id) in refs(&present).into_iter().filter(|(name, _)| name != HEAD) {
                if fresh.find_commit(id).is_ok() {
                    set(&fresh, &name, id)?;
                }
            }
        }
        drop(fresh);
        let (store, old) = (self.at("repo.git"), self.at("old.git"));
        remove(&old)?;
        if store.exists() {
            rename(&store, &old)?;
        }
        rename(&self.at("next.git"), &store)?;
        remove(&old)?;
        Ok(filled)
    }

    /// Merges the packs into one when there are many, leaving out what no ref of ours leads to.
    pub(crate) fn compact(&self, _turn: &Turn) -> Result<(), Fault> {
        let directory = self.at("repo.git/objects/pack");
        let packs: Vec<_> = names(&directory)?.into_iter().filter(|name| has_extension(name, "pack")).collect();
        if packs.len() < PACKS_MAX {
            return Ok(());
        }
        let _lock = self.lock("store.lock", true)?;
        let store = self.store()?;
        let mut walk = store.revwalk()?;
        walk.push_glob("refs/trueup/*")?;
        let mut builder = store.packbuilder()?;
        builder.insert_walk(&mut walk)?;
        builder.write(&directory, 0)?;
        let Some(name) = builder.name()?.map(|name| format!("pack-{name}.")) else { return Ok(()) };
        // The index first: a pack without one is not looked at, an index without its pack is an error.
        for extension in ["idx", "pack"] {
            for old in names(&directory)? {
                if has_extension(&old, extension) && !old.starts_with(&name) {
                    remove(&directory.join(old))?;
                }
            }
        }
        Ok(())
    }
}

/// Sets a ref of ours, whatever was there.
pub(crate) fn set(repository: &Repository, name: &str, id: Oid) -> Result<(), git2::Error> {
    let set = || repository.reference(name, id, true, "trueup").map(drop);
    set().or_else(|error| {
        // libgit2 writes over no ref that it cannot read. What is removed here said nothing any more.
        let unreadable = error.class() == ErrorClass::Reference && repository.refname_to_id(name).is_err();
        if !unreadable || std::fs::remove_file(repository.path().join(name)).is_err() {
            return Err(error);
        }
        set()
    })
}

/// A ref of ours, if it is set and readable.
pub(crate) fn get(repository: &Repository, name: &str) -> Option<Oid> {
    repository.refname_to_id(name).ok()
}

/// All refs of ours that can be read.
pub(crate) fn refs(repository: &Repository) -> Vec<(String, Oid)> {
    let Ok(references) = repository.references_glob("refs/trueup/*") else { return Vec::new() };
    references
        .flatten()
        .filter_map(|reference| Some((reference.name().ok()?.to_owned(), reference.target()?)))
        .collect()
}

/// The ref for the commit that was verified last in an environment, whose name may hold what refs may not.
fn verified_ref(environment: &str) -> String {
    let key = Sha256::digest(environment);
    let key = key.first_chunk().map_or(0, |key| u64::from_be_bytes(*key));
    format!("{VERIFIED}{key:016x}")
}

/// The commit that was verified last in an environment.
pub(crate) fn verified(repository: &Repository, environment: &str) -> Option<Oid> {
    get(repository, &verified_ref(environment))
}

/// Remembers the commit that was verified last in an environment.
pub(crate) fn set_verified(repository: &Repository, environment: &str, id: Oid) -> Result<(), git2::Error> {
    set(repository, &verified_ref(environment), id)
}

/// Keeps a head that the next one does not descend from, so that it stays known and its objects stay.
pub(crate) fn keep_former(repository: &Repository, id: Oid) -> Result<(), git2::Error> {
    let mut former: Vec<(u64, Oid)> = refs(repository)
        .into_iter()
        .filter_map(|(name, id)| Some((name.strip_prefix(FORMER)?.parse().ok()?, id)))
        .collect();
    former.sort_unstable();
    if former.iter().any(|(_, kept)| *kept == id) {
        return Ok(());
    }
    let next = former.last().map_or(1, |(number, _)| number + 1);
    set(repository, &format!("{FORMER}{next:08}"), id)?;
    let surplus = (former.len() + 1).saturating_sub(FORMER_MAX);
    for (number, _) in former.iter().take(surplus) {
        repository.find_reference(&format!("{FORMER}{number:08}"))?.delete()?;
    }
    Ok(())
}

fn cache_git(what: &str, path: &Path, error: &git2::Error) -> SourceError {
    cache_io(what, path, &io::Error::other(one_line(error.message())))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The names in a directory, sorted; none where there is no directory.
fn names(directory: &Path) -> Result<Vec<String>, SourceError> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    };
    match list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        answer => answer.map_err(|error| cache_io("list", directory, &error)),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), SourceError> {
    std::fs::rename(from, to).map_err(|error| cache_io("move into place", to, &error))
}

/// Removes a file or a directory with everything in it, if it is there.
fn remove(path: &Path) -> Result<(), SourceError> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cache_io("remove", path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// What NFS asks of a lock's file, as locks there are locks of ranges: a shared one needs reading, an exclusive one
    /// writing.
    #[test]
    fn a_lock_file_can_be_read_and_written() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path(), "https://example.com/state.git", "main").unwrap();
        for exclusive in [false, true] {
            let mut lock = cache.lock("store.lock", exclusive).unwrap();
            assert_eq!(lock.read(&mut [0]).unwrap(), 0);
            lock.write_all(&[]).unwrap();
        }
    }
}
