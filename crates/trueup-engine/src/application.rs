//! One application as the loop knows it between two looks.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::{Ahead, Health, Held, Hold, Memory, Plan, Prune, Resource, Rollout, Step, Sync, deploys};
use trueup_core::report::ReportedState;
use trueup_core::service_deployment::ServiceDeployment;
use trueup_ports::CallError;

use crate::backoff::Backoff;
use crate::context::Context;
use crate::diagnosis::Diagnosis;
use crate::git::awaits_git;
use crate::healthy::HealthyTasks;
use crate::resolution::Resolved;
use crate::schedule::Jitter;

/// How often in a row a command asks again for what could not be read. With the waits between (5, 10 and 20 seconds)
/// this outlasts throttling and a restart of the network; what lasts longer is for the daemon, or for a person.
const READS_AGAIN_MAX: u32 = 3;

/// How long the record of service deployments is believed while a rollout is only watched.
const RECORD_BELIEVED: Duration = Duration::from_secs(15);

/// What is remembered of an application. Nothing here is needed for correctness: a restart begins without.
pub(crate) struct ApplicationState {
    /// What was told of it.
    pub edges: ReportedState,
    /// What was written a moment ago.
    pub memory: Memory,
    /// What its references became last.
    pub resolved: Option<Resolved>,
    /// Resources that are read afresh at the next look.
    pub refresh: BTreeSet<String>,
    /// The record of its service's deployments, when it was last read.
    pub record: Option<(Instant, Observed<Vec<ServiceDeployment>>)>,
    /// A commit in AWS that this process may be behind, as of the last look.
    pub ahead: Option<Ahead>,
    /// A rollout ran at the last look.
    pub rolling: bool,
    /// When it is looked at before the next full cycle.
    pub look_at: Option<Instant>,
    /// Why its tasks fail, as far as it was found out.
    pub diagnosis: Diagnosis,
    /// How many of its tasks are healthy, while a rollout runs.
    pub healthy: HealthyTasks,
    /// What git no longer has of it, as of the last inventory.
    prune: Prune,
    /// The last failed call, until one on the same resource succeeds or is no longer needed.
    refusal: Option<Refusal>,
    backoff: Backoff,
    /// Reads that failed in a way that passes by itself.
    reads: Backoff,
    jitter: Jitter,
}

/// A call that failed.
struct Refusal {
    held: Held,
    /// The revision that was to be applied: another one is tried at once.
    revision: Revision,
}

impl ApplicationState {
    pub fn new(environment: &EnvironmentName, application: &ApplicationName, edges: ReportedState) -> Self {
        Self {
            edges,
            memory: Memory::default(),
            resolved: None,
            refresh: BTreeSet::new(),
            record: None,
            ahead: None,
            rolling: false,
            look_at: None,
            diagnosis: Diagnosis::default(),
            healthy: HealthyTasks::default(),
            prune: Prune::default(),
            refusal: None,
            backoff: Backoff::default(),
            reads: Backoff::default(),
            jitter: Jitter::of(&format!("{environment}/{application}")),
        }
    }

    /// The record of service deployments of a moment ago, for a rollout that is only watched: many rollouts at once
    /// would otherwise use up what AWS lets us read.
    pub fn known_record(&self, plan: &Plan, now: Instant) -> Option<Observed<Vec<ServiceDeployment>>> {
        let watches = matches!(plan.rollout, Some(Rollout::Running { .. })) && !plan.steps.iter().any(deploys);
        let (at, record) = self.record.as_ref().filter(|_| watches)?;
        (now.duration_since(*at) < RECORD_BELIEVED).then(|| record.clone())
    }

    /// Whether a call may be made now.
    pub fn may_write(&self, now: Instant) -> bool {
        self.backoff.until(now).is_none()
    }

    /// Whether the last call failed in a way that only a person or a commit can mend.
    pub fn is_refused(&self) -> bool {
        let reason = self.refusal.as_ref().map(|refusal| &refusal.held.reason);
        matches!(reason, Some(Hold::AccessDenied { .. } | Hold::CallRefused { .. }))
    }

    /// Whether reading it has failed so often in a row that a command waits no longer.
    pub fn is_unreadable(&self) -> bool {
        self.reads.failures() > READS_AGAIN_MAX
    }

