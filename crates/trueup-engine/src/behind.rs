//! Whether this copy is behind: commits in the tags of AWS's resources are compared with what git has.

use std::collections::BTreeSet;
use std::sync::Arc;

use trueup_core::desired::DesiredApplication;
use trueup_core::live::Live;
use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::plan::Ahead;
use trueup_core::planner::{applied_revisions, applied_revisions_of_environment};

use crate::context::Context;

impl Context {
    /// The commits that resources anywhere in the environment carry and the current revision does not have.
    pub async fn foreign_revisions(&self, environment: &EnvironmentName, live: &Live) -> Arc<BTreeSet<Revision>> {
        let mut revisions = BTreeSet::new();
        let current = self.current.borrow().clone();
        if let Some(current) = current.filter(|_| self.options.revision.is_none()) {
            for revision in applied_revisions_of_environment(environment, live, &self.options.instance) {
                if !self.history.contains(current.revision_of(environment), &revision).await {
                    revisions.insert(revision);
                }
            }
        }
        Arc::new(revisions)
    }

    /// The commit in AWS that this process is, or may be, behind.
    ///
    /// A commit that the current revision has is no news, unless the application's documents are not valid there: then
    /// those of an earlier commit are current, and another copy may have seen valid ones in between. For any other commit
    /// git must have answered after it was first seen; when the branch does not have it even then, the branch was
    /// rewritten or the commit is another repository's, and what git has is applied. That counts wherever in the
    /// environment the commit is (`foreign`): it may have removed what this application has.
    pub async fn ahead(
        &self,
        desired: &DesiredApplication,
        live: &Live,
        foreign: &BTreeSet<Revision>,
    ) -> Option<Ahead> {
        if self.options.revision.is_some() {
            return None;
        }
        let current = self.current.borrow().clone()?;
        let key = (desired.environment.clone(), desired.name.clone());
        let own = applied_revisions(desired, live, &self.options.instance);
        let mut revisions: BTreeSet<Revision> = own.union(foreign).cloned().collect();
        revisions.remove(&desired.revision);
        self.git.keep(&key, &revisions);
        let here = current.revision_of(&desired.environment);
        let is_valid = current.applications.get(&key).is_some_and(|documents| documents.invalid.is_none());
        for revision in revisions {
            let is_newer = if self.history.contains(here, &revision).await {
                !is_valid && own.contains(&revision) && self.history.contains(&revision, &desired.revision).await
            } else {
                match self.git.head_after(&key, &revision) {
                    Err(unreachable_since) => return Some(Ahead { revision, answered: false, unreachable_since }),
                    // The head is rejected as a whole, and the current revision is older.
                    Ok(Some(head)) if head != *here => {
                        self.history.contains(&head, &revision).await
                            && self.history.contains(&revision, &desired.revision).await
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
