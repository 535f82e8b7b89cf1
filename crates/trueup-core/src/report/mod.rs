//! Events: what trueup reports, each a value with a stable name.
//!
//! [`ReportedState`] turns successive plans into events, so that a state that lasts is reported once. [`json_line`] and
//! [`text()`] write an event as JSON and as text; [`json()`] writes any data as JSON. Foreign text in them cannot control
//! a terminal: [`steers`] lists the characters that could, [`printable()`] and [`escaped`] make them harmless.

#[cfg(test)]
mod handbook_tests;
mod json;
mod notes;
mod printable;
mod reported;
mod root_cause;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
mod status;
mod text;
mod why;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

pub use self::json::{escaped, json, json_line};
pub use self::notes::Notes;
pub use self::printable::{printable, steers};
pub use self::reported::ReportedState;
pub use self::root_cause::{RootCause, RootCauses, root_cause};
pub use self::schema::{EVENT_SCHEMA_VERSION, event_schema};
pub use self::status::application_status;
pub use self::text::{fact_line, resource_title, subject_title, text};
pub use self::why::{Explanation, why};
use crate::diagnosis::Finding;
use crate::document::Problem;
use crate::drift::Change;
use crate::live::FailureKind;
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::plan::{Cause, Hold, Operation, Resource, Subject};

/// Something that happened, started or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When trueup saw it.
    pub time: Timestamp,
    /// The environment; absent for the daemon and the repository.
    pub environment: Option<EnvironmentName>,
    /// The application; absent for a whole environment, the daemon and the repository.
    pub application: Option<ApplicationName>,
    /// The revision of the desired state.
    pub revision: Option<Revision>,
    /// The event itself.
    pub what: What,
}

