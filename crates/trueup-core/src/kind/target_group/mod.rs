//! Facts of target groups: `CreateTargetGroup`, with `Attributes` as an additional member.

mod fields;

use std::sync::LazyLock;

use super::{Beside, Described, Facts, Order, Place, TrailName, tagging};
use crate::drift::Schema;
use crate::drift::list_key::ListKey;
use crate::model::Api;

/// The facts.
pub(super) static FACTS: Facts = Facts {
    name: "target-group",
    place: Place::Folder("target-groups"),
    request: (Api::Elbv2, "CreateTargetGroup"),
    beside: Some(Beside { member: "Attributes", operation: "ModifyTargetGroupAttributes" }),
    set_by_us: &[],
    named_by: Some("Name"),
    described: Described {
        envelope: "TargetGroups",
        beside: &["Attributes", "Tags"],
        arn: "TargetGroupArn",
        renamed: &[("Name", "TargetGroupName")],
        in_primary_deployment: &[],
    },
    tagging: &tagging::ELBV2,
    lists: LISTS,
    fields: fields::RULES,
    may_repeat: |_| false,
    schema: &SCHEMA,
    changed_by: &["ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
    trail_name: TrailName::Arn,
    order: Order { created: 0, deleted: Some(2) },
    digested_with: None,
    suspension: Some(1),
    when_immutable: "restore the old value, or write a new target group with another name, move rules and service to it \
                     and remove the old one",
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| FACTS.new_schema());

const LISTS: &[(&str, ListKey)] = &[("Attributes", ListKey::by(&[&["Key"]])), ("Tags", ListKey::by(&[&["Key"]]))];
