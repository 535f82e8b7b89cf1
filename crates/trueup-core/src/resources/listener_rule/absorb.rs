//! Merges AWS's answers about listener rules into live state.

use serde_json::Value;

use crate::kind::Kind;
use crate::live::{Live, LiveRule, Observed, Tags};
use crate::names::Arn;
use crate::resources::answer::{first, forget_if, retag_observed, text};

pub(in crate::resources) fn absorb_creation(live: &mut Live, input: &Value, answer: &Value) {
    let (Some(description), Some(listener)) = (first(answer, "Rules"), text(input, "ListenerArn")) else { return };
    let tags = Observed::Present(Kind::ListenerRule.facts().tagging.read(input));
    let rule = LiveRule { description: description.clone().into(), tags };
    match live.rules.entry(Arn::new(listener)).or_insert(Observed::Absent) {
        Observed::Present(rules) => rules.push(rule),
        known @ Observed::Absent => *known = Observed::Present(vec![rule]),
        Observed::Unknown(_) => {}
    }
}

pub(in crate::resources) fn absorb(live: &mut Live, input: &Value, answer: &Value) {
    let answered = answer.get("Rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let priorities = input.get("RulePriorities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for rules in live.rules.values_mut() {
        let Observed::Present(rules) = rules else { continue };
        for rule in rules {
            let arn = text(&rule.description, "RuleArn").map(str::to_owned);
            let same = |other: &&Value| text(other, "RuleArn") == arn.as_deref();
            if let Some(description) = answered.iter().find(same) {
                rule.description = description.clone().into();
            } else if let (Some(moved), Value::Object(members)) = (priorities.iter().find(same), &mut *rule.description)
            {
                let priority = moved.get("Priority").map(|p| p.as_str().map_or_else(|| p.to_string(), str::to_owned));
                members.insert("Priority".to_owned(), Value::from(priority));
            }
        }
    }
}

pub(in crate::resources) fn absorb_deletion(live: &mut Live, input: &Value) {
    let arn = text(input, "RuleArn").unwrap_or_default();
    for rules in live.rules.values_mut() {
        if let Observed::Present(rules) = rules {
            rules.retain(|rule| text(&rule.description, "RuleArn") != Some(arn));
        }
    }
    forget_if(live, |other| other == arn);
}

/// Changes the tags of the rule with this ARN.
pub(in crate::resources) fn retag(live: &mut Live, arn: &str, change: &dyn Fn(&mut Tags)) {
    for rules in live.rules.values_mut() {
        let Observed::Present(rules) = rules else { continue };
        for rule in rules.iter_mut().filter(|rule| text(&rule.description, "RuleArn") == Some(arn)) {
            retag_observed(&mut rule.tags, change);
        }
    }
}
