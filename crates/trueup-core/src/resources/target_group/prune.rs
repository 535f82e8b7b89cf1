//! Deleting target groups that git no longer has.

use serde_json::{Value, json};

use crate::operation::Operation;
use crate::resources::Pruning;

pub(in crate::resources) static PRUNING: Pruning = Pruning {
    name_in_git: |_, document| document.body.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    name_in_aws: |resource| {
        let name = resource.description.get("TargetGroupName").and_then(Value::as_str);
        Some(name.unwrap_or_default().to_owned())
    },
    // If its document now has another name, the target group is the old one.
    kept_by_document: false,
    deletion: |resource| (Operation::DeleteTargetGroup, json!({"TargetGroupArn": resource.arn})),
    waits_for_users: true,
};
