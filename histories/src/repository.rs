//! A repository in memory: commits in a row, seen by every copy of trueup for itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::sleep;
use trueup_core::desired::FileTree;
use trueup_core::names::{ApplicationName, Revision};
use trueup_ports::{Head, Movement, Snapshot, Source, SourceError};

/// One repository; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Repository(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    commits: Vec<Snapshot>,
    failing: Option<Failing>,
}

/// How a remote fails that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// How long a question lasts before it fails.
    pub after: Duration,
    /// What is said then.
    pub error: SourceError,
}

impl Repository {
    /// Commits a whole tree of files; an application's revision is the last commit that changed its directory or
    /// `trueup.toml`.
    pub fn commit(&self, at: Timestamp, files: &BTreeMap<String, String>) -> Revision {
        let mut state = self.state();
        let number = state.commits.len() + 1;
        let revision = Revision::new(format!("{number:040x}"));
        let files: FileTree = files.iter().map(|(path, text)| (path.clone(), Arc::from(text.as_bytes()))).collect();
        let directories = files.keys().filter_map(|path| path.strip_suffix("/app.toml"));
        let application_revisions = directories
            .map(|directory| {
                let before =
                    state.commits.last().filter(|last| part(&last.files, directory) == part(&files, directory));
                let name = ApplicationName::new(directory);
                let kept = before.and_then(|last| last.application_revisions.get(&name));
                (name.clone(), kept.unwrap_or(&revision).clone())
            })
            .collect();
        let subject = format!("commit {number}");
        state.commits.push(Snapshot {
            revision: revision.clone(),
            committed: at,
            subject,
            files,
            application_revisions,
        });
        revision
    }

    /// Another repository with the same commits.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// All commits, oldest first.
    pub fn commits(&self) -> Vec<Revision> {
        self.state().commits.iter().map(|commit| commit.revision.clone()).collect()
    }

    /// The trees of all commits, oldest first.
    pub fn trees(&self) -> Vec<FileTree> {
        self.state().commits.iter().map(|commit| commit.files.clone()).collect()
    }

    /// Whether the remote is out of reach.
    pub fn set_dead(&self, dead: bool) {
        self.set_failing(dead.then(|| Failing { after: Duration::ZERO, error: failure("the remote is out of reach") }));
    }

    /// How the remote fails from now on, for everybody; a question that is being asked ends as it began.
    pub fn set_failing(&self, failing: Option<Failing>) {
        self.state().failing = failing;
    }

    /// The repository as one process sees it; `accepted` outlives a process as its cache does.
    pub(crate) fn clone_for(&self, accepted: Accepted) -> Checkout {
        Checkout { repository: self.clone(), seen: Mutex::default(), accepted, cut_off: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a process's cache remembers across its restarts: the revision accepted last.
pub(crate) type Accepted = Arc<Mutex<Option<Revision>>>;

/// The files of a directory, and the configuration.
fn part<'a>(files: &'a FileTree, directory: &str) -> Vec<(&'a String, &'a Arc<[u8]>)> {
    files.iter().filter(|(path, _)| path.starts_with(&format!("{directory}/")) || *path == "trueup.toml").collect()
}

/// The repository as one process sees it.
#[derive(Debug)]
pub(crate) struct Checkout {
    repository: Repository,
    seen: Mutex<Option<Revision>>,
    accepted: Accepted,
    /// The remote is out of reach for this process alone.
    pub(crate) cut_off: Arc<AtomicBool>,
}

fn failure(message: &str) -> SourceError {
    SourceError { message: message.to_owned(), hint: None, transient: true }
}

#[async_trait]
impl Source for Checkout {
    async fn poll(&self) -> Result<Head, SourceError> {
        let failing = self.repository.state().failing.clone();
        if let Some(Failing { after, error }) = failing {
            sleep(after).await;
            return Err(error);
        }
        if self.cut_off.load(Ordering::Relaxed) {
            return Err(failure("the remote is out of reach"));
        }
        let state = self.repository.state();
        let last = state.commits.last().ok_or_else(|| failure("the repository is empty"))?;
        let revision = last.revision.clone();
        let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).replace(revision.clone());
        let movement = match before {
            None => Movement::First,
            Some(before) if before == revision => Movement::Still,
            Some(_) => Movement::Forward,
        };
        Ok(Head { revision, movement })
    }

    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError> {
        let state = self.repository.state();
        let found = state.commits.iter().find(|commit| commit.revision == *revision).cloned();
        found.ok_or_else(|| failure("there is no such commit"))
    }

    async fn knows(&self, revision: &Revision) -> bool {
        // A process has fetched nothing that is newer than the head that it saw last.
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = self.repository.state();
        let position = |wanted: &Revision| state.commits.iter().position(|commit| commit.revision == *wanted);
        position(revision) <= seen.as_ref().and_then(position) && position(revision).is_some()
    }

    async fn contains(&self, head: &Revision, revision: &Revision) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = self.repository.state();
        let position = |wanted: &Revision| state.commits.iter().position(|commit| commit.revision == *wanted);
        let fetched = |wanted: &Revision| position(wanted).filter(|at| Some(*at) <= seen.as_ref().and_then(position));
        fetched(head).zip(fetched(revision)).is_some_and(|(head, revision)| revision <= head)
    }

    async fn accept(&self, revision: &Revision) -> Result<(), SourceError> {
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(revision.clone());
        Ok(())
    }

    async fn accepted(&self) -> Option<Revision> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
