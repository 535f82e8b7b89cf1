//! The settings of the loop: which installation it is, which applications it manages, how often it observes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use trueup_core::names::{ApplicationName, EnvironmentName, InstanceName, Revision};
use trueup_ports::{Meter, Notebook, Unmetered, Verifier};

/// The settings of an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// The installation: the value of the tag `trueup:instance` on everything that it writes.
    pub instance: InstanceName,
    /// The environments that are selected; all when empty.
    pub environments: BTreeSet<EnvironmentName>,
    /// The applications that are selected; all when empty.
    pub applications: BTreeSet<ApplicationName>,
    /// The one revision to apply, whatever the branch's head is.
    pub revision: Option<Revision>,
    /// Everything is reported and nothing is written.
    pub report_only: bool,
    /// How often git is polled; spread by a tenth.
    pub git_interval: Duration,
    /// How often live state is observed; spread by a tenth.
    pub interval: Duration,
    /// How often an application is observed while a rollout runs, or after a write.
    pub rollout_interval: Duration,
    /// Records measurements.
    pub meter: Arc<dyn Meter>,
    /// Stores what was reported, for the next process; without it, that one reports again what lasts.
    pub notebook: Option<Arc<dyn Notebook>>,
    /// Checks the signatures of commits; without it, every commit of the branch is accepted.
    pub verifier: Option<Arc<dyn Verifier>>,
}

impl Options {
    /// The defaults, for an installation.
    pub fn new(instance: InstanceName) -> Self {
        Self {
            instance,
            environments: BTreeSet::new(),
            applications: BTreeSet::new(),
            revision: None,
            report_only: false,
            git_interval: Duration::from_secs(30),
            interval: Duration::from_mins(1),
            rollout_interval: Duration::from_secs(5),
            meter: Arc::new(Unmetered),
            notebook: None,
            verifier: None,
        }
    }

    /// Whether an environment is selected.
    pub fn selects_environment(&self, environment: &EnvironmentName) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// Whether an application is selected.
    pub fn selects_application(&self, application: &ApplicationName) -> bool {
        self.applications.is_empty() || self.applications.contains(application)
    }
}
