//! When a task counts as healthy, and when as unhealthy.
//!
//! | service | healthy when |
//! |---|---|
//! | no load balancer, no health check on an essential container | 40 seconds after RUNNING |
//! | no load balancer, with container health checks | all essential containers that have one are HEALTHY |
//! | load balancer | its targets are healthy, and such containers as well |
//!
//! Source: ECS API reference, `DeploymentConfiguration` and `HealthCheck`.

use std::time::Duration;

use super::agenda::{is_planned, later};
use super::find::container_definitions;
use super::memory::Step;
use super::wake::wake_soon;
use super::{image, timing};
use crate::ecs::model::{ContainerHealth, Task, TaskStatus};
use crate::elb;
use crate::workload::Health;
use crate::world::World;

/// What a task answers to a health check of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckAnswer {
    /// An HTTP status.
    Status(u16),
    /// Nothing within the time-out, or no connection.
    Nothing,
}

/// A container's own check.
#[derive(Clone, Copy, Debug)]
pub(super) struct ContainerCheck {
    pub interval: Duration,
    retries: u64,
    start_period: Duration,
}

/// What the scheduler thinks of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It serves.
    Healthy,
    /// Not decided yet; the time after which it may be, when nothing else decides it.
    Undecided(Option<Duration>),
    /// It fails its checks.
    Unhealthy(Unwell),
}

/// Why a task is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unwell {
    /// A container's own check failed.
    Container,
    /// A load balancer's check failed: target group, port, and ELB's words.
    Target(String, u16, String),
    /// Its infrastructure is being retired, which is no failure.
    Retiring,
}

impl Unwell {
    /// `stopCode` and `stoppedReason` of a task that is stopped for it.
    pub fn stopped(&self) -> (&'static str, String) {
        match self {
            Self::Container => ("ServiceSchedulerInitiated", "Task failed container health checks".to_owned()),
            Self::Target(group, _, _) => {
                ("ServiceSchedulerInitiated", format!("Task failed ELB health checks in (target-group {group})"))
            }
            Self::Retiring => (
                "InfrastructureHealth",
                "ECS is performing maintenance on the underlying infrastructure hosting the task".to_owned(),
            ),
        }
    }
}

/// The check of a task's container: none when the task definition has none. A check of the image is ignored by ECS.
pub(super) fn container_check(world: &World, arn: &str, index: usize) -> Option<ContainerCheck> {
    let task = world.ecs.tasks.get(arn)?;
    let name = &task.containers.get(index)?.name;
    let definitions = container_definitions(world, &task.task_definition);
    let check = &definitions.iter().find(|container| container["name"].as_str() == Some(name))?["healthCheck"];
    let command = check["command"].as_array()?;
    if command.first().and_then(serde_json::Value::as_str).is_none_or(|first| first == "NONE") {
        return None;
    }
    let seconds = |field: &str, default| Duration::from_secs(check[field].as_u64().unwrap_or(default));
    Some(ContainerCheck {
        interval: seconds("interval", 30),
        retries: check["retries"].as_u64().unwrap_or(3),
        start_period: seconds("startPeriod", 0),
    })
}

/// A container's own check runs.
pub(super) fn check_container(world: &mut World, arn: &str, index: usize) {
    let Some(check) = container_check(world, arn, index) else { return };
    let now = world.now;
    let container = world.ecs.tasks.get(arn).and_then(|task| task.containers.get(index));
    let Some(behaviour) = container.map(|container| image::behaviour(world, container)) else { return };
    let Some(task) = world.ecs.tasks.get_mut(arn).filter(|task| task.last_status == TaskStatus::Running) else {
        return;
    };
    let Some(running) = task.started_at.map(|started| now.since(started)) else { return };
    let service = task.service.clone();
    let Some(container) = task.containers.get_mut(index).filter(|container| container.exit_code.is_none()) else {
        return;
    };
    let Some(life) = world.ecs.scheduler.lives.get_mut(arn) else { return };
    let before = container.health;
    if behaviour.well(running) {
        container.health = ContainerHealth::Healthy;
        life.failed_checks[index] = 0;
    } else if before == ContainerHealth::Healthy || running >= check.start_period {
        life.failed_checks[index] += 1;
        if life.failed_checks[index] >= check.retries {
            container.health = ContainerHealth::Unhealthy;
        }
    }
    let (after, scripted) = (container.health, matches!(behaviour.health, Health::Flaps { .. }));
    if after != before
        && let Some(service) = service
    {
        wake_soon(world, &service);
    }
    // A container that is well for good is not asked again: hours of rest must cost nothing.
    if after != ContainerHealth::Healthy || scripted || running < behaviour.ready_after {
        later(world, arn, check.interval, Step::CheckContainer(index));
    }
}

