//! The real effect of a mutating call: compares the world just before it with the world just after it.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value};

use crate::ecs::model::{
    Service, ServiceDeployment, ServiceKey, ServiceStatus, Tags, TaskDefinition, TaskDefinitionStatus,
};
use crate::elb::model::{Elb, Listener, LoadBalancer, Rule, TargetGroup, TargetState};
use crate::hash::hash;
use crate::resource::{family, service_key};
use crate::time::Time;
use crate::wire::{Api, Call};
use crate::world::World;

/// The real effect of one mutating call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Whether it changed anything observable.
    pub changed: bool,
    /// The deployments that it began.
    pub deployments: Vec<Deployed>,
    /// For `RegisterTaskDefinition`: an ACTIVE revision of the family that already carried the same `trueup:digest`.
    pub twin: Option<String>,
    /// The earlier tags of the resources that it names, by ARN.
    pub tags_before: Vec<(String, Vec<(String, String)>)>,
    /// `trueup:revision` of services before and after, where it changed.
    pub revisions: Vec<(ServiceKey, Option<String>, String)>,
    /// Rules of a service with blue/green, linear or canary deployments whose weights it changed.
    pub shifted_rules: Vec<String>,
}

/// A deployment that a call began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The service.
    pub service: ServiceKey,
    /// The digits after `ecs-svc/`.
    pub id: u64,
    /// The task definition's ARN.
    pub task_definition: String,
    /// A hash of the content: of the task definition and the settings that a service revision records.
    pub content: u64,
    /// As `content`, plus every setting that applied to the deployment: identifies a change.
    pub change: u64,
    /// The images of its containers.
    pub images: Vec<String>,
    /// `trueup:revision` of the task definition.
    pub revision: Option<String>,
    /// When ECS last failed or rolled back an earlier deployment of the same content, if it did.
    pub known_bad: Option<Time>,
}

/// The part of the world that a mutating call concerns, just before the call.
#[derive(Clone, Debug)]
pub struct Before {
    fingerprint: u64,
    truth: Truth,
    services: Vec<(ServiceKey, Option<u64>, Option<String>)>,
    weights: Vec<(String, Vec<(String, u64)>)>,
}

/// Captures the state before a call.
pub fn before(world: &World, call: &Call, resources: &[String]) -> Before {
    let truth = Truth {
        twin: twin(world, call),
        tags_before: resources
            .iter()
            .filter_map(|arn| Some((arn.clone(), tags(world, arn)?.into_iter().collect())))
            .collect(),
        ..Truth::default()
    };
    let services = resources.iter().filter_map(|arn| service_key(arn)).map(|key| {
        let service = world.ecs.services.get(&key);
        let primary = service.and_then(primary);
        (key, primary, service.and_then(|service| service.tags.get("trueup:revision").cloned()))
    });
    let shifted = if call.service == Api::ElasticLoadBalancing { shifted_by_ecs(world) } else { BTreeSet::new() };
    let weights = resources
        .iter()
        .filter(|arn| shifted.contains(*arn))
        .filter_map(|rule| Some((rule.clone(), crate::elb::health::weights(world, rule)?)));
    Before {
        fingerprint: fingerprint(world, call, resources),
        truth,
        services: services.collect(),
        weights: weights.collect(),
    }
}

/// Compares the state after a call with the state before it.
pub fn after(before: Before, world: &World, call: &Call, resources: &[String]) -> Truth {
    let Before { fingerprint: old, mut truth, services, weights } = before;
    truth.changed = fingerprint(world, call, resources) != old;
    for (key, old_primary, old_revision) in services {
        let Some(service) = world.ecs.services.get(&key) else { continue };
        if primary(service) != old_primary {
            truth.deployments.extend(deployed(world, &key, service));
        }
        if let Some(new) = service.tags.get("trueup:revision").filter(|new| old_revision.as_ref() != Some(*new)) {
            truth.revisions.push((key, old_revision, new.clone()));
        }
    }
    for (rule, old) in weights {
        if crate::elb::health::weights(world, &rule).as_ref() != Some(&old) {
            truth.shifted_rules.push(rule);
        }
    }
    truth
}

fn primary(service: &Service) -> Option<u64> {
    service.deployments.first().map(|deployment| deployment.id)
}

