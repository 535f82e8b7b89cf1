//! What `CreateService` and `UpdateService` refuse about load balancers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::errors::invalid;
use super::super::input;
use crate::ecs::model::TaskDefinition;
use crate::elb::health;
use crate::wire::ApiError;
use crate::world::World;

/// At most so many target groups for one service.
const TARGET_GROUPS_MAX: usize = 5;

/// Refuses what AWS refuses at once; what it finds out later is the scheduler's.
///
/// # Errors
/// `InvalidParameterException`.
pub(in crate::ecs::api) fn check(
    world: &World,
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let balancers = input::list(settings.get("loadBalancers"));
    if balancers.len() > TARGET_GROUPS_MAX {
        return Err(invalid(format!("load balancers can have at most {TARGET_GROUPS_MAX} items.")));
    }
    let mut groups = BTreeSet::new();
    for balancer in balancers {
        check_container(balancer, definition)?;
        let group = input::text(balancer, "targetGroupArn");
        let classic = input::text(balancer, "loadBalancerName");
        if group.is_empty() == classic.is_empty() {
            return Err(invalid("Exactly one of loadBalancerName and targetGroupArn must be specified."));
        }
        let alternate = balancer.pointer("/advancedConfiguration/alternateTargetGroupArn").and_then(Value::as_str);
        for group in [Some(group), alternate].into_iter().flatten().filter(|group| !group.is_empty()) {
            // Two containers (or ports) may share a group only when they are different ones.
            let port = balancer.get("containerPort").and_then(Value::as_i64);
            if !groups.insert((group, input::text(balancer, "containerName"), port)) {
                return Err(invalid(format!("Duplicate targetGroupArn found: {group}")));
            }
            match health::target_group(world, group) {
                None => return Err(invalid(format!("The target group with targetGroupArn {group} does not exist."))),
                Some(false) => {
                    return Err(invalid(format!(
                        "The target group with targetGroupArn {group} does not have an associated load balancer."
                    )));
                }
                Some(true) => check_target_type(world, group, definition)?,
            }
        }
    }
    check_advanced(world, settings, balancers)
}

fn check_container(balancer: &Value, definition: &TaskDefinition) -> Result<(), ApiError> {
    let name = input::text(balancer, "containerName");
    if name.is_empty() {
        return Err(invalid("Container Name must not be empty"));
    }
    let containers = input::list(definition.description.get("containerDefinitions"));
    let container = containers.iter().find(|container| input::text(container, "name") == name);
    let container =
        container.ok_or_else(|| invalid(format!("The container {name} does not exist in the task definition.")))?;
    let port = balancer.get("containerPort").and_then(Value::as_i64).unwrap_or_default();
    let ports = input::list(container.get("portMappings")).iter();
    if ports.filter_map(|mapping| mapping.get("containerPort")?.as_i64()).any(|known| known == port) {
        return Ok(());
    }
    Err(invalid(format!("The container {name} did not have a container port {port} defined.")))
}

/// With `awsvpc`, tasks are targets by their address.
fn check_target_type(world: &World, group: &str, definition: &TaskDefinition) -> Result<(), ApiError> {
    let kind = world.elb.target_groups.get(group).and_then(|group| group.text("TargetType")).unwrap_or("ip");
    let awsvpc = definition.description.get("networkMode").is_some_and(|mode| mode == "awsvpc");
    if !awsvpc || kind == "ip" {
        return Ok(());
    }
    Err(invalid(format!(
        "The provided target group {group} has target type {kind}, which is incompatible with the awsvpc network mode specified \
         in the task definition."
    )))
}

fn check_advanced(world: &World, settings: &Map<String, Value>, balancers: &[Value]) -> Result<(), ApiError> {
    let advanced: Vec<&Value> = balancers.iter().filter_map(|balancer| balancer.get("advancedConfiguration")).collect();
    let strategy =
        settings.get("deploymentConfiguration").map_or("", |configuration| input::text(configuration, "strategy"));
    if !matches!(strategy, "" | "ROLLING") && advanced.len() < balancers.len() {
        return Err(invalid(
            "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy",
        ));
    }
    if !advanced.is_empty() && advanced.len() < balancers.len() {
        return Err(invalid(
            "Either all or none of the provided loadBalancers must have advancedConfiguration defined",
        ));
    }
    for name in ["productionListenerRule", "testListenerRule"] {
        for rule in advanced.iter().filter_map(|one| one.get(name)?.as_str()) {
            if !rule.contains(":listener-rule/") && !rule.contains(":listener/") {
                return Err(invalid(format!(
                    "{name} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {rule}"
                )));
            }
        }
    }
    let rules = |name: &str| -> BTreeSet<&str> { advanced.iter().filter_map(|one| one.get(name)?.as_str()).collect() };
    let (production, test) = (rules("productionListenerRule"), rules("testListenerRule"));
    let both: Vec<&str> = production.intersection(&test).copied().collect();
    if !both.is_empty() {
        return Err(invalid(format!(
            "The following rules cannot be used as both production and test listener rules: {}",
            both.join(", ")
        )));
    }
    for balancer in balancers {
        let Some(advanced) = balancer.get("advancedConfiguration") else { continue };
        let rule = input::text(advanced, "productionListenerRule");
        if !rule.contains(":listener-rule/app/") || advanced.get("testListenerRule").is_some() {
            continue;
        }
        let groups = [input::text(balancer, "targetGroupArn"), input::text(advanced, "alternateTargetGroupArn")];
        let forwarded = health::weights(world, rule).unwrap_or_default();
        if groups.iter().any(|group| !forwarded.iter().any(|(known, _)| known == group)) {
            return Err(invalid(
                "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not associated with \
                 both targetGroup and alternateTargetGroup",
            ));
        }
    }
    Ok(())
}
