//! The plan: the ordered steps from live to desired, and every hold, as a value; and the machinery that builds one.
//!
//! Nothing here names a kind of document: the behaviour of each kind is in [`crate::resources`], and [`crate::planner`]
//! combines them.

mod ahead;
pub(crate) mod builder;
mod flapping;
mod hold;
pub(crate) mod keep_live;
mod memory;
mod request_types;
mod rollout;
pub(crate) mod sync;
pub mod tags;
pub(crate) mod three_way;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use self::ahead::Ahead;
pub(crate) use self::flapping::keep_contested;
pub use self::flapping::{CONTESTED_PAUSE_SECONDS, CONTESTED_QUIET_SECONDS, CONTESTED_ROUNDS};
pub use self::hold::Hold;
pub use self::memory::{LOST_CALL_SECONDS_MAX, Memory, OWN_WRITE_UNSEEN_SECONDS_MAX, REGISTERED_UNSEEN_SECONDS_MAX};
pub use self::rollout::{Progress, Rollout};
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
    /// The application in git.
    pub desired: &'a DesiredApplication,
    /// The application at the commit in the service's tag `trueup:revision`, if known. Distinguishes drift from a
    /// pending change field by field, and shows which tags git once declared.
    pub last_applied: Option<&'a DesiredApplication>,
    /// The live state of the whole environment.
    pub live: &'a Live,
    /// This installation.
    pub instance: &'a InstanceName,
    /// All applications that git has in this environment: a resource may be taken over from an application that is not
    /// among them (it was renamed), but not from one that is.
    pub applications: &'a BTreeSet<ApplicationName>,
    /// The applications of `depends_on` that are not Synced and Healthy yet.
    pub waits_for: &'a BTreeSet<ApplicationName>,
    /// A commit in AWS that this process may be behind: then nothing may be concluded from its own commit.
    pub ahead: Option<&'a Ahead>,
    /// This process's recent writes to this application.
    pub memory: &'a Memory,
    /// The time now.
    pub now: Timestamp,
}

/// The steps for one application in one environment, and the changes that are held, with the reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The environment.
    pub environment: EnvironmentName,
    /// The application.
    pub application: ApplicationName,
    /// The revision of the desired state that it leads to.
    pub revision: Revision,
    /// The steps to take, in this order.
    pub steps: Vec<Step>,
    /// The changes that are known but not applied.
    pub held: Vec<Held>,
    /// Whether live matches git.
    pub sync: Sync,
    /// The health of the application.
    pub health: Health,
    /// ECS's current rollout.
    pub rollout: Option<Rollout>,
    /// Why a rollout failed or is failing, or why too few tasks run, if that is known. The planner does not set it; the
    /// reader of the evidence does.
    pub finding: Option<Finding>,
}

impl Plan {
    /// The plan of an application that is Synced and Healthy, without steps and holds.
    pub fn settled(environment: EnvironmentName, application: ApplicationName, revision: Revision) -> Self {
        Self {
            environment,
            application,
            revision,
            steps: Vec::new(),
            held: Vec::new(),
            sync: Sync::Synced,
            health: Health::Healthy,
            rollout: None,
            finding: None,
        }
    }

    /// Whether the application is Synced and Healthy.
    pub fn is_settled(&self) -> bool {
        self.sync == Sync::Synced && self.health == Health::Healthy
    }

    /// Whether ECS is rolling it out or back.
    pub fn is_rolling(&self) -> bool {
        matches!(self.rollout, Some(Rollout::Running { .. } | Rollout::RolledBack { done: false, .. }))
            || self.health == Health::Progressing
    }

    /// Whether AWS may still return the state before a write of this process.
    pub fn is_unsettled(&self) -> bool {
        self.held.iter().any(|held| matches!(held.reason, Hold::NotSettled { .. }))
    }

    /// Whether nothing may be done before git has been polled.
    pub fn awaits_git(&self) -> bool {
        self.held.iter().any(|held| matches!(&held.reason, Hold::Behind(ahead) if !ahead.answered))
    }

    /// Whether there is nothing to do and nothing in progress: equal input gives this plan again, at any time.
    pub fn is_at_rest(&self) -> bool {
        self.is_settled() && self.steps.is_empty() && self.held.is_empty() && !self.is_rolling()
    }

