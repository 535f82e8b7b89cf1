//! The end of a task: DEACTIVATING (targets drain), STOPPING (SIGTERM, SIGKILL), DEPROVISIONING, STOPPED, forgotten.

use std::time::Duration;

use super::agenda::{cancel, enter, later};
use super::find::{container_definitions, of_task};
use super::memory::{Failure, Step};
use super::{events, failure, image, timing};
use crate::ecs::model::TaskStatus;
use crate::elb;
use crate::world::World;

/// How long a container may take to stop unless its `stopTimeout` says otherwise (ECS developer guide, "stopTimeout").
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// The task is to stop; nothing happens to one that is stopping already.
pub(super) fn begin(world: &mut World, arn: &str, stop_code: &str, reason: &str) {
    let now = world.now;
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    if task.to_stop {
        return;
    }
    task.to_stop = true;
    task.stopping_at = Some(now);
    task.stop_code = Some(stop_code.to_owned());
    task.stopped_reason = Some(reason.to_owned());
    task.healthy_since = None;
    let (running, registered) = (task.last_status == TaskStatus::Running, !task.targets.is_empty());
    cancel(world, arn);
    if registered {
        enter(world, arn, TaskStatus::Deactivating);
        let after = timing::DEREGISTERING.draw(world);
        later(world, arn, after, Step::Deregister);
    } else if running {
        terminate(world, arn);
    } else {
        deprovision(world, arn);
    }
}

/// The task ends for a failure of its own: nothing of it runs any longer.
pub(super) fn failed(world: &mut World, arn: &str, failure: Failure, stop_code: &str, reason: &str) {
    let now = world.now;
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    if task.to_stop {
        return;
    }
    task.to_stop = true;
    task.stopping_at = Some(now);
    task.stop_code = Some(stop_code.to_owned());
    task.stopped_reason = Some(reason.to_owned());
    task.healthy_since = None;
    let ran = task.started_at.is_some();
    if let Some(life) = world.ecs.scheduler.lives.get_mut(arn) {
        life.failure = Some(failure);
    }
    cancel(world, arn);
    take_out(world, arn);
    let service = world.ecs.tasks.get(arn).and_then(|task| task.service.clone());
    if let Some(service) = service {
        failure::noticed(world, &service, failure);
    }
    if ran {
        // The other containers get SIGTERM.
        end_containers(world, arn, 143);
    }
    deprovision(world, arn);
}

/// A container has ended by itself; with an essential one the task ends.
pub(super) fn container_exited(world: &mut World, arn: &str, index: usize) {
    let container = world.ecs.tasks.get(arn).and_then(|task| task.containers.get(index));
    let Some(exit) = container.and_then(|container| image::behaviour(world, container).exits) else { return };
    let Some(container) = world.ecs.tasks.get_mut(arn).and_then(|task| task.containers.get_mut(index)) else { return };
    container.exit_code = Some(exit.code);
    if exit.out_of_memory {
        container.reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
    }
    if container.essential {
        failed(world, arn, Failure::Exited, "EssentialContainerExited", "Essential container in task exited");
    }
}

/// Targets are taken out of their groups and drain.
pub(super) fn deregister(world: &mut World, arn: &str) {
    take_out(world, arn);
    look(world, arn);
}

/// Once no target of a deactivating task drains any longer, its containers get SIGTERM.
pub(super) fn look(world: &mut World, arn: &str) {
    let Some(task) = world.ecs.tasks.get(arn) else { return };
    let groups = world.ecs.scheduler.lives.get(arn).map(|life| life.groups.clone()).unwrap_or_default();
    if task.last_status != TaskStatus::Deactivating || !task.targets.is_empty() {
        return;
    }
    let drains =
        groups.iter().any(|(group, port)| elb::health::health(world, group, &task.ip, *port).state == "draining");
    if drains {
        cancel(world, arn);
        later(world, arn, timing::POLL, Step::LookAtDraining);
    } else {
        cancel(world, arn);
        terminate(world, arn);
    }
}

/// Containers have ended on a signal.
pub(super) fn obeyed(world: &mut World, arn: &str, code: i32) {
    end_containers(world, arn, code);
    deprovision(world, arn);
}

/// The task is STOPPED.
pub(super) fn stopped(world: &mut World, arn: &str) {
    let now = world.now;
    enter(world, arn, TaskStatus::Stopped);
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    task.stopped_at = Some(now);
    if let Some(service) = task.service.clone() {
        if let Some(tasks) = world.ecs.scheduler.tasks_of.get_mut(&service) {
            tasks.remove(arn);
            if tasks.is_empty() {
                world.ecs.scheduler.tasks_of.remove(&service);
            }
        }
        failure::count(world, &service, arn);
    }
    later(world, arn, timing::STOPPED_TASK_KEPT, Step::Forget);
}

fn take_out(world: &mut World, arn: &str) {
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    let targets = std::mem::take(&mut task.targets);
    let (ip, service, deployment) = (task.ip.clone(), task.service.clone(), of_task(task));
    for (group, port) in &targets {
        elb::health::deregister(world, group, &ip, *port);
        if let Some(service) = &service {
            events::tell(world, service, &format!("deregistered 1 targets in (target-group {group})"));
        }
    }
    if let (false, Some(service), Some(deployment)) = (targets.is_empty(), &service, deployment) {
        events::tell_draining(world, service, deployment);
    }
}

fn terminate(world: &mut World, arn: &str) {
    enter(world, arn, TaskStatus::Stopping);
    let chance = world.chance.of("task: signals");
    let (obeys, silent) = (!chance.percent(10), chance.percent(50));
    if obeys {
        let after = timing::OBEYING.draw(world);
        later(world, arn, after, Step::Obey(if silent { 0 } else { 143 }));
    } else {
        let timeout = stop_timeout(world, arn);
        later(world, arn, timeout, Step::Obey(137));
    }
}

fn stop_timeout(world: &World, arn: &str) -> Duration {
    let Some(task) = world.ecs.tasks.get(arn) else { return STOP_TIMEOUT };
    let seconds = container_definitions(world, &task.task_definition)
        .iter()
        .filter_map(|container| container["stopTimeout"].as_u64())
        .max();
    seconds.map_or(STOP_TIMEOUT, Duration::from_secs)
}

fn end_containers(world: &mut World, arn: &str, code: i32) {
    if let Some(task) = world.ecs.tasks.get_mut(arn) {
        for container in &mut task.containers {
            container.exit_code.get_or_insert(code);
        }
    }
}

fn deprovision(world: &mut World, arn: &str) {
    enter(world, arn, TaskStatus::Deprovisioning);
    let after = timing::DEPROVISIONING.draw(world);
    later(world, arn, after, Step::Deprovisioned);
}
