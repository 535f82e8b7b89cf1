//! Tasks: list, describe, stop.

use serde_json::{Value, json};

use super::errors::{invalid, missing, service_not_found};
use super::input::Input;
use super::names;
use super::paging::{self, Listing};
use super::task_view;
use crate::ecs::model::{Task, TaskStatus};
use crate::ecs::scheduler;
use crate::wire::Outcome;
use crate::world::World;

/// At most so many tasks in one `DescribeTasks`.
const DESCRIBE_MAX: usize = 100;

/// `ListTasks`: those that should run, unless `desiredStatus` asks for the stopped ones.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let filters = ["family", "serviceName", "containerInstance", "launchType", "daemonName"];
    if input.text("startedBy").is_some() && filters.iter().any(|name| input.0.contains_key(*name)) {
        return Err(invalid("startedBy cannot be combined with another filter."));
    }
    let service = match input.text("serviceName") {
        None => None,
        Some(reference) => Some(names::service(world, &cluster, reference).ok_or_else(service_not_found)?.0),
    };
    // ECS never desires PENDING: there are no such tasks.
    let wanted = input.text("desiredStatus").unwrap_or("RUNNING");
    let is_told = |task: &Task| {
        let stops = task.to_stop || task.last_status == TaskStatus::Stopped;
        let family = task.task_definition.rsplit('/').next().and_then(|name| name.split(':').next());
        task.cluster == cluster
            && wanted == if stops { "STOPPED" } else { "RUNNING" }
            && service.as_ref().is_none_or(|key| task.service.as_ref() == Some(key))
            && input.text("family").is_none_or(|wanted| family == Some(wanted))
            && input.text("startedBy").is_none_or(|wanted| task.started_by.as_deref() == Some(wanted))
            && input.text("launchType").is_none_or(|wanted| {
                task_view::launch_type(task_view::settings(world, task)).is_some_and(|kind| kind == wanted)
            })
            && input.text("containerInstance").is_none()
            && input.text("daemonName").is_none()
    };
    let told = world.ecs.tasks.values().filter(|task| is_told(task));
    let items: Vec<_> = told.map(|task| (task.arn.clone(), Value::from(task.arn.clone()))).collect();
    paging::page(world, input, Listing { name: "taskArns", default: 100, descending: false }, items)
}

/// `DescribeTasks`: stopped ones too, as long as ECS remembers them; the others are in `failures`.
pub(super) fn describe(world: &World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let asked = input.texts("tasks");
    if asked.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if asked.len() > DESCRIBE_MAX {
        return Err(invalid(format!("Tasks cannot have more than {DESCRIBE_MAX} elements.")));
    }
    let tags = input.includes("include", "TAGS");
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for reference in asked {
        let arn = arn(world, &cluster, reference);
        match world.ecs.tasks.get(&arn).filter(|task| task.cluster == cluster) {
            Some(task) => tasks.push(task_view::view(world, task, tags)),
            None => failures.push(missing(&arn)),
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

/// `StopTask`: the task's tags go at once.
pub(super) fn stop(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let arn = arn(world, &cluster, input.required("task"));
    let found = world.ecs.tasks.get_mut(&arn).filter(|task| task.cluster == cluster);
    let task = found.ok_or_else(|| invalid("The referenced task was not found."))?;
    if task.last_status != TaskStatus::Stopped {
        task.tags.clear();
        scheduler::stop_task(world, &arn, "UserInitiated", input.text("reason").unwrap_or("Task stopped by user"));
    }
    let task = world.ecs.tasks.get(&arn).map(|task| task_view::view(world, task, false));
    Ok(json!({ "task": task }))
}

/// A task's ARN from its ARN or its id.
fn arn(world: &World, cluster: &str, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    world.arn("ecs", &format!("task/{cluster}/{reference}"))
}
