//! From what `RegisterTaskDefinition` was sent to what `DescribeTaskDefinition` answers.
//!
//! AWS completes defaults, spells sizes as integers, drops what says nothing, and puts some lists into another order. Sources:
//! the API reference's defaults by shape; what `DescribeTaskDefinition` answered in published output.

use serde_json::{Map, Value, json};

use super::input::{self, Input};
use super::uncertain::{Question, does};
use crate::chance::Stream;
use crate::world::World;

/// The members of a task definition that are echoed only when they were sent and say something.
const ECHOED: [&str; 5] =
    ["pidMode", "ipcMode", "inferenceAccelerators", "ephemeralStorage", "trustedExecutionConfiguration"];

/// `taskDefinition` without `status` and times.
pub(super) fn described(world: &World, input: &Input, arn: &str, revision: u64) -> Map<String, Value> {
    // The order of lists is decided once for a revision: it is kept with it.
    let mut order = Stream::named(world.chance.seed(), arn);
    let fargate = input.list("requiresCompatibilities").iter().any(|word| word == "FARGATE");
    let mode = match input.text("networkMode") {
        Some(mode) => Some(mode),
        None if does(world, Question::NetworkModeStaysAbsent) => None,
        None => Some("bridge"),
    };
    let mut described = Map::new();
    let mut set = |name: &str, value: Value| described.insert(name.to_owned(), value);
    set("taskDefinitionArn", Value::from(arn));
    let containers = input.list("containerDefinitions").iter();
    let mut containers: Vec<Value> = containers.map(|sent| container(world, sent, mode, &mut order)).collect();
    shuffle(&mut containers, &mut order);
    set("containerDefinitions", Value::from(containers));
    set("family", Value::from(input.required("family")));
    for role in ["taskRoleArn", "executionRoleArn"] {
        if let Some(name) = input.text(role).filter(|name| !name.is_empty()) {
            set(role, Value::from(role_arn(world, name)));
        }
    }
    if let Some(mode) = mode {
        set("networkMode", Value::from(mode));
    }
    set("revision", Value::from(revision));
    set("volumes", input.list("volumes").iter().map(volume).collect());
    set("requiresAttributes", attributes(input));
    set("placementConstraints", Value::from(input.list("placementConstraints")));
    let mut compatibilities = vec!["EC2"];
    if input.text("networkMode") == Some("awsvpc") && input.text("cpu").is_some() && input.text("memory").is_some() {
        compatibilities.push("FARGATE");
        compatibilities.push("MANAGED_INSTANCES");
    } else if input.text("networkMode") != Some("awsvpc") {
        compatibilities.insert(0, "EXTERNAL");
    }
    set("compatibilities", Value::from(compatibilities));
    if let Some(platform) = input.0.get("runtimePlatform").filter(|platform| !input::is_empty(platform)) {
        let mut platform = platform.clone();
        if fargate && !does(world, Question::HalfPlatformIsEchoed) {
            default(&mut platform, "cpuArchitecture", Value::from("X86_64"));
            default(&mut platform, "operatingSystemFamily", Value::from("LINUX"));
        }
        set("runtimePlatform", platform);
    }
    let mut required = input.texts("requiresCompatibilities");
    if !required.is_empty() {
        required.sort_unstable();
        set("requiresCompatibilities", Value::from(required));
    }
    if let Some(units) = input.text("cpu").and_then(cpu_units) {
        set("cpu", Value::from(units.to_string()));
    }
    if let Some(mib) = input.text("memory").and_then(memory_mib) {
        set("memory", Value::from(mib.to_string()));
    }
    if let Some(proxy) = input.0.get("proxyConfiguration") {
        let mut proxy = proxy.clone();
        default(&mut proxy, "type", Value::from("APPMESH"));
        set("proxyConfiguration", proxy);
    }
    set("enableFaultInjection", Value::from(input.flag("enableFaultInjection")));
    for name in ECHOED {
        if let Some(value) = input.0.get(name).filter(|value| !input::is_empty(value)) {
            set(name, value.clone());
        }
    }
    described
}

