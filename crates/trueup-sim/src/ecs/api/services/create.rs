//! `CreateService`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::super::clusters::is_name;
use super::super::errors::invalid;
use super::super::input::{self, Input};
use super::super::{defaults, names, normalise, tags};
use super::{describe, rules};
use crate::ecs::model::{Service, ServiceKey, ServiceStatus, TaskDefinition};
use crate::ecs::scheduler;
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Members that are kept as they were sent when they say something.
const KEPT: [&str; 4] = ["volumeConfigurations", "vpcLatticeConfigurations", "gatewayConnectors", "monitoring"];

/// Members that are lists and are shown as `[]` when they were not sent.
const LISTS: [&str; 3] = ["loadBalancers", "serviceRegistries", "placementConstraints"];

/// `CreateService`.
pub(in crate::ecs::api) fn create(world: &mut World, caller: &str, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let name = input.required("serviceName").to_owned();
    if !is_name(&name) {
        return Err(invalid("Service name contains invalid characters or is longer than 255 characters."));
    }
    let token = input.text("clientToken").map(str::to_owned);
    if token.as_deref().is_some_and(|token| token.len() > 36 || !token.bytes().all(|byte| (33..=126).contains(&byte))) {
        return Err(invalid("Client token must be at most 36 ASCII characters in the range 33-126."));
    }
    let key = ServiceKey { cluster, name };
    let request = Value::Object(input.0.clone());
    if let Some(existing) = world.ecs.services.get(&key) {
        match existing.status {
            ServiceStatus::Active if token.is_some() && existing.created_from == (token.clone(), request.clone()) => {
                return Ok(json!({ "service": describe::view(world, &key, true) }));
            }
            ServiceStatus::Active => return Err(invalid("Creation of service was not idempotent.")),
            ServiceStatus::Draining => return Err(invalid("Unable to Start a service that is still Draining.")),
            ServiceStatus::Inactive => {}
        }
    }
    let service_tags = tags::given(input)?;
    let reference = input.text("taskDefinition").filter(|reference| !reference.is_empty());
    let reference = reference.ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let definition = names::usable_task_definition(world, reference)?.clone();
    let arn = world.arn("ecs", &format!("service/{}/{}", key.cluster, key.name));
    let settings = settings(world, &key, &arn, &definition, input)?;
    rules::check(world, &key.cluster, &settings, &definition)?;
    rules::check_load_balancers(world, &settings, &definition)?;
    let desired_count = desired_count(input, &settings)?;
    let service = Service {
        arn,
        status: ServiceStatus::Active,
        created_at: world.now,
        created_by: caller.to_owned(),
        created_from: (token, request),
        desired_count,
        task_definition: definition.arn,
        settings,
        tags: service_tags,
        deployments: Vec::new(),
        service_deployments: Vec::new(),
        revisions: BTreeMap::new(),
        events: VecDeque::new(),
        forgotten_at: None,
        memory: scheduler::Memory::default(),
    };
    world.ecs.services.insert(key.clone(), service);
    scheduler::deploy(world, &key);
    Ok(json!({ "service": describe::view(world, &key, true) }))
}

