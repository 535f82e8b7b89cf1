//! Services: the planning of `CreateService` and `UpdateService`, and ECS's rollouts of them.

mod absorb;
mod changes;
mod delegation;
mod deployment;
mod plan;
mod prune;
mod rollout;
mod update;

pub(super) use self::absorb::{absorb, absorb_deletion, retag};
pub use self::delegation::{is_delegated, traffic};
pub(crate) use self::deployment::Outcome;
pub use self::deployment::deployment_digest;
pub(super) use self::prune::PRUNING;
#[cfg(test)]
pub(crate) use self::rollout::REVISION_FIELDS;
pub use self::rollout::{RunningTasks, TaskHealth, deploys, retry, wants_service_deployments};
use super::Carrier;
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, Observed, ReadFailure, Tags};
use crate::plan::Input;
use crate::plan::builder::PlanBuilder;

/// Plans the application's service, and the task definition that it runs.
pub(super) fn plan(input: &Input<'_>, builder: &mut PlanBuilder) -> Option<Outcome> {
    Some(plan::plan(input, input.desired.single(Kind::Service)?, builder))
}

pub(super) fn carriers<'a>(desired: &DesiredApplication, live: &'a Live) -> Vec<Carrier<'a>> {
    let service = desired.service_id().and_then(|id| live.services.get(&id)?.present());
    service.into_iter().map(|service| Carrier { description: &service.description, tags: &service.tags }).collect()
}

pub(super) fn unread(desired: &DesiredApplication, live: &Live) -> Option<ReadFailure> {
    live.services.get(&desired.service_id()?).and_then(Observed::failure).cloned()
}

pub(super) fn all_tags(live: &Live) -> Vec<&Tags> {
    live.services.values().filter_map(|service| Some(&service.present()?.tags)).collect()
}
