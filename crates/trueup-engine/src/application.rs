//! The state of one application between two observations.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::{Ahead, Held, Hold, Memory, Plan, Rollout, Step, Subject, Sync};
use trueup_core::planner::Prune;
use trueup_core::report::ReportedState;
use trueup_core::resources::service::deploys;
use trueup_core::service_deployment::ServiceDeployment;
use trueup_ports::CallError;

use crate::backoff::Backoff;
use crate::context::Context;
use crate::diagnosis::Diagnosis;
use crate::healthy_tasks::HealthyTasks;
use crate::resolution::Resolved;
use crate::schedule::Jitter;

/// How often in a row a command retries reads that failed. With the waits between (5, 10 and 20 seconds) this outlasts
/// throttling and a restart of the network; failures that last longer are left to the daemon, or to an operator.
const READS_AGAIN_MAX: u32 = 3;

/// How long service deployments are reused after they were read, while a rollout is only watched.
const RECORD_BELIEVED: Duration = Duration::from_secs(15);

/// The in-memory state of an application. Correctness does not depend on it: a restart begins without it.
pub(crate) struct ApplicationState {
    /// Its state as last reported in events.
    pub edges: ReportedState,
    /// The writes to it by this process.
    pub memory: Memory,
    /// Its documents, with their references as last resolved.
    pub resolved: Option<Resolved>,
    /// Resources that are read again at the next observation.
    pub refresh: BTreeSet<String>,
    /// The deployments of its service, with the time at which they were read.
    pub record: Option<(Instant, Observed<Vec<ServiceDeployment>>)>,
    /// A commit in AWS that this process may be behind, as of the last observation.
    pub ahead: Option<Ahead>,
    /// A rollout was running at the last observation.
    pub rolling: bool,
    /// When it is observed next, if before the next full cycle.
    pub observe_at: Option<Instant>,
    /// The diagnosis of its failing tasks.
    pub diagnosis: Diagnosis,
    /// The number of its healthy tasks, while a rollout runs.
    pub healthy: HealthyTasks,
    /// The resources to prune because git no longer has them, as of the last inventory.
    prune: Prune,
    /// The last failed call, until one on the same resource succeeds or is no longer needed.
    failed_call: Option<FailedCall>,
    backoff: Backoff,
    /// The wait after reads that failed for reasons that clear on their own.
    reads: Backoff,
    jitter: Jitter,
}

