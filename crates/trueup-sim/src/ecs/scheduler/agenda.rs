//! The agenda of a task: which step comes when, and the statuses on its way.

use std::time::Duration;

use super::memory::Step;
use super::wake::wake_soon;
use crate::ecs::model::TaskStatus;
use crate::ecs::tick::Tick;
use crate::world::{Happening, World};

/// Has a step happen to a task after this time.
pub(super) fn later(world: &mut World, arn: &str, after: Duration, step: Step) {
    let at = world.now + after;
    let Some(life) = world.ecs.scheduler.lives.get_mut(arn) else { return };
    life.agenda.push((at, step));
    world.at(at, Happening::Ecs(Tick::Task(arn.to_owned())));
}

/// Whether a step of a task is planned.
pub(super) fn is_planned(world: &World, arn: &str, step: Step) -> bool {
    world.ecs.scheduler.lives.get(arn).is_some_and(|life| life.agenda.iter().any(|(_, known)| *known == step))
}

/// Nothing of what was planned for a task happens.
pub(super) fn cancel(world: &mut World, arn: &str) {
    if let Some(life) = world.ecs.scheduler.lives.get_mut(arn) {
        life.agenda.clear();
    }
}

/// The task has another status; its service is checked soon.
pub(super) fn enter(world: &mut World, arn: &str, status: TaskStatus) {
    let now = world.now;
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    task.last_status = status;
    task.since = now;
    let service = task.service.clone();
    // The statuses on the way up decide nothing.
    if let Some(service) = service.filter(|_| !matches!(status, TaskStatus::Pending | TaskStatus::Activating)) {
        wake_soon(world, &service);
    }
}
