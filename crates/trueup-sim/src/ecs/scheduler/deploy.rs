//! A deployment begins from what the service says now.

use std::collections::BTreeMap;

use serde_json::Value;

use super::find::{container_definitions, known};
use super::memory::{Shift, SlowDown};
use super::revision::{make, new_id, recorded, retire_older};
use super::wake::wake;
use super::{blue_green, image, service_deployment, timing, traffic};
use crate::ecs::model::{ServiceKey, ServiceRevision};
use crate::world::World;

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

/// Tags are resolved to digests at the start of a deployment, and used for all its tasks. An image that cannot be
/// resolved has none.
fn images(world: &World, task_definition: &str) -> BTreeMap<String, (String, String)> {
    let containers = container_definitions(world, task_definition).iter();
    let resolve = |document: &Value| {
        let named = document["image"].as_str()?;
        let digest = image::digest(world, named).unwrap_or_default();
        Some((document["name"].as_str()?.to_owned(), (named.to_owned(), digest)))
    };
    containers.filter_map(resolve).collect()
}
