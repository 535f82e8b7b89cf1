//! Service deployments and service revisions: the records that outlive `deployments[]`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::defaults::concrete_platform_version;
use super::errors::{invalid, missing, service_deployment_not_found, service_not_found};
use super::input::{self, Input};
use super::names;
use super::paging::{self, Listing};
use crate::ecs::model::{Service, ServiceDeployment, ServiceKey, ServiceRevision};
use crate::ecs::scheduler;
use crate::elb::health;
use crate::time::Time;
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// At most so many ARNs in one describe call.
const DESCRIBE_MAX: usize = 20;

/// Settings that a service revision shows.
const OF_REVISIONS: [&str; 11] = [
    "capacityProviderStrategy",
    "launchType",
    "platformFamily",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
    "monitoring",
];

/// `ListServiceDeployments`: newest first, 20 to a page unless the caller asks for another number.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    let cluster = names::cluster(world, input)?;
    let (_, service) = names::service(world, &cluster, input.required("service")).ok_or_else(service_not_found)?;
    let statuses = input.texts("status");
    let bound = |name: &str| input.0.get("createdAt").and_then(|range| range.get(name)?.as_f64());
    let (after, before) = (bound("after"), bound("before"));
    let items: Vec<_> = service
        .service_deployments
        .iter()
        .filter(|one| statuses.is_empty() || statuses.contains(&one.status.as_str()))
        .filter(|one| {
            let seconds = one.created_at.epoch_seconds().as_f64();
            after.is_none_or(|after| seconds > Some(after)) && before.is_none_or(|before| seconds < Some(before))
        })
        .map(|one| (format!("{:020} {}", one.created_at.0, one.arn), brief(world, &cluster, service, one)))
        .collect();
    paging::page(world, input, Listing { name: "serviceDeployments", default: 20, descending: true }, items)
}

/// `DescribeServiceDeployments`.
pub(super) fn describe(world: &World, input: &Input) -> Outcome {
    let asked = asked(input, "serviceDeploymentArns")?;
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for arn in asked {
        let (key, _) = owner(arn)?;
        let service = world.ecs.services.get(&key);
        let found =
            service.and_then(|service| Some((service, service.service_deployments.iter().find(|one| one.arn == arn)?)));
        match found {
            Some((service, one)) => told.push(view(world, &key, service, one)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({ "serviceDeployments": told, "failures": failures }))
}

/// `DescribeServiceRevisions`.
pub(super) fn describe_revisions(world: &World, input: &Input) -> Outcome {
    let asked = asked(input, "serviceRevisionArns")?;
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for arn in asked {
        let (key, number) = owner(arn)?;
        let service = world.ecs.services.get(&key);
        let number = number.parse().unwrap_or_default();
        match service.and_then(|service| Some((service, service.revisions.get(&number)?))) {
            Some((service, one)) => told.push(revision(world, &key, service, one)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({ "serviceRevisions": told, "failures": failures }))
}

/// `StopServiceDeployment`: rolls back unless the caller asks for something else.
pub(super) fn stop(world: &mut World, input: &Input) -> Outcome {
    let arn = input.required("serviceDeploymentArn");
    let (key, _) = owner(arn).map_err(|_| service_deployment_not_found())?;
    let known =
        world.ecs.services.get(&key).is_some_and(|one| one.service_deployments.iter().any(|one| one.arn == arn));
    if !known {
        return Err(service_deployment_not_found());
    }
    scheduler::stop_service_deployment(world, arn, input.text("stopType").unwrap_or("ROLLBACK"))?;
    Ok(json!({ "serviceDeploymentArn": arn }))
}

/// `ContinueServiceDeployment`: a pause hook continues unless the caller asks for a rollback.
pub(super) fn go_on(world: &mut World, input: &Input) -> Outcome {
    let arn = input.required("serviceDeploymentArn");
    let goes_on = input.text("action") != Some("ROLLBACK");
    scheduler::continue_service_deployment(world, arn, input.required("hookId"), goes_on)?;
    Ok(json!({ "serviceDeploymentArn": arn }))
}

fn asked<'a>(input: &'a Input, name: &str) -> Result<Vec<&'a str>, ApiError> {
    let asked = input.texts(name);
    if asked.is_empty() || asked.len() > DESCRIBE_MAX {
        return Err(invalid(format!("{name} must have between 1 and {DESCRIBE_MAX} elements.")));
    }
    Ok(asked)
}

/// The service that an ARN `…/CLUSTER/SERVICE/ID` belongs to, and the id.
fn owner(arn: &str) -> Result<(ServiceKey, &str), ApiError> {
    let mut parts = arn.split('/').skip(1);
    let invalid = || invalid(format!("Invalid ARN: {arn}"));
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(cluster), Some(name), Some(id), None) => {
            Ok((ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() }, id))
        }
        _ => Err(invalid()),
    }
}

