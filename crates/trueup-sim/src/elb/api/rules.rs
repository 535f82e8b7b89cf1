//! CreateRule, DescribeRules, ModifyRule, DeleteRule, SetRulePriorities.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arns::{listener_arn, rule_arn};
use super::errors::{listeners_not_found, out_of_range, rules_not_found};
use super::members::required;
use super::paging::page;
use super::{actions, conditions, tags};
use crate::elb::health;
use crate::elb::model::Rule;
use crate::input::{invalid, list, number, text, texts, truth};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Rules of a load balancer, default rules not counted.
const RULES_MAX: usize = 100;

/// The lowest priority.
const PRIORITY_MAX: u64 = 50_000;

/// `CreateRule`.
pub(super) fn create(world: &mut World, input: &Value) -> Outcome {
    let listener = listener_arn(required(input, "ListenerArn")?)?;
    let load_balancer = world.elb.listeners.get(listener).ok_or_else(listeners_not_found)?.load_balancer.clone();
    let priority = number(input, "Priority")?.ok_or_else(|| invalid("A priority must be specified"))?;
    check_priority("priority", priority)?;
    let new_tags = tags::given(input)?;
    let transforms = list(input, "Transforms").unwrap_or_default().to_vec();
    let actions = actions::completed(world, &load_balancer, list(input, "Actions").unwrap_or_default(), None)?;
    let conditions = conditions::completed(world, list(input, "Conditions").unwrap_or_default())?;
    if world.elb.rules_of(listener).iter().any(|(_, rule)| rule.priority == Some(priority)) {
        return Err(in_use(priority));
    }
    let of_load_balancer = |rule: &&Rule| {
        world.elb.listeners.get(&rule.listener).is_some_and(|listener| listener.load_balancer == load_balancer)
    };
    let count = world.elb.rules.values().filter(|rule| rule.priority.is_some()).filter(of_load_balancer).count();
    if count >= RULES_MAX {
        return Err(ApiError::client(
            "TooManyRules",
            format!("The maximum number of rules has been reached: '{RULES_MAX}'"),
        ));
    }
    let rule = Rule {
        listener: listener.to_owned(),
        priority: Some(priority),
        conditions,
        actions,
        transforms,
        tags: new_tags,
    };
    let arn = add(world, rule);
    health::rules_changed(world);
    Ok(json!({"Rules": [shown(&arn, &world.elb.rules[&arn])]}))
}

/// Stores a rule under an ARN of its own, which contains its listener's.
pub(super) fn add(world: &mut World, rule: Rule) -> String {
    let id = world.chance.of("elb: ids").hex(16);
    let arn = format!("{}/{id}", rule.listener.replacen(":listener/", ":listener-rule/", 1));
    world.elb.rules.insert(arn.clone(), rule);
    arn
}

/// `DescribeRules`: of a listener, or by ARNs; the default rule last.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let arns = texts(input, "RuleArns");
    let rules = match (text(input, "ListenerArn"), arns.is_empty()) {
        (Some(listener), true) => {
            if !world.elb.listeners.contains_key(listener_arn(listener)?) {
                return Err(listeners_not_found());
            }
            world.elb.rules_of(listener)
        }
        (None, false) => {
            let mut rules = Vec::new();
            for arn in arns {
                rules.push(world.elb.rules.get_key_value(rule_arn(arn)?).ok_or_else(rules_not_found)?);
            }
            rules.sort_by_key(|(arn, rule)| (rule.priority.unwrap_or(u64::MAX), arn.as_str()));
            rules
        }
        _ => return Err(invalid("You must specify either listener rule ARNs or a listener ARN")),
    };
    let keyed = |(arn, rule): (&String, &Rule)| {
        let key = format!("{:06} {arn}", rule.priority.unwrap_or(PRIORITY_MAX + 1));
        (key, shown(arn, rule))
    };
    page(input, "Rules", rules.into_iter().map(keyed).collect())
}