fn deployed(world: &World, key: &ServiceKey, service: &Service) -> Option<Deployed> {
    let deployment = service.deployments.first()?;
    let definition = task_definition(world, &deployment.task_definition);
    let settings = service.revisions.get(&deployment.revision).map(|revision| &revision.settings);
    let content = content(definition, settings);
    let same = service.service_deployments.iter().filter(|known| failed(known)).filter(|known| {
        service.revisions.get(&known.target_revision).is_some_and(|revision| {
            revision.number != deployment.revision
                && self::content(task_definition(world, &revision.task_definition), Some(&revision.settings)) == content
        })
    });
    // ECS gives a deployment up when the rollback starts, not when it ends.
    let given_up = |known: &ServiceDeployment| match &known.rollback {
        Some(rollback) => rollback.started_at,
        None => known.finished_at.unwrap_or(known.updated_at),
    };
    let known_bad = same.map(given_up).max();
    Some(Deployed {
        service: key.clone(),
        id: deployment.id,
        task_definition: deployment.task_definition.clone(),
        content,
        change: hash(format!("{content} {:?}", deployment.settings).as_bytes()),
        images: images(definition),
        revision: definition.and_then(|definition| definition.tags.get("trueup:revision").cloned()),
        known_bad,
    })
}

/// Whether ECS itself failed the deployment, rather than a caller stopping it or a newer deployment replacing it.
fn failed(deployment: &ServiceDeployment) -> bool {
    let (breaker, ..) = &deployment.circuit_breaker;
    let (_, _, alarms) = &deployment.alarms;
    let rolled_back =
        deployment.rollback.as_ref().is_some_and(|rollback| !rollback.reason.contains("StopServiceDeployment"));
    breaker == "TRIGGERED" || !alarms.is_empty() || rolled_back
}

fn task_definition<'a>(world: &'a World, arn: &str) -> Option<&'a TaskDefinition> {
    let (name, revision) = family(arn)?;
    world.ecs.families.get(name)?.revisions.get(&revision?)
}

/// What a deployment brings, without names that differ although the content is the same.
fn content(definition: Option<&TaskDefinition>, settings: Option<&Map<String, Value>>) -> u64 {
    let mut text = String::new();
    if let Some(definition) = definition {
        for (name, member) in &definition.description {
            if !matches!(name.as_str(), "taskDefinitionArn" | "revision" | "registeredAt" | "registeredBy" | "status") {
                let _ = write!(text, "{name}={member};");
            }
        }
    }
    for (name, member) in settings.into_iter().flatten() {
        let _ = write!(text, "{name}={member};");
    }
    hash(text.as_bytes())
}

fn images(definition: Option<&TaskDefinition>) -> Vec<String> {
    let containers = definition.and_then(|definition| definition.description.get("containerDefinitions")?.as_array());
    let images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
    images.map(str::to_owned).collect()
}

fn twin(world: &World, call: &Call) -> Option<String> {
    if call.service != Api::Ecs || call.action != "RegisterTaskDefinition" {
        return None;
    }
    let tags = call.input.get("tags")?.as_array()?;
    let digest = tags.iter().find(|tag| tag["key"] == "trueup:digest")?["value"].as_str()?;
    let known = world.ecs.families.get(call.input.get("family")?.as_str()?)?;
    let mut equal = known.revisions.values().filter(|revision| {
        revision.status == TaskDefinitionStatus::Active
            && revision.tags.get("trueup:digest").is_some_and(|known| known == digest)
    });
    equal.next().map(|revision| revision.arn.clone())
}

/// The tags of a resource; `None` when there is no such resource.
fn tags(world: &World, arn: &str) -> Option<Tags> {
    if let Some(key) = service_key(arn) {
        return world.ecs.services.get(&key).map(|service| service.tags.clone());
    }
    if let Some((name, revision)) = family(arn) {
        return world.ecs.families.get(name)?.revisions.get(&revision?).map(|definition| definition.tags.clone());
    }
    let elb = &world.elb;
    let ecs = world.ecs.tasks.get(arn).map(|task| &task.tags);
    let known = ecs
        .or_else(|| elb.target_groups.get(arn).map(|group| &group.tags))
        .or_else(|| elb.rules.get(arn).map(|rule| &rule.tags))
        .or_else(|| elb.listeners.get(arn).map(|listener| &listener.tags))
        .or_else(|| elb.load_balancers.get(arn).map(|balancer| &balancer.tags));
    known.cloned()
}

