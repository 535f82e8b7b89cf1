//! A service as the API shows it.

use serde_json::{Map, Value, json};

use super::super::errors::{invalid, missing};
use super::super::input::{Input, tag_list};
use super::super::names;
use super::super::uncertain::{Question, does};
use super::rules;
use crate::ecs::api::defaults;
use crate::ecs::model::{Deployment, DeploymentStatus, RolloutState, Service, ServiceKey, ServiceStatus};
use crate::ecs::scheduler::counts;
use crate::wire::Outcome;
use crate::world::World;

/// At most so many services in one `DescribeServices`.
const DESCRIBE_MAX: usize = 10;

/// The most events that are shown.
const EVENTS_MAX: usize = 100;

/// Settings that are shown in `deployments[]` or the service revision, and not for the service.
const NOT_TOLD: [&str; 5] = [
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
    "monitoring",
];

/// Settings that a deployment shows.
const OF_DEPLOYMENTS: [&str; 7] = [
    "launchType",
    "capacityProviderStrategy",
    "platformFamily",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// `DescribeServices`: INACTIVE services are shown until ECS forgets them; what is not there is in `failures`.
pub(in crate::ecs::api) fn describe(world: &World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let asked = input.texts("services");
    if asked.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if asked.len() > DESCRIBE_MAX {
        return Err(invalid(format!("Services cannot have more than {DESCRIBE_MAX} elements.")));
    }
    let tags = input.includes("include", "TAGS");
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for reference in asked {
        match names::service(world, &cluster, reference) {
            Some((key, _)) => services.push(view(world, &key, tags)),
            None if reference.starts_with("arn:") => failures.push(missing(reference)),
            None => failures.push(missing(&world.arn("ecs", &format!("service/{cluster}/{reference}")))),
        }
    }
    Ok(json!({ "services": services, "failures": failures }))
}

/// `ecs-svc/` and the digits.
pub(in crate::ecs::api) fn deployment_id(id: u64) -> String {
    format!("ecs-svc/{id}")
}

/// `service` as the API shows it.
pub(super) fn view(world: &World, key: &ServiceKey, tags: bool) -> Value {
    let Some(service) = world.ecs.services.get(key) else { return Value::Null };
    let counted = counts(world, key, None);
    let mut view = service.settings.clone();
    view.retain(|name, _| !NOT_TOLD.contains(&name.as_str()));
    if let Some(configuration) = view.get_mut("deploymentConfiguration") {
        tell_configuration(world, configuration);
    }
    let status = match service.status {
        ServiceStatus::Active => "ACTIVE",
        ServiceStatus::Draining => "DRAINING",
        ServiceStatus::Inactive => "INACTIVE",
    };
    let members = json!({
        "serviceArn": service.arn,
        "serviceName": key.name,
        "clusterArn": world.arn("ecs", &format!("cluster/{}", key.cluster)),
        "status": status,
        "desiredCount": service.desired_count,
        "runningCount": counted.running,
        "pendingCount": counted.pending,
        "taskDefinition": service.task_definition,
        "taskSets": [],
        "events": events(service),
        "createdAt": service.created_at.epoch_seconds(),
        "createdBy": service.created_by,
    });
    if let Value::Object(members) = members {
        view.extend(members);
    }
    if rules::controller(&service.settings) == "ECS" {
        let deployments = service.deployments.iter().map(|one| deployment(world, key, one)).collect();
        view.insert("deployments".to_owned(), deployments);
        if let Some(newest) = service.service_deployments.first() {
            view.insert("currentServiceDeployment".to_owned(), Value::from(newest.arn.clone()));
        }
        view.insert("currentServiceRevisions".to_owned(), revisions(world, key, service));
    }
    if tags {
        view.insert("tags".to_owned(), tag_list(&service.tags));
    }
    Value::Object(view)
}

/// The two forms in which worlds show settings that were never set.
fn tell_configuration(world: &World, configuration: &mut Value) {
    let untouched = json!({
        "enable": false,
        "rollback": false,
        "resetOnHealthyTask": true,
        "thresholdConfiguration": { "type": "BOUNDED_PERCENT", "value": 50 },
    });
    if configuration["deploymentCircuitBreaker"] == untouched && does(world, Question::CircuitBreakerIsShort) {
        configuration["deploymentCircuitBreaker"] = json!({ "enable": false, "rollback": false });
    }
    if configuration.get("alarms").is_none() && does(world, Question::AlarmsAreTold) {
        configuration["alarms"] = json!({ "alarmNames": [], "enable": false, "rollback": false });
    }
}

fn events(service: &Service) -> Value {
    let newest = service.events.iter().take(EVENTS_MAX);
    newest
        .map(|event| json!({ "id": event.id, "createdAt": event.created_at.epoch_seconds(), "message": event.message }))
        .collect()
}

fn revisions(world: &World, key: &ServiceKey, service: &Service) -> Value {
    let told = service.deployments.iter().filter_map(|one| {
        let revision = service.revisions.get(&one.revision)?;
        let counted = counts(world, key, Some(one.id));
        Some(json!({
            "arn": revision.arn,
            "requestedTaskCount": one.desired_count,
            "runningTaskCount": counted.running,
            "pendingTaskCount": counted.pending,
        }))
    });
    told.collect()
}

fn deployment(world: &World, key: &ServiceKey, one: &Deployment) -> Value {
    let counted = counts(world, key, Some(one.id));
    let mut view = Map::new();
    let status = match one.status {
        DeploymentStatus::Primary => "PRIMARY",
        DeploymentStatus::Active => "ACTIVE",
        DeploymentStatus::Inactive => "INACTIVE",
    };
    let state = match one.rollout_state {
        RolloutState::InProgress => "IN_PROGRESS",
        RolloutState::Completed => "COMPLETED",
        RolloutState::Failed => "FAILED",
    };
    let members = json!({
        "id": deployment_id(one.id),
        "status": status,
        "taskDefinition": one.task_definition,
        "desiredCount": one.desired_count,
        "pendingCount": counted.pending,
        "runningCount": counted.running,
        "failedTasks": one.failed_tasks,
        "createdAt": one.created_at.epoch_seconds(),
        "updatedAt": one.updated_at.epoch_seconds(),
        "rolloutState": state,
        "rolloutStateReason": one.rollout_state_reason,
    });
    if let Value::Object(members) = members {
        view.extend(members);
    }
    for name in OF_DEPLOYMENTS {
        if let Some(value) = one.settings.get(name) {
            view.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(version) = defaults::concrete_platform_version(&one.settings) {
        view.insert("platformVersion".to_owned(), Value::from(version));
    }
    Value::Object(view)
}
