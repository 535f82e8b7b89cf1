//! A task as the API shows it.

use serde_json::{Map, Value, json};

use super::defaults::concrete_platform_version;
use super::input::{self, tag_list};
use super::services::deployment_id;
use crate::chance::Stream;
use crate::ecs::model::{Container, ContainerHealth, Task, TaskDefinition, TaskStatus};
use crate::world::World;

/// The availability zones of every simulated region.
const ZONES: [&str; 3] = ["a", "b", "c"];

/// `task` as the API shows it.
pub(super) fn view(world: &World, task: &Task, tags: bool) -> Value {
    // What AWS makes up for a task comes from the task's own ARN: it is the same in every answer.
    let mut made_up = Stream::named(world.chance.seed(), &task.arn);
    let zone = made_up.one_of(&ZONES).map_or_else(String::new, |zone| format!("{}{zone}", world.region));
    let attachment = uuid(&mut made_up);
    let settings = settings(world, task);
    let definition = definition(world, task);
    let awsvpc = definition.is_some_and(|one| one.description.get("networkMode").is_some_and(|mode| mode == "awsvpc"));
    let of_definition = |name: &str| definition.and_then(|definition| definition.description.get(name)).cloned();
    let containers = task.containers.iter();
    let containers: Vec<Value> = containers
        .map(|one| container(world, task, one, awsvpc.then_some(attachment.as_str()), &mut made_up))
        .collect();
    let mut view = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            view.insert(name.to_owned(), value);
        }
    };
    let attachments = awsvpc.then(|| interface(world, task, settings, &attachment, &mut made_up));
    set("attachments", Some(attachments.into_iter().collect()));
    set("attributes", Some(json!([{ "name": "ecs.cpu-architecture", "value": architecture(definition) }])));
    set("availabilityZone", Some(Value::from(zone)));
    set("clusterArn", Some(Value::from(world.arn("ecs", &format!("cluster/{}", task.cluster)))));
    if task.last_status >= TaskStatus::Pending {
        set("connectivity", Some(Value::from("CONNECTED")));
        set("connectivityAt", Some(task.created_at.epoch_seconds()));
    }
    set("containers", Some(Value::from(containers)));
    for name in ["cpu", "memory"] {
        set(name, task.overrides.get(name).cloned().or_else(|| of_definition(name)));
    }
    set("createdAt", Some(task.created_at.epoch_seconds()));
    let stops = task.to_stop || task.last_status == TaskStatus::Stopped;
    set("desiredStatus", Some(Value::from(if stops { "STOPPED" } else { "RUNNING" })));
    // A deployment does not record it: it is the service's.
    let of_service = task.service.as_ref().and_then(|key| Some(&world.ecs.services.get(key)?.settings));
    let execute = of_service.or(settings).and_then(|settings| settings.get("enableExecuteCommand")).cloned();
    set("enableExecuteCommand", Some(execute.unwrap_or(Value::Bool(false))));
    set("group", Some(Value::from(task.group.clone())));
    set("healthStatus", Some(Value::from(health_word(health(task)))));
    set("lastStatus", Some(Value::from(status_word(task.last_status))));
    set("launchType", launch_type(settings));
    set("capacityProviderName", capacity_provider(settings));
    set("overrides", Some(overrides(task)));
    set("platformVersion", settings.and_then(concrete_platform_version).map(Value::from));
    set("platformFamily", settings.and_then(|settings| settings.get("platformFamily")).cloned());
    set("startedAt", task.started_at.map(crate::time::Time::epoch_seconds));
    set("startedBy", task.started_by.clone().map(Value::from));
    set("stopCode", task.stop_code.clone().map(Value::from));
    set("stoppingAt", task.stopping_at.map(crate::time::Time::epoch_seconds));
    set("stoppedAt", task.stopped_at.map(crate::time::Time::epoch_seconds));
    set("executionStoppedAt", task.stopped_at.map(crate::time::Time::epoch_seconds));
    set("stoppedReason", task.stopped_reason.clone().map(Value::from));
    set("tags", Some(if tags { tag_list(&task.tags) } else { json!([]) }));
    set("taskArn", Some(Value::from(task.arn.clone())));
    set("taskDefinitionArn", Some(Value::from(task.task_definition.clone())));
    // Every change of status is a new version.
    set("version", Some(Value::from(task.last_status as u64 + 1)));
    set("ephemeralStorage", Some(of_definition("ephemeralStorage").unwrap_or(json!({ "sizeInGiB": 20 }))));
    Value::Object(view)
}

/// What of its deployment's, its service's or its `RunTask`'s settings applies to a task.
pub(super) fn settings<'a>(world: &'a World, task: &Task) -> Option<&'a Map<String, Value>> {
    let Some(key) = &task.service else { return world.ecs.run_settings.get(&task.arn) };
    let service = world.ecs.services.get(key)?;
    let own = service.deployments.iter().find(|one| task.started_by.as_deref() == Some(&deployment_id(one.id)));
    Some(own.map_or(&service.settings, |own| &own.settings))
}

fn definition<'a>(world: &'a World, task: &Task) -> Option<&'a TaskDefinition> {
    super::names::task_definition(world, &task.task_definition, "").ok()
}

