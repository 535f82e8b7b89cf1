//! Rollouts: what ECS does after a step, and whether the revision that was asked for serves.
//!
//! Judged by the revision that serves and never by "the service is stable": a service is stable again after ECS has
//! rolled it back. [`verdict`] says how it stands, [`failure`] whether ECS threw out what git asks for, [`mod@retry`] how a
//! person ends that, [`mod@limit`] how long it may take, [`cause`] whether waiting might mend it, [`healthy`] how many tasks
//! are healthy.

mod cause;
mod failure;
mod healthy;
mod limit;
mod need;
pub(super) mod retry;
#[cfg(test)]
mod tests;
mod verdict;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub(super) use self::failure::{Case, Failure, Finding, Sameness, find};
pub use self::healthy::{RunningTasks, TaskHealth};
pub(super) use self::limit::limit;
pub use self::need::{deploys, wants_service_deployments};
pub use self::retry::retry;
pub(super) use self::verdict::{Facts, health, judge};
use crate::names::Arn;

/// The name of a revision that is not registered yet: equal to none.
pub(super) const UNREGISTERED: &str = "(new)";

/// What a service revision records: ECS takes all of it back when it rolls a deployment back, and nothing else. It is
/// what a deployment is made of. Source: ECS API reference, `ServiceRevision`.
pub(super) const REVISION_FIELDS: [&str; 9] = [
    "taskDefinition",
    "capacityProviderStrategy",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// What ECS does after a step, until the asked-for revision serves, or does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Rollout {
    /// ECS is replacing tasks, or waits out a bake time.
    Running {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
    /// The asked-for revision serves.
    Serving {
        /// The task definition revision that serves.
        task_definition: Arn,
    },
    /// ECS gave up and did not go back: rollback is off, or there was nothing to go back to.
    Failed {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// ECS's own words.
        reason: String,
        /// Whether the tag `trueup:failed` says so already: then it was told before, maybe by another process.
        #[serde(skip)]
        recorded: bool,
    },
    /// ECS gave up and goes, or went, back to what served before.
    RolledBack {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that it goes back to.
        serving: Arn,
        /// ECS's own words.
        reason: String,
        /// Whether what served before serves again.
        done: bool,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// A person stopped it (`StopServiceDeployment`).
    Stopped {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that the service is told to run instead; the same where nothing was put back.
        serving: Arn,
        /// ECS's own words.
        reason: String,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// Another deployment came before this one was done.
    Superseded {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that ECS brings into service instead.
        by: Arn,
    },
    /// It takes longer than `rollout_timeout` and what its configuration makes it wait for. ECS goes on with it, and
    /// nothing is done about it: without a circuit breaker ECS never gives up by itself.
    TimedOut {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
}

/// How far a rollout is, by its newest deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Tasks wanted.
    pub desired: i64,
    /// Tasks that run.
    pub running: i64,
    /// Tasks that are healthy ([`TaskHealth`]). A plan does not tell: they are counted beside it, and `None` where that was
    /// not done or not possible.
    pub healthy: Option<i64>,
    /// Tasks that are being started.
    pub pending: i64,
    /// Tasks in a row that did not come up.
    pub failed: i64,
    /// The stage of a blue/green, linear or canary deployment, such as `BAKE_TIME`, where ECS tells it.
    pub stage: Option<String>,
    /// Since when ECS is at it.
    pub since: Option<Timestamp>,
}

impl Rollout {
    /// Notes how many tasks of this revision are healthy, where it is rolled out. `DescribeServices` may lag behind: no
    /// more are healthy than it says that run.
    pub fn set_healthy(&mut self, of: &Arn, healthy: Option<i64>) {
        match self {
            Self::Running { task_definition, progress } | Self::TimedOut { task_definition, progress }
                if task_definition == of =>
            {
                progress.healthy = healthy.map(|healthy| healthy.min(progress.running));
            }
            _ => {}
        }
    }
}

/// The deployment that ECS works towards. Absent for services that `CodeDeploy` or another controller deploys.
pub(super) fn primary(service: &Value) -> Option<&Value> {
    deployments(service).iter().find(|deployment| text(deployment, "status") == Some("PRIMARY"))
}

/// Whether two names are one task definition revision: an ARN, or `family:revision`.
pub(super) fn same_revision(a: &str, b: &str) -> bool {
    let short = |name: &str| name.rsplit_once("task-definition/").map_or(name, |(_, short)| short).to_owned();
    if a.starts_with("arn:") && b.starts_with("arn:") { a == b } else { short(a) == short(b) }
}

fn deployments(service: &Value) -> &[Value] {
    service.get("deployments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether ECS says that it goes back. Source: ECS developer guide, service deployment state change events and service
/// event messages.
fn is_rollback(words: &str) -> bool {
    words.contains("rolling back to deployment")
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
