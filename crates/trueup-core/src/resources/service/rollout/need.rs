//! When the record of service deployments is worth its reads: a service that serves what git wants costs none.

use serde_json::Value;

use super::REVISION_FIELDS;
use crate::drift::Change;
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::ServiceId;
use crate::plan::{Hold, Input, Operation, Plan, Rollout, Step};

/// The service whose record of service deployments would improve the plan, if it was not read: the service exists, ECS
/// deploys it, and it does not serve what git wants; or `anyway`.
pub fn wants_service_deployments(input: &Input<'_>, plan: &Plan, anyway: bool) -> Option<ServiceId> {
    let document = input.desired.single(Kind::Service)?;
    let name = document.body.get("serviceName")?.as_str()?;
    let id = ServiceId { cluster: input.desired.cluster.clone(), name: name.to_owned() };
    let live = input.live.services.get(&id).and_then(Observed::present)?;
    let controller = live.description.pointer("/deploymentController/type").and_then(Value::as_str);
    if input.live.service_deployments.contains_key(&id) || controller.is_some_and(|controller| controller != "ECS") {
        return None;
    }
    let goes_on = !matches!(plan.rollout, None | Some(Rollout::Serving { .. }));
    let held = plan.held.iter().filter(|held| !is_foreign(&held.reason));
    let held = held.filter(|held| held.subject.resource().is_some_and(|resource| resource.kind == Kind::Service));
    let differs = plan.steps.iter().any(deploys)
        || held.flat_map(|held| &held.changes).any(is_revision_field)
        || task_definition_waits(plan);
    (anyway || goes_on || differs).then_some(id)
}

/// Whether a step makes ECS begin a deployment of an existing service.
pub fn deploys(step: &Step) -> bool {
    step.call.operation == Operation::UpdateService && step.changes.iter().any(is_revision_field)
}

/// Whether another task definition is held back.
fn task_definition_waits(plan: &Plan) -> bool {
    let held = plan.held.iter().filter(|held| matches!(held.reason, Hold::ReportOnly { .. }));
    held.filter_map(|held| held.subject.resource()).any(|resource| resource.kind == Kind::TaskDefinition)
}

fn is_revision_field(change: &Change) -> bool {
    let first = change.path.segments().first().map(String::as_str);
    first.is_some_and(|first| REVISION_FIELDS.contains(&first) || first == "forceNewDeployment")
}

/// Whether nothing would be done whatever the record says, because the service has another owner.
fn is_foreign(hold: &Hold) -> bool {
    matches!(
        hold,
        Hold::ForeignInstance { .. }
            | Hold::ForeignEnvironment { .. }
            | Hold::OwnedByStack { .. }
            | Hold::ManagedByEcs
            | Hold::ServiceDraining
    )
}
