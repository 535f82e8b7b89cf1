//! A repository in memory: commits in a row, and a remote that may be dead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::sleep;
use trueup_core::desired::FileTree;
use trueup_core::names::{ApplicationName, Revision};
use trueup_ports::{Head, Movement, Snapshot, Source, SourceError};

/// One repository; clones share it.
#[derive(Clone, Default)]
pub struct FakeSource(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    commits: Vec<Snapshot>,
    seen: Option<Revision>,
    accepted: Option<Revision>,
    dead: bool,
    /// How long the way from the remote is: what is answered is what was there before.
    latency: Duration,
    /// How many of the newest commits the remote does not show yet.
    unseen: usize,
    polls: usize,
}

impl FakeSource {
    pub fn new() -> Self {
        Self::default()
    }

    /// Commits a whole tree of files; an application's revision is the last commit that changed its directory.
    pub fn commit(&self, files: &[(&str, &str)]) -> Revision {
        let mut state = self.0.lock().expect("no test panics while it holds the lock");
        let number = state.commits.len() + 1;
        let revision = Revision::new(format!("{number:040x}"));
        let files: FileTree =
            files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect();
        let directories = files.keys().filter_map(|path| path.strip_suffix("/app.toml"));
        let application_revisions: BTreeMap<_, _> = directories
            .map(|directory| {
                let before =
                    state.commits.last().filter(|last| part(&last.files, directory) == part(&files, directory));
                let name = ApplicationName::new(directory);
                let kept = before.and_then(|last| last.application_revisions.get(&name));
                (name, kept.unwrap_or(&revision).clone())
            })
            .collect();
        state.commits.push(Snapshot {
            revision: revision.clone(),
            committed: Timestamp::from_second(1_800_000_000).expect("in range"),
            subject: format!("commit {number}"),
            files,
            application_revisions,
        });
        revision
    }

    /// Whether the remote answers.
    pub fn set_dead(&self, dead: bool) {
        self.0.lock().expect("no test panics while it holds the lock").dead = dead;
    }

    /// Answers are so long on their way from now on.
    pub fn delay(&self, latency: Duration) {
        self.0.lock().expect("no test panics while it holds the lock").latency = latency;
    }

    /// The remote does not show so many of its newest commits.
    pub fn hide(&self, commits: usize) {
        self.0.lock().expect("no test panics while it holds the lock").unseen = commits;
    }

    /// How often it was polled since the last time.
    pub fn take_polls(&self) -> usize {
        std::mem::take(&mut self.0.lock().expect("no test panics while it holds the lock").polls)
    }

    /// A process that starts later sees the same repository and the same cache.
    pub fn restarted(&self) -> Self {
        self.0.lock().expect("no test panics while it holds the lock").seen = None;
        self.clone()
    }

    /// A process that starts later elsewhere sees the same repository, and has no cache.
    pub fn elsewhere(&self) -> Self {
        self.0.lock().expect("no test panics while it holds the lock").accepted = None;
        self.restarted()
    }
}

impl State {
    /// What the remote says now.
    fn answer(&self) -> Result<Revision, SourceError> {
        let error = |message: &str| SourceError { message: message.to_owned(), hint: None, transient: true };
        if self.dead {
            return Err(error("the remote is dead"));
        }
        let shown = &self.commits[..self.commits.len().saturating_sub(self.unseen)];
        shown.last().map(|commit| commit.revision.clone()).ok_or_else(|| error("the repository is empty"))
    }
}

/// The files of a directory, and the configuration.
fn part<'a>(files: &'a FileTree, directory: &str) -> Vec<(&'a String, &'a Arc<[u8]>)> {
    files.iter().filter(|(path, _)| path.starts_with(&format!("{directory}/")) || *path == "trueup.toml").collect()
}

#[async_trait]
impl Source for FakeSource {
    async fn poll(&self) -> Result<Head, SourceError> {
        let (answer, latency) = {
            let mut state = self.0.lock().expect("no test panics while it holds the lock");
            state.polls += 1;
            (state.answer(), state.latency)
        };
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let revision = answer?;
        let mut state = self.0.lock().expect("no test panics while it holds the lock");
        let movement = match state.seen.replace(revision.clone()) {
            None => Movement::First,
            Some(before) if before == revision => Movement::Still,
            Some(_) => Movement::Forward,
        };
        Ok(Head { revision, movement })
    }

    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError> {
        let state = self.0.lock().expect("no test panics while it holds the lock");
        let found = state.commits.iter().find(|commit| commit.revision == *revision).cloned();
        found.ok_or_else(|| SourceError { message: "no such commit".to_owned(), hint: None, transient: false })
    }

    async fn knows(&self, revision: &Revision) -> bool {
        self.0
            .lock()
            .expect("no test panics while it holds the lock")
            .commits
            .iter()
            .any(|commit| commit.revision == *revision)
    }

    async fn contains(&self, head: &Revision, revision: &Revision) -> bool {
        let state = self.0.lock().expect("no test panics while it holds the lock");
        let position = |wanted: &Revision| state.commits.iter().position(|commit| commit.revision == *wanted);
        position(head).zip(position(revision)).is_some_and(|(head, revision)| revision <= head)
    }

    async fn accept(&self, revision: &Revision) -> Result<(), SourceError> {
        self.0.lock().expect("no test panics while it holds the lock").accepted = Some(revision.clone());
        Ok(())
    }

    async fn accepted(&self) -> Option<Revision> {
        self.0.lock().expect("no test panics while it holds the lock").accepted.clone()
    }
}
