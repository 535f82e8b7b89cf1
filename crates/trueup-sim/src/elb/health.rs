//! Targets and their health; and what ECS does with target groups and rules on behalf of a service.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::model::{Address, Rule, Target, TargetGroup, TargetState};
use super::queue;
use super::tick::Tick;
use crate::world::{Happening, World};

/// ECS sees at the latest after so many milliseconds that a rule forwards to a target group.
const VISIBLE_TO_ECS_MAX: u64 = 5_000;

/// A target's health as DescribeTargetHealth shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining` or `unavailable`.
    pub state: &'static str,
    /// Such as `Target.Timeout`.
    pub reason: Option<&'static str>,
    /// Such as `Health checks failed with these codes: [503]`.
    pub description: Option<String>,
}

impl TargetHealth {
    fn of(state: &'static str, reason: &'static str, description: impl Into<String>) -> Self {
        Self { state, reason: Some(reason), description: Some(description.into()) }
    }

    /// The health of what is not a target of the group.
    pub fn not_registered() -> Self {
        Self::of("unused", "Target.NotRegistered", "Target is not registered to the target group")
    }
}

/// Registers a task's address for ECS; health checks ask `task` for its answers ([`crate::ecs::scheduler::check`]).
///
/// Registering a target again does not change it, unless it was draining. Does nothing if the target group does not
/// exist.
pub fn register(world: &mut World, target_group: &str, ip: &str, port: u16, task: &str) {
    add(world, target_group, &(ip.to_owned(), port), Some(task.to_owned()));
}

/// Registers a target for a task or, without one, for another caller.
pub(super) fn add(world: &mut World, target_group: &str, address: &Address, task: Option<String>) {
    let refuses = world.chance.of("elb: silence").percent(50);
    let Some(group) = world.elb.target_groups.get_mut(target_group) else { return };
    if let Some(known) = group.targets.get(address)
        && !matches!(known.state, TargetState::Draining { .. })
    {
        return;
    }
    let target =
        Target { task, state: TargetState::Unused, passed: 0, failed: 0, failure: None, refuses, next_check: None };
    group.targets.insert(address.clone(), target);
    if group.used_since.is_some() {
        queue::begin(world, target_group, address);
    }
}

/// ECS (or another caller) takes a target out: it drains for the deregistration delay.
///
/// A target that no load balancer used, and one whose group has no delay, is forgotten at once. What is not registered is
/// no error, as with AWS.
pub fn deregister(world: &mut World, target_group: &str, ip: &str, port: u16) {
    let now = world.now;
    let address = (ip.to_owned(), port);
    let Some(group) = world.elb.target_groups.get_mut(target_group) else { return };
    let (delay, used) = (group.deregistration_delay(), group.used_since.is_some());
    let Some(target) = group.targets.get_mut(&address) else { return };
    if matches!(target.state, TargetState::Draining { .. }) {
        return;
    }
    if delay.is_zero() || !used {
        group.targets.remove(&address);
        return;
    }
    target.state = TargetState::Draining { until: now + delay };
    target.next_check = None;
    let tick = Tick::Drained { target_group: target_group.to_owned(), target: address };
    world.at(now + delay, Happening::Elb(tick));
}

/// Its health now.
pub fn health(world: &World, target_group: &str, ip: &str, port: u16) -> TargetHealth {
    let group = world.elb.target_groups.get(target_group);
    let target = group.and_then(|group| Some((group, group.targets.get(&(ip.to_owned(), port))?)));
    target.map_or_else(TargetHealth::not_registered, |(group, target)| shown(group, target))
}