/// `ModifyRule`: each of actions, conditions and transforms that is sent replaces the rule's; others stay.
pub(super) fn modify(world: &mut World, input: &Value) -> Outcome {
    let arn = rule_arn(required(input, "RuleArn")?)?;
    let rule = world.elb.rules.get(arn).ok_or_else(rules_not_found)?.clone();
    let (new_actions, new_conditions) = (list(input, "Actions"), list(input, "Conditions"));
    let (transforms, reset) = (list(input, "Transforms"), truth(input, "ResetTransforms")?.unwrap_or(false));
    if new_actions.is_none() && new_conditions.is_none() && transforms.is_none() && !reset {
        return Err(invalid("Either conditions or actions must be specified"));
    }
    if rule.priority.is_none() {
        return Err(ApiError::client("OperationNotPermitted", format!("Default rule '{arn}' cannot be modified")));
    }
    if reset && transforms.is_some() {
        return Err(invalid("You cannot specify both transforms and reset transforms"));
    }
    let load_balancer = world.elb.listeners.get(&rule.listener).ok_or_else(listeners_not_found)?.load_balancer.clone();
    let mut changed = rule;
    if let Some(new) = new_actions {
        changed.actions = actions::completed(world, &load_balancer, new, Some(arn))?;
    }
    if let Some(new) = new_conditions {
        changed.conditions = conditions::completed(world, new)?;
    }
    if reset {
        changed.transforms = Vec::new();
    } else if let Some(new) = transforms {
        changed.transforms = new.to_vec();
    }
    world.elb.rules.insert(arn.to_owned(), changed);
    health::rules_changed(world);
    Ok(json!({"Rules": [shown(arn, &world.elb.rules[arn])]}))
}

/// `DeleteRule`.
pub(super) fn delete(world: &mut World, input: &Value) -> Outcome {
    let arn = rule_arn(required(input, "RuleArn")?)?;
    let rule = world.elb.rules.get(arn).ok_or_else(rules_not_found)?;
    if rule.priority.is_none() {
        return Err(ApiError::client("OperationNotPermitted", format!("Default rule '{arn}' cannot be deleted")));
    }
    world.elb.rules.remove(arn);
    health::rules_changed(world);
    Ok(json!({}))
}

/// `SetRulePriorities`: all at once, so that priorities can be swapped.
pub(super) fn set_priorities(world: &mut World, input: &Value) -> Outcome {
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for pair in list(input, "RulePriorities").unwrap_or_default() {
        let arn = rule_arn(required(pair, "RuleArn")?)?;
        let priority = number(pair, "Priority")?.ok_or_else(|| invalid("A priority must be specified"))?;
        check_priority("rulePriorities.member.priority", priority)?;
        let rule = world.elb.rules.get(arn).ok_or_else(rules_not_found)?;
        if rule.priority.is_none() {
            return Err(ApiError::client(
                "OperationNotPermitted",
                format!("The priority of default rule '{arn}' cannot be changed"),
            ));
        }
        if wanted.values().any(|known| *known == priority) {
            return Err(invalid(format!("Priority '{priority}' was provided multiple times")));
        }
        if wanted.insert(arn.to_owned(), priority).is_some() {
            return Err(invalid(format!("Rule '{arn}' was provided multiple times")));
        }
    }
    let listeners: Vec<&String> = wanted.keys().map(|arn| &world.elb.rules[arn].listener).collect();
    let Some(listener) = listeners.first() else {
        return Err(invalid("At least one rule priority must be specified"));
    };
    if listeners.iter().any(|other| other != listener) {
        return Err(invalid("Rules must belong to the same listener"));
    }
    for (arn, rule) in world.elb.rules_of(listener) {
        if let Some(priority) = rule.priority
            && !wanted.contains_key(arn)
            && wanted.values().any(|wanted| *wanted == priority)
        {
            return Err(in_use(priority));
        }
    }
    let mut rules = Vec::new();
    for (arn, priority) in &wanted {
        if let Some(rule) = world.elb.rules.get_mut(arn) {
            rule.priority = Some(*priority);
            rules.push(shown(arn, rule));
        }
    }
    Ok(json!({"Rules": rules}))
}

fn check_priority(member: &str, priority: u64) -> Result<(), ApiError> {
    if (1..=PRIORITY_MAX).contains(&priority) {
        return Ok(());
    }
    Err(out_of_range(member, priority, 1, PRIORITY_MAX))
}

fn in_use(priority: u64) -> ApiError {
    ApiError::client("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

fn shown(arn: &str, rule: &Rule) -> Value {
    json!({
        "RuleArn": arn,
        "Priority": rule.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string()),
        "Conditions": rule.conditions,
        "Actions": rule.actions,
        "IsDefault": rule.priority.is_none(),
        "Transforms": rule.transforms,
    })
}