/// The request completed with AWS's defaults.
fn settings(
    world: &World,
    key: &ServiceKey,
    arn: &str,
    definition: &TaskDefinition,
    input: &Input,
) -> Result<Map<String, Value>, ApiError> {
    let mut settings = Map::new();
    let mut set = |name: &str, value: Value| settings.insert(name.to_owned(), value);
    for name in LISTS {
        set(name, input.list(name).iter().cloned().collect());
    }
    set("placementStrategy", defaults::placement_strategy(input.list("placementStrategy")));
    for name in KEPT {
        if let Some(value) = input.0.get(name).filter(|value| !input::is_empty(value)) {
            set(name, value.clone());
        }
    }
    if let Some(connect) = input.0.get("serviceConnectConfiguration").filter(|connect| connect["enabled"] == true) {
        set("serviceConnectConfiguration", connect.clone());
    }
    let scheduling = input.text("schedulingStrategy").unwrap_or("REPLICA");
    set("schedulingStrategy", Value::from(scheduling));
    set("deploymentController", input.0.get("deploymentController").cloned().unwrap_or(json!({ "type": "ECS" })));
    let configuration = input.0.get("deploymentConfiguration");
    set("deploymentConfiguration", defaults::deployment_configuration(configuration, None, scheduling == "DAEMON"));
    if let Some(network) = input.0.get("networkConfiguration").filter(|network| !input::is_empty(network)) {
        set("networkConfiguration", defaults::network_configuration(world, arn, network));
    }
    set("healthCheckGracePeriodSeconds", Value::from(input.number("healthCheckGracePeriodSeconds").unwrap_or(0)));
    set("enableECSManagedTags", Value::from(input.flag("enableECSManagedTags")));
    set("enableExecuteCommand", Value::from(input.flag("enableExecuteCommand")));
    set("propagateTags", Value::from(input.text("propagateTags").unwrap_or("NONE")));
    if let Some(version) = input.text("platformVersion") {
        set("platformVersion", Value::from(version));
    }
    set_capacity(world, &key.cluster, &mut settings, input)?;
    // Refused before the platform is completed: completing takes away what is wrong here.
    rules::check_platform(&settings)?;
    defaults::set_platform(&mut settings, &definition.description);
    set_role(world, &mut settings, input)?;
    let rebalancing = match input.text("availabilityZoneRebalancing") {
        Some(choice) => choice,
        None if rules::may_rebalance(&settings) => "ENABLED",
        None => "DISABLED",
    };
    settings.insert("availabilityZoneRebalancing".to_owned(), Value::from(rebalancing));
    Ok(settings)
}

/// Launch type or strategy: what was sent, or the cluster's default strategy, or EC2.
fn set_capacity(
    world: &World,
    cluster: &str,
    settings: &mut Map<String, Value>,
    input: &Input,
) -> Result<(), ApiError> {
    let strategy = input.list("capacityProviderStrategy");
    let launch_type = input.text("launchType");
    if !strategy.is_empty() && launch_type.is_some() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let of_cluster = world.ecs.clusters.get(cluster).map(|cluster| &cluster.settings);
    let of_cluster = input::list(of_cluster.and_then(|settings| settings.get("defaultCapacityProviderStrategy")));
    let strategy = if strategy.is_empty() && launch_type.is_none() { of_cluster } else { strategy };
    defaults::set_capacity(settings, strategy, launch_type.unwrap_or("EC2"));
    Ok(())
}

/// `roleArn`: the service-linked role where ECS needs one.
fn set_role(world: &World, settings: &mut Map<String, Value>, input: &Input) -> Result<(), ApiError> {
    let network = settings.contains_key("networkConfiguration");
    let balanced = !input::list(settings.get("loadBalancers")).is_empty();
    if let Some(role) = input.text("role").filter(|role| !role.is_empty()) {
        if network {
            return Err(invalid("You cannot specify an IAM role for services that require a service linked role."));
        }
        settings.insert("roleArn".to_owned(), Value::from(normalise::role_arn(world, role)));
    } else if network || balanced {
        let role = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS";
        settings.insert("roleArn".to_owned(), Value::from(normalise::role_arn(world, role)));
    }
    Ok(())
}

fn desired_count(input: &Input, settings: &Map<String, Value>) -> Result<u64, ApiError> {
    let sent = input.number("desiredCount");
    if settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON") {
        return match sent {
            None => Ok(0),
            Some(_) => Err(invalid(super::update::DAEMON_COUNT)),
        };
    }
    let sent =
        sent.ok_or_else(|| invalid("Desired count is required for services with the REPLICA scheduling strategy."))?;
    u64::try_from(sent).map_err(|_| invalid("Desired count must not be negative."))
}
