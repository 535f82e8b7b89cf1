//! Why an application's tasks fail: evidence is read in the background, so that it delays no observation and no write.
//!
//! ECS forgets a stopped task after an hour, and a rollback leaves little behind, so evidence is read as soon as tasks
//! fail, and again when more have failed or ECS gave up. The finding is kept as long as that deployment is unhealthy: one
//! for each application, limited in size.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use trueup_core::diagnosis::{
    Class, DeploymentState, FailureContext, Finding, Source, UnhealthyDeployment, diagnose, unhealthy_deployment,
};
use trueup_core::live::{Live, LiveService, Observed};
use trueup_core::names::{ApplicationName, Arn, ServiceId};
use trueup_core::plan::{Plan, Rollout};
use trueup_core::report::Event;
use trueup_ports::{Cloud, EvidenceRequest};

/// The most applications whose evidence is read at a time in one environment: about ten calls each, which others need too.
pub(crate) const READ_AT_ONCE: usize = 4;

/// The shortest time between two readings of an application. A crash loop fails about every ten seconds at first.
const SPACING: Duration = Duration::from_secs(10);

/// How often evidence is read of a service that runs too few tasks although no rollout is running.
const SPACING_DEGRADED: Duration = Duration::from_mins(5);

/// How long a reading may take, including the wait for its turn. An event of a failure that waits for it is then emitted
/// without it.
const READING_MAX: Duration = Duration::from_secs(45);

/// The diagnosis of an application's failing tasks.
#[derive(Default)]
pub(crate) struct Diagnosis {
    unhealthy: Option<UnhealthyDeployment>,
    finding: Option<Finding>,
    /// The subject of the last reading, and when it began.
    read: Option<(UnhealthyDeployment, Instant)>,
    reading: bool,
    /// Events that wait for the finding.
    waiting: Vec<Event>,
}

impl Diagnosis {
    /// Records what was observed of the service. Returns what is to be read, when it is time for that.
    pub fn see(
        &mut self,
        service: Option<(&ServiceId, &Observed<LiveService>)>,
        live: &Live,
        plan: &Plan,
        now: Instant,
    ) -> Option<Reading> {
        let (id, service) = service?;
        let service = match service {
            Observed::Present(service) => &service.description,
            Observed::Absent => {
                self.forget();
                return None;
            }
            // Not seen is not the same as gone.
            Observed::Unknown(_) => return None,
        };
        // The cause is that an operator stopped it; no evidence is needed. An earlier finding is still reported: it may be
        // why the operator did.
        if matches!(plan.rollout, Some(Rollout::Stopped { .. })) {
            if self.finding.as_ref().is_some_and(|finding| finding.class == Class::Unknown) {
                self.forget();
            }
            return None;
        }
        let Some(seen) = unhealthy_deployment(service).filter(|_| !plan.is_settled()) else {
            // A rollback that is over leaves no trace in the service itself, and the finding is still its cause.
            if !has_failed(plan) {
                self.forget();
            }
            return None;
        };
        if self.finding.as_ref().is_some_and(|finding| finding.deployment != seen.id) {
            self.finding = None;
        }
        let is_due = !self.reading && self.is_due(&seen, now);
        self.unhealthy = Some(seen.clone());
        if !is_due {
            return None;
        }
        self.reading = true;
        self.read = Some((seen.clone(), now));
        Some(Reading::new(id, service, seen, live))
    }

    /// Whether there may be something new to read. A deployment that failed is read once more when that is first seen.
    fn is_due(&self, seen: &UnhealthyDeployment, now: Instant) -> bool {
        let Some((read, at)) = &self.read else { return true };
        let passed = now.saturating_duration_since(*at);
        if read.id != seen.id || (seen.state == DeploymentState::Failed && read.state != seen.state) {
            return true;
        }
        match seen.state {
            DeploymentState::Failed => false,
            DeploymentState::Failing => (read.failed_tasks != seen.failed_tasks) && passed >= SPACING,
            DeploymentState::Degraded => passed >= SPACING_DEGRADED,
        }
    }

    /// Forgets the finding, as nothing is left to explain.
    fn forget(&mut self) {
        self.unhealthy = None;
        self.finding = None;
    }