fn revision_arn(service: &Service, number: u64) -> Option<&str> {
    service.revisions.get(&number).map(|revision| revision.arn.as_str())
}

fn set_times<const N: usize>(view: &mut Value, times: [(&str, Option<Time>); N]) {
    for (name, time) in times {
        if let Some(time) = time {
            view[name] = time.epoch_seconds();
        }
    }
}

fn brief(world: &World, cluster: &str, service: &Service, one: &ServiceDeployment) -> Value {
    let mut view = json!({
        "serviceDeploymentArn": one.arn,
        "serviceArn": service.arn,
        "clusterArn": world.arn("ecs", &format!("cluster/{cluster}")),
        "targetServiceRevisionArn": revision_arn(service, one.target_revision),
        "status": one.status,
    });
    set_times(
        &mut view,
        [("createdAt", Some(one.created_at)), ("startedAt", one.started_at), ("finishedAt", one.finished_at)],
    );
    if let Some(reason) = &one.status_reason {
        view["statusReason"] = Value::from(reason.clone());
    }
    view
}

fn view(world: &World, key: &ServiceKey, service: &Service, one: &ServiceDeployment) -> Value {
    let mut view = brief(world, &key.cluster, service, one);
    if let Value::Object(members) = &mut view {
        members.shift_remove("targetServiceRevisionArn");
    }
    set_times(&mut view, [("stoppedAt", one.stopped_at), ("updatedAt", Some(one.updated_at))]);
    view["sourceServiceRevisions"] =
        one.source_revisions.iter().filter_map(|number| summary(world, key, service, one, *number)).collect();
    if let Some(summary) = summary(world, key, service, one, one.target_revision) {
        view["targetServiceRevision"] = summary;
    }
    view["deploymentConfiguration"] = one.configuration.clone();
    if let Some(rollback) = &one.rollback {
        view["rollback"] = json!({
            "reason": rollback.reason,
            "startedAt": rollback.started_at.epoch_seconds(),
            "serviceRevisionArn": revision_arn(service, rollback.revision),
        });
    }
    if let Some(stage) = &one.lifecycle_stage {
        view["lifecycleStage"] = Value::from(stage.clone());
    }
    let of_primary = service.deployments.first().is_some_and(|primary| primary.service_deployment == one.arn);
    if let Some(pause) = scheduler::waiting_hook(service).filter(|_| of_primary) {
        view["lifecycleHookDetails"] = json!([{
            "hookId": pause.hook_id,
            "targetType": "PAUSE",
            "status": "AWAITING_ACTION",
            "expiresAt": pause.expires_at.epoch_seconds(),
            "timeoutAction": if pause.continues { "CONTINUE" } else { "ROLLBACK" },
        }]);
    }
    let (status, failures, threshold) = &one.circuit_breaker;
    view["deploymentCircuitBreaker"] = json!({ "status": status, "failureCount": failures, "threshold": threshold });
    let (status, names, triggered) = &one.alarms;
    view["alarms"] = json!({ "status": status });
    if !names.is_empty() {
        view["alarms"]["alarmNames"] = Value::from(names.clone());
        view["alarms"]["triggeredAlarmNames"] = Value::from(triggered.clone());
    }
    view
}