    /// Whether nothing may be done before git was asked.
    pub fn awaits_git(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| !ahead.answered)
    }

    /// Whether anything of it is to be pruned.
    pub fn has_prune(&self) -> bool {
        !self.prune.steps.is_empty() || !self.prune.held.is_empty()
    }

    /// Notes what git no longer has of it.
    pub fn set_prune(&mut self, prune: Prune) {
        self.prune = prune;
    }

    /// Adds to a plan what it cannot know by itself: what is to be pruned, and the call that failed last. Forgets the
    /// latter when the plan has no more use for that call, or leads to another revision.
    pub fn complete(&mut self, plan: &mut Plan) {
        plan.finding = self.diagnosis.finding().cloned();
        self.healthy.complete(plan);
        if self.ahead.is_some() {
            return;
        }
        plan.steps.extend(self.prune.steps.iter().cloned());
        for held in self.prune.held.clone() {
            plan.hold(held);
        }
        if !self.prune.steps.is_empty() && plan.sync == Sync::Synced {
            plan.sync = Sync::OutOfSync;
        }
        let Some(refusal) = &self.refusal else { return };
        let is_about = |resource: &Resource| refusal.held.resource.as_ref().is_some_and(|held| same(held, resource));
        let is_wanted = plan.sync == Sync::Unknown
            || plan.steps.iter().any(|step| is_about(&step.resource))
            || plan.held.iter().any(|held| held.resource.as_ref().is_some_and(is_about));
        if refusal.revision == plan.revision && is_wanted {
            plan.hold(refusal.held.clone());
        } else {
            self.refusal = None;
            self.backoff.reset();
        }
    }

    /// Notes that a call succeeded.
    pub fn succeeded(&mut self, step: &Step) {
        self.prune.steps.retain(|pruned| pruned.resource != step.resource);
        let ended = self.refusal.as_ref().and_then(|refusal| refusal.held.resource.as_ref());
        if ended.is_some_and(|resource| same(resource, &step.resource)) {
            self.refusal = None;
            self.backoff.reset();
        }
    }

    /// Notes that a call failed: nothing is written to the application until the backoff has passed.
    pub fn failed(&mut self, step: &Step, revision: &Revision, error: &CallError, now: Instant) {
        self.backoff.failed(error.kind, now, &mut self.jitter);
        let held =
            Held { resource: Some(step.resource.clone()), changes: step.changes.clone(), reason: hold_for(error) };
        self.refusal = Some(Refusal { held, revision: revision.clone() });
        self.look_at = self.backoff.until(now);
    }

    /// Notes whether all of it could be read for this plan: what could not is read again soon, then less and less
    /// often.
    pub fn observed(&mut self, plan: &Plan, now: Instant) {
        match plan.held.iter().find_map(|held| passing_failure(&held.reason)) {
            Some(kind) => self.reads.failed(kind, now, &mut self.jitter),
            None => self.reads.reset(),
        }
        self.look_at = self.reads.until(now);
    }

    /// Works out when the application is looked at next, before the next full cycle: soon while ECS is busy with it
    /// or AWS may still show the time before a write, and when a backoff ends.
    pub fn schedule(&mut self, plan: &Plan, context: &Context, now: Instant) {
        self.rolling = matches!(plan.rollout, Some(Rollout::Running { .. }));
        let soon = is_rolling(plan) || is_unsettled(plan) || awaits_git(plan);
        let soon = soon.then(|| now + context.options.rollout_interval);
        let retry = self.backoff.until(now).filter(|_| !plan.steps.is_empty());
        self.look_at = soon.into_iter().chain(retry).chain(self.reads.until(now)).min();
    }
}

/// Whether ECS is busy with it.
pub(crate) fn is_rolling(plan: &Plan) -> bool {
    matches!(plan.rollout, Some(Rollout::Running { .. } | Rollout::RolledBack { done: false, .. }))
        || plan.health == Health::Progressing
}

/// Whether AWS may still show the time before an own write.
pub(crate) fn is_unsettled(plan: &Plan) -> bool {
    plan.held.iter().any(|held| matches!(held.reason, Hold::NotSettled { .. }))
}

/// How a read failed, when reading again may mend it.
fn passing_failure(hold: &Hold) -> Option<FailureKind> {
    match hold {
        Hold::NotObserved { failure } => Some(failure.kind).filter(|kind| kind.is_transient()),
        Hold::Unresolved { references } => {
            references.iter().any(|reference| reference.transient).then_some(FailureKind::Unavailable)
        }
        _ => None,
    }
}

/// Whether two resources are the same document's.
fn same(a: &Resource, b: &Resource) -> bool {
    (a.kind, &a.name) == (b.kind, &b.name)
}

/// What an operator reads about a failed call.
fn hold_for(error: &CallError) -> Hold {
    let CallError { operation, kind, code, message, .. } = error.clone();
    match kind {
        FailureKind::AccessDenied => Hold::AccessDenied { operation, message },
        FailureKind::Rejected => Hold::CallRefused { operation, code, message },
        FailureKind::Credentials => Hold::NoCredentials { message },
        FailureKind::Throttled | FailureKind::TimedOut | FailureKind::Unavailable => {
            Hold::WriteFailed { operation, message }
        }
    }
}
