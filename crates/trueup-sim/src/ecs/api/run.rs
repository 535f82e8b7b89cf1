//! `RunTask`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::errors::{client, invalid};
use super::input::{self, Input};
use super::services::{check_network, check_platform, check_strategy};
use super::{defaults, names, tags, task_view};
use crate::ecs::model::{Container, ContainerHealth, RunToken, Tags, Task, TaskDefinition, TaskStatus};
use crate::ecs::scheduler;
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// At most so many tasks in one `RunTask`.
const COUNT_MAX: i64 = 10;

/// Overrides are at most so long, in characters of JSON.
const OVERRIDES_MAX: usize = 8192;

/// A client token lives so long, or as long as its tasks and an hour more if that is shorter.
const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// A task lives on for tokens this long after it stopped.
const AFTER_STOP: Duration = Duration::from_hours(1);

/// `RunTask`. The same client token with the same request answers the same tasks again.
pub(super) fn run(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    check(input)?;
    let request = Value::Object(input.0.clone());
    let token = input.text("clientToken").map(|token| (cluster.clone(), token.to_owned()));
    forget_tokens(world);
    if let Some(known) = token.as_ref().and_then(|token| world.ecs.run_tokens.get(token)) {
        if known.request == request {
            return Ok(
                json!({ "tasks": known.tasks.iter().map(|arn| told(world, arn)).collect::<Vec<_>>(), "failures": [] }),
            );
        }
        let mut conflict = ApiError::client(
            "ConflictException",
            "The client token is already associated with another request. Use another client token or the same request.",
        );
        conflict.members.insert("resourceIds".to_owned(), Value::from(known.tasks.clone()));
        return Err(conflict);
    }
    let definition = names::usable_task_definition(world, input.required("taskDefinition"))?.clone();
    let settings = settings(world, &cluster, &definition, input)?;
    let task_tags = task_tags(&definition, input)?;
    let mut arns = Vec::new();
    for _ in 0..input.number("count").unwrap_or(1) {
        let id = world.chance.of("task ids").hex(32);
        let arn = world.arn("ecs", &format!("task/{cluster}/{id}"));
        let task = task(world, &arn, &cluster, &definition, task_tags.clone(), input);
        world.ecs.tasks.insert(arn.clone(), task);
        world.ecs.run_settings.insert(arn.clone(), settings.clone());
        arns.push(arn);
    }
    for arn in &arns {
        scheduler::task_started(world, arn);
    }
    if let Some(token) = token {
        world.ecs.run_tokens.insert(token, RunToken { request, tasks: arns.clone(), at: world.now });
    }
    Ok(json!({ "tasks": arns.iter().map(|arn| told(world, arn)).collect::<Vec<_>>(), "failures": [] }))
}

fn check(input: &Input) -> Result<(), ApiError> {
    if input.number("count").is_some_and(|count| !(1..=COUNT_MAX).contains(&count)) {
        return Err(invalid(format!("Count must be between 1 and {COUNT_MAX}.")));
    }
    let token = input.text("clientToken").unwrap_or_default();
    if token.len() > 64 || !token.bytes().all(|byte| (33..=126).contains(&byte)) {
        return Err(invalid("Client token must be at most 64 ASCII characters in the range 33-126."));
    }
    let started_by = input.text("startedBy").unwrap_or_default();
    if started_by.len() > 128 || !started_by.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/_".contains(&byte))
    {
        return Err(invalid("startedBy must be at most 128 letters, digits, hyphens, forward slashes or underscores."));
    }
    let overrides = input.0.get("overrides").map_or(0, |overrides| overrides.to_string().chars().count());
    if overrides > OVERRIDES_MAX {
        return Err(invalid(format!("Overrides can be at most {OVERRIDES_MAX} characters.")));
    }
    if !input.list("capacityProviderStrategy").is_empty() && input.text("launchType").is_some() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    Ok(())
}

/// Forgets tokens whose life is over, and the settings of tasks that are gone.
fn forget_tokens(world: &mut World) {
    let now = world.now;
    let ecs = &mut world.ecs;
    let tasks = &ecs.tasks;
    let lives = |arn: &String| {
        tasks.get(arn).is_some_and(|task| task.stopped_at.is_none_or(|stopped| now.since(stopped) < AFTER_STOP))
    };
    ecs.run_tokens.retain(|_, token| now.since(token.at) < TOKEN_LIFE && token.tasks.iter().any(lives));
    ecs.run_settings.retain(|arn, _| tasks.contains_key(arn));
}

