//! Rollouts: what ECS does after a step, and whether the requested revision serves.
//!
//! The criterion is the revision that serves, never that "the service is stable": a service is stable again after ECS
//! has rolled it back. [`mod@status`] is the progress, [`failure`] shows whether ECS failed or rolled back what git
//! wants, [`mod@retry`] how an operator ends that, [`mod@limit`] how long it may take, [`cause`] whether a failure may
//! be temporary, [`healthy`] how many tasks are healthy.

mod cause;
mod failure;
mod healthy;
mod limit;
mod need;
pub(super) mod retry;
mod status;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use self::failure::{Case, FailureEvidence, FailureLookup, Sameness, find};
pub use self::healthy::{RunningTasks, TaskHealth};
pub(super) use self::limit::limit;
pub use self::need::{deploys, wants_service_deployments};
pub use self::retry::retry;
pub(super) use self::status::{RolloutFacts, health, status};
use crate::kind::described::primary;
use crate::resources::task_definition::same_revision;

/// The name of a revision that is not registered yet: equal to no other.
pub(super) const UNREGISTERED: &str = "(new)";

/// The members that a service revision records: a rollback restores all of them, and nothing else. They are the parts
/// of a deployment. Source: ECS API reference, `ServiceRevision`.
pub(crate) const REVISION_FIELDS: [&str; 9] = [
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

fn deployments(service: &Value) -> &[Value] {
    service.get("deployments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether ECS's message reports a rollback. Source: ECS developer guide, service deployment state change events and
/// service event messages.
fn is_rollback(words: &str) -> bool {
    words.contains("rolling back to deployment")
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
