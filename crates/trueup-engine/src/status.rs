//! The status of the repository, of environments and of applications: updated by the loop, read by reports.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use trueup_core::diagnosis::Finding;
use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
use trueup_core::plan::Plan;

/// The status of everything.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The repository.
    pub source: SourceStatus,
    /// The selected environments of the desired state: each has a loop.
    pub environments: BTreeMap<EnvironmentName, EnvironmentStatus>,
    /// Every application that was observed, in every environment.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Arc<ApplicationStatus>>,
}

impl Status {
    /// Whether there is a current desired state.
    pub fn is_ready(&self) -> bool {
        self.source.revision.is_some()
    }
}

/// The status of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// The current revision.
    pub revision: Option<Revision>,
    /// When this process last read it.
    pub last_success: Option<Timestamp>,
    /// Why it cannot be read at the moment, if so.
    pub failure: Option<String>,
}

/// The status of the loop of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentStatus {
    /// When its last cycle ended: everything due was observed, as far as possible, and planned.
    pub cycled: Option<Timestamp>,
}

/// The status of one application.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationStatus {
    /// Its plan as of the last observation: steps and holds.
    pub plan: Plan,
    /// When it was last observed.
    pub observed: Timestamp,
    /// Since when sync and health have their values, as far as this process observed it.
    pub since: Timestamp,
}

/// Holds a [`Status`]; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatusStore(Arc<RwLock<Status>>);

impl StatusStore {
    /// The current status.
    pub fn read(&self) -> Status {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the status of the repository.
    pub fn set_source(&self, source: SourceStatus) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).source = source;
    }

    /// Records which environments have a loop. One that git no longer has is forgotten.
    pub fn set_environments(&self, names: impl Iterator<Item = EnvironmentName>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut status.environments);
        let known = |name: EnvironmentName| {
            let status = before.remove(&name).unwrap_or_default();
            (name, status)
        };
        status.environments = names.map(known).collect();
    }

    /// Records that a cycle of an environment ended.
    pub fn cycled(&self, environment: &EnvironmentName, now: Timestamp) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = status.environments.get_mut(environment) {
            status.cycled = Some(now);
        }
    }

    /// Records the plan of an application.
    pub fn set(&self, plan: Plan, now: Timestamp) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = (plan.environment.clone(), plan.application.clone());
        let before = status.applications.get(&key);
        let before = before.filter(|before| (before.plan.sync, before.plan.health) == (plan.sync, plan.health));
        let since = before.map_or(now, |before| before.since);
        status.applications.insert(key, Arc::new(ApplicationStatus { plan, observed: now, since }));
    }

    /// Records the diagnosis of an application that came after it was observed.
    pub fn explain(&self, environment: &EnvironmentName, application: &ApplicationName, finding: Option<&Finding>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = status.applications.get_mut(&(environment.clone(), application.clone())) {
            Arc::make_mut(known).plan.finding = finding.cloned();
        }
    }

    /// Records the number of healthy tasks of a revision that is rolled out, which came after the application was observed.
    pub fn count(&self, environment: &EnvironmentName, application: &ApplicationName, of: &Arn, healthy: Option<i64>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = status.applications.get_mut(&(environment.clone(), application.clone()))
            && let Some(rollout) = &mut Arc::make_mut(known).plan.rollout
        {
            rollout.set_healthy(of, healthy);
        }
    }

    /// Records that an application was observed and did not change.
    pub fn touch(&self, environment: &EnvironmentName, application: &ApplicationName, now: Timestamp) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = status.applications.get_mut(&(environment.clone(), application.clone())) {
            Arc::make_mut(status).observed = now;
        }
    }

    /// Forgets an application that git no longer has.
    pub fn remove(&self, environment: &EnvironmentName, application: &ApplicationName) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        status.applications.remove(&(environment.clone(), application.clone()));
    }

    /// The status of an application.
    pub fn get(&self, environment: &EnvironmentName, application: &ApplicationName) -> Option<Arc<ApplicationStatus>> {
        let status = self.0.read().unwrap_or_else(PoisonError::into_inner);
        status.applications.get(&(environment.clone(), application.clone())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_kept_while_git_has_them() {
        let board = StatusStore::default();
        let [a, b] = ["a", "b"].map(EnvironmentName::new);
        board.set_environments([a.clone(), b.clone()].into_iter());
        board.cycled(&a, Timestamp::UNIX_EPOCH);
        let cycled = || board.read().environments.into_values().map(|status| status.cycled).collect::<Vec<_>>();
        assert_eq!(cycled(), [Some(Timestamp::UNIX_EPOCH), None]);
        board.set_environments([b.clone()].into_iter());
        // Its loop continues with nothing to do.
        board.cycled(&a, Timestamp::UNIX_EPOCH);
        assert_eq!(cycled(), [None]);
        board.set_environments([a, b].into_iter());
        assert_eq!(cycled(), [None, None]);
    }
}