fn architecture(definition: Option<&TaskDefinition>) -> &'static str {
    let platform = definition.and_then(|definition| definition.description.get("runtimePlatform"));
    if platform.is_some_and(|platform| input::text(platform, "cpuArchitecture") == "ARM64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// The launch type that a task really has: with a strategy, its providers' one.
pub(super) fn launch_type(settings: Option<&Map<String, Value>>) -> Option<Value> {
    let settings = settings?;
    let strategic = settings.contains_key("capacityProviderStrategy");
    let fargate = super::defaults::is_fargate(settings);
    if strategic {
        Some(Value::from(if fargate { "FARGATE" } else { "EC2" }))
    } else {
        settings.get("launchType").cloned()
    }
}

fn capacity_provider(settings: Option<&Map<String, Value>>) -> Option<Value> {
    let strategy = input::list(settings?.get("capacityProviderStrategy"));
    let weight = |item: &&Value| item.get("weight").and_then(Value::as_u64).unwrap_or_default();
    strategy.iter().max_by_key(weight)?.get("capacityProvider").cloned()
}

fn overrides(task: &Task) -> Value {
    let mut told = if task.overrides.is_object() { task.overrides.clone() } else { json!({}) };
    if input::list(told.get("containerOverrides")).is_empty() {
        told["containerOverrides"] = task.containers.iter().map(|one| json!({ "name": one.name })).collect();
    }
    super::normalise::default(&mut told, "inferenceAcceleratorOverrides", json!([]));
    told
}

fn interface(
    world: &World,
    task: &Task,
    settings: Option<&Map<String, Value>>,
    id: &str,
    made_up: &mut Stream,
) -> Value {
    let network = settings.and_then(|settings| settings.get("networkConfiguration"));
    let subnets = input::list(network.and_then(|network| network.pointer("/awsvpcConfiguration/subnets")));
    let status = match task.last_status {
        TaskStatus::Provisioning => "PRECREATED",
        TaskStatus::Stopped => "DELETED",
        TaskStatus::Pending
        | TaskStatus::Activating
        | TaskStatus::Running
        | TaskStatus::Deactivating
        | TaskStatus::Stopping
        | TaskStatus::Deprovisioning => "ATTACHED",
    };
    let subnet = made_up.one_of(subnets).and_then(Value::as_str).unwrap_or_default();
    let dashed = task.ip.replace('.', "-");
    json!({
        "id": id,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            { "name": "subnetId", "value": subnet },
            { "name": "networkInterfaceId", "value": format!("eni-0{}", made_up.hex(16)) },
            { "name": "macAddress", "value": mac(made_up) },
            { "name": "privateDnsName", "value": format!("ip-{dashed}.{}.compute.internal", world.region) },
            { "name": "privateIPv4Address", "value": task.ip },
        ],
    })
}

fn container(world: &World, task: &Task, one: &Container, interface: Option<&str>, made_up: &mut Stream) -> Value {
    let id = task.arn.rsplit('/').next().unwrap_or_default();
    let ended = one.exit_code.is_some() || task.last_status >= TaskStatus::Deprovisioning;
    let status = if ended {
        "STOPPED"
    } else if task.last_status >= TaskStatus::Activating {
        "RUNNING"
    } else {
        "PENDING"
    };
    let interfaces = interface.filter(|_| task.last_status > TaskStatus::Provisioning);
    let mut view = json!({
        "containerArn": world.arn("ecs", &format!("container/{}/{id}/{}", task.cluster, uuid(made_up))),
        "taskArn": task.arn,
        "name": one.name,
        "image": one.image,
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces":
            interfaces.map(|id| json!({ "attachmentId": id, "privateIpv4Address": task.ip })).into_iter().collect::<Vec<_>>(),
        "healthStatus": health_word(one.health),
    });
    let runtime = format!("{id}-{}", made_up.between(100_000_000, 9_999_999_999));
    let rest = [
        ("imageDigest", one.image_digest.clone().map(Value::from)),
        ("runtimeId", (status != "PENDING").then(|| Value::from(runtime))),
        ("exitCode", one.exit_code.map(Value::from)),
        ("reason", one.reason.clone().map(Value::from)),
    ];
    for (name, value) in rest {
        if let Some(value) = value {
            view[name] = value;
        }
    }
    view
}

/// The worst of the essential containers: UNHEALTHY, UNKNOWN, HEALTHY (API reference, `HealthCheck`).
fn health(task: &Task) -> ContainerHealth {
    let rank = |health: ContainerHealth| match health {
        ContainerHealth::Unhealthy => 0,
        ContainerHealth::Unknown => 1,
        ContainerHealth::Healthy => 2,
    };
    let essential = task.containers.iter().filter(|one| one.essential).map(|one| one.health);
    essential.min_by_key(|health| rank(*health)).unwrap_or(ContainerHealth::Unknown)
}

fn health_word(health: ContainerHealth) -> &'static str {
    match health {
        ContainerHealth::Healthy => "HEALTHY",
        ContainerHealth::Unhealthy => "UNHEALTHY",
        ContainerHealth::Unknown => "UNKNOWN",
    }
}

fn status_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Provisioning => "PROVISIONING",
        TaskStatus::Pending => "PENDING",
        TaskStatus::Activating => "ACTIVATING",
        TaskStatus::Running => "RUNNING",
        TaskStatus::Deactivating => "DEACTIVATING",
        TaskStatus::Stopping => "STOPPING",
        TaskStatus::Deprovisioning => "DEPROVISIONING",
        TaskStatus::Stopped => "STOPPED",
    }
}

fn uuid(made_up: &mut Stream) -> String {
    let parts = [8, 4, 4, 4, 12].map(|digits| made_up.hex(digits));
    parts.join("-")
}

fn mac(made_up: &mut Stream) -> String {
    let parts = [0; 5].map(|_| made_up.hex(2));
    format!("02:{}", parts.join(":"))
}
