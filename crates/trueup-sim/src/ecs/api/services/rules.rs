//! What `CreateService` and `UpdateService` refuse, by the settings that would result.

use serde_json::{Map, Value};

use super::super::defaults::is_fargate;
use super::super::errors::invalid;
use super::super::input;
use super::super::uncertain::{Question, does};
use super::load_balancers;
use crate::ecs::model::TaskDefinition;
use crate::wire::ApiError;
use crate::world::World;

pub(super) use load_balancers::check as check_load_balancers;

/// The platform versions that Fargate knows on Linux.
const PLATFORM_VERSIONS: [&str; 6] = ["LATEST", "1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"];

/// Everything but load balancers, whose check needs Elastic Load Balancing.
///
/// # Errors
/// `InvalidParameterException` mostly, with AWS's texts as far as they are known.
pub(super) fn check(
    world: &World,
    cluster: &str,
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    check_platform(settings)?;
    check_strategy(world, cluster, input::list(settings.get("capacityProviderStrategy")))?;
    check_network(settings, definition)?;
    check_launch(settings, definition)?;
    check_scheduling(settings)?;
    check_deployment(world, settings)?;
    check_grace_period(world, settings, definition)?;
    for (name, most) in [("placementStrategy", 5), ("placementConstraints", 10), ("serviceRegistries", 1)] {
        if input::list(settings.get(name)).len() > most {
            return Err(invalid(format!("{name} can have at most {most} items.")));
        }
    }
    if settings.get("availabilityZoneRebalancing").is_some_and(|word| word == "ENABLED") && !may_rebalance(settings) {
        return Err(invalid("The service is not compatible with Availability Zone rebalancing."));
    }
    Ok(())
}

/// Platform versions: known ones, and only on Fargate.
pub(in crate::ecs::api) fn check_platform(settings: &Map<String, Value>) -> Result<(), ApiError> {
    let Some(version) = settings.get("platformVersion").and_then(Value::as_str) else { return Ok(()) };
    if !is_fargate(settings) {
        return Err(invalid("The platform version must be null when specifying an EC2 launch type."));
    }
    if !PLATFORM_VERSIONS.contains(&version) {
        return Err(ApiError::client("PlatformUnknownException", "The specified platform does not exist."));
    }
    Ok(())
}

/// Capacity providers: those that the cluster has, and Fargate's not mixed with others.
pub(in crate::ecs::api) fn check_strategy(world: &World, cluster: &str, strategy: &[Value]) -> Result<(), ApiError> {
    if strategy.len() > 20 {
        return Err(invalid("A capacity provider strategy can contain a maximum of 20 capacity providers."));
    }
    let of_cluster = world.ecs.clusters.get(cluster).and_then(|cluster| cluster.settings.get("capacityProviders"));
    let of_cluster = input::list(of_cluster);
    let names = strategy.iter().map(|item| input::text(item, "capacityProvider"));
    if names.clone().any(|name| !of_cluster.iter().any(|known| known == name)) {
        return Err(invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the \
             cluster. Associate the capacity provider with the cluster and try again.",
        ));
    }
    let fargate = names.clone().filter(|name| name.starts_with("FARGATE")).count();
    if fargate > 0 && fargate < strategy.len() {
        return Err(invalid(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate \
             providers. Specify one or the other and try again.",
        ));
    }
    Ok(())
}

/// `networkConfiguration` exactly when the task definition has `awsvpc`.
pub(in crate::ecs::api) fn check_network(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let awsvpc = definition.description.get("networkMode").is_some_and(|mode| mode == "awsvpc");
    let network = settings.get("networkConfiguration").and_then(|network| network.get("awsvpcConfiguration"));
    let Some(network) = network else {
        if awsvpc {
            return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
        }
        return Ok(());
    };
    if !awsvpc {
        return Err(invalid("Network Configuration is not valid for the given networkMode of this task definition."));
    }
    let subnets = input::list(network.get("subnets")).len();
    if subnets == 0 {
        return Err(invalid("subnets can not be empty."));
    }
    if subnets > 16 {
        return Err(invalid("subnets can have at most 16 items."));
    }
    if input::list(network.get("securityGroups")).len() > 5 {
        return Err(invalid("securityGroups can have at most 5 items."));
    }
    Ok(())
}

fn check_launch(settings: &Map<String, Value>, definition: &TaskDefinition) -> Result<(), ApiError> {
    let launch_type = if is_fargate(settings) {
        "FARGATE"
    } else {
        settings.get("launchType").and_then(Value::as_str).unwrap_or("EC2")
    };
    let compatible = input::list(definition.description.get("compatibilities"));
    if compatible.iter().any(|known| known == launch_type) {
        return Ok(());
    }
    Err(invalid(format!("Task definition does not support launch_type {launch_type}.")))
}

