//! One pass over a service, in order: what is healthy, what failed, what starts and stops, what is complete.

use std::time::Duration;

use super::configuration::Configuration;
use super::find::{known, of_service};
use super::memory::Shift;
use super::seen::look;
use super::wake::wake;
use super::{blue_green, complete, deletion, replace, service_deployment, timing, watch};
use crate::ecs::model::{ServiceKey, ServiceStatus};
use crate::world::World;

/// Handles a tick of the service.
pub(super) fn due(world: &mut World, service: &ServiceKey) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    // The tick was replaced by an earlier one, or belongs to a removed service of the same name.
    if found.memory.wake_at.is_none_or(|at| at > now) {
        return;
    }
    found.memory.wake_at = None;
    match found.status {
        ServiceStatus::Active => active(world, service),
        ServiceStatus::Draining => deletion::drain(world, service),
        ServiceStatus::Inactive => deletion::forget(world, service),
    }
}

fn active(world: &mut World, service: &ServiceKey) {
    let Some(primary) = known(world, service).and_then(|found| found.deployments.first()) else { return };
    let record = primary.service_deployment.clone();
    service_deployment::start(world, service, &record);
    let mut next = None;
    let mut seen = look(world, service, &mut next);
    if watch::watch(world, service) {
        seen = look(world, service, &mut next);
    }
    service_deployment::count(world, service);
    let shifts = known(world, service).is_some_and(|found| found.memory.shift.is_some());
    let acted = if shifts { blue_green::act(world, service, &seen) } else { replace::act(world, service, &seen) };
    if acted {
        seen = look(world, service, &mut next);
    }
    complete::check(world, service, &seen);
    wake_again(world, service, next);
}

/// Schedules the next pass for the earliest time at which time alone changes something.
fn wake_again(world: &mut World, service: &ServiceKey, next: Option<Duration>) {
    let now = world.now;
    let Some(found) = known(world, service) else { return };
    let memory = &found.memory;
    let bake = Configuration::of(&found.settings).bake;
    let times = [
        memory.slow_down.until,
        memory.trips_at.map(|(_, at)| at),
        memory.failing.iter().map(|(_, at, _)| *at).min(),
        memory.steady_again_at,
        memory.settles_at,
        memory.shift.as_ref().map(|shift| shift.ready_at),
        memory.shift.as_ref().and_then(|shift| shift.pause.as_ref()).map(|pause| pause.expires_at),
        memory.shift.as_ref().map(Shift::too_long_at),
        memory.baking_since.zip(bake).map(|(since, bake)| since + bake),
    ];
    let times = times.into_iter().flatten().filter(|at| *at > now).map(|at| at.since(now));
    if let Some(soonest) = times.chain(next).min() {
        wake(world, service, soonest.max(Duration::from_millis(1)));
    }
    // Nothing notifies when a target of a stopping task has drained.
    let waits = of_service(world, service).any(|task| !task.targets.is_empty() && task.healthy_since.is_none());
    if waits {
        wake(world, service, timing::POLL);
    }
}
