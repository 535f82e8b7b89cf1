//! `UpdateService`: what is sent replaces what was, what is left out stays, and some changes begin a deployment.

use serde_json::{Map, Value, json};

use super::super::errors::{invalid, service_not_active, service_not_found};
use super::super::input::{self, Input};
use super::super::uncertain::{Question, does};
use super::super::{defaults, names};
use super::{describe, rules};
use crate::ecs::model::{Service, ServiceStatus, TaskDefinition};
use crate::ecs::scheduler;
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// What ECS says of a count for a daemon service.
pub(super) const DAEMON_COUNT: &str = "The daemon scheduling strategy does not support a desired count for services. Remove \
                                       a desired count value and try again.";

/// A change of one of these begins a deployment (API reference, `UpdateService`).
const DEPLOYED: [&str; 7] = [
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "vpcLatticeConfigurations",
    "volumeConfigurations",
];

/// These are kept as they are sent; none of them begins a deployment.
const PLAIN: [&str; 9] = [
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "gatewayConnectors",
    "monitoring",
];

/// `UpdateService`.
pub(in crate::ecs::api) fn update(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let (key, service) = names::service(world, &cluster, input.required("service")).ok_or_else(service_not_found)?;
    if service.status != ServiceStatus::Active {
        return Err(service_not_active());
    }
    check_controller(service, input)?;
    let definition = definition(world, service, input)?;
    let settings = settings(world, service, definition.as_ref(), input)?;
    if let Some(definition) = &definition {
        rules::check(world, &cluster, &settings, definition)?;
        let balanced = ["loadBalancers", "taskDefinition", "deploymentConfiguration"];
        if balanced.iter().any(|name| input.0.contains_key(*name)) {
            rules::check_load_balancers(world, &settings, definition)?;
        }
    }
    let desired_count = desired_count(service, input)?;
    let task_definition = definition.map_or_else(|| service.task_definition.clone(), |definition| definition.arn);
    let deploys = input.flag("forceNewDeployment")
        || task_definition != service.task_definition
        || DEPLOYED.iter().any(|name| settings.get(*name) != service.settings.get(*name));
    let changes = desired_count != service.desired_count || settings != service.settings;
    if let Some(service) = world.ecs.services.get_mut(&key) {
        service.settings = settings;
        service.task_definition = task_definition;
        service.desired_count = desired_count;
    }
    if deploys {
        scheduler::deploy(world, &key);
    } else if changes {
        scheduler::settings_changed(world, &key);
    }
    Ok(json!({ "service": describe::view(world, &key, false) }))
}

/// With `CODE_DEPLOY` or EXTERNAL, what belongs to task sets is refused.
fn check_controller(service: &Service, input: &Input) -> Result<(), ApiError> {
    let controller = rules::controller(&service.settings);
    if controller == "ECS" {
        return Ok(());
    }
    let cure = if controller == "CODE_DEPLOY" { " Use AWS CodeDeploy to trigger a new deployment." } else { "" };
    if input.flag("forceNewDeployment") {
        return Err(invalid(format!(
            "Cannot force a new deployment on services with a {controller} deployment controller.{cure}"
        )));
    }
    let refused = [
        ("taskDefinition", "task definition"),
        ("platformVersion", "platform version"),
        ("networkConfiguration", "network configuration"),
        ("loadBalancers", "load balancers"),
        ("serviceRegistries", "service registries"),
        ("serviceConnectConfiguration", "service connect configuration"),
        ("capacityProviderStrategy", "capacity provider strategy"),
    ];
    match refused.iter().find(|(name, _)| input.0.contains_key(*name)) {
        None => Ok(()),
        Some((_, words)) => Err(invalid(format!(
            "Unable to update {words} on services with a {controller} deployment controller.{cure}"
        ))),
    }
}

/// The task definition that the service will have; `None` when it keeps one that is not in ECS any more.
fn definition(world: &World, service: &Service, input: &Input) -> Result<Option<TaskDefinition>, ApiError> {
    match input.text("taskDefinition").filter(|reference| !reference.is_empty()) {
        // The one in use may be sent again although it was deregistered: that changes nothing.
        Some(reference) => {
            let found = names::task_definition(world, reference, "TaskDefinition not found.")?;
            let found = if found.arn == service.task_definition && !input.flag("forceNewDeployment") {
                found
            } else {
                names::usable_task_definition(world, reference)?
            };
            Ok(Some(found.clone()))
        }
        None => Ok(names::task_definition(world, &service.task_definition, "").ok().cloned()),
    }
}

fn desired_count(service: &Service, input: &Input) -> Result<u64, ApiError> {
    let Some(sent) = input.number("desiredCount") else { return Ok(service.desired_count) };
    if service.settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON") {
        return Err(invalid(DAEMON_COUNT));
    }
    u64::try_from(sent).map_err(|_| invalid("Desired count must not be negative."))
}

/// The settings after the update.
fn settings(
    world: &World,
    service: &Service,
    definition: Option<&TaskDefinition>,
    input: &Input,
) -> Result<Map<String, Value>, ApiError> {
    let mut settings = service.settings.clone();
    for name in PLAIN {
        if let Some(value) = input.0.get(name) {
            let value = match name {
                "placementStrategy" => defaults::placement_strategy(input.list(name)),
                _ => value.clone(),
            };
            settings.insert(name.to_owned(), value);
        }
    }
    for name in DEPLOYED {
        let Some(value) = input.0.get(name) else { continue };
        let value = match name {
            "networkConfiguration" => defaults::network_configuration(world, &service.arn, value),
            _ => value.clone(),
        };
        // `[]` removes; lists that every service shows stay as `[]`.
        let shown = matches!(name, "loadBalancers" | "serviceRegistries");
        let off = name == "serviceConnectConfiguration" && value["enabled"] != true;
        if off || (input::is_empty(&value) && !shown) {
            settings.shift_remove(name);
        } else {
            settings.insert(name.to_owned(), value);
        }
    }
    if let Some(controller) = input.0.get("deploymentController") {
        settings.insert("deploymentController".to_owned(), controller.clone());
    }
    if let Some(sent) = input.0.get("deploymentConfiguration") {
        let previous = settings.get("deploymentConfiguration").cloned();
        let previous = previous.filter(|_| !does(world, Question::LeftOutConfigurationIsReset));
        let daemon = settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON");
        let told = defaults::deployment_configuration(Some(sent), previous.as_ref(), daemon);
        settings.insert("deploymentConfiguration".to_owned(), told);
    }
    set_capacity(world, service, &mut settings, input)?;
    if input.0.contains_key("platformVersion") {
        rules::check_platform(&settings)?;
    }
    if let Some(definition) = definition {
        defaults::set_platform(&mut settings, &definition.description);
    }
    Ok(settings)
}

/// Another capacity provider strategy; `[]` takes it away.
fn set_capacity(
    world: &World,
    service: &Service,
    settings: &mut Map<String, Value>,
    input: &Input,
) -> Result<(), ApiError> {
    if !input.0.contains_key("capacityProviderStrategy") {
        return Ok(());
    }
    let launch_type = if defaults::is_fargate(settings) { "FARGATE" } else { "EC2" };
    defaults::set_capacity(settings, input.list("capacityProviderStrategy"), launch_type);
    let changes = ["capacityProviderStrategy", "launchType"]
        .iter()
        .any(|name| settings.get(*name) != service.settings.get(*name));
    if changes && !input.flag("forceNewDeployment") && does(world, Question::StrategyNeedsForce) {
        return Err(invalid(
            "When changing the capacity provider strategy of a service, you must force a new deployment.",
        ));
    }
    Ok(())
}
