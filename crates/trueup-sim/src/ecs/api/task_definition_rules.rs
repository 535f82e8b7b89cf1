//! What `RegisterTaskDefinition` refuses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::clusters::is_name;
use super::errors::{client, invalid};
use super::input::{self, Input};
use super::normalise::{cpu_units, memory_mib};
use crate::wire::ApiError;

/// At most so many containers in one task definition.
const CONTAINERS_MAX: usize = 10;

/// A task definition is at most so large, in bytes.
const SIZE_MAX: usize = 64 * 1024;

/// Refuses what AWS refuses.
///
/// # Errors
/// `ClientException` and `InvalidParameterException` with AWS's texts, as far as they are known.
pub(super) fn check(input: &Input) -> Result<(), ApiError> {
    if !is_name(input.required("family")) {
        return Err(client("Family contains invalid characters."));
    }
    let containers = input.list("containerDefinitions");
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    if containers.len() > CONTAINERS_MAX {
        return Err(client(format!("Too many containers. The maximum is {CONTAINERS_MAX}.")));
    }
    let mut names = BTreeSet::new();
    for container in containers {
        check_container(container, input)?;
        if !names.insert(input::text(container, "name")) {
            return Err(client("Container names must be unique within a task definition."));
        }
    }
    if !containers.iter().any(|container| container.get("essential") != Some(&Value::Bool(false))) {
        return Err(client(
            "Task definition does not have any essential containers. At least one container must be essential.",
        ));
    }
    check_references(input, containers, &names)?;
    if input.list("requiresCompatibilities").iter().any(|word| word == "FARGATE") {
        check_fargate(input, containers)?;
    }
    if serde_json::to_string(&input.0).map_or(0, |text| text.len()) > SIZE_MAX {
        return Err(client("Actual length: exceeds the max task definition size: 65536."));
    }
    Ok(())
}