    /// Adds a hold that was found outside the planner (an invalid document, a refused call) and recomputes
    /// [`Plan::sync`].
    pub fn hold(&mut self, held: Held) {
        self.held.push(held);
        self.sync = sync::sync(&self.steps, &self.held);
    }
}

/// One mutating AWS call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it acts on.
    #[serde(rename = "resource")]
    pub subject: Subject,
    /// Its cause.
    pub cause: Cause,
    /// What it changes; for a resource that does not exist yet, one change at the root.
    pub changes: Vec<Change>,
    /// The paths of another writer's changes: all of them if [`Step::cause`] is drift, and some if one call carries
    /// both a commit's change and drift.
    pub drift: Vec<Pointer>,
    /// The conditions to meet before the call can be written. The next plan, after those steps were taken, contains the
    /// call.
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

    /// The changes by another writer.
    pub fn drifted(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| self.drift.contains(&change.path))
    }
}

/// A condition to meet before the call of a step can be written. Its `Display`, which reports carry as well, is
/// `target-group backend`, `task-definition`, `priority 10` or `deletion of ARN`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// The resource of this document is created.
    Created(Kind, String),
    /// Another rule gives up this priority of the same listener.
    Priority(String),
    /// The user of the resource is deleted.
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

/// An AWS API call: the operation and its request, in the API's own JSON form.
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
        Self { operation, input: request_types::typed(operation, input) }
    }

    /// A call from an operation and its request.
    pub fn of((operation, input): (Operation, Value)) -> Self {
        Self::new(operation, input)
    }
}

/// The subject of a step or a hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// The kind of document.
    pub kind: Kind,
    /// The document's name, as in [`crate::desired::Document::name`].
    pub name: String,
    /// The resource in AWS, where it exists.
    pub arn: Option<Arn>,
}

/// The subject of a step or a hold. Serializes as the resource, or as null for the whole application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The whole application.
    Application,
    /// The resource of a document.
    Resource(Resource),
}

impl Subject {
    /// The resource, where it is about one.
    pub fn resource(&self) -> Option<&Resource> {
        match self {
            Self::Application => None,
            Self::Resource(resource) => Some(resource),
        }
    }

    /// The kind of the resource's document.
    pub fn kind(&self) -> Option<Kind> {
        self.resource().map(|resource| resource.kind)
    }

    /// The name of the resource's document; `application` for the whole application.
    pub fn name(&self) -> &str {
        self.resource().map_or("application", |resource| &resource.name)
    }

    /// The resource in AWS, where it exists.
    pub fn arn(&self) -> Option<&Arn> {
        self.resource()?.arn.as_ref()
    }

    /// Whether both are about the same document, or both about the application, regardless of the ARN.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind(), self.name()) == (other.kind(), other.name())
    }
}

impl From<Resource> for Subject {
    fn from(resource: Resource) -> Self {
        Self::Resource(resource)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.resource().serialize(serializer)
    }
}

/// Why a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Git wants it and AWS does not have it.
    Create,
    /// Git changed: a commit is not applied yet.
    Pending,
    /// AWS changed: another writer changed it.
    Drift,
    /// It matches git, and gets trueup's tags.
    Adopt,
    /// Git no longer has it.
    Prune,
}

/// A step that is known but not taken, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What it would act on.
    pub subject: Subject,
    /// What it would change.
    pub changes: Vec<Change>,
    /// Why it is not taken.
    pub reason: Hold,
}

impl Held {
    /// The changes by another writer, as far as the reason shows.
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
            resource: &'a Subject,
            #[serde(flatten)]
            hold: &'a Hold,
            message: String,
            cure: &'static str,
            changes: &'a [Change],
        }
        let (message, cure) = (self.reason.message(), self.reason.remedy());
        Flat { resource: &self.subject, hold: &self.reason, message, cure, changes: &self.changes }
            .serialize(serializer)
    }
}

/// Whether live matches git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Sync {
    /// Nothing differs.
    Synced,
    /// Something differs.
    OutOfSync,
    /// Something could not be read, so the status is unknown.
    Unknown,
}

/// The health of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Health {
    /// The requested revision serves.
    Healthy,
    /// ECS is rolling it out.
    Progressing,
    /// A rollout failed, or fewer tasks run than wanted.
    Degraded,
    /// An operator stopped following and healing.
    Suspended,
    /// Git wants it and AWS does not have it.
    Missing,
    /// It could not be read.
    Unknown,
}
