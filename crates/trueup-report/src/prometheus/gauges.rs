//! The status of all applications as gauges, computed at the scrape.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use trueup_core::plan::{Health, Plan, Sync};
use trueup_core::report::printable;
use trueup_engine::{ApplicationStatus, Status};

use crate::health::is_ready;

const SYNCS: [(Sync, &str); 3] = [(Sync::Synced, "Synced"), (Sync::OutOfSync, "OutOfSync"), (Sync::Unknown, "Unknown")];

const HEALTHS: [(Health, &str); 6] = [
    (Health::Healthy, "Healthy"),
    (Health::Progressing, "Progressing"),
    (Health::Degraded, "Degraded"),
    (Health::Suspended, "Suspended"),
    (Health::Missing, "Missing"),
    (Health::Unknown, "Unknown"),
];

/// A status at a time.
#[derive(Debug)]
pub(super) struct Standing {
    ready: bool,
    source_up: bool,
    /// Since git was read last, in seconds.
    age: Option<f64>,
    revision: Option<String>,
    /// For each observed environment, the seconds since its last cycle ended.
    cycle_ages: Vec<(String, f64)>,
    applications: Vec<ApplicationGauges>,
}

/// An application, with the fields that would otherwise be two or three labels.
#[derive(Debug)]
struct ApplicationGauges {
    environment: String,
    name: String,
    status: Arc<ApplicationStatus>,
}

impl ApplicationGauges {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("environment", &self.environment), ("application", &self.name)]
    }

    fn labels_and<'l>(&'l self, name: &'static str, value: &'l str) -> [(&'static str, &'l str); 3] {
        [("environment", &self.environment), ("application", &self.name), (name, value)]
    }
}

impl Standing {
    pub fn new(status: &Status, now: Timestamp) -> Self {
        let text = |name: &str| printable(name).into_owned();
        let age = |time: Timestamp| now.duration_since(time).as_secs_f64().max(0.0);
        let cycled = status.environments.iter().filter_map(|(name, environment)| Some((name, environment.cycled?)));
        let applications = status.applications.iter().map(|((environment, name), status)| ApplicationGauges {
            environment: text(environment.as_str()),
            name: text(name.as_str()),
            status: Arc::clone(status),
        });
        Self {
            ready: is_ready(status),
            source_up: status.source.failure.is_none() && status.source.last_success.is_some(),
            age: status.source.last_success.map(age),
            revision: status.source.revision.as_ref().map(|revision| text(revision.as_str())),
            cycle_ages: cycled.map(|(name, time)| (text(name.as_str()), age(time))).collect(),
            applications: applications.collect(),
        }
    }
}

impl Collector for Standing {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        out.info("build", "The version of trueup that runs")?.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        let ready = "1 once a desired state is loaded and every environment has completed a cycle";
        out.gauge("ready", ready)?.encode_gauge(&u32::from(self.ready))?;
        let up = "1 while the repository can be read";
        out.gauge("source_up", up)?.encode_gauge(&u32::from(self.source_up))?;
        if let Some(age) = &self.age {
            out.seconds("desired_state_age", "Since the repository was read last")?.encode_gauge(age)?;
        }
        if let Some(revision) = &self.revision {
            out.info("desired_state", "The current commit of the desired state")?
                .encode_info(&[("revision", revision.as_str())])?;
        }
        let mut cycles = out.seconds("environment_cycle_age", "Time since the last cycle of an environment")?;
        for (environment, age) in &self.cycle_ages {
            series(&mut cycles, &[("environment", environment.as_str())], age)?;
        }
        self.states(&mut out)?;
        self.numbers(&mut out)
    }
}

impl Standing {
    /// A field with a few states: one series for each, so that a state that no longer applies goes to 0.
    fn states(&self, out: &mut Out<'_>) -> fmt::Result {
        let mut syncs = out.gauge("application_sync", "1 for the application's sync, 0 for the others")?;
        for application in &self.applications {
            for (sync, word) in SYNCS {
                let is = u32::from(application.status.plan.sync == sync);
                series(&mut syncs, &application.labels_and("sync", word), &is)?;
            }
        }
        let mut healths = out.gauge("application_health", "1 for the application's health, 0 for the others")?;
        for application in &self.applications {
            for (health, word) in HEALTHS {
                let is = u32::from(application.status.plan.health == health);
                series(&mut healths, &application.labels_and("health", word), &is)?;
            }
        }
        Ok(())
    }

    fn numbers(&self, out: &mut Out<'_>) -> fmt::Result {
        let mut held = out.gauge("application_held", "How many changes are held for this reason")?;
        for application in &self.applications {
            let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
            for hold in &application.status.plan.held {
                *reasons.entry(hold.reason.reason()).or_default() += 1;
            }
            for (reason, count) in reasons {
                series(&mut held, &application.labels_and("reason", reason), &count)?;
            }
        }
        let mut drift =
            out.gauge("application_drift_fields", "Number of fields that differ because another writer changed them")?;
        for application in &self.applications {
            series(&mut drift, &application.labels(), &drifted(&application.status.plan))?;
        }
        let mut info = out.info("application", "The commit that the application follows")?;
        for application in &self.applications {
            let revision: Cow<'_, str> = printable(application.status.plan.revision.as_str());
            info.encode_family(&application.labels())?.encode_info(&[("revision", &*revision)])?;
        }
        let mut observed =
            out.seconds("application_observed_timestamp", "Time of the last observation of the application")?;
        for application in &self.applications {
            let seconds = application.status.observed.as_duration().as_secs_f64();
            series(&mut observed, &application.labels(), &seconds)?;
        }
        Ok(())
    }
}

/// Number of fields that differ because another writer changed them.
pub(crate) fn drifted(plan: &Plan) -> u64 {
    let steps = plan.steps.iter().flat_map(|step| step.drifted().map(|change| (step.subject.resource(), &change.path)));
    let held =
        plan.held.iter().flat_map(|held| held.drift().iter().map(|change| (held.subject.resource(), &change.path)));
    steps.chain(held).collect::<BTreeSet<_>>().len() as u64
}

/// Describes metrics.
struct Out<'e>(DescriptorEncoder<'e>);

impl Out<'_> {
    fn gauge<'s>(&'s mut self, name: &'s str, help: &str) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)
    }

    fn seconds<'s>(&'s mut self, name: &'s str, help: &str) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)
    }

    fn info<'s>(&'s mut self, name: &'s str, help: &str) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Info)
    }
}

fn series(metric: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, value: &impl EncodeGaugeValue) -> fmt::Result {
    metric.encode_family(labels)?.encode_gauge(value)
}