fn check_container(container: &Value, input: &Input) -> Result<(), ApiError> {
    let name = input::text(container, "name");
    if name.is_empty() {
        return Err(client("Container.name should not be null or empty."));
    }
    if !is_name(name) {
        return Err(client("Container.name contains invalid characters."));
    }
    if input::text(container, "image").is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    let has_memory = container.get("memory").is_some() || container.get("memoryReservation").is_some();
    if !has_memory && input.text("memory").is_none() {
        return Err(client(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    let awsvpc = input.text("networkMode") == Some("awsvpc");
    for mapping in input::list(container.get("portMappings")) {
        let number = |member: &str| mapping.get(member).and_then(Value::as_i64);
        let (inside, outside) = (number("containerPort"), number("hostPort"));
        if inside.is_none() && mapping.get("containerPortRange").is_none() {
            return Err(client(format!("Container port is missing for container '{name}'.")));
        }
        if [inside, outside].into_iter().flatten().any(|port| !(0..=65_535).contains(&port)) {
            return Err(client(format!("Invalid port for container '{name}'. Ports must be between 0 and 65535.")));
        }
        if awsvpc && outside.is_some_and(|port| port != 0 && Some(port) != inside) {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
    }
    if let Some(check) = container.get("healthCheck") {
        check_health(check, name)?;
    }
    Ok(())
}

fn check_health(check: &Value, container: &str) -> Result<(), ApiError> {
    if input::list(check.get("command")).is_empty() {
        return Err(client(format!("Health check command of container '{container}' must not be empty.")));
    }
    for (member, low, high) in [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)] {
        let value = check.get(member).and_then(Value::as_i64);
        if value.is_some_and(|value| !(low..=high).contains(&value)) {
            return Err(client(format!(
                "Health check {member} of container '{container}' must be between {low} and {high}."
            )));
        }
    }
    Ok(())
}

/// Names within the document that must lead to something in it.
fn check_references(input: &Input, containers: &[Value], names: &BTreeSet<&str>) -> Result<(), ApiError> {
    let volumes: BTreeSet<&str> = input.list("volumes").iter().map(|volume| input::text(volume, "name")).collect();
    for container in containers {
        for mount in input::list(container.get("mountPoints")) {
            if !volumes.contains(input::text(mount, "sourceVolume")) {
                return Err(client(format!("Unknown volume '{}'.", input::text(mount, "sourceVolume"))));
            }
        }
        for dependency in input::list(container.get("dependsOn")) {
            let on = input::text(dependency, "containerName");
            if !names.contains(on) {
                return Err(client(format!(
                    "Container '{}' depends on container '{on}', which does not exist in the task definition.",
                    input::text(container, "name")
                )));
            }
        }
    }
    Ok(())
}

fn check_fargate(input: &Input, containers: &[Value]) -> Result<(), ApiError> {
    if input.text("networkMode") != Some("awsvpc") {
        return Err(client("Fargate only supports network mode ‘awsvpc’."));
    }
    let cpu = input.text("cpu").filter(|cpu| !cpu.is_empty());
    let cpu = cpu.ok_or_else(|| client("Fargate requires that 'cpu' be defined at the task level."))?;
    let memory = input.text("memory").filter(|memory| !memory.is_empty());
    let memory = memory.ok_or_else(|| client("Fargate requires that 'memory' be defined at the task level."))?;
    let units = cpu_units(cpu).ok_or_else(|| client("Invalid 'cpu' setting for task."))?;
    let mib = memory_mib(memory).ok_or_else(|| client("Invalid 'memory' setting for task."))?;
    if !is_fargate_size(units, mib) {
        return Err(client(format!("No Fargate configuration exists for given values: {units} CPU, {mib} memory.")));
    }
    let sum = |member: &str| containers.iter().filter_map(|container| container.get(member)?.as_u64()).sum::<u64>();
    if sum("cpu") > units {
        return Err(client("The total CPU of the containers exceeds the CPU of the task."));
    }
    if sum("memory") > mib {
        return Err(client("The total memory of the containers exceeds the memory of the task."));
    }
    for container in containers {
        if container.get("privileged") == Some(&Value::Bool(true)) {
            return Err(client("Fargate compatible task definitions do not support privileged mode."));
        }
        check_execution_role(input, container)?;
    }
    if input.list("volumes").iter().any(|volume| volume.pointer("/host/sourcePath").is_some()) {
        return Err(client("Fargate compatible task definitions do not support sourcePath."));
    }
    if !input.list("placementConstraints").is_empty() {
        return Err(client("Fargate compatible task definitions do not support placement constraints."));
    }
    let storage = input.0.get("ephemeralStorage").and_then(|storage| storage.get("sizeInGiB")).and_then(Value::as_i64);
    if storage.is_some_and(|size| !(21..=200).contains(&size)) {
        return Err(invalid("Ephemeral storage size must be between 21 and 200 GiB."));
    }
    Ok(())
}

/// What the execution role is needed for, as far as it shows in the document.
fn check_execution_role(input: &Input, container: &Value) -> Result<(), ApiError> {
    if input.text("executionRoleArn").is_some_and(|role| !role.is_empty()) {
        return Ok(());
    }
    if !input::list(container.get("secrets")).is_empty() {
        return Err(client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    let awslogs = container.pointer("/logConfiguration/logDriver").is_some_and(|driver| driver == "awslogs");
    let what = if input::text(container, "image").contains(".dkr.ecr.") {
        "ECR images"
    } else if awslogs {
        "log driver awslogs"
    } else {
        return Ok(());
    };
    Err(client(format!("Fargate requires task definition to have execution role ARN to support {what}.")))
}

/// The sizes that Fargate has (developer guide, task definition parameters).
fn is_fargate_size(cpu: u64, memory: u64) -> bool {
    let steps = |from: u64, to: u64, step: u64| (from..=to).contains(&memory) && (memory - from).is_multiple_of(step);
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16_384, 1024),
        4096 => steps(8192, 30_720, 1024),
        8192 => steps(16_384, 61_440, 4096),
        16_384 => steps(32_768, 122_880, 8192),
        32_768 => [61_440, 122_880, 249_856].contains(&memory),
        _ => false,
    }
}
