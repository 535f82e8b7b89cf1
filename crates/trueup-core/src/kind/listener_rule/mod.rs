//! Facts of listener rules: `CreateRule`.

mod actions;
mod conditions;
mod fields;

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

use super::{Described, Facts, Order, Place, TrailName, tagging};
use crate::drift::Schema;
use crate::drift::list_key::{ListKey, Repeated, text};
use crate::model::Api;

/// The facts.
pub(super) static FACTS: Facts = Facts {
    name: "listener-rule",
    place: Place::Folder("listener-rules"),
    request: (Api::Elbv2, "CreateRule"),
    beside: None,
    set_by_us: &[],
    named_by: None,
    described: Described {
        envelope: "Rules",
        beside: &["Tags"],
        arn: "RuleArn",
        renamed: &[],
        in_primary_deployment: &[],
    },
    tagging: &tagging::ELBV2,
    lists: LISTS,
    fields: fields::RULES,
    may_repeat: |path| matches!(path, ["Conditions" | "Transforms"]),
    schema: &SCHEMA,
    changed_by: &["ModifyRule", "SetRulePriorities", "DeleteRule"],
    trail_name: TrailName::Arn,
    order: Order { created: 1, deleted: Some(1) },
    digested_with: None,
    suspension: Some(2),
    when_immutable: "restore the old value, or write a new rule and remove the old one",
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| FACTS.new_schema());

const CONDITIONS: ListKey = ListKey::by(&[&["Field"]]).or(Repeated::AppendOwn(condition_name));

const LISTS: &[(&str, ListKey)] = &[
    ("Conditions", CONDITIONS),
    ("Actions/*/ForwardConfig/TargetGroups", ListKey::by(&[&["TargetGroupArn"]])),
    ("Actions/*/JwtValidationConfig/AdditionalClaims", ListKey::by(&[&["Name"]])),
    ("Transforms", ListKey::by(&[&["Type"]])),
    ("Tags", ListKey::by(&[&["Key"]])),
];

/// The name that a condition matches within its field: of the header, or of the query parameters.
fn condition_name(condition: &Value) -> Option<Cow<'_, str>> {
    if let Some(header) = condition.pointer("/HttpHeaderConfig/HttpHeaderName") {
        return text(header);
    }
    let pairs = condition.pointer("/QueryStringConfig/Values")?.as_array()?;
    let names: Vec<_> = pairs.iter().filter_map(|pair| text(pair.get("Key")?)).collect();
    (!names.is_empty()).then(|| Cow::Owned(names.join(",")))
}