/// The own checks of all containers continue, within their intervals: the workloads may have changed.
pub(super) fn check_again(world: &mut World) {
    let running = world.ecs.tasks.values().filter(|task| task.last_status == TaskStatus::Running);
    let checked = running.flat_map(|task| {
        let checks =
            (0..task.containers.len()).filter_map(|index| Some((index, container_check(world, &task.arn, index)?)));
        checks.map(|(index, check)| (task.arn.clone(), index, check.interval))
    });
    let checked: Vec<(String, usize, Duration)> = checked.collect();
    for (arn, index, interval) in checked {
        let step = Step::CheckContainer(index);
        if !is_planned(world, &arn, step) {
            let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
            let wait = world.chance.of("container checks").between(0, milliseconds);
            later(world, &arn, Duration::from_millis(wait), step);
        }
    }
}

/// What the scheduler thinks of a task now.
pub(super) fn verdict(world: &World, task: &Task) -> Verdict {
    if task.last_status != TaskStatus::Running || task.to_stop {
        return Verdict::Undecided(None);
    }
    let checked = task
        .containers
        .iter()
        .enumerate()
        .filter(|(index, container)| container.essential && container_check(world, &task.arn, *index).is_some());
    let checked: Vec<ContainerHealth> = checked.map(|(_, container)| container.health).collect();
    if checked.contains(&ContainerHealth::Unhealthy) {
        return Verdict::Unhealthy(Unwell::Container);
    }
    let mut decided = checked.iter().all(|health| *health == ContainerHealth::Healthy);
    for (group, port) in &task.targets {
        let target = elb::health::health(world, group, &task.ip, *port);
        match target.state {
            "healthy" => {}
            "unhealthy" => {
                let why = target.description.unwrap_or_default();
                return Verdict::Unhealthy(Unwell::Target(group.clone(), *port, why));
            }
            _ => decided = false,
        }
    }
    let alone = checked.is_empty() && task.targets.is_empty();
    let ran = task.started_at.map(|started| world.now.since(started)).unwrap_or_default();
    if let Some(left) = timing::HEALTHY_AFTER.checked_sub(ran).filter(|left| alone && !left.is_zero()) {
        return Verdict::Undecided(Some(left));
    }
    if decided { Verdict::Healthy } else { Verdict::Undecided(None) }
}

/// What a task answers to a load balancer's check.
pub(super) fn answer(world: &World, arn: &str, port: u16, path: &str) -> CheckAnswer {
    let Some(task) = world.ecs.tasks.get(arn) else { return CheckAnswer::Nothing };
    let Some(started) = task.started_at else { return CheckAnswer::Nothing };
    if !matches!(task.last_status, TaskStatus::Running | TaskStatus::Deactivating) {
        return CheckAnswer::Nothing;
    }
    let listens = |document: &&serde_json::Value| {
        let ports = document["portMappings"].as_array().into_iter().flatten();
        ports.filter_map(|mapping| mapping["containerPort"].as_u64()).any(|known| known == u64::from(port))
    };
    let name = container_definitions(world, &task.task_definition).iter().find(listens);
    let name = name.and_then(|document| document["name"].as_str());
    let container = match name {
        Some(name) => task.containers.iter().find(|container| container.name == name),
        None => None,
    };
    let Some(container) = container.filter(|container| container.exit_code.is_none()) else {
        return CheckAnswer::Nothing;
    };
    let (behaviour, running) = (image::behaviour(world, container), world.now.since(started));
    if running < behaviour.ready_after {
        return CheckAnswer::Nothing;
    }
    if let Health::Status(status) = behaviour.health {
        return CheckAnswer::Status(status);
    }
    if !behaviour.well(running) {
        return CheckAnswer::Nothing;
    }
    CheckAnswer::Status(if world.workloads.answers_path(&container.image, path) { 200 } else { 404 })
}
