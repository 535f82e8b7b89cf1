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
    /// The API answered with it.
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

    /// Why it is not known, where that is so.
    pub fn failure(&self) -> Option<&ReadFailure> {
        match self {
            Self::Unknown(failure) => Some(failure),
            Self::Absent | Self::Present(_) => None,
        }
    }

    /// Changes what is present.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Absent => Observed::Absent,
            Self::Present(value) => Observed::Present(change(value)),
            Self::Unknown(failure) => Observed::Unknown(failure),
        }
    }
}

/// Why a read returned nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadFailure {
    /// The call that failed, such as `ecs:DescribeServices`.
    pub operation: String,
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// AWS's own words, or the transport's, without any secret.
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
    /// AWS, or our own token bucket in front of it, asks for patience.
    Throttled,
    /// No answer in time; the call may or may not have had its effect.
    TimedOut,
    /// No connection, a reset, a 5xx or an answer that is not the API's. May or may not have had its effect.
    Unavailable,
    /// IAM refuses.
    AccessDenied,
    /// The credentials are missing, expired, or belong to another account.
    Credentials,
    /// Any other 4xx: the same request will be refused again.
    Rejected,
}

impl FailureKind {
    /// Whether the same call may succeed later although nothing was changed.
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
    /// One element of `services`, as AWS sent it, but without events that only say that it reached a steady state.
    pub description: Description,
    /// Its tags, taken out of the description for reading.
    pub tags: Tags,
}

/// A task definition revision as `DescribeTaskDefinition` with `include=[TAGS]` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTaskDefinition {
    /// `taskDefinition`, as AWS sent it.
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
/// Holds whatever was asked for; something that was not asked for is not in the maps.
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
    /// The service deployments of a service, newest first, where they were asked for. `Unknown` where AWS (or an
    /// emulator that does not know the operation) does not tell.
    pub service_deployments: BTreeMap<ServiceId, Observed<Vec<ServiceDeployment>>>,
    /// Whether Application Auto Scaling governs the `desiredCount` of a service: present where it does, absent where it
    /// does not.
    pub autoscaled: BTreeMap<ServiceId, Observed<()>>,
    /// What ECS shifts on behalf of services of the environment that were not observed this time.
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
    /// The target groups of a service that is being deployed. If the service named a rule shortly before, it is
    /// unknown which of them serves.
    pub deploying: BTreeSet<Arn>,
    /// The service could never be read, so that the rules it names are unknown.
    pub unread: bool,
}

/// A resource that carries our tags, found by listing and not by name.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedResource {
    /// What it is.
    pub arn: Arn,
    /// The kind of document it came from.
    pub kind: Kind,
    /// Its tags.
    pub tags: Tags,
    /// As AWS describes it.
    pub description: Value,
}
