//! Live state: what AWS answers now, each part present, absent or unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::description::Description;
use crate::kind::Kind;
pub use crate::kind::tagging::Tags;
use crate::names::{Arn, ServiceId};
use crate::service_deployment::ServiceDeployment;

/// The result of one read of AWS about one resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed<T> {
    /// The API answered, and there is no such resource.
    Absent,
    /// The API returned the resource.
    Present(T),
    /// The read failed, was cut short, or did not happen. Never taken for `Absent`: a throttled read must lead
    /// neither to a create nor to a prune.
    Unknown(ReadFailure),
}

impl<T> Observed<T> {
    /// The value, when it is present.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    /// The failed read, when the value is unknown.
    pub fn failure(&self) -> Option<&ReadFailure> {
        match self {
            Self::Unknown(failure) => Some(failure),
            Self::Absent | Self::Present(_) => None,
        }
    }

    /// Maps the value, when it is present.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Absent => Observed::Absent,
            Self::Present(value) => Observed::Present(change(value)),
            Self::Unknown(failure) => Observed::Unknown(failure),
        }
    }
}

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadFailure {
    /// The call that failed, such as `ecs:DescribeServices`.
    pub operation: String,
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// The message of AWS or of the transport, without secrets.
    pub message: String,
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operation, self.kind, self.message)
    }
}

/// The kinds of failed calls that are handled differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// AWS, or trueup's own token bucket in front of it, throttled the call.
    Throttled,
    /// No response in time; the call may or may not have taken effect.
    TimedOut,
    /// No connection, a reset, a 5xx or a response that is not the API's. The call may or may not have taken effect.
    Unavailable,
    /// IAM denied the call.
    AccessDenied,
    /// The credentials are missing, expired, or belong to another account.
    Credentials,
    /// Any other 4xx: the same request will be refused again.
    Rejected,
}

impl FailureKind {
    /// Whether the same call may succeed later without any change.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Throttled | Self::TimedOut | Self::Unavailable | Self::Credentials => true,
            Self::AccessDenied | Self::Rejected => false,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throttled => "was throttled",
            Self::TimedOut => "timed out",
            Self::Unavailable => "is unavailable",
            Self::AccessDenied => "was denied",
            Self::Credentials => "has no valid credentials",
            Self::Rejected => "was rejected",
        })
    }
}

/// An ECS service as `DescribeServices` with `include=[TAGS]` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveService {
    /// One element of `services`, as AWS returned it, but without events that only report a steady state.
    pub description: Description,
    /// Its tags, taken out of the description for reading.
    pub tags: Tags,
}

/// A task definition revision as `DescribeTaskDefinition` with `include=[TAGS]` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTaskDefinition {
    /// `taskDefinition`, as AWS returned it.
    pub description: Description,
    /// Its tags, which AWS returns next to the description.
    pub tags: Tags,
}

/// A target group as `aws elbv2 describe-target-groups` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTargetGroup {
    /// One element of `TargetGroups`, in the JSON form of the AWS CLI.
    pub description: Description,
    /// Its attributes by key, from `DescribeTargetGroupAttributes`.
    pub attributes: Observed<BTreeMap<String, String>>,
    /// Its tags, from `DescribeTags`.
    pub tags: Observed<Tags>,
}

/// A listener rule as `aws elbv2 describe-rules` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRule {
    /// One element of `Rules`, in the JSON form of the AWS CLI.
    pub description: Description,
    /// Its tags, from `DescribeTags`.
    pub tags: Observed<Tags>,
}

/// The observed state of one environment in one cycle.
///
/// Holds whatever was requested; a resource that was not requested is not in the maps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// By cluster and name. `INACTIVE` services are `Absent`; `DRAINING` ones are present with that status.
    pub services: BTreeMap<ServiceId, Observed<LiveService>>,
    /// Task definition revisions that the observed services run (or were asked to run), by full ARN.
    pub task_definitions: BTreeMap<Arn, Observed<LiveTaskDefinition>>,
    /// The newest ACTIVE revisions of a family, newest first, for families where an equal revision is looked for.
    pub families: BTreeMap<String, Observed<Vec<LiveTaskDefinition>>>,
    /// By target group name.
    pub target_groups: BTreeMap<String, Observed<LiveTargetGroup>>,
    /// All rules but the default one, by listener ARN.
    pub rules: BTreeMap<Arn, Observed<Vec<LiveRule>>>,
    /// The service deployments of a service, newest first, where they were requested. `Unknown` where AWS (or an
    /// emulator without the operation) does not return them.
    pub service_deployments: BTreeMap<ServiceId, Observed<Vec<ServiceDeployment>>>,
    /// Whether Application Auto Scaling governs the `desiredCount` of a service: present where it does, absent where it
    /// does not.
    pub autoscaled: BTreeMap<ServiceId, Observed<()>>,
    /// The load-balancer settings that ECS controls for services that were not observed in this cycle.
    pub traffic: BTreeMap<ServiceId, Traffic>,
    /// Resources that carry our instance tag, for pruning; `None` when they were not requested.
    pub inventory: Option<Observed<Vec<OwnedResource>>>,
}

/// The load-balancer settings that belong to ECS while it deploys a service.
///
/// Source: ECS developer guide, blue/green deployments: ECS rewrites the weights of the production and of the test
/// listener rule, and leaves them changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The rules that the service names in `advancedConfiguration`.
    pub rules: BTreeSet<Arn>,
    /// The target groups of a service that is being deployed. If the service named a rule shortly before, it is unknown
    /// which of them serves.
    pub deploying: BTreeSet<Arn>,
    /// The service could never be read, so that the rules it names are unknown.
    pub unread: bool,
}

/// A resource with trueup's tags, found by listing and not by name.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedResource {
    /// Its ARN.
    pub arn: Arn,
    /// The kind of document it came from.
    pub kind: Kind,
    /// Its tags.
    pub tags: Tags,
    /// AWS's description of it.
    pub description: Value,
}
