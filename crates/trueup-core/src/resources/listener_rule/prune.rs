//! Deleting listener rules that git no longer has.

use serde_json::json;

use super::find::priority;
use crate::names::Arn;
use crate::operation::Operation;
use crate::resources::Pruning;

pub(in crate::resources) static PRUNING: Pruning = Pruning {
    name_in_git: |_, document| {
        let listener = document.body.get("ListenerArn").and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{listener} {}", priority(&document.body).unwrap_or_default())
    },
    name_in_aws: |resource| {
        let priority = priority(&resource.description).unwrap_or_default();
        Some(format!("{} {priority}", listener(&resource.arn)))
    },
    // Its priority may have changed in git and not yet in AWS.
    kept_by_document: true,
    deletion: |resource| (Operation::DeleteRule, json!({"RuleArn": resource.arn})),
    waits_for_users: false,
};

/// The listener of a rule: `…:listener-rule/app/LB/ID/LISTENER/RULE` belongs to `…:listener/app/LB/ID/LISTENER`.
fn listener(rule: &Arn) -> String {
    let listener = rule.as_str().rsplit_once('/').map_or(rule.as_str(), |(listener, _)| listener);
    listener.replacen(":listener-rule/", ":listener/", 1)
}
