//! The histograms and counters of this process, each with few labels of few values.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use trueup_core::report::{Event, What, printable};
use trueup_engine::Sink;
use trueup_ports::{CallOutcome, GitOutcome, Measurement, Meter};

use super::PREFIX;
use crate::commit_to_deploy::CommitToDeploy;

/// How many values a label may have that come from outside; the others are counted together, as `other`.
const VALUES_MAX: usize = 200;

/// What calls and questions to git take: from a round trip to a time-out.
const SHORT: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What cycles take: a few calls, up to thousands of services under AWS's rates.
const CYCLE: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 180.0, 600.0];

/// What deploying takes: ECS needs a minute or two at best.
const DEPLOY: [f64; 12] = [15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 480.0, 720.0, 1200.0, 1800.0, 3600.0, 14400.0];

type Labels<const N: usize> = [(&'static str, String); N];
type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// Takes measurements and events, and has them as metrics.
pub struct Measures {
    registry: Registry,
    cycles: Histograms<2>,
    git: Histograms<1>,
    calls: Histograms<2>,
    throttles: Family<Labels<2>, Counter>,
    deploys: Histograms<1>,
    events: Family<Labels<1>, Counter>,
    rollouts: Family<Labels<2>, Counter>,
    environments: Values,
    operations: Values,
    commit_to_deploy: Mutex<CommitToDeploy>,
}

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measures").finish_non_exhaustive()
    }
}

impl Default for Measures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let mut histograms = Register(&mut registry);
        let cycles =
            histograms.add("cycle_duration", "Duration of a cycle of an environment", || Histogram::new(CYCLE));
        let git = histograms.add("git_duration", "Duration of a poll of git", || Histogram::new(SHORT));
        let calls =
            histograms.add("api_call_duration", "Duration of an attempt of a call to AWS", || Histogram::new(SHORT));
        let help = "From a commit's time until its rollout was complete";
        let deploys = histograms.add("commit_to_deploy", help, || Histogram::new(DEPLOY));
        let (throttles, events, rollouts) = (Family::default(), Family::default(), Family::default());
        registry.register("api_throttles", "Calls for which AWS asked to slow down", Family::clone(&throttles));
        registry.register("events", "Events that were emitted", Family::clone(&events));
        registry.register("rollouts", "Rollouts that ended, or did not in time", Family::clone(&rollouts));
        Self {
            registry,
            cycles,
            git,
            calls,
            throttles,
            deploys,
            events,
            rollouts,
            environments: Values::default(),
            operations: Values::default(),
            commit_to_deploy: Mutex::default(),
        }
    }
}

/// Registers histograms of seconds.
struct Register<'r>(&'r mut Registry);

impl Register<'_> {
    fn add<const N: usize>(&mut self, name: &str, help: &str, make: fn() -> Histogram) -> Histograms<N> {
        let family = Family::new_with_constructor(make);
        self.0.register_with_unit(name, help, Unit::Seconds, Family::clone(&family));
        family
    }
}

impl Measures {
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn environment(&self, name: &str) -> (&'static str, String) {
        ("environment", self.environments.value(name))
    }

    fn rollout(&self, event: &Event, outcome: &str) {
        let environment = event.environment.as_ref().map_or("", |name| name.as_str());
        self.rollouts.get_or_create(&[self.environment(environment), ("outcome", outcome.to_owned())]).inc();
    }
}

impl Meter for Measures {
    fn measure(&self, measurement: &Measurement<'_>) {
        match *measurement {
            Measurement::Cycle { environment, full, took } => {
                let scope = if full { "full" } else { "partial" };
                let labels = [self.environment(environment.as_str()), ("scope", scope.to_owned())];
                observe(&self.cycles, &labels, took);
            }
            Measurement::Git { outcome, took } => {
                let outcome = match outcome {
                    GitOutcome::Still => "still",
                    GitOutcome::Moved => "moved",
                    GitOutcome::Failed => "failed",
                };
                observe(&self.git, &[("outcome", outcome.to_owned())], took);
            }
            Measurement::Call { environment, operation, outcome, took } => {
                let operation = ("operation", self.operations.value(operation));
                let word = match outcome {
                    CallOutcome::Succeeded => "succeeded",
                    CallOutcome::Throttled => "throttled",
                    CallOutcome::Failed => "failed",
                };
                if outcome == CallOutcome::Throttled {
                    self.throttles.get_or_create(&[self.environment(environment), operation.clone()]).inc();
                }
                observe(&self.calls, &[operation, ("outcome", word.to_owned())], took);
            }
        }
    }
}

impl Sink for Measures {
    fn emit(&self, event: &Event) {
        self.events.get_or_create(&[("event", event.what.name().to_owned())]).inc();
        match event.what {
            What::RolloutCompleted { .. } => self.rollout(event, "completed"),
            What::RolloutFailed { .. } => self.rollout(event, "failed"),
            What::RolloutRolledBack { .. } => self.rollout(event, "rolled_back"),
            What::RolloutTimedOut { .. } => self.rollout(event, "timed_out"),
            What::DaemonStarted { .. }
            | What::DaemonStopping { .. }
            | What::RevisionAccepted { .. }
            | What::RevisionRejected { .. }
            | What::RevisionUnverified { .. }
            | What::SourceFailed { .. }
            | What::SourceRecovered { .. }
            | What::DriftDetected { .. }
            | What::DriftResolved { .. }
            | What::PlanMade { .. }
            | What::StepApplied { .. }
            | What::StepFailed { .. }
            | What::RolloutStarted { .. }
            | What::HoldStarted { .. }
            | What::HoldEnded { .. } => {}
        }
        let deployed = self.commit_to_deploy.lock().unwrap_or_else(PoisonError::into_inner).observe(event);
        if let Some(deployed) = deployed {
            observe(&self.deploys, &[self.environment(deployed.environment.as_str())], deployed.took);
        }
    }
}

fn observe<const N: usize>(histograms: &Histograms<N>, labels: &Labels<N>, took: Duration) {
    histograms.get_or_create(labels).observe(took.as_secs_f64());
}

/// The values of a label, as far as they have one of their own.
#[derive(Debug, Default)]
struct Values(Mutex<BTreeSet<String>>);

impl Values {
    fn value(&self, value: &str) -> String {
        let value = printable(value);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&*value) {
            if known.len() == VALUES_MAX {
                return "other".to_owned();
            }
            known.insert(value.to_string());
        }
        value.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_so_many_values_and_no_more() {
        let values = Values::default();
        for number in 0..VALUES_MAX {
            assert_eq!(values.value(&number.to_string()), number.to_string());
        }
        assert_eq!((values.value("one more"), values.value("7")), ("other".to_owned(), "7".to_owned()));
    }
}
