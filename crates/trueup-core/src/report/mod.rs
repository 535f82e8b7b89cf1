//! Events: what trueup tells, each a value with a stable name.
//!
//! [`Edges`] turns a succession of plans into events, so that a state that lasts is told once. [`json_line`] and
//! [`text()`] write an event for machines and for people; [`json()`] writes anything for machines. What is foreign in them
//! cannot steer a terminal: [`steers`] says which characters could, [`printable()`] and [`escaped`] make them harmless.

mod edges;
#[cfg(test)]
mod handbook_tests;
mod json;
mod notes;
mod printable;
mod root_cause;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
mod standing;
mod text;
mod why;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

pub use self::edges::Edges;
pub use self::json::{escaped, json, json_line};
pub use self::notes::Notes;
pub use self::printable::{printable, steers};
pub use self::root_cause::{RootCause, RootCauses, root_cause};
pub use self::schema::{EVENT_SCHEMA_VERSION, event_schema};
pub use self::standing::standing;
pub use self::text::{fact_line, resource_title, text};
pub use self::why::{Explanation, why};
use crate::diagnosis::Finding;
use crate::document::Problem;
use crate::drift::Change;
use crate::live::FailureKind;
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::plan::{Cause, Hold, Operation, Resource};

/// Something that happened, or began, or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it was seen.
    pub time: Timestamp,
    /// Where; absent when it is about the daemon or the repository.
    pub environment: Option<EnvironmentName>,
    /// Whose; absent when it is about a whole environment, the daemon or the repository.
    pub application: Option<ApplicationName>,
    /// The revision of the desired state it is about.
    pub revision: Option<Revision>,
    /// What it is.
    pub what: What,
}

/// What happened, with what belongs to it. Serializes as the members that are the event's own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// The daemon began.
    DaemonStarted {
        /// The version of trueup.
        version: String,
        /// Which installation this is.
        instance: InstanceName,
        /// The version of the schema of the events that follow: [`EVENT_SCHEMA_VERSION`].
        event_schema: u32,
    },
    /// The daemon was told to stop: no write begins from here on.
    DaemonStopping {},
    /// A commit is in force.
    RevisionAccepted {
        /// The first line of its message.
        subject: String,
        /// When it was committed.
        committed: Timestamp,
        /// The branch was force-pushed: it does not descend from the one in force before.
        rewritten: bool,
    },
    /// A commit is not taken, the one in force before stays.
    RevisionRejected {
        /// Why, in one sentence.
        message: String,
        /// What is wrong in its files.
        problems: Vec<Problem>,
    },
    /// A commit is not taken in an environment, as it is not signed by somebody who may; the one in force there stays.
    RevisionUnverified {
        /// The commit that is not verified: the head, or one before it.
        commit: Revision,
        /// Why, in one sentence.
        message: String,
        /// What ends it, in one sentence.
        cure: String,
        /// The commit that is in force there.
        in_force: Option<Revision>,
    },
    /// The repository cannot be read; what is in force stays.
    SourceFailed {
        /// What happened.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The last time it could be read, by this process.
        last_success: Option<Timestamp>,
    },
    /// The repository can be read again.
    SourceRecovered {
        /// Since when it could not.
        since: Timestamp,
    },
    /// Somebody else changed a resource.
    DriftDetected {
        /// The resource.
        resource: Resource,
        /// `changed`, or `deleted` when the whole resource is gone.
        reason: &'static str,
        /// What they changed.
        changes: Vec<Change>,
    },
    /// A resource is again as it was last applied.
    DriftResolved {
        /// The resource.
        resource: Resource,
    },
    /// There is something to do.
    PlanMade {
        /// What, in this order.
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
        failure: Failure,
    },
    /// ECS began to replace tasks.
    RolloutStarted {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How many tasks of it are wanted.
        desired: i64,
    },
    /// The asked-for revision serves.
    RolloutCompleted {
        /// The task definition revision.
        task_definition: Arn,
    },
    /// ECS gave up, and did not go back.
    RolloutFailed {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// ECS's own words.
        reason: String,
        /// Why, as far as it was found out; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// ECS gave up, and goes or went back to what served before.
    RolloutRolledBack {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that serves again, or will.
        serving: Arn,
        /// ECS's own words.
        reason: String,
        /// Why, as far as it was found out; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// ECS is at it for longer than the policy's `rollout_timeout`; it goes on.
    RolloutTimedOut {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How many tasks of it are wanted.
        desired: i64,
        /// How many of them run.
        running: i64,
        /// Since when ECS is at it.
        since: Option<Timestamp>,
        /// Why, as far as it was found out; see [`What::explain`].
        finding: Option<Finding>,
    },
    /// Something is known and not done.
    HoldStarted {
        /// What it is about; the whole application when null.
        resource: Option<Resource>,
        /// Why: `reason`, and what belongs to it.
        #[serde(flatten)]
        hold: Hold,
        /// What that means, in one sentence.
        message: String,
        /// What ends it, in one sentence.
        cure: String,
        /// What would be changed.
        changes: Vec<Change>,
        /// The applications, when one cause holds several of them: then the event itself names none.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        applications: BTreeSet<ApplicationName>,
    },
    /// Something is no longer held.
    HoldEnded {
        /// What it was about.
        resource: Option<Resource>,
        /// The name of the reason.
        reason: String,
        /// As in [`What::HoldStarted`].
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        applications: BTreeSet<ApplicationName>,
        /// What it had in common with others.
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

    /// Puts a finding into an event that has a place for one. Gives back whether it has: other events are told as they
    /// are.
    pub fn explain(&mut self, found: Option<&Finding>) -> bool {
        match self {
            Self::RolloutFailed { finding, .. }
            | Self::RolloutRolledBack { finding, .. }
            | Self::RolloutTimedOut { finding, .. } => {
                *finding = found.cloned();
                true
            }
            _ => false,
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

/// A step as it may be shown: without its request, which carries environment values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep {
    /// The AWS operation.
    pub operation: Operation,
    /// What it acts on.
    pub resource: Resource,
    /// Why.
    pub cause: Cause,
    /// What it changes.
    pub changes: Vec<Change>,
}

impl From<&crate::plan::Step> for PlannedStep {
    fn from(step: &crate::plan::Step) -> Self {
        Self {
            operation: step.call.operation,
            resource: step.resource.clone(),
            cause: step.cause,
            changes: step.changes.clone(),
        }
    }
}

/// Why a mutating call failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// AWS's error code, such as `InvalidParameterException`.
    pub code: Option<String>,
    /// AWS's own words, or the transport's.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Nobody knows whether the call had its effect: it is read before anything is concluded.
    pub effect_unknown: bool,
}
