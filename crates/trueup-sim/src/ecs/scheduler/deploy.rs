//! A deployment begins: from what the service says now, or from an older service revision.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::blue_green::{self, Shift};
use super::{deployment_id, image, known, service_deployment, task, timing, traffic, wake};
use crate::ecs::model::{Deployment, DeploymentStatus, RolloutState, Service, ServiceKey, ServiceRevision, Task};
use crate::ecs::scheduler::failure::SlowDown;
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

/// The deployment that a task belongs to.
pub(super) fn of_task(task: &Task) -> Option<u64> {
    task.started_by.as_ref()?.strip_prefix("ecs-svc/")?.parse().ok()
}

/// A new deployment begins from what the service says now.
pub(super) fn begin(world: &mut World, service: &ServiceKey) {
    let id = new_id(world);
    let number =
        world.chance.of("service revision numbers").between(1_000_000_000_000_000_000, 9_200_000_000_000_000_000);
    let eager = world.chance.of("eager stops").percent(50);
    let resource = format!("service-revision/{}/{}/{number}", service.cluster, service.name);
    let arn = world.arn("ecs", &resource);
    let Some(found) = known(world, service) else { return };
    let shift = Shift::begin(found, id, world.now);
    let mut settings = recorded(&found.settings);
    let routes = shift.as_ref().map(|shift| shift.routes.as_slice()).unwrap_or_default();
    let resolved = traffic::resolved(&settings, routes);
    settings.insert("resolvedConfiguration".to_owned(), resolved);
    let revision = ServiceRevision {
        arn,
        number,
        task_definition: found.task_definition.clone(),
        settings,
        images: images(world, &found.task_definition),
        created_at: world.now,
    };
    if let Some(unfinished) = found.memory.shift.clone() {
        traffic::shift_back(world, &unfinished.routes);
    }
    service_deployment::supersede(world, service);
    let service_deployment = service_deployment::begin(world, service, number);
    let alarms = world.ecs.scheduler.alarms.clone();
    let now = world.now;
    retire_older(world, service);
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    found.revisions.insert(number, revision.clone());
    let deployment = make(found, &revision, id, service_deployment, now);
    found.deployments.insert(0, deployment);
    let memory = &mut found.memory;
    (memory.trips_at, memory.baking_since, memory.steady_again_at) = (None, None, None);
    (memory.slow_down, memory.eager, memory.alarms_ignored) = (SlowDown::default(), eager, alarms);
    (memory.stop_requested, memory.settles_at, memory.shift) = (false, None, None);
    if let Some(shift) = shift {
        let stage = shift.stage;
        blue_green::enter(world, service, shift, stage);
    }
    let after = timing::FIRST_LOOK.draw(world);
    wake(world, service, after);
}

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
    for task in task::of_service(world, service).filter(|task| !task.to_stop) {
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

fn recorded(settings: &Map<String, Value>) -> Map<String, Value> {
    let keep = |name: &&str| Some(((*name).to_owned(), settings.get(*name)?.clone()));
    RECORDED.iter().filter_map(keep).collect()
}

/// Tags are resolved to digests at the start of a deployment, and used for all its tasks. An image that cannot be
/// resolved has none.
fn images(world: &World, task_definition: &str) -> BTreeMap<String, (String, String)> {
    let containers = task::container_definitions(world, task_definition).iter();
    let resolve = |document: &Value| {
        let named = document["image"].as_str()?;
        let digest = image::digest(world, named).unwrap_or_default();
        Some((document["name"].as_str()?.to_owned(), (named.to_owned(), digest)))
    };
    containers.filter_map(resolve).collect()
}