/// The health of a target of a group. Texts as DescribeTargetHealth answers them.
pub(super) fn shown(group: &TargetGroup, target: &Target) -> TargetHealth {
    match target.state {
        TargetState::Unused => TargetHealth::of(
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        ),
        TargetState::Registering => {
            TargetHealth::of("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
        }
        TargetState::Initial => {
            TargetHealth::of("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
        }
        TargetState::Healthy => TargetHealth { state: "healthy", reason: None, description: None },
        TargetState::Draining { .. } => {
            TargetHealth::of("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
        }
        TargetState::Unavailable => {
            TargetHealth::of("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target")
        }
        TargetState::Unhealthy => match target.failure {
            Some(code) => {
                let description = format!("Health checks failed with these codes: [{code}]");
                TargetHealth::of("unhealthy", "Target.ResponseCodeMismatch", description)
            }
            None if target.refuses || group.text("HealthCheckProtocol") == Some("TCP") => {
                TargetHealth::of("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
            }
            None => TargetHealth::of("unhealthy", "Target.Timeout", "Request timed out"),
        },
    }
}

/// Whether a listener or rule forwards to the target group, as seen by ECS, which lags by some seconds. `None` when the
/// target group does not exist.
pub fn target_group(world: &World, target_group: &str) -> Option<bool> {
    let group = world.elb.target_groups.get(target_group)?;
    let seen = world.now >= group.seen_at;
    Some(group.used_since.is_some() == seen)
}

/// The weights of a rule's (or, for network load balancers, listener's) forward action: target group and weight.
/// `None` when there is no such rule.
pub fn weights(world: &World, rule: &str) -> Option<Vec<(String, u64)>> {
    let found = world.elb.rules.get(rule).or_else(|| Some(world.elb.default_rule(rule)?.1))?;
    Some(found.forwards_to().map(|(group, weight)| (group.to_owned(), weight)).collect())
}

/// ECS shifts traffic: the forward action becomes a weighted `ForwardConfig`, and a scalar `TargetGroupArn` disappears.
/// Its stickiness stays. Without such a rule, or without a forward action in it, nothing happens.
pub fn set_weights(world: &mut World, rule: &str, weights: &[(String, u64)]) {
    let Some(found) = rule_mut(world, rule) else { return };
    let Some(forward) = found.actions.iter_mut().find(|action| action["Type"] == "forward") else { return };
    let stickiness = forward.pointer("/ForwardConfig/TargetGroupStickinessConfig").cloned();
    let groups: Vec<Value> =
        weights.iter().map(|(group, weight)| json!({"TargetGroupArn": group, "Weight": weight})).collect();
    forward["ForwardConfig"] = json!({
        "TargetGroups": groups,
        "TargetGroupStickinessConfig": stickiness.unwrap_or_else(|| json!({"Enabled": false})),
    });
    if let Some(members) = forward.as_object_mut() {
        members.remove("TargetGroupArn");
    }
    rules_changed(world);
}

fn rule_mut<'a>(world: &'a mut World, rule: &str) -> Option<&'a mut Rule> {
    let default = world.elb.default_rule(rule).map(|(arn, _)| arn.clone());
    world.elb.rules.get_mut(default.as_deref().unwrap_or(rule))
}

/// Listeners or rules changed: targets of groups that came into use are checked from now on, those of groups that went
/// out of use no longer.
pub(super) fn rules_changed(world: &mut World) {
    let now = world.now;
    let used: BTreeSet<String> =
        world.elb.rules.values().flat_map(|rule| rule.forwards_to().map(|(group, _)| group.to_owned())).collect();
    let mut begin = Vec::new();
    for (arn, group) in &mut world.elb.target_groups {
        let is_used = used.contains(arn);
        if is_used == group.used_since.is_some() {
            continue;
        }
        group.used_since = is_used.then_some(now);
        let delay = world.chance.of("elb: visible to ecs").between(0, VISIBLE_TO_ECS_MAX + 1);
        group.seen_at = now + Duration::from_millis(delay);
        for (address, target) in &mut group.targets {
            if matches!(target.state, TargetState::Draining { .. }) {
                continue;
            }
            target.state = TargetState::Unused;
            target.next_check = None;
            if is_used {
                begin.push((arn.clone(), address.clone()));
            }
        }
    }
    for (group, address) in begin {
        queue::begin(world, &group, &address);
    }
}
