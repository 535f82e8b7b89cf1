//! The actions of Elastic Load Balancing v2 (API reference, version 2015-12-01).
//!
//! | file | idea |
//! |---|---|
//! | `load_balancers.rs`, `listeners.rs`, `rules.rs` | the actions on these |
//! | `actions.rs`, `conditions.rs` | what of a rule AWS checks, and how it writes it down |
//! | `target_groups.rs`, `health_checks.rs`, `attributes.rs` | the actions on target groups; defaults by protocol |
//! | `targets.rs`, `tags.rs` | targets and their health; tags of everything |
//! | `arns.rs`, `members.rs`, `errors.rs`, `paging.rs` | what actions have in common |

mod actions;
mod arns;
mod attributes;
mod conditions;
mod errors;
mod health_checks;
mod listeners;
mod load_balancers;
mod members;
mod paging;
mod rules;
mod tags;
mod target_groups;
mod targets;

use serde_json::Value;

use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Answers one action. `caller` is the ARN of who calls.
///
/// # Errors
/// As the API: its short codes (`TargetGroupNotFound`), and `InvalidAction` for an action that is not simulated.
pub fn answer(world: &mut World, _caller: &str, action: &str, input: &Value) -> Outcome {
    match action {
        "CreateLoadBalancer" => load_balancers::create(world, input),
        "DescribeLoadBalancers" => load_balancers::describe(world, input),
        "DeleteLoadBalancer" => load_balancers::delete(world, input),
        "DescribeLoadBalancerAttributes" => load_balancers::attributes(world, input),
        "ModifyLoadBalancerAttributes" => load_balancers::modify_attributes(world, input),
        "CreateListener" => listeners::create(world, input),
        "DescribeListeners" => listeners::describe(world, input),
        "ModifyListener" => listeners::modify(world, input),
        "DeleteListener" => listeners::delete(world, input),
        "DescribeListenerAttributes" => listeners::attributes(world, input),
        "CreateRule" => rules::create(world, input),
        "DescribeRules" => rules::describe(world, input),
        "ModifyRule" => rules::modify(world, input),
        "DeleteRule" => rules::delete(world, input),
        "SetRulePriorities" => rules::set_priorities(world, input),
        "CreateTargetGroup" => target_groups::create(world, input),
        "DescribeTargetGroups" => target_groups::describe(world, input),
        "ModifyTargetGroup" => target_groups::modify(world, input),
        "DeleteTargetGroup" => target_groups::delete(world, input),
        "DescribeTargetGroupAttributes" => attributes::describe(world, input),
        "ModifyTargetGroupAttributes" => attributes::modify(world, input),
        "RegisterTargets" => targets::register(world, input),
        "DeregisterTargets" => targets::deregister(world, input),
        "DescribeTargetHealth" => targets::health(world, input),
        "AddTags" => tags::add(world, input),
        "RemoveTags" => tags::remove(world, input),
        "DescribeTags" => tags::describe(world, input),
        "DescribeAccountLimits" => Ok(load_balancers::limits()),
        _ => {
            Err(ApiError::client("InvalidAction", format!("Could not find operation {action} for version 2015-12-01")))
        }
    }
}
