//! Targets and their health; and what ECS does with target groups and rules on behalf of a service.

use crate::world::World;

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

/// ECS registers a task's address; `task` is asked for its answers ([`crate::ecs::scheduler::check`]).
pub fn register(_world: &mut World, _target_group: &str, _ip: &str, _port: u16, _task: &str) {}

/// ECS (or somebody) takes a target out: it drains for the deregistration delay.
pub fn deregister(_world: &mut World, _target_group: &str, _ip: &str, _port: u16) {}

/// Its health now.
pub fn health(_world: &World, _target_group: &str, _ip: &str, _port: u16) -> TargetHealth {
    TargetHealth { state: "unused", reason: Some("Target.NotRegistered"), description: None }
}

/// Whether there is such a target group, and whether a listener or rule forwards to it.
pub fn target_group(_world: &World, _target_group: &str) -> Option<bool> {
    None
}

/// The weights of a rule's (or, for network load balancers, listener's) forward action: target group and weight.
/// `None` when there is no such rule.
pub fn weights(_world: &World, _rule: &str) -> Option<Vec<(String, u64)>> {
    None
}

/// ECS shifts traffic: the forward action becomes a weighted `ForwardConfig`, and a scalar `TargetGroupArn` disappears.
pub fn set_weights(_world: &mut World, _rule: &str, _weights: &[(String, u64)]) {}