/// The rules (or listeners) whose weights ECS moves.
fn shifted_by_ecs(world: &World) -> BTreeSet<String> {
    // A service that is gone is remembered for a while; ECS shifts nothing for it any more.
    let services = world.ecs.services.values().filter(|service| service.status != ServiceStatus::Inactive);
    let balancers = services.filter_map(|service| service.settings.get("loadBalancers")?.as_array());
    let rules = balancers.flatten().flat_map(|balancer| {
        ["productionListenerRule", "testListenerRule"]
            .into_iter()
            .filter_map(|rule| balancer.pointer(&format!("/advancedConfiguration/{rule}"))?.as_str().map(str::to_owned))
    });
    rules.collect()
}

/// A hash of everything visible that the call could have changed.
fn fingerprint(world: &World, call: &Call, resources: &[String]) -> u64 {
    let mut text = String::new();
    match call.service {
        Api::Ecs => ecs_text(&mut text, world, call, resources),
        Api::ElasticLoadBalancing => elb_text(&mut text, world, resources),
        Api::ApplicationAutoScaling => {
            let _ = write!(text, "{:?}", world.scalable_targets);
        }
        // Nothing else that clients write to is simulated.
        Api::CloudFormation
        | Api::Sts
        | Api::Ecr
        | Api::SecretsManager
        | Api::Ssm
        | Api::CloudWatch
        | Api::CloudTrail => {}
    }
    hash(text.as_bytes())
}

fn elb_text(text: &mut String, world: &World, resources: &[String]) {
    let Elb { load_balancers, listeners, rules, target_groups, .. } = &world.elb;
    let counts = [load_balancers.len(), listeners.len(), rules.len(), target_groups.len()];
    let _ = write!(text, "{counts:?};");
    for arn in resources {
        if let Some(LoadBalancer { settings, attributes, tags, .. }) = load_balancers.get(arn) {
            let _ = write!(text, "{settings:?} {attributes:?} {tags:?};");
        }
        if let Some(Listener { settings, tags, .. }) = listeners.get(arn) {
            let _ = write!(text, "{settings:?} {tags:?};");
        }
        if let Some(TargetGroup { settings, attributes, tags, targets, .. }) = target_groups.get(arn) {
            let _ = write!(text, "{settings:?} {attributes:?} {tags:?};");
            for (address, target) in targets {
                let _ = write!(text, "{address:?} {};", matches!(target.state, TargetState::Draining { .. }));
            }
        }
        // A listener's default actions are those of its default rule.
        for (known, Rule { listener, priority, conditions, actions, transforms, tags }) in rules {
            if known == arn || listener == arn {
                let _ = write!(text, "{priority:?} {conditions:?} {actions:?} {transforms:?} {tags:?};");
            }
        }
    }
}

fn ecs_text(text: &mut String, world: &World, call: &Call, resources: &[String]) {
    for arn in resources {
        if let Some(service) = service_key(arn).and_then(|key| world.ecs.services.get(&key)) {
            let Service {
                status,
                desired_count,
                task_definition,
                settings,
                tags,
                deployments,
                service_deployments,
                ..
            } = service;
            let _ = write!(text, "{status:?} {desired_count} {task_definition} {settings:?} {tags:?};");
            for deployment in deployments {
                let _ = write!(text, "{} {:?} {};", deployment.id, deployment.status, deployment.desired_count);
            }
            for deployment in service_deployments {
                let _ = write!(text, "{} {};", deployment.arn, deployment.status);
            }
        }
        if let Some(known) = family(arn).and_then(|(name, _)| world.ecs.families.get(name)) {
            for (number, revision) in &known.revisions {
                let _ = write!(text, "{number} {:?} {:?};", revision.status, revision.tags);
            }
        }
        if let Some(task) = world.ecs.tasks.get(arn) {
            let _ = write!(text, "{} {:?};", task.to_stop, task.tags);
        }
    }
    if call.action.contains("Task") {
        let _ = write!(text, "{};", world.ecs.tasks.len());
    }
    for (name, cluster) in &world.ecs.clusters {
        let _ = write!(text, "{name} {} {:?} {:?};", cluster.active, cluster.tags, cluster.settings);
    }
}
