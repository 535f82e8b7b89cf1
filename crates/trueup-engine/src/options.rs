//! What the loop is told from outside: which installation it is, what it minds, how often it looks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use trueup_core::names::{ApplicationName, EnvironmentName, InstanceName, Revision};
use trueup_ports::{Meter, Notebook, Unmetered, Verifier};

/// The settings of an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which installation this is: the value of the tag `trueup:instance` on what it writes.
    pub instance: InstanceName,
    /// The environments that are minded; all when empty.
    pub environments: BTreeSet<EnvironmentName>,
    /// The applications that are minded; all when empty.
    pub applications: BTreeSet<ApplicationName>,
    /// The one revision that is in force, whatever the branch's head is.
    pub revision: Option<Revision>,
    /// Everything is told and nothing is written.
    pub report_only: bool,
    /// How often git is asked; spread by a tenth.
    pub git_interval: Duration,
    /// How often live state is observed; spread by a tenth.
    pub interval: Duration,
    /// How often an application is observed while a rollout runs, or after something was written.
    pub rollout_interval: Duration,
    /// Takes what is measured on the way.
    pub meter: Arc<dyn Meter>,
    /// Where what was told is kept for the process after this one; without, that one tells what lasts once more.
    pub notebook: Option<Arc<dyn Notebook>>,
    /// Judges commits by their signatures; without, every commit of the branch is taken.
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

    /// Whether an environment is minded.
    pub fn selects_environment(&self, environment: &EnvironmentName) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// Whether an application is minded.
    pub fn selects_application(&self, application: &ApplicationName) -> bool {
        self.applications.is_empty() || self.applications.contains(application)
    }
}