    /// The finding, if there is one.
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// Adds the finding to the events that have a member for it, and returns those that can be emitted. Events without it
    /// wait while evidence is being read.
    pub fn explain(&mut self, events: Vec<Event>) -> Vec<Event> {
        let mut ready = Vec::with_capacity(events.len());
        for mut event in events {
            if event.what.explain(self.finding.as_ref()) && self.reading {
                self.waiting.push(event);
            } else {
                ready.push(event);
            }
        }
        ready
    }

    /// Records the outcome of a reading. Returns the events that waited for it.
    pub fn arrived(&mut self, deployment: &str, found: Option<Finding>) -> Vec<Event> {
        let is_asked = self.unhealthy.as_ref().is_some_and(|unhealthy| unhealthy.id == deployment);
        if let Some(found) = found.filter(|_| is_asked) {
            // The tasks that it came from may be gone by now.
            let lost = self.finding.as_ref().is_some_and(|before| is_informative(before) && !is_informative(&found));
            if !lost {
                self.finding = Some(found);
            }
        }
        self.failed()
    }

    /// Records that a reading failed. Returns the events that waited for one.
    pub fn failed(&mut self) -> Vec<Event> {
        self.reading = false;
        self.give_up()
    }

    /// Returns the events that wait, with what is known by now.
    pub fn give_up(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.waiting);
        for event in &mut events {
            event.what.explain(self.finding.as_ref());
        }
        events
    }
}

/// Whether ECS failed to roll out what git wants, or rolled it back.
fn has_failed(plan: &Plan) -> bool {
    matches!(plan.rollout, Some(Rollout::Failed { .. } | Rollout::RolledBack { .. } | Rollout::Stopped { .. }))
}

/// Whether a finding names a cause, or is based on tasks.
fn is_informative(finding: &Finding) -> bool {
    finding.class != Class::Unknown || finding.evidence.iter().any(|fact| fact.source == Source::Task)
}

/// Evidence that is to be read, with everything that it is evaluated with.
pub(crate) struct Reading {
    request: EvidenceRequest,
    unhealthy: UnhealthyDeployment,
    service: Value,
    task_definition: Option<Value>,
    target_groups: Vec<Value>,
}

/// All target groups that the service's tasks may be in. Where ECS shifts traffic, the new tasks are in one of two, which
/// alternate.
fn target_groups(service: &Value) -> BTreeSet<Arn> {
    let balancers = service["loadBalancers"].as_array().into_iter().flatten();
    let groups = balancers.flat_map(|balancer| {
        [&balancer["targetGroupArn"], &balancer["advancedConfiguration"]["alternateTargetGroupArn"]]
    });
    groups.filter_map(Value::as_str).map(Arn::new).collect()
}

/// The outcome of a reading.
pub(crate) struct Diagnosed {
    pub name: ApplicationName,
    pub deployment: String,
    pub finding: Option<Finding>,
}

impl Reading {
    fn new(id: &ServiceId, service: &Value, unhealthy: UnhealthyDeployment, live: &Live) -> Self {
        let groups = target_groups(service);
        let present = live.target_groups.values().filter_map(Observed::present);
        let described = present.map(|group| -> &Value { &group.description });
        let is_ours =
            |group: &&Value| group["TargetGroupArn"].as_str().is_some_and(|arn| groups.contains(&Arn::new(arn)));
        let target_groups = described.filter(is_ours).cloned().collect();
        let revision = unhealthy.task_definition.as_ref().and_then(|revision| live.task_definitions.get(revision));
        let task_definition = revision.and_then(Observed::present).map(|revision| Value::clone(&revision.description));
        let request = EvidenceRequest { service: id.clone(), deployment: unhealthy.id.clone(), target_groups: groups };
        Self { request, unhealthy, service: service.clone(), task_definition, target_groups }
    }

    /// Reads and evaluates the evidence.
    pub async fn run(self, name: ApplicationName, cloud: Arc<dyn Cloud>, turns: Arc<Semaphore>) -> Diagnosed {
        let read = async {
            let turn = turns.acquire().await.ok();
            let evidence = cloud.evidence(&self.request).await;
            drop(turn);
            evidence
        };
        let evidence = timeout(READING_MAX, read).await.ok();
        let target_groups: Vec<&Value> = self.target_groups.iter().collect();
        let context = FailureContext {
            deployment: &self.unhealthy,
            service: Some(&self.service),
            task_definition: self.task_definition.as_ref(),
            target_groups: &target_groups,
        };
        let finding = evidence.and_then(|evidence| diagnose(&evidence, &context));
        Diagnosed { name, deployment: self.unhealthy.id, finding }
    }
}
