//! A deleted service: DRAINING while its tasks stop, then INACTIVE, then removed.

use super::find::of_service;
use super::wake::{wake, wake_soon};
use super::{replace, service_deployment, timing};
use crate::ecs::model::{ServiceKey, ServiceStatus};
use crate::world::World;

/// Starts draining: all tasks stop.
pub(super) fn begin(world: &mut World, service: &ServiceKey) {
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    found.status = ServiceStatus::Draining;
    found.desired_count = 0;
    for deployment in &mut found.deployments {
        deployment.desired_count = 0;
    }
    service_deployment::supersede(world, service);
    let tasks: Vec<String> =
        of_service(world, service).filter(|task| !task.to_stop).map(|task| task.arn.clone()).collect();
    replace::scale_in(world, service, &tasks);
    wake_soon(world, service);
}

/// Sets the service to INACTIVE once it has no tasks: its name may be used again.
pub(super) fn drain(world: &mut World, service: &ServiceKey) {
    if of_service(world, service).next().is_some() {
        // Every task that makes a step wakes the service.
        return;
    }
    let forgotten_at = world.now + timing::INACTIVE_SERVICE_KEPT;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    found.status = ServiceStatus::Inactive;
    found.deployments.clear();
    // Service deployments and revisions are removed with the service.
    found.service_deployments.clear();
    found.revisions.clear();
    found.forgotten_at = Some(forgotten_at);
    wake(world, service, timing::INACTIVE_SERVICE_KEPT);
}

/// Removes the service once it is due: it can no longer be described.
pub(super) fn forget(world: &mut World, service: &ServiceKey) {
    let now = world.now;
    let due = world.ecs.services.get(service).is_some_and(|found| found.forgotten_at.is_some_and(|at| at <= now));
    if due {
        world.ecs.services.remove(service);
    }
}
