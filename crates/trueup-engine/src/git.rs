//! Whether this copy is behind: what AWS carries is judged by what git has, and where git may have moved on, it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use trueup_core::desired::DesiredApplication;
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::{Ahead, Hold, Plan};
use trueup_core::planner::{applied_revisions, applied_revisions_of_environment};

use crate::context::Context;

/// How it stands with asking git.
#[derive(Default)]
pub(crate) struct Git {
    /// Has git asked at once.
    pub wake: Arc<Notify>,
    asking: Mutex<Asking>,
}

#[derive(Default)]
struct Asking {
    /// How often it was asked, whatever came of it.
    asked: u64,
    /// The last time that it answered.
    answered: u64,
    /// The branch's head, as it then was.
    head: Option<Revision>,
    unreachable_since: Option<Timestamp>,
    /// Commits that AWS carries and the revision in force does not have, with how often git had been asked when each was
    /// seen first.
    seen: BTreeMap<(EnvironmentName, ApplicationName), BTreeMap<Revision, u64>>,
}

impl Git {
    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Git is being asked. Gives back which time it is.
    pub fn ask(&self) -> u64 {
        let mut asking = self.asking();
        asking.asked += 1;
        asking.asked
    }

    /// Git answered, and what it has is in force where it is good.
    pub fn answered(&self, asked: u64, head: Option<Revision>) {
        let mut asking = self.asking();
        asking.answered = asking.answered.max(asked);
        asking.head = head;
        asking.unreachable_since = None;
    }

    /// Git did not answer.
    pub fn failed(&self, now: Timestamp) {
        self.asking().unreachable_since.get_or_insert(now);
    }

    /// Notes which commits an application carries that are not in force.
    fn keep(&self, key: &(EnvironmentName, ApplicationName), revisions: &BTreeSet<Revision>) {
        let mut asking = self.asking();
        if revisions.is_empty() {
            asking.seen.remove(key);
        } else if let Some(seen) = asking.seen.get_mut(key) {
            seen.retain(|revision, _| revisions.contains(revision));
        }
    }

    /// The branch's head as of after the commit was first seen; git is asked when it was not since.
    fn head_after(
        &self,
        key: &(EnvironmentName, ApplicationName),
        revision: &Revision,
    ) -> Result<Option<Revision>, Option<Timestamp>> {
        let mut asking = self.asking();
        let (asked, answered) = (asking.asked, asking.answered);
        let seen = asking.seen.entry(key.clone()).or_default();
        if let Some(seen) = seen.get(revision) {
            return if answered > *seen { Ok(asking.head.clone()) } else { Err(asking.unreachable_since) };
        }
        seen.insert(revision.clone(), asked);
        self.wake.notify_one();
        Err(asking.unreachable_since)
    }
}

/// Whether it waits for git to be asked.
pub(crate) fn awaits_git(plan: &Plan) -> bool {
    plan.held.iter().any(|held| matches!(&held.reason, Hold::Behind(ahead) if !ahead.answered))
}

impl Context {
    /// The commits that AWS carries anywhere in the environment and the revision in force does not have.
    pub async fn foreign_revisions(&self, environment: &EnvironmentName, live: &Live) -> Arc<BTreeSet<Revision>> {
        let mut revisions = BTreeSet::new();
        let in_force = self.in_force.borrow().clone();
        if let Some(in_force) = in_force.filter(|_| self.options.revision.is_none()) {
            for revision in applied_revisions_of_environment(environment, live, &self.options.instance) {
                if !self.past.contains(in_force.revision_of(environment), &revision).await {
                    revisions.insert(revision);
                }
            }
        }
        Arc::new(revisions)
    }

    /// The commit in AWS that this process is, or may be, behind.
    ///
    /// A commit that the revision in force has is no news, unless the application's documents are not valid there: then
    /// those of an earlier commit are in force, and another copy may have seen valid ones in between. For any other commit
    /// git must have answered after it was seen; when the branch does not have it even then, the branch was rewritten or
    /// the commit is another repository's, and what git has goes. That counts wherever in the environment the commit is
    /// (`foreign`): it may have taken away what this application has.
    pub async fn ahead(
        &self,
        desired: &DesiredApplication,
        live: &Live,
        foreign: &BTreeSet<Revision>,
    ) -> Option<Ahead> {
        if self.options.revision.is_some() {
            return None;
        }
        let in_force = self.in_force.borrow().clone()?;
        let key = (desired.environment.clone(), desired.name.clone());
        let own = applied_revisions(desired, live, &self.options.instance);
        let mut revisions: BTreeSet<Revision> = own.union(foreign).cloned().collect();
        revisions.remove(&desired.revision);
        self.git.keep(&key, &revisions);
        let here = in_force.revision_of(&desired.environment);
        let is_valid = in_force.applications.get(&key).is_some_and(|standing| standing.invalid.is_none());
        for revision in revisions {
            let is_newer = if self.past.contains(here, &revision).await {
                !is_valid && own.contains(&revision) && self.past.contains(&revision, &desired.revision).await
            } else {
                match self.git.head_after(&key, &revision) {
                    Err(unreachable_since) => return Some(Ahead { revision, answered: false, unreachable_since }),
                    // The head is rejected as a whole; what is in force is older.
                    Ok(Some(head)) if head != *here => {
                        self.past.contains(&head, &revision).await
                            && self.past.contains(&revision, &desired.revision).await
                    }
                    Ok(_) => false,
                }
            };
            if is_newer {
                return Some(Ahead { revision, answered: true, unreachable_since: None });
            }
        }
        None
    }
}
