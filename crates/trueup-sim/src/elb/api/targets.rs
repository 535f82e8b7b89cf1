//! RegisterTargets, DeregisterTargets, DescribeTargetHealth.

use serde_json::{Map, Value, json};

use super::arns::target_group_arn;
use super::errors::target_groups_not_found;
use super::members::required;
use crate::elb::health::{self, TargetHealth};
use crate::elb::model::{Address, TargetGroup};
use crate::input::{invalid, list, number, text};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Targets of a target group.
const TARGETS_MAX: usize = 1_000;

/// `RegisterTargets`. Only ECS knows a task to ask, so a target that is registered here never answers, unless a task has
/// that address.
pub(super) fn register(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let group = world.elb.target_groups.get(arn).ok_or_else(target_groups_not_found)?;
    let addresses = addresses(group, input)?.ok_or_else(|| invalid("At least one target must be specified"))?;
    for (id, _) in &addresses {
        if group.text("TargetType") == Some("ip") && id.parse::<std::net::IpAddr>().is_err() {
            return Err(invalid(format!("The IP address '{id}' is not a valid IPv4 address")));
        }
    }
    if group.targets.len() + addresses.len() > TARGETS_MAX {
        return Err(ApiError::client("TooManyTargets", "The maximum number of targets has been reached"));
    }
    for address in addresses {
        let task = world.ecs.tasks.values().find(|task| task.ip == address.0 && task.stopped_at.is_none());
        let task = task.map(|task| task.arn.clone());
        health::add(world, arn, &address, task);
    }
    Ok(json!({}))
}

/// `DeregisterTargets`. A target that is not registered is no error.
pub(super) fn deregister(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let group = world.elb.target_groups.get(arn).ok_or_else(target_groups_not_found)?;
    let addresses = addresses(group, input)?.ok_or_else(|| invalid("At least one target must be specified"))?;
    for (ip, port) in addresses {
        health::deregister(world, arn, &ip, port);
    }
    Ok(json!({}))
}

/// `DescribeTargetHealth`: of all targets, draining ones too, or of those asked for, registered or not.
pub(super) fn health(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let group = world.elb.target_groups.get(arn).ok_or_else(target_groups_not_found)?;
    let asked = addresses(group, input)?.unwrap_or_else(|| group.targets.keys().cloned().collect());
    let descriptions: Vec<Value> = asked.iter().map(|address| description(group, address)).collect();
    Ok(json!({"TargetHealthDescriptions": descriptions}))
}

fn description(group: &TargetGroup, address: &Address) -> Value {
    let found = group.targets.get(address);
    let TargetHealth { state, reason, description } =
        found.map_or_else(TargetHealth::not_registered, |target| health::shown(group, target));
    let mut shown = Map::new();
    shown.insert("State".to_owned(), json!(state));
    shown.extend(reason.map(|reason| ("Reason".to_owned(), json!(reason))));
    shown.extend(description.map(|description| ("Description".to_owned(), json!(description))));
    let mut answer = json!({"Target": {"Id": address.0, "Port": address.1}, "TargetHealth": shown});
    if found.is_some() && group.is_checked() {
        let port = match group.text("HealthCheckPort") {
            Some(port) if port != "traffic-port" => port.to_owned(),
            _ => address.1.to_string(),
        };
        answer["HealthCheckPort"] = json!(port);
    }
    answer
}

/// The targets of an input; the group's port unless they have their own. `None` when none was sent.
fn addresses(group: &TargetGroup, input: &Value) -> Result<Option<Vec<Address>>, ApiError> {
    let Some(targets) = list(input, "Targets").filter(|targets| !targets.is_empty()) else { return Ok(None) };
    let mut addresses = Vec::new();
    for target in targets {
        let id = text(target, "Id").ok_or_else(|| invalid("A target ID must be specified"))?;
        let port = number(target, "Port")?.or_else(|| group.number("Port")).unwrap_or_default();
        let port = u16::try_from(port).map_err(|_| invalid(format!("Port '{port}' must be between 1 and 65535")))?;
        addresses.push((id.to_owned(), port));
    }
    Ok(Some(addresses))
}