/// One kind of event with its members. Serializes as these members alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// The daemon started.
    DaemonStarted {
        /// The version of trueup.
        version: String,
        /// The installation.
        instance: InstanceName,
        /// The schema version of the events that follow: [`EVENT_SCHEMA_VERSION`].
        event_schema: u32,
    },
    /// The daemon received a request to stop: no new write begins.
    DaemonStopping {},
    /// A commit became current.
    RevisionAccepted {
        /// The first line of its message.
        subject: String,
        /// When it was committed.
        committed: Timestamp,
        /// The branch was force-pushed: the commit does not descend from the previous one.
        rewritten: bool,
    },
    /// A commit is rejected, the previous one stays current.
    RevisionRejected {
        /// Why, in one sentence.
        message: String,
        /// The problems in its files.
        problems: Vec<Problem>,
    },
    /// A commit is not applied in an environment, as no allowed signer signed it; the previous one stays current there.
    RevisionUnverified {
        /// The commit that is not verified: the head, or one before it.
        commit: Revision,
        /// Why, in one sentence.
        message: String,
        /// The condition that ends it, in one sentence.
        cure: String,
        /// The commit that is current there.
        in_force: Option<Revision>,
    },
    /// The repository cannot be read; the current commit stays.
    SourceFailed {
        /// What happened.
        message: String,
        /// The remedy.
        hint: Option<String>,
        /// The last time that this process could read it.
        last_success: Option<Timestamp>,
    },
    /// The repository can be read again.
    SourceRecovered {
        /// Since when it could not be read.
        since: Timestamp,
    },
    /// Another writer changed a resource.
    DriftDetected {
        /// The resource.
        resource: Resource,
        /// `changed`, or `deleted` when the whole resource is gone.
        reason: &'static str,
        /// The changes.
        changes: Vec<Change>,
    },
    /// A resource matches its last applied document again.
    DriftResolved {
        /// The resource.
        resource: Resource,
    },
    /// There are changes to apply.
    PlanMade {
        /// The steps, in order.
        steps: Vec<PlannedStep>,
    },
    /// A mutating call succeeded.
    StepApplied {
        /// The step.
        #[serde(flatten)]
        step: PlannedStep,
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// A mutating call failed.
    StepFailed {
        /// The step.
        #[serde(flatten)]
        step: PlannedStep,
        /// The failure.
        #[serde(flatten)]
        failure: CallFailure,
    },
    /// ECS started to replace tasks.
    RolloutStarted {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The desired number of its tasks.
        desired: i64,
    },
    /// The requested revision serves.
    RolloutCompleted {
        /// The task definition revision.
        task_definition: Arn,
    },
    /// ECS failed the deployment, and did not roll back.
    RolloutFailed {
        /// The requested task definition revision.
        task_definition: Arn,
        /// ECS's reason.
        reason: String,
        /// The diagnosis, if there is one; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// ECS failed the deployment, and is rolling back or rolled back to the previous one.
    RolloutRolledBack {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The task definition revision that serves again, or will serve.
        serving: Arn,
        /// ECS's reason.
        reason: String,
        /// The diagnosis, if there is one; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// The rollout takes longer than the policy's `rollout_timeout`; ECS continues.
    RolloutTimedOut {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The desired number of its tasks.
        desired: i64,
        /// How many of its tasks run.
        running: i64,
        /// When the rollout started.
        since: Option<Timestamp>,
        /// The diagnosis, if there is one; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// A change is known but held.
    HoldStarted {
        /// The resource; the whole application when null.
        resource: Option<Resource>,
        /// The hold: `reason`, and its members.
        #[serde(flatten)]
        hold: Hold,
        /// The problem, in one sentence.
        message: String,
        /// The condition that ends it, in one sentence.
        cure: String,
        /// The held changes.
        changes: Vec<Change>,
        /// The applications, when one cause holds several of them: then `application` is null.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        applications: BTreeSet<ApplicationName>,
    },
    /// A change is no longer held.
    HoldEnded {
        /// The resource; the whole application when null.
        resource: Option<Resource>,
        /// The name of the reason.
        reason: String,
        /// As in [`What::HoldStarted`].
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        applications: BTreeSet<ApplicationName>,
        /// The cause that it shared with other holds.
        #[serde(skip)]
        root: Option<RootCause>,
    },
}

impl What {
    /// The stable names of all events, in the order in which they are declared.
    pub const NAMES: [&'static str; 19] = [
        "daemon.started",
        "daemon.stopping",
        "revision.accepted",
        "revision.rejected",
        "revision.unverified",
        "source.failed",
        "source.recovered",
        "drift.detected",
        "drift.resolved",
        "plan.made",
        "step.applied",
        "step.failed",
        "rollout.started",
        "rollout.completed",
        "rollout.failed",
        "rollout.rolled_back",
        "rollout.timed_out",
        "hold.started",
        "hold.ended",
    ];

    /// Sets the finding of an event that can have one. Returns whether it can: other events stay as they are.
    pub fn explain(&mut self, found: Option<&Finding>) -> bool {
        match self {
            Self::RolloutFailed { finding, .. }
            | Self::RolloutRolledBack { finding, .. }
            | Self::RolloutTimedOut { finding, .. } => {
                *finding = found.cloned();
                true
            }
            Self::DaemonStarted { .. }
            | Self::DaemonStopping {}
            | Self::RevisionAccepted { .. }
            | Self::RevisionRejected { .. }
            | Self::RevisionUnverified { .. }
            | Self::SourceFailed { .. }
            | Self::SourceRecovered { .. }
            | Self::DriftDetected { .. }
            | Self::DriftResolved { .. }
            | Self::PlanMade { .. }
            | Self::StepApplied { .. }
            | Self::StepFailed { .. }
            | Self::RolloutStarted { .. }
            | Self::RolloutCompleted { .. }
            | Self::HoldStarted { .. }
            | Self::HoldEnded { .. } => false,
        }
    }

    /// The event's stable name, one of [`What::NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::DaemonStarted { .. } => "daemon.started",
            Self::DaemonStopping {} => "daemon.stopping",
            Self::RevisionAccepted { .. } => "revision.accepted",
            Self::RevisionRejected { .. } => "revision.rejected",
            Self::RevisionUnverified { .. } => "revision.unverified",
            Self::SourceFailed { .. } => "source.failed",
            Self::SourceRecovered { .. } => "source.recovered",
            Self::DriftDetected { .. } => "drift.detected",
            Self::DriftResolved { .. } => "drift.resolved",
            Self::PlanMade { .. } => "plan.made",
            Self::StepApplied { .. } => "step.applied",
            Self::StepFailed { .. } => "step.failed",
            Self::RolloutStarted { .. } => "rollout.started",
            Self::RolloutCompleted { .. } => "rollout.completed",
            Self::RolloutFailed { .. } => "rollout.failed",
            Self::RolloutRolledBack { .. } => "rollout.rolled_back",
            Self::RolloutTimedOut { .. } => "rollout.timed_out",
            Self::HoldStarted { .. } => "hold.started",
            Self::HoldEnded { .. } => "hold.ended",
        }
    }
}

/// A step as it may be shown: without its request, which contains values of environment variables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep {
    /// The AWS operation.
    pub operation: Operation,
    /// What it acts on.
    #[serde(rename = "resource")]
    pub subject: Subject,
    /// The cause of the changes.
    pub cause: Cause,
    /// The changes.
    pub changes: Vec<Change>,
}

impl From<&crate::plan::Step> for PlannedStep {
    fn from(step: &crate::plan::Step) -> Self {
        Self {
            operation: step.call.operation,
            subject: step.subject.clone(),
            cause: step.cause,
            changes: step.changes.clone(),
        }
    }
}

/// Why a mutating call failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallFailure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// AWS's error code, such as `InvalidParameterException`.
    pub code: Option<String>,
    /// AWS's message, or the transport's.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Whether the call took effect is unknown: AWS is read again before anything is concluded.
    pub effect_unknown: bool,
}
