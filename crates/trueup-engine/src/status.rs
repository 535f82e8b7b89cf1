//! The board: how everything stands, kept up to date by the loop and read by whoever asks.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use trueup_core::diagnosis::Finding;
use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
use trueup_core::plan::Plan;

/// How everything stands.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The repository.
    pub source: SourceStatus,
    /// The environments of the desired state that are minded: each has a loop.
    pub environments: BTreeMap<EnvironmentName, EnvironmentStatus>,
    /// Every application that was looked at, in every environment.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Arc<ApplicationStatus>>,
}

impl Status {
    /// Whether there is a desired state that is acted on.
    pub fn is_ready(&self) -> bool {
        self.source.revision.is_some()
    }
}

/// How the repository stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// The revision that is in force.
    pub revision: Option<Revision>,
    /// When it could last be read, by this process.
    pub last_success: Option<Timestamp>,
    /// Why it cannot be read at the moment.
    pub failure: Option<String>,
}

/// How the loop of one environment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentStatus {
    /// When a cycle of it ended last: everything due was observed, as far as it could be, and planned.
    pub cycled: Option<Timestamp>,
}

/// How one application stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationStatus {
    /// What is to be done and what is held, as of the last look.
    pub plan: Plan,
    /// When it was last looked at.
    pub observed: Timestamp,
    /// Since when sync and health are what they are, as far as this process saw it.
    pub since: Timestamp,
}

/// Holds a [`Status`]; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatusStore(Arc<RwLock<Status>>);

impl StatusStore {
    /// The status now.
    pub fn read(&self) -> Status {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how the repository stands.
    pub fn set_source(&self, source: SourceStatus) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).source = source;
    }

    /// Notes which environments have a loop. One that git no longer has is forgotten.
    pub fn set_environments(&self, names: impl Iterator<Item = EnvironmentName>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut status.environments);
        let known = |name: EnvironmentName| {
            let status = before.remove(&name).unwrap_or_default();
            (name, status)
        };
        status.environments = names.map(known).collect();
    }

    /// Notes that a cycle of an environment ended.
    pub fn cycled(&self, environment: &EnvironmentName, now: Timestamp) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = status.environments.get_mut(environment) {
            status.cycled = Some(now);
        }
    }

    /// Notes what was found of an application.
    pub fn set(&self, plan: Plan, now: Timestamp) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = (plan.environment.clone(), plan.application.clone());
        let before = status.applications.get(&key);
        let before = before.filter(|before| (before.plan.sync, before.plan.health) == (plan.sync, plan.health));
        let since = before.map_or(now, |before| before.since);
        status.applications.insert(key, Arc::new(ApplicationStatus { plan, observed: now, since }));
    }

    /// Notes what was found out of an application since it was looked at.
    pub fn explain(&self, environment: &EnvironmentName, application: &ApplicationName, finding: Option<&Finding>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = status.applications.get_mut(&(environment.clone(), application.clone())) {
            Arc::make_mut(known).plan.finding = finding.cloned();
        }
    }

    /// Notes how many tasks of a revision that is rolled out are healthy, since the application was looked at.
    pub fn count(&self, environment: &EnvironmentName, application: &ApplicationName, of: &Arn, healthy: Option<i64>) {
        let mut status = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = status.applications.get_mut(&(environment.clone(), application.clone()))
            && let Some(rollout) = &mut Arc::make_mut(known).plan.rollout
        {
            rollout.set_healthy(of, healthy);
        }
    }

    /// Notes that an application was looked at and is as it was.
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

    /// What was found of an application at the last look.
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
        // Its loop goes on with nothing to do.
        board.cycled(&a, Timestamp::UNIX_EPOCH);
        assert_eq!(cycled(), [None]);
        board.set_environments([a, b].into_iter());
        assert_eq!(cycled(), [None, None]);
    }
}