/// A revision within a service deployment: live counts while it runs, and those of its end afterwards.
fn summary(world: &World, key: &ServiceKey, service: &Service, one: &ServiceDeployment, number: u64) -> Option<Value> {
    let revision = service.revisions.get(&number)?;
    let (requested, running, pending) = match one.final_counts.get(&number) {
        Some(counts) => *counts,
        None if one.finished_at.is_some() => (0, 0, 0),
        None => {
            let of_revision = service.deployments.iter().filter(|deployment| deployment.revision == number);
            of_revision.fold((0, 0, 0), |(requested, running, pending), deployment| {
                let counted = scheduler::counts(world, key, Some(deployment.id));
                (requested + deployment.desired_count, running + counted.running, pending + counted.pending)
            })
        }
    };
    let mut view = json!({
        "arn": revision.arn,
        "requestedTaskCount": requested,
        "runningTaskCount": running,
        "pendingTaskCount": pending,
    });
    let shifts = !matches!(input::text(&one.configuration, "strategy"), "" | "ROLLING");
    for (member, rule) in [
        ("requestedProductionTrafficWeight", "productionListenerRule"),
        ("requestedTestTrafficWeight", "testListenerRule"),
    ] {
        if let Some(percent) = traffic(world, revision, rule).filter(|_| shifts && one.finished_at.is_none()) {
            view[member] = json!(percent);
        }
    }
    Some(view)
}

/// The share of a rule's traffic, in percent, that the revision's target group gets.
fn traffic(world: &World, revision: &ServiceRevision, rule: &str) -> Option<f64> {
    let balancer = input::list(revision.settings.get("loadBalancers")).first()?;
    let rule = balancer.get("advancedConfiguration")?.get(rule)?.as_str()?;
    let group = resolved(revision).first()?.get("targetGroupArn")?.as_str()?.to_owned();
    let weights: BTreeMap<String, u64> = health::weights(world, rule)?.into_iter().collect();
    let all: u64 = weights.values().sum();
    let own = weights.get(&group).copied().unwrap_or_default();
    // Weights are at most 999 each: both fit.
    let (own, all) = (u32::try_from(own).ok()?, u32::try_from(all).ok()?);
    if all == 0 { Some(0.0) } else { Some(f64::from(own) * 100.0 / f64::from(all)) }
}

/// `resolvedConfiguration.loadBalancers`: the target group that the revision's tasks are in.
///
/// The scheduler, which decides that for blue/green, records it in the revision's settings; otherwise it is the one that the
/// service names.
fn resolved(revision: &ServiceRevision) -> Vec<Value> {
    let recorded = revision.settings.get("resolvedConfiguration").and_then(|resolved| resolved.get("loadBalancers"));
    if let Some(Value::Array(recorded)) = recorded {
        return recorded.clone();
    }
    let named = input::list(revision.settings.get("loadBalancers")).iter().filter_map(|balancer| {
        let mut told = json!({ "targetGroupArn": balancer.get("targetGroupArn")? });
        if let Some(rule) = balancer.pointer("/advancedConfiguration/productionListenerRule") {
            told["productionListenerRule"] = rule.clone();
        }
        Some(told)
    });
    named.collect()
}

fn revision(world: &World, key: &ServiceKey, service: &Service, one: &ServiceRevision) -> Value {
    let mut view = Map::new();
    let images = one.images.iter().map(|(container, (image, digest))| {
        let mut told = json!({ "containerName": container, "image": image });
        if !digest.is_empty() {
            told["imageDigest"] = Value::from(digest.clone());
        }
        told
    });
    let members = json!({
        "serviceRevisionArn": one.arn,
        "serviceArn": service.arn,
        "clusterArn": world.arn("ecs", &format!("cluster/{}", key.cluster)),
        "taskDefinition": one.task_definition,
        "containerImages": images.collect::<Vec<_>>(),
        "guardDutyEnabled": false,
        "createdAt": one.created_at.epoch_seconds(),
    });
    if let Value::Object(members) = members {
        view.extend(members);
    }
    for name in OF_REVISIONS {
        if let Some(value) = one.settings.get(name) {
            view.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(version) = concrete_platform_version(&one.settings) {
        view.insert("platformVersion".to_owned(), Value::from(version));
    }
    view.insert("resolvedConfiguration".to_owned(), json!({ "loadBalancers": resolved(one) }));
    Value::Object(view)
}
