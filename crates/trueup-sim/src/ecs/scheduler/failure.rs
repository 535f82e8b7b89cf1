//! Failed tasks: counted for the circuit breaker, and the pause that grows between launches.

use std::time::Duration;

use super::configuration::Configuration;
use super::find::of_task;
use super::memory::{Failure, SlowDown};
use super::wake::{wake, wake_soon};
use super::{events, timing};
use crate::ecs::model::ServiceKey;
use crate::world::World;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_mins(15);

impl SlowDown {
    /// A task has ended before RUNNING, and how long nothing is launched after that: nearly at once after the first
    /// failure, about four minutes after the second, then twice as long each time. Operators measured that.
    fn pause(self) -> Duration {
        match self.failures {
            0 | 1 => Duration::ZERO,
            more => Duration::from_secs(240 << (more - 2).min(4)).min(PAUSE_MAX),
        }
    }
}

/// The scheduler notices that a task of the service is ending by a failure: when the replacement may start.
pub(super) fn noticed(world: &mut World, service: &ServiceKey, failure: Failure) {
    let soon = timing::REPLACEMENT.draw(world);
    let now = world.now;
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    let slow_down = &mut known.memory.slow_down;
    match failure {
        Failure::NeverRan => slow_down.failures = slow_down.failures.saturating_add(1),
        Failure::Exited | Failure::Unhealthy => slow_down.failures = 0,
    }
    let pause = slow_down.pause();
    slow_down.until = Some(now + pause + soon).max(slow_down.until);
    if !pause.is_zero() {
        let text = "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
        events::tell_once(world, service, text);
    }
    wake(world, service, soon);
    wake(world, service, pause + soon);
}

/// A task reached RUNNING: launches are not slowed down any longer.
pub(super) fn ran(world: &mut World, service: &ServiceKey) {
    if let Some(known) = world.ecs.services.get_mut(service) {
        known.memory.slow_down.failures = 0;
    }
}

/// A task of the service is STOPPED: a failed one counts for its deployment.
pub(super) fn count(world: &mut World, service: &ServiceKey, arn: &str) {
    let failure = world.ecs.scheduler.lives.get(arn).and_then(|life| life.failure);
    let deployment = world.ecs.tasks.get(arn).and_then(of_task);
    let (Some(_), Some(deployment)) = (failure, deployment) else { return };
    let now = world.now;
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    let Some(counted) = known.deployments.iter_mut().find(|known| known.id == deployment) else { return };
    counted.failed_tasks += 1;
    counted.updated_at = now;
    wake_soon(world, service);
}

/// A task could not be placed, which counts as a failure; the next attempt comes after a pause.
pub(super) fn not_placed(world: &mut World, service: &ServiceKey, deployment: u64) {
    let text = "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    events::tell_once(world, service, text);
    let again = world.now + timing::ATTEMPT.draw(world);
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    known.memory.slow_down.until = Some(again);
    if let Some(counted) = known.deployments.iter_mut().find(|known| known.id == deployment) {
        counted.failed_tasks += 1;
    }
}

/// A task of the deployment became healthy: with `resetOnHealthyTask` (the default) counting restarts.
pub(super) fn healthy(world: &mut World, service: &ServiceKey, deployment: u64) {
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    let resets = Configuration::of(&known.settings).breaker.is_none_or(|breaker| breaker.reset_on_healthy_task);
    if resets && let Some(found) = known.deployments.iter_mut().find(|known| known.id == deployment) {
        found.failed_tasks = 0;
    }
}
