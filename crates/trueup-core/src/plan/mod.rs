//! The plan: the ordered steps from live to desired, and every hold, as a value.

//!
//! [`plan()`] is pure, total and deterministic. It lists every step in order; the engine takes the first one whose
//! [`Step::awaits`] is empty, lets [`crate::live::Live::absorb`] take in the answer, and plans again.

mod absorb;
mod ahead;
pub mod check;
mod contest;
mod delegation;
mod deployment;
mod draft;
#[cfg(test)]
mod fixture;
mod graft;
mod hold;
mod listener_rule;
mod memory;
mod order;
mod prune;
mod rollout;
mod service;
mod spelling;
mod suspension;
pub mod tags;
mod target_group;
mod task_definition;
#[cfg(test)]
mod tests;
mod three_way;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use self::ahead::{Ahead, applied_revisions, applied_revisions_of_environment};
pub use self::contest::{CONTESTED_PAUSE_SECONDS, CONTESTED_QUIET_SECONDS, CONTESTED_ROUNDS};
pub use self::delegation::{is_delegated, traffic};
pub use self::hold::Hold;
pub use self::memory::{LOST_CALL_SECONDS_MAX, Memory, OWN_WRITE_UNSEEN_SECONDS_MAX, REGISTERED_UNSEEN_SECONDS_MAX};
pub use self::prune::{Prune, PruneInput, plan_prune};
pub use self::rollout::{Progress, Rollout, RunningTasks, TaskHealth, deploys, retry, wants_service_deployments};
pub use self::suspension::{NothingToMark, note, resume, suspend};
use crate::desired::DesiredApplication;
use crate::diagnosis::Finding;
use crate::drift::Change;
use crate::kind::Kind;
use crate::live::Live;
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
pub use crate::operation::Operation;
use crate::pointer::Pointer;

/// All that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What git wants.
    pub desired: &'a DesiredApplication,
    /// The application as git had it at the commit in the service's tag `trueup:revision`, when that is known. Tells
    /// drift from a pending change field by field, and which tags git once declared.
    pub last_applied: Option<&'a DesiredApplication>,
    /// What AWS has, in the whole environment.
    pub live: &'a Live,
    /// This installation.
    pub instance: &'a InstanceName,
    /// All applications that git has in this environment: a resource of an application that is not among them may be
    /// taken over (its application was renamed), one of an application that is among them may not.
    pub applications: &'a BTreeSet<ApplicationName>,
    /// The applications of `depends_on` that are not Synced and Healthy yet.
    pub waits_for: &'a BTreeSet<ApplicationName>,
    /// A commit in AWS that this process may be behind: nothing may be concluded from what it has.
    pub ahead: Option<&'a Ahead>,
    /// What this process wrote to this application a moment ago.
    pub memory: &'a Memory,
    /// The time now.
    pub now: Timestamp,
}

/// Works out every step from live to desired, and every hold.
///
/// Total and deterministic: equal arguments give equal plans. It does not fail, wait or log; whatever may not be done
/// yet is in [`Plan::held`] with the reason.
pub fn plan(input: &Input<'_>) -> Plan {
    order::plan(input)
}

/// What is to be done for one application in one environment, and what is not and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// The application.
    pub application: ApplicationName,
    /// The revision of the desired state it leads to.
    pub revision: Revision,
    /// What will be done, in this order.
    pub steps: Vec<Step>,
    /// What is known and not done.
    pub held: Vec<Held>,
    /// Whether live is as git wants it.
    pub sync: Sync,
    /// How what runs is doing.
    pub health: Health,
    /// What ECS does at the moment.
    pub rollout: Option<Rollout>,
    /// Why a rollout failed, or fails, or too few tasks run, as far as it was found out. The planner does not know it;
    /// whoever reads the evidence puts it in.
    pub finding: Option<Finding>,
}

impl Plan {
    /// Adds a hold that was found outside the planner (an invalid document, a refused call) and judges
    /// [`Plan::sync`] anew.
    pub fn hold(&mut self, held: Held) {
        self.held.push(held);
        self.sync = order::sync(&self.steps, &self.held);
    }
}

