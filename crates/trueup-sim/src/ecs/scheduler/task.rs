//! A task's life from PROVISIONING to RUNNING, and what happens to it while it runs.

use serde_json::Value;

use super::agenda::{enter, later};
use super::find::{container_definitions, definition, deployment_id, known};
use super::memory::{Life, Step};
use super::{events, failure, health, image, start_failure, stop, timing};
use crate::ecs::model::{Container, ContainerHealth, ServiceKey, Task, TaskStatus};
use crate::elb;
use crate::world::World;

/// Starts a task of a deployment, which registers with these target groups. Its ARN, or none when the deployment is gone.
pub(super) fn launch(
    world: &mut World,
    service: &ServiceKey,
    deployment: u64,
    groups: Vec<(String, u16)>,
) -> Option<String> {
    let id = world.chance.of("task ids").hex(32);
    let arn = world.arn("ecs", &format!("task/{}/{id}", service.cluster));
    let found = known(world, service)?;
    let deployed = found.deployments.iter().find(|known| known.id == deployment)?;
    let task_definition = deployed.task_definition.clone();
    let images = found.revisions.get(&deployed.revision).map(|revision| revision.images.clone()).unwrap_or_default();
    let tags = match found.settings.get("propagateTags").and_then(Value::as_str) {
        Some("SERVICE") => found.tags.clone(),
        Some("TASK_DEFINITION") => {
            definition(world, &task_definition).map(|known| known.tags.clone()).unwrap_or_default()
        }
        _ => crate::ecs::model::Tags::new(),
    };
    let containers = container_definitions(world, &task_definition).iter().filter_map(|document| {
        let name = document["name"].as_str()?;
        Some(Container {
            name: name.to_owned(),
            image: document["image"].as_str()?.to_owned(),
            image_digest: images.get(name).map(|(_, digest)| digest.clone()).filter(|digest| !digest.is_empty()),
            essential: document["essential"].as_bool().unwrap_or(true),
            exit_code: None,
            reason: None,
            health: ContainerHealth::Unknown,
        })
    });
    let task = Task {
        arn: arn.clone(),
        cluster: service.cluster.clone(),
        task_definition: task_definition.clone(),
        service: Some(service.clone()),
        started_by: Some(deployment_id(deployment)),
        group: format!("service:{}", service.name),
        last_status: TaskStatus::Provisioning,
        to_stop: false,
        since: world.now,
        created_at: world.now,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: containers.collect(),
        ip: String::new(),
        healthy_since: None,
        targets: Vec::new(),
        tags,
        overrides: Value::Null,
    };
    let ip = address(world);
    world.ecs.tasks.insert(arn.clone(), Task { ip, ..task });
    world.ecs.scheduler.tasks_of.entry(service.clone()).or_default().insert(arn.clone());
    begin(world, &arn, groups);
    Some(arn)
}

/// A private address that no other task of this world has had lately.
fn address(world: &mut World) -> String {
    let number = world.ecs.scheduler.addresses % (250 * 250);
    world.ecs.scheduler.addresses += 1;
    format!("10.0.{}.{}", number / 250, 4 + number % 250)
}

/// A task that is in the model begins its life.
pub(super) fn begin(world: &mut World, arn: &str, groups: Vec<(String, u16)>) {
    let Some(task) = world.ecs.tasks.get(arn) else { return };
    let life = Life { groups, failed_checks: vec![0; task.containers.len()], ..Life::default() };
    world.ecs.scheduler.lives.insert(arn.to_owned(), life);
    let after = timing::PROVISIONING.draw(world);
    later(world, arn, after, Step::Provisioned);
}

/// Steps of a task are due.
pub(super) fn due(world: &mut World, arn: &str) {
    let now = world.now;
    loop {
        let Some(life) = world.ecs.scheduler.lives.get_mut(arn) else { return };
        let due = life.agenda.iter().enumerate().filter(|(_, (at, _))| *at <= now).min_by_key(|(_, (at, _))| *at);
        let Some((index, _)) = due else { return };
        let (_, step) = life.agenda.remove(index);
        take(world, arn, step);
    }
}

fn take(world: &mut World, arn: &str, step: Step) {
    match step {
        Step::Provisioned => {
            enter(world, arn, TaskStatus::Pending);
            if let Some(after) = start_failure::takes(world, arn) {
                later(world, arn, after, Step::FailToStart);
            } else {
                let after = timing::PULLING.draw(world);
                later(world, arn, after, Step::Pulled);
            }
        }
        Step::Pulled => {
            enter(world, arn, TaskStatus::Activating);
            let alone = world.ecs.scheduler.lives.get(arn).is_none_or(|life| life.groups.is_empty());
            let after = if alone { timing::ACTIVATING_ALONE.draw(world) } else { timing::ACTIVATING.draw(world) };
            later(world, arn, after, if alone { Step::Run } else { Step::Register });
        }
        Step::Register => register(world, arn),
        Step::Run => run(world, arn),
        Step::FailToStart => start_failure::happen(world, arn),
        Step::Exit(container) => stop::container_exited(world, arn, container),
        Step::CheckContainer(container) => health::check_container(world, arn, container),
        Step::Deregister => stop::deregister(world, arn),
        Step::LookAtDraining => stop::look(world, arn),
        Step::Obey(code) => stop::obeyed(world, arn, code),
        Step::Deprovisioned => stop::stopped(world, arn),
        Step::Forget => {
            world.ecs.tasks.remove(arn);
            world.ecs.scheduler.lives.remove(arn);
        }
    }
}

fn register(world: &mut World, arn: &str) {
    let Some(task) = world.ecs.tasks.get(arn) else { return };
    let (ip, service) = (task.ip.clone(), task.service.clone());
    let groups = world.ecs.scheduler.lives.get(arn).map(|life| life.groups.clone()).unwrap_or_default();
    let missing = groups.iter().find(|(group, _)| elb::health::target_group(world, group).is_none());
    if let Some((missing, _)) = missing.cloned() {
        if let Some(service) = &service {
            let text = format!(
                "failed to register targets in (target-group {missing}) with (error One or more target groups not found)"
            );
            events::tell_once(world, service, &text);
        }
        let again = timing::ATTEMPT.draw(world);
        return later(world, arn, again, Step::Register);
    }
    for (group, port) in &groups {
        elb::health::register(world, group, &ip, *port, arn);
        if let Some(service) = &service {
            events::tell(world, service, &format!("registered 1 targets in (target-group {group})"));
        }
    }
    if let Some(task) = world.ecs.tasks.get_mut(arn) {
        task.targets = groups;
    }
    let after = timing::ACTIVATING_ALONE.draw(world);
    later(world, arn, after, Step::Run);
}

fn run(world: &mut World, arn: &str) {
    let now = world.now;
    enter(world, arn, TaskStatus::Running);
    let Some(task) = world.ecs.tasks.get_mut(arn) else { return };
    task.started_at = Some(now);
    let service = task.service.clone();
    let containers = task.containers.clone();
    if let Some(service) = service {
        failure::ran(world, &service);
    }
    for (index, container) in containers.iter().enumerate() {
        if let Some(exit) = image::behaviour(world, container).exits {
            later(world, arn, exit.after, Step::Exit(index));
        }
        if let Some(check) = health::container_check(world, arn, index) {
            later(world, arn, check.interval, Step::CheckContainer(index));
        }
    }
}
