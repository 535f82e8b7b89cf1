//! Traffic of a service with a blue/green, linear or canary strategy: which revision is in which target group, and the
//! weights that ECS writes into the rules.
//!
//! After a deployment the two groups have swapped roles, and stay so until the next one. ECS reads the weights once,
//! before it begins, and not again before it shifts them (ECS developer guide, "Troubleshooting Amazon ECS blue/green
//! deployments").

use serde_json::{Map, Value, json};

use super::configuration::{self, ServiceLoadBalancer};
use super::find::known;
use super::memory::Route;
use crate::ecs::model::{Service, ServiceKey};
use crate::elb;
use crate::world::World;

/// The target groups and ports that tasks of a service revision are registered with.
pub(super) fn groups(service: &Service, revision: u64) -> Vec<(String, u16)> {
    let Some(revision) = service.revisions.get(&revision) else { return Vec::new() };
    let resolved = revision.settings.get("resolvedConfiguration").and_then(|known| known["loadBalancers"].as_array());
    let resolved = resolved.map(Vec::as_slice).unwrap_or_default();
    let balancers = configuration::load_balancers(&revision.settings);
    let group = |(index, balancer): (usize, ServiceLoadBalancer)| {
        let resolved = resolved.get(index).and_then(|known| known["targetGroupArn"].as_str());
        (resolved.map_or(balancer.target_group, str::to_owned), balancer.port)
    };
    balancers.into_iter().enumerate().map(group).collect()
}

/// The routes of a deployment of what the service says now; `blue` is the service revision that serves.
pub(super) fn routes(service: &Service, blue: Option<u64>) -> Vec<Route> {
    let serving = blue.map(|blue| groups(service, blue)).unwrap_or_default();
    let balancers = configuration::load_balancers(&service.settings).into_iter().enumerate();
    let route = |(index, balancer): (usize, ServiceLoadBalancer)| {
        let shift = balancer.shift?;
        let blue = serving.get(index).map(|(group, _)| group.clone());
        let (green, idle) = if blue.as_ref() == Some(&balancer.target_group) {
            (shift.alternate, balancer.target_group)
        } else {
            (balancer.target_group, shift.alternate)
        };
        Some(Route { blue, green, idle, production: shift.production, test: shift.test })
    };
    balancers.filter_map(route).collect()
}

/// `resolvedConfiguration` of a new service revision.
pub(super) fn resolved(settings: &Map<String, Value>, routes: &[Route]) -> Value {
    let all = configuration::load_balancers(settings).into_iter().enumerate().map(|(index, balancer)| {
        match routes.get(index) {
            Some(route) => json!({"targetGroupArn": route.green, "productionListenerRule": route.production}),
            None => json!({"targetGroupArn": balancer.target_group}),
        }
    });
    json!({"loadBalancers": all.collect::<Vec<_>>()})
}

/// Validates the rules before the deployment begins. Returns ECS's message when they are wrong.
pub(super) fn wrong(world: &World, routes: &[Route]) -> Option<String> {
    routes.iter().find_map(|route| {
        let Some(production) = elb::health::weights(world, &route.production) else {
            return Some("One or more rules not found".to_owned());
        };
        let test = route.test.as_ref().map(|test| elb::health::weights(world, test));
        if test.as_ref().is_some_and(Option::is_none) {
            return Some("One or more rules not found".to_owned());
        }
        let test = test.flatten().unwrap_or_default();
        let pair = [route.blue.as_ref().unwrap_or(&route.idle), &route.green];
        for group in pair {
            if !production.iter().chain(&test).any(|(known, _)| known == group) {
                return Some(format!(
                    "Target group {group} is not associated with either productionListenerRule or testListenerRule."
                ));
            }
        }
        let serving: Vec<&String> =
            production.iter().filter(|(_, weight)| *weight > 0).map(|(group, _)| group).collect();
        if let Some(unexpected) = serving.iter().find(|group| !pair.contains(group)) {
            return Some(format!(
                "Production listener rule is forwarding traffic to unexpected target group {unexpected}. Expected traffic to be forwarded to either targetGroupArn: {} or alternateTargetGroupArn: {}",
                pair[0], pair[1]
            ));
        }
        (serving.len() != 1).then(|| {
            format!(
                "productionListenerRule {} should have exactly one target group serving traffic but found {} target groups which are serving traffic",
                route.production,
                serving.len()
            )
        })
    })
}

/// The production rules send this share, in tenths of a percent, to the new revision.
pub(super) fn shift_production(world: &mut World, routes: &[Route], share: u64) {
    for route in routes {
        set(world, &route.production, route, share);
    }
}

/// The test rules send all to the new revision.
pub(super) fn shift_test(world: &mut World, routes: &[Route]) {
    for route in routes {
        if let Some(test) = &route.test {
            set(world, test, route, 1_000);
        }
    }
}

/// All rules send everything to the revision that served before, when there is one.
pub(super) fn shift_back(world: &mut World, routes: &[Route]) {
    for route in routes.iter().filter(|route| route.blue.is_some()) {
        set(world, &route.production, route, 0);
        if let Some(test) = &route.test {
            set(world, test, route, 0);
        }
    }
}

fn set(world: &mut World, rule: &str, route: &Route, share: u64) {
    // Weights are at most 999: percents as they are, tenths of a percent scaled to 1..=999.
    let (green, all) = if share.is_multiple_of(10) { (share / 10, 100) } else { (share.min(999), 999) };
    let other = route.blue.as_ref().unwrap_or(&route.idle);
    elb::health::set_weights(world, rule, &[(other.clone(), all - green), (route.green.clone(), green)]);
}

/// The groups that a deployment's tasks register with.
pub(super) fn groups_of_deployment(world: &World, service: &ServiceKey, deployment: u64) -> Vec<(String, u16)> {
    let Some(found) = known(world, service) else { return Vec::new() };
    let revision = found.deployments.iter().find(|known| known.id == deployment).map(|known| known.revision);
    revision.map(|revision| groups(found, revision)).unwrap_or_default()
}