/// A call that failed.
struct FailedCall {
    held: Held,
    /// The revision that was being applied: another revision is tried at once.
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
            observe_at: None,
            diagnosis: Diagnosis::default(),
            healthy: HealthyTasks::default(),
            prune: Prune::default(),
            failed_call: None,
            backoff: Backoff::default(),
            reads: Backoff::default(),
            jitter: Jitter::of(&format!("{environment}/{application}")),
        }
    }

    /// The service deployments that were read a moment ago, for a rollout that is only watched: many rollouts at once
    /// would otherwise use up the rate at which AWS lets us read.
    pub fn known_record(&self, plan: &Plan, now: Instant) -> Option<Observed<Vec<ServiceDeployment>>> {
        let watches = matches!(plan.rollout, Some(Rollout::Running { .. })) && !plan.steps.iter().any(deploys);
        let (at, record) = self.record.as_ref().filter(|_| watches)?;
        (now.duration_since(*at) < RECORD_BELIEVED).then(|| record.clone())
    }

    /// Whether a write may be sent now.
    pub fn may_write(&self, now: Instant) -> bool {
        self.backoff.until(now).is_none()
    }

    /// Whether the last call failed in a way that only an operator or a commit can fix.
    pub fn is_refused(&self) -> bool {
        let reason = self.failed_call.as_ref().map(|failed_call| &failed_call.held.reason);
        matches!(reason, Some(Hold::AccessDenied { .. } | Hold::CallRefused { .. }))
    }

    /// Whether reading it failed so often in a row that a command no longer waits for it.
    pub fn is_unreadable(&self) -> bool {
        self.reads.failures() > READS_AGAIN_MAX
    }

    /// Whether nothing may be done before git has been polled.
    pub fn awaits_git(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| !ahead.answered)
    }

    /// Whether any of its resources is to be pruned.
    pub fn has_prune(&self) -> bool {
        !self.prune.steps.is_empty() || !self.prune.held.is_empty()
    }

    /// Records the resources that git no longer has.
    pub fn set_prune(&mut self, prune: Prune) {
        self.prune = prune;
    }

    /// Adds to a plan what the planner does not know: what is to be pruned, the call that failed last, the diagnosis and
    /// the number of healthy tasks. Forgets the failed call when the plan no longer needs it, or leads to another revision.
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
        let Some(failed_call) = &self.failed_call else { return };
        let is_about = |subject: &Subject| failed_call.held.subject.is_same(subject);
        let is_wanted = plan.sync == Sync::Unknown
            || plan.steps.iter().any(|step| is_about(&step.subject))
            || plan.held.iter().any(|held| is_about(&held.subject));
        if failed_call.revision == plan.revision && is_wanted {
            plan.hold(failed_call.held.clone());
        } else {
            self.failed_call = None;
            self.backoff.reset();
        }
    }

    /// Records that a call succeeded.
    pub fn succeeded(&mut self, step: &Step) {
        self.prune.steps.retain(|pruned| pruned.subject != step.subject);
        if self.failed_call.as_ref().is_some_and(|failed_call| failed_call.held.subject.is_same(&step.subject)) {
            self.failed_call = None;
            self.backoff.reset();
        }
    }

    /// Records that a call failed: nothing is written to the application until the backoff has passed.
    pub fn failed(&mut self, step: &Step, revision: &Revision, error: &CallError, now: Instant) {
        self.backoff.failed(error.kind, now, &mut self.jitter);
        let held = Held { subject: step.subject.clone(), changes: step.changes.clone(), reason: hold_for(error) };
        self.failed_call = Some(FailedCall { held, revision: revision.clone() });
        self.observe_at = self.backoff.until(now);
    }

    /// Records whether all of it could be read for this plan. If not, it is observed again soon, then less and less often.
    pub fn observed(&mut self, plan: &Plan, now: Instant) {
        match plan.held.iter().find_map(|held| passing_failure(&held.reason)) {
            Some(kind) => self.reads.failed(kind, now, &mut self.jitter),
            None => self.reads.reset(),
        }
        self.observe_at = self.reads.until(now);
    }

    /// Sets when the application is observed before the next full cycle: soon while ECS is busy with it or AWS may still
    /// show the state before a write, and when a backoff ends.
    pub fn schedule(&mut self, plan: &Plan, rollout_interval: Duration, now: Instant) {
        self.rolling = matches!(plan.rollout, Some(Rollout::Running { .. }));
        let soon = plan.is_rolling() || plan.is_unsettled() || plan.awaits_git();
        let soon = soon.then(|| now + rollout_interval);
        let retry = self.backoff.until(now).filter(|_| !plan.steps.is_empty());
        self.observe_at = soon.into_iter().chain(retry).chain(self.reads.until(now)).min();
    }

    /// Has the application observed at `at` at the latest.
    pub fn observe_by(&mut self, at: Instant) {
        self.observe_at = Some(self.observe_at.map_or(at, |due| due.min(at)));
    }

    /// Emits what is new in a plan, and updates the status.
    pub fn show(&mut self, context: &Context, plan: &Plan) {
        let now = context.now();
        let events = self.edges.observe(plan, now);
        context.reporting.note(&plan.environment, &plan.application, &self.edges);
        context.emit(context.reporting.pass(&plan.environment, self.diagnosis.explain(events)));
        context.status.set(plan.clone(), now);
    }
}

/// How a read failed, when reading again may help.
fn passing_failure(hold: &Hold) -> Option<FailureKind> {
    match hold {
        Hold::NotObserved { failure } => Some(failure.kind).filter(|kind| kind.is_transient()),
        Hold::Unresolved { references } => {
            references.iter().any(|reference| reference.transient).then_some(FailureKind::Unavailable)
        }
        Hold::NotSettled { .. }
        | Hold::ReportOnly { .. }
        | Hold::Immutable { .. }
        | Hold::ForeignInstance { .. }
        | Hold::ForeignEnvironment { .. }
        | Hold::OwnedByStack { .. }
        | Hold::ManagedByEcs
        | Hold::PriorityTaken { .. }
        | Hold::ServiceDraining
        | Hold::RevisionFailed { .. }
        | Hold::Suspended { .. }
        | Hold::Contested { .. }
        | Hold::WaitsFor { .. }
        | Hold::PruneLimit { .. }
        | Hold::UnknownRevision { .. }
        | Hold::Behind(_)
        | Hold::TargetGroupInUse { .. }
        | Hold::InvalidDocument { .. }
        | Hold::Unverified { .. }
        | Hold::AccessDenied { .. }
        | Hold::CallRefused { .. }
        | Hold::WriteFailed { .. }
        | Hold::AccountMismatch { .. }
        | Hold::NoCredentials { .. }
        | Hold::Unsound { .. } => None,
    }
}

/// The hold that reports a failed call.
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