fn settings(
    world: &World,
    cluster: &str,
    definition: &TaskDefinition,
    input: &Input,
) -> Result<Map<String, Value>, ApiError> {
    let mut settings = Map::new();
    let of_cluster = world.ecs.clusters.get(cluster).map(|cluster| &cluster.settings);
    let of_cluster = input::list(of_cluster.and_then(|settings| settings.get("defaultCapacityProviderStrategy")));
    let sent = input.list("capacityProviderStrategy");
    let launch_type = input.text("launchType");
    let strategy = if sent.is_empty() && launch_type.is_none() { of_cluster } else { sent };
    defaults::set_capacity(&mut settings, strategy, launch_type.unwrap_or("EC2"));
    check_strategy(world, cluster, strategy)?;
    if let Some(version) = input.0.get("platformVersion") {
        settings.insert("platformVersion".to_owned(), version.clone());
    }
    check_platform(&settings)?;
    defaults::set_platform(&mut settings, &definition.description);
    if let Some(network) = input.0.get("networkConfiguration").filter(|network| !input::is_empty(network)) {
        let network = defaults::network_configuration(world, &definition.arn, network);
        settings.insert("networkConfiguration".to_owned(), network);
    }
    check_network(&settings, definition)?;
    let launch_type = task_view::launch_type(Some(&settings)).unwrap_or_default();
    if !input::list(definition.description.get("compatibilities")).contains(&launch_type) {
        let launch_type = launch_type.as_str().unwrap_or_default();
        return Err(invalid(format!("Task definition does not support launch_type {launch_type}.")));
    }
    settings.insert("enableExecuteCommand".to_owned(), Value::from(input.flag("enableExecuteCommand")));
    let known = input::list(definition.description.get("containerDefinitions"));
    for one in input::list(input.0.get("overrides").and_then(|overrides| overrides.get("containerOverrides"))) {
        let name = input::text(one, "name");
        if !known.iter().any(|container| input::text(container, "name") == name) {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }
    Ok(settings)
}

/// The tags of the request, and those of the task definition when they are to be propagated.
fn task_tags(definition: &TaskDefinition, input: &Input) -> Result<Tags, ApiError> {
    let own = tags::given(input)?;
    match input.text("propagateTags") {
        Some("SERVICE") => Err(client("Cannot propagate tags from a service for a task that is not of a service.")),
        Some("TASK_DEFINITION") => {
            let mut all = definition.tags.clone();
            all.extend(own);
            Ok(all)
        }
        _ => Ok(own),
    }
}

fn task(world: &mut World, arn: &str, cluster: &str, definition: &TaskDefinition, tags: Tags, input: &Input) -> Task {
    let family = input::text(&Value::Object(definition.description.clone()), "family").to_owned();
    let containers = input::list(definition.description.get("containerDefinitions")).iter();
    let containers = containers.map(|container| Container {
        name: input::text(container, "name").to_owned(),
        image: input::text(container, "image").to_owned(),
        image_digest: None,
        essential: container.get("essential") != Some(&Value::Bool(false)),
        exit_code: None,
        reason: None,
        health: ContainerHealth::Unknown,
    });
    let addresses = world.chance.of("task addresses");
    let ip = format!("10.0.{}.{}", addresses.between(0, 256), addresses.between(4, 255));
    Task {
        arn: arn.to_owned(),
        cluster: cluster.to_owned(),
        task_definition: definition.arn.clone(),
        service: None,
        started_by: input.text("startedBy").map(str::to_owned),
        group: input.text("group").map_or_else(|| format!("family:{family}"), str::to_owned),
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
        ip,
        healthy_since: None,
        targets: Vec::new(),
        tags,
        overrides: input.0.get("overrides").cloned().unwrap_or_else(|| json!({})),
    }
}

/// A task as `RunTask` answers it; only its ARN and status when ECS has forgotten it.
fn told(world: &World, arn: &str) -> Value {
    match world.ecs.tasks.get(arn) {
        Some(task) => task_view::view(world, task, true),
        None => json!({ "taskArn": arn, "lastStatus": "STOPPED", "desiredStatus": "STOPPED" }),
    }
}
