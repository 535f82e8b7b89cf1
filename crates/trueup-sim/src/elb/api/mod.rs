//! The actions of Elastic Load Balancing v2 (API reference, version 2015-12-01).
//!
//! | file | idea |
//! |---|---|
//! | `load_balancers.rs`, `listeners.rs`, `rules.rs` | the actions on these |
//! | `actions.rs`, `conditions.rs` | what of a rule AWS checks, and how it writes it down |
//! | `target_groups.rs`, `health_checks.rs`, `attributes.rs` | the actions on target groups; defaults by protocol |
//! | `targets.rs`, `tags.rs` | targets and their health; tags of everything |

mod actions;
mod attributes;
mod conditions;
mod health_checks;
mod listeners;
mod load_balancers;
mod rules;
mod tags;
mod target_groups;
mod targets;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::input::{invalid, number, text};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// `PageSize` is at most, and by default, this.
const PAGE_MAX: u64 = 400;

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

/// A required text member.
fn required<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    text(input, member).ok_or_else(|| {
        let mut chars = member.chars();
        let spelt: String = chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect();
        invalid(format!(
            "1 validation error detected: Value null at '{spelt}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// Refuses what is no ARN of a target group at all.
fn target_group_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "targetgroup/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid target group ARN")))
}

/// Refuses what is no ARN of a load balancer at all.
fn load_balancer_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "loadbalancer/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid load balancer ARN")))
}

/// Refuses what is no ARN of a listener at all.
fn listener_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "listener/").then_some(arn).ok_or_else(|| invalid(format!("'{arn}' is not a valid listener ARN")))
}

/// Refuses what is no ARN of a rule at all.
fn rule_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "listener-rule/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid listener rule ARN")))
}

fn is_arn(arn: &str, resource: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, "elasticloadbalancing", _, _, rest] if rest.starts_with(resource))
}

fn target_groups_not_found() -> ApiError {
    ApiError::client("TargetGroupNotFound", "One or more target groups not found")
}

fn listeners_not_found() -> ApiError {
    ApiError::client("ListenerNotFound", "One or more listeners not found")
}

fn rules_not_found() -> ApiError {
    ApiError::client("RuleNotFound", "One or more rules not found")
}

fn load_balancer_not_found(arn: &str) -> ApiError {
    ApiError::client("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"))
}

/// A page of `items`, each of which has a key of its own, under `member`, with a `NextMarker` when there is more.
///
/// The marker names the last item shown, so that what comes and goes between two pages moves no other.
fn page(input: &Value, member: &str, items: Vec<(String, Value)>) -> Outcome {
    let size = number(input, "PageSize")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&size) {
        return Err(out_of_range("pageSize", size, 1, PAGE_MAX));
    }
    let after = match text(input, "Marker") {
        None => None,
        Some(marker) => {
            let bytes = BASE64.decode(marker).ok();
            let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Some(key.ok_or_else(|| invalid("The marker is not valid"))?)
        }
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut rest = items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let shown: Vec<(String, Value)> = rest.by_ref().take(size).collect();
    let mut answer = Map::new();
    if rest.next().is_some()
        && let Some((last, _)) = shown.last()
    {
        answer.insert("NextMarker".to_owned(), json!(BASE64.encode(last)));
    }
    answer.insert(member.to_owned(), shown.into_iter().map(|(_, item)| item).collect());
    Ok(Value::Object(answer))
}

fn out_of_range(member: &str, value: u64, min: u64, max: u64) -> ApiError {
    let constraint =
        if value < min { format!("greater than or equal to {min}") } else { format!("less than or equal to {max}") };
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
         value {constraint}"
    ))
}

fn not_one_of(member: &str, value: &str, values: &[&str]) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         enum value set: [{}]",
        values.join(", ")
    ))
}

/// Whether the name of a load balancer or target group is allowed.
fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    if name.chars().count() > 32 {
        return Err(invalid(format!("{what} name '{name}' cannot be longer than '32' characters")));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(invalid(format!(
            "{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{what} name '{name}' cannot begin or end with '-'")));
    }
    Ok(())
}
