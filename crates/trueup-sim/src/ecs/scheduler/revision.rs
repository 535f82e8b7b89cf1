//! From a service revision to a deployment, and back: what a revision records of a service.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::find::{deployment_id, of_service, of_task};
use crate::ecs::model::{Deployment, DeploymentStatus, RolloutState, Service, ServiceKey, ServiceRevision};
use crate::time::Time;
use crate::world::World;

/// What a service revision records of a service's settings. `desiredCount`, `deploymentConfiguration`, the grace period,
/// tags and placement are not part of it (ECS API reference, `ServiceRevision`).
const RECORDED: [&str; 10] = [
    "capacityProviderStrategy",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "platformFamily",
    "platformVersion",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// `N` of a new `ecs-svc/N`: 19 digits.
pub(super) fn new_id(world: &mut World) -> u64 {
    world.chance.of("deployment ids").between(1_000_000_000_000_000_000, 9_200_000_000_000_000_000)
}

/// A deployment of a service revision as the PRIMARY.
pub(super) fn make(
    service: &Service,
    revision: &ServiceRevision,
    id: u64,
    service_deployment: String,
    now: Time,
) -> Deployment {
    Deployment {
        id,
        status: DeploymentStatus::Primary,
        task_definition: revision.task_definition.clone(),
        revision: revision.number,
        service_deployment,
        desired_count: service.desired_count,
        rollout_state: RolloutState::InProgress,
        rollout_state_reason: format!("ECS deployment {} in progress.", deployment_id(id)),
        failed_tasks: 0,
        created_at: now,
        updated_at: now,
        settings: revision.settings.clone(),
    }
}

/// All deployments become ACTIVE ones, which want as many tasks as they have.
pub(super) fn retire_older(world: &mut World, service: &ServiceKey) {
    let mut tasks: BTreeMap<u64, u64> = BTreeMap::new();
    for task in of_service(world, service).filter(|task| !task.to_stop) {
        *tasks.entry(of_task(task).unwrap_or_default()).or_default() += 1;
    }
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    for deployment in &mut found.deployments {
        deployment.status = DeploymentStatus::Active;
        deployment.desired_count = tasks.get(&deployment.id).copied().unwrap_or_default();
        deployment.updated_at = now;
    }
}

/// The service says again what a service revision recorded.
pub(super) fn restore(service: &mut Service, revision: &ServiceRevision) {
    service.task_definition.clone_from(&revision.task_definition);
    for name in RECORDED {
        match revision.settings.get(name) {
            Some(value) => drop(service.settings.insert(name.to_owned(), value.clone())),
            None => drop(service.settings.remove(name)),
        }
    }
}

/// What a revision records of these settings.
pub(super) fn recorded(settings: &Map<String, Value>) -> Map<String, Value> {
    let keep = |name: &&str| Some(((*name).to_owned(), settings.get(*name)?.clone()));
    RECORDED.iter().filter_map(keep).collect()
}