/// One mutating AWS call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it acts on.
    pub resource: Resource,
    /// Why.
    pub cause: Cause,
    /// What it changes; for a resource that does not exist yet, one change at the root.
    pub changes: Vec<Change>,
    /// The paths of those changes that somebody else made: all of them where [`Step::cause`] is drift, and some where a
    /// commit's change and somebody's stand in one call.
    pub drift: Vec<Pointer>,
    /// What must happen before the call can be written. The next plan, made after that step was taken, has the call.
    pub awaits: Vec<Awaited>,
    /// The call. Serializes as its `operation` alone: the request carries environment values.
    #[serde(rename = "operation", serialize_with = "operation_alone")]
    pub call: Call,
}

impl Step {
    /// What it awaits, in words: `target-group backend, task-definition`. Empty when its call can be written.
    pub fn awaited(&self) -> String {
        self.awaits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The changes that somebody else made.
    pub fn drifted(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| self.drift.contains(&change.path))
    }
}

/// What must happen before the call of a step can be written. Its `Display`, which reports carry as well, is
/// `target-group backend`, `task-definition`, `priority 10` or `deletion of ARN`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// The resource of this document is created.
    Created(Kind, String),
    /// Another rule leaves this priority of the same listener.
    Priority(String),
    /// What uses the resource is deleted.
    Deleted(Arn),
}

impl std::fmt::Display for Awaited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Created(kind, _) if kind.is_single() => f.write_str(kind.as_str()),
            Self::Created(kind, name) => write!(f, "{} {name}", kind.as_str()),
            Self::Priority(priority) => write!(f, "priority {priority}"),
            Self::Deleted(arn) => write!(f, "deletion of {arn}"),
        }
    }
}

impl Serialize for Awaited {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn operation_alone<S: Serializer>(call: &Call, serializer: S) -> Result<S::Ok, S::Error> {
    call.operation.serialize(serializer)
}

/// An AWS API call: the operation and its request, in the API's own JSON spelling.
///
/// `Debug` shows the operation alone, because requests carry environment values.
#[derive(Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// The request.
    pub input: Value,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl Call {
    /// A call whose values have the types that the API model gives them (`300` as text where AWS wants text).
    pub fn new(operation: Operation, input: Value) -> Self {
        Self { operation, input: spelling::spelled(operation, input) }
    }

    /// A call from an operation and its request.
    pub fn of((operation, input): (Operation, Value)) -> Self {
        Self::new(operation, input)
    }
}

/// What a step or a hold is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// The kind of document.
    pub kind: Kind,
    /// The document's name, as in [`crate::desired::Document::name`].
    pub name: String,
    /// The resource in AWS, where it exists.
    pub arn: Option<Arn>,
}

/// Why a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Git wants it and AWS does not have it.
    Create,
    /// Git changed: a commit is waiting.
    Pending,
    /// AWS changed: somebody else did that.
    Drift,
    /// It is as git wants it, and gets our tags.
    Adopt,
    /// Git no longer has it.
    Prune,
}

/// A step that is known and not taken, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What it would act on; the whole application when absent.
    pub resource: Option<Resource>,
    /// What it would change.
    pub changes: Vec<Change>,
    /// Why it is not taken.
    pub reason: Hold,
}

impl Held {
    /// Those of the changes that somebody else made, as far as the reason tells.
    pub fn drift(&self) -> &[Change] {
        let is_drift = matches!(
            self.reason,
            Hold::ReportOnly { cause: Cause::Drift }
                | Hold::Suspended { cause: Some(Cause::Drift), .. }
                | Hold::Contested { .. }
        );
        if is_drift { &self.changes } else { &[] }
    }
}

/// Flat: `resource`, `reason` and what belongs to it, `message`, `cure`, `changes`.
impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            resource: &'a Option<Resource>,
            #[serde(flatten)]
            hold: &'a Hold,
            message: String,
            cure: &'static str,
            changes: &'a [Change],
        }
        let (message, cure) = (self.reason.message(), self.reason.remedy());
        Flat { resource: &self.resource, hold: &self.reason, message, cure, changes: &self.changes }
            .serialize(serializer)
    }
}

/// Whether live is as git wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Sync {
    /// Nothing differs.
    Synced,
    /// Something differs.
    OutOfSync,
    /// Something could not be read, so nobody knows.
    Unknown,
}

/// How what runs is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Health {
    /// The asked-for revision serves.
    Healthy,
    /// ECS is on the way there.
    Progressing,
    /// A rollout failed, or fewer tasks run than wanted.
    Degraded,
    /// Following and healing are stopped by a person.
    Suspended,
    /// Git wants it and AWS does not have it.
    Missing,
    /// It could not be read.
    Unknown,
}
