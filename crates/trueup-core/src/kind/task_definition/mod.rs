//! Facts of task definitions: `RegisterTaskDefinition`.

mod fields;

use std::sync::LazyLock;

use super::{Described, Facts, KEY, NAME, Order, Place, TrailName, tagging};
use crate::drift::list_key::{ListKey, Repeated};
use crate::drift::{Absence, Schema};
use crate::model::Api;

/// The facts.
pub(super) static FACTS: Facts = Facts {
    name: "task-definition",
    place: Place::File("task-definition"),
    request: (Api::Ecs, "RegisterTaskDefinition"),
    beside: None,
    set_by_us: &[],
    named_by: Some("family"),
    described: Described {
        envelope: "taskDefinition",
        beside: &["tags"],
        arn: "taskDefinitionArn",
        renamed: &[],
        in_primary_deployment: &[],
    },
    tagging: &tagging::ECS,
    lists: LISTS,
    fields: fields::RULES,
    may_repeat,
    schema: &SCHEMA,
    changed_by: &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
    trail_name: TrailName::Arn,
    order: Order { created: 2, deleted: None },
    digested_with: None,
    suspension: None,
    when_immutable: "restore the old value, or write a new service with another name and remove the old one",
};

/// Every registration is a full document, so an empty value is absent. Tags change in place and create no new revision.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| FACTS.new_schema().with_absence(Absence::Empty).without("tags"));

const LISTS: &[(&str, ListKey)] = &[
    ("containerDefinitions", NAME),
    ("containerDefinitions/*/environment", NAME),
    ("containerDefinitions/*/secrets", NAME),
    ("containerDefinitions/*/ulimits", NAME),
    ("containerDefinitions/*/logConfiguration/secretOptions", NAME),
    (
        "containerDefinitions/*/portMappings",
        ListKey::by(&[&["containerPort"], &["containerPortRange"]]).or(Repeated::Append("protocol", "tcp")),
    ),
    ("containerDefinitions/*/mountPoints", ListKey::by(&[&["containerPath"]])),
    ("containerDefinitions/*/volumesFrom", ListKey::by(&[&["sourceContainer"]])),
    ("containerDefinitions/*/dependsOn", ListKey::by(&[&["containerName"]])),
    ("containerDefinitions/*/systemControls", ListKey::by(&[&["namespace"]])),
    ("containerDefinitions/*/extraHosts", ListKey::by(&[&["hostname"]]).or(Repeated::Append("ipAddress", ""))),
    ("containerDefinitions/*/resourceRequirements", ListKey::by(&[&["type"]]).or(Repeated::Append("value", ""))),
    (
        "containerDefinitions/*/linuxParameters/devices",
        ListKey::by(&[&["hostPath"]]).or(Repeated::Append("containerPath", "")),
    ),
    ("containerDefinitions/*/linuxParameters/tmpfs", ListKey::by(&[&["containerPath"]])),
    ("volumes", NAME),
    ("proxyConfiguration/properties", NAME),
    ("inferenceAccelerators", ListKey::by(&[&["deviceName"]])),
    ("tags", KEY),
];

/// A host may have two addresses, a container's port two protocols, a device two paths, a container two accelerators.
fn may_repeat(path: &[&str]) -> bool {
    matches!(path.last(), Some(&("extraHosts" | "devices" | "portMappings" | "resourceRequirements")))
}