fn check_scheduling(settings: &Map<String, Value>) -> Result<(), ApiError> {
    let daemon = settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON");
    let controller = controller(settings);
    if daemon && (is_fargate(settings) || controller != "ECS") {
        return Err(invalid(
            "Tasks using the Fargate launch type or the CODE_DEPLOY or EXTERNAL deployment controller types don't support the \
             DAEMON scheduling strategy.",
        ));
    }
    if daemon && !input::list(settings.get("placementStrategy")).is_empty() {
        return Err(invalid("The daemon scheduling strategy does not support placement strategies."));
    }
    Ok(())
}

fn check_deployment(world: &World, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let Some(configuration) = settings.get("deploymentConfiguration") else { return Ok(()) };
    let number = |name: &str| configuration.get(name).and_then(Value::as_i64).unwrap_or_default();
    let (minimum, maximum) = (number("minimumHealthyPercent"), number("maximumPercent"));
    if minimum < 0 || maximum < 0 {
        return Err(invalid("minimumHealthyPercent and maximumPercent must not be negative."));
    }
    let daemon = settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON");
    if daemon && maximum != 100 {
        return Err(invalid("The daemon scheduling strategy does not support values above 100 for maximumPercent."));
    }
    if !daemon && maximum < 100 {
        return Err(invalid("maximumPercent must be at least 100."));
    }
    if maximum < minimum {
        return Err(invalid("maximumPercent cannot be lower than minimumHealthyPercent."));
    }
    if minimum == 100 && maximum == 100 {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    let bakes = configuration.get("bakeTimeInMinutes").is_some() || does(world, Question::BakeTimeIsOptional);
    if input::text(configuration, "strategy") == "BLUE_GREEN" && !bakes {
        return Err(invalid("bakeTimeInMinutes is required for the BLUE_GREEN deployment strategy."));
    }
    if !(0..=1440).contains(&number("bakeTimeInMinutes")) {
        return Err(invalid("bakeTimeInMinutes must be between 0 and 1440."));
    }
    let breaker = &configuration["deploymentCircuitBreaker"];
    let of_ecs = controller(settings) == "ECS";
    if breaker["enable"] == true && !of_ecs {
        return Err(invalid(
            "Deployment circuit breaker feature can only be enabled with the ECS deployment controller.",
        ));
    }
    let threshold = &breaker["thresholdConfiguration"];
    let most = if input::text(threshold, "type") == "COUNT" { i64::MAX } else { 100 };
    if threshold.get("value").and_then(Value::as_i64).is_some_and(|value| !(1..=most).contains(&value)) {
        return Err(invalid(
            "The value of thresholdConfiguration must be between 1 and 100 for percentages and at least 1 for counts.",
        ));
    }
    if configuration.pointer("/alarms/enable") == Some(&Value::Bool(true)) {
        if !of_ecs {
            return Err(invalid("Deployment alarms can only be enabled with the ECS deployment controller."));
        }
        if input::list(configuration.pointer("/alarms/alarmNames")).is_empty() {
            return Err(invalid("alarmNames cannot be empty when deployment alarms are enabled."));
        }
    }
    if let Some(early) = configuration.get("earlySuccessCriteria").filter(|early| early["enable"] == true) {
        if input::text(configuration, "strategy") != "ROLLING" {
            return Err(invalid("earlySuccessCriteria is only supported with the ROLLING deployment strategy."));
        }
        if early.get("healthyPercent").and_then(Value::as_i64).is_some_and(|percent| percent < minimum || percent > 100)
        {
            return Err(invalid(
                "healthyPercent of earlySuccessCriteria must not be below minimumHealthyPercent or above 100.",
            ));
        }
    }
    Ok(())
}

/// A grace period makes sense where something judges health: a load balancer, or a container's own check.
fn check_grace_period(
    world: &World,
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let seconds = settings.get("healthCheckGracePeriodSeconds").and_then(Value::as_i64).unwrap_or_default();
    if !(0..=i64::from(i32::MAX)).contains(&seconds) {
        return Err(invalid("healthCheckGracePeriodSeconds must be between 0 and 2147483647."));
    }
    let balanced =
        !input::list(settings.get("loadBalancers")).is_empty() || settings.contains_key("vpcLatticeConfigurations");
    let containers = input::list(definition.description.get("containerDefinitions"));
    let checked = balanced || containers.iter().any(|container| container.get("healthCheck").is_some());
    if seconds > 0 && !checked && !does(world, Question::IdleGracePeriodIsAccepted) {
        return Err(invalid("Health check grace period is only valid for services configured to use load balancers"));
    }
    Ok(())
}

/// `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
pub(super) fn controller(settings: &Map<String, Value>) -> &str {
    settings.get("deploymentController").and_then(|controller| controller.get("type")?.as_str()).unwrap_or("ECS")
}

/// Whether Availability Zone rebalancing is possible (API reference, `CreateService`).
pub(super) fn may_rebalance(settings: &Map<String, Value>) -> bool {
    let replica = settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "REPLICA");
    let maximum =
        settings.get("deploymentConfiguration").and_then(|configuration| configuration["maximumPercent"].as_i64());
    let classic = input::list(settings.get("loadBalancers")).iter().any(|one| one.get("loadBalancerName").is_some());
    replica && controller(settings) == "ECS" && maximum.is_none_or(|maximum| maximum > 100) && !classic
}
