//! Polls of git: when the last one was answered, and whether that was after a commit was first seen in AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};

/// The polls of git so far.
#[derive(Default)]
pub(crate) struct Git {
    /// Has git polled at once.
    pub wake: Arc<Notify>,
    polls: Mutex<Polls>,
}

#[derive(Default)]
struct Polls {
    /// How many there were, whether answered or not.
    asked: u64,
    /// The number of the last one that was answered.
    answered: u64,
    /// The branch's head at that time.
    head: Option<Revision>,
    unreachable_since: Option<Timestamp>,
    /// Commits that AWS's resources carry and the current revision does not have, with the number of polls before each
    /// was first seen.
    seen: BTreeMap<(EnvironmentName, ApplicationName), BTreeMap<Revision, u64>>,
}

impl Git {
    fn polls(&self) -> MutexGuard<'_, Polls> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a poll begins, and returns its number.
    pub fn ask(&self) -> u64 {
        let mut polls = self.polls();
        polls.asked += 1;
        polls.asked
    }

    /// Records an answer. A valid desired state that it brought must be current before.
    pub fn answered(&self, asked: u64, head: Option<Revision>) {
        let mut polls = self.polls();
        polls.answered = polls.answered.max(asked);
        polls.head = head;
        polls.unreachable_since = None;
    }

    /// Records that git did not answer.
    pub fn failed(&self, now: Timestamp) {
        self.polls().unreachable_since.get_or_insert(now);
    }

    /// Records which commits an application carries that the current revision does not have.
    pub fn keep(&self, key: &(EnvironmentName, ApplicationName), revisions: &BTreeSet<Revision>) {
        let mut polls = self.polls();
        if revisions.is_empty() {
            polls.seen.remove(key);
        } else if let Some(seen) = polls.seen.get_mut(key) {
            seen.retain(|revision, _| revisions.contains(revision));
        }
    }

    /// The branch's head as of a poll after the commit was first seen.
    ///
    /// # Errors
    /// When there was no such poll yet, with the time since which git is unreachable; git is polled at once then.
    pub fn head_after(
        &self,
        key: &(EnvironmentName, ApplicationName),
        revision: &Revision,
    ) -> Result<Option<Revision>, Option<Timestamp>> {
        let mut polls = self.polls();
        let (asked, answered) = (polls.asked, polls.answered);
        let seen = polls.seen.entry(key.clone()).or_default();
        if let Some(seen) = seen.get(revision) {
            return if answered > *seen { Ok(polls.head.clone()) } else { Err(polls.unreachable_since) };
        }
        seen.insert(revision.clone(), asked);
        self.wake.notify_one();
        Err(polls.unreachable_since)
    }
}