fn container(world: &World, sent: &Value, mode: Option<&str>, order: &mut Stream) -> Value {
    let mut told = sent.clone();
    // Lists, maps and structures that say nothing, and texts that are empty, are as if they had not been sent.
    if let Value::Object(members) = &mut told {
        members.retain(|_, value| !input::is_empty(value) && *value != "");
    }
    default(&mut told, "cpu", Value::from(0));
    default(&mut told, "essential", Value::from(true));
    for name in ["portMappings", "environment", "mountPoints", "volumesFrom"] {
        default(&mut told, name, json!([]));
    }
    if !does(world, Question::SystemControlsStayAbsent) {
        default(&mut told, "systemControls", json!([]));
    }
    each(&mut told, "portMappings", |mapping| port_mapping(mapping, mode));
    each(&mut told, "mountPoints", |mount| default(mount, "readOnly", Value::from(false)));
    each(&mut told, "volumesFrom", |from| default(from, "readOnly", Value::from(false)));
    let drops_empty = does(world, Question::EmptyEnvironmentIsDropped);
    if let Some(Value::Array(environment)) = told.get_mut("environment") {
        environment.retain(|entry| match entry.get("value") {
            None => false,
            Some(value) => !(drops_empty && *value == ""),
        });
    }
    for name in ["environment", "portMappings", "volumesFrom"] {
        if let Some(Value::Array(items)) = told.get_mut(name) {
            shuffle(items, order);
        }
    }
    if let Some(Value::Array(links)) = told.get_mut("links") {
        links.sort_by_key(ToString::to_string);
    }
    if let Some(check) = told.get_mut("healthCheck") {
        for (name, number) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            default(check, name, Value::from(number));
        }
    }
    if let Some(capabilities) = told.pointer_mut("/linuxParameters/capabilities") {
        default(capabilities, "add", json!([]));
        default(capabilities, "drop", json!([]));
    }
    if let Some(Value::Object(log)) = told.get_mut("logConfiguration") {
        log.retain(|_, value| !input::is_empty(value));
    }
    told
}

/// `hostPort` follows the network mode, `protocol` is tcp.
fn port_mapping(mapping: &mut Value, mode: Option<&str>) {
    if let Some(port) = mapping.get("containerPort").cloned() {
        let given = mapping.get("hostPort").and_then(Value::as_i64).filter(|port| *port != 0);
        if given.is_none() {
            let own = matches!(mode, Some("awsvpc" | "host"));
            mapping["hostPort"] = if own { port } else { Value::from(0) };
        }
    }
    default(mapping, "protocol", Value::from("tcp"));
}

fn volume(sent: &Value) -> Value {
    let mut told = sent.clone();
    let kinds = ["dockerVolumeConfiguration", "efsVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"];
    let other = kinds.iter().chain(["s3filesVolumeConfiguration", "configuredAtLaunch"].iter());
    if !other.into_iter().any(|kind| told.get(*kind).is_some()) {
        default(&mut told, "host", json!({}));
    }
    if let Some(docker) = told.get_mut("dockerVolumeConfiguration") {
        default(docker, "scope", Value::from("task"));
        default(docker, "driver", Value::from("local"));
    }
    if let Some(efs) = told.get_mut("efsVolumeConfiguration") {
        default(efs, "rootDirectory", Value::from("/"));
    }
    told
}

/// A few of the attributes that AWS computes from what a definition asks for.
fn attributes(input: &Input) -> Value {
    let mut names = vec!["com.amazonaws.ecs.capability.docker-remote-api.1.18".to_owned()];
    for container in input.list("containerDefinitions") {
        if let Some(driver) = container.pointer("/logConfiguration/logDriver").and_then(Value::as_str) {
            names.push(format!("com.amazonaws.ecs.capability.logging-driver.{driver}"));
        }
        if container.get("healthCheck").is_some() {
            names.push("ecs.capability.container-health-check".to_owned());
        }
        if input::text(container, "image").contains(".dkr.ecr.") {
            names.push("com.amazonaws.ecs.capability.ecr-auth".to_owned());
        }
    }
    if input.text("taskRoleArn").is_some_and(|role| !role.is_empty()) {
        names.push("com.amazonaws.ecs.capability.task-iam-role".to_owned());
    }
    if input.text("networkMode") == Some("awsvpc") {
        names.push("ecs.capability.task-eni".to_owned());
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// A role's ARN from its name or ARN.
pub(super) fn role_arn(world: &World, role: &str) -> String {
    if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{}:role/{role}", world.account) }
}

/// CPU units from `256`, `.25 vCPU` and the like.
pub(super) fn cpu_units(text: &str) -> Option<u64> {
    scaled(text, "vcpu")
}

/// MiB from `512`, `0.5GB` and the like.
pub(super) fn memory_mib(text: &str) -> Option<u64> {
    scaled(text, "gb")
}

/// A number of the small unit, or one of the large unit, which is 1024 small ones. Spaces and case do not count.
fn scaled(text: &str, unit: &str) -> Option<u64> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect::<String>().to_lowercase();
    let Some(number) = text.strip_suffix(unit) else { return text.parse().ok() };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let tens = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(1024)?.checked_add((digits * 1024 + tens / 2) / tens)
}

/// Sets a member that is absent.
pub(super) fn default(document: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = document {
        members.entry(name).or_insert(value);
    }
}

/// Does something with each element of a list.
fn each(document: &mut Value, name: &str, change: impl FnMut(&mut Value)) {
    if let Some(Value::Array(items)) = document.get_mut(name) {
        items.iter_mut().for_each(change);
    }
}

/// Another order, by chance.
fn shuffle(items: &mut [Value], order: &mut Stream) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(order.between(0, last as u64 + 1)).unwrap_or(last);
        items.swap(last, other);
    }
}
