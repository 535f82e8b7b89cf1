//! Facts of services: `CreateService`.

mod fields;

use std::sync::LazyLock;

use super::{Described, Facts, KEY, Kind, NAME, Order, Place, TrailName, tagging};
use crate::drift::Schema;
use crate::drift::list_key::{ListKey, Repeated};
use crate::model::Api;

/// The facts.
pub(super) static FACTS: Facts = Facts {
    name: "service",
    place: Place::File("service"),
    request: (Api::Ecs, "CreateService"),
    beside: None,
    set_by_us: &[
        ("taskDefinition", "remove it: the service runs the application's own task definition document"),
        (
            "clientToken",
            "remove it: a token in git would make AWS take every later request for a repetition of the first",
        ),
    ],
    named_by: Some("serviceName"),
    described: Described {
        envelope: "services",
        beside: &["tags"],
        arn: "serviceArn",
        renamed: &[],
        in_primary_deployment: &["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"],
    },
    tagging: &tagging::ECS,
    lists: LISTS,
    fields: fields::RULES,
    may_repeat,
    schema: &SCHEMA,
    changed_by: &["UpdateService", "CreateService", "DeleteService"],
    trail_name: TrailName::ShortName,
    order: Order { created: 3, deleted: Some(0) },
    digested_with: Some(Kind::TaskDefinition),
    suspension: Some(0),
    when_immutable: "restore the old value, or write a new service with another name and remove the old one",
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| FACTS.new_schema());

const LISTS: &[(&str, ListKey)] = &[
    ("capacityProviderStrategy", ListKey::by(&[&["capacityProvider"]])),
    (
        "loadBalancers",
        ListKey::by(&[&["containerName", "containerPort"], &["targetGroupArn"], &["loadBalancerName"]])
            .or(Repeated::Instead("targetGroupArn")),
    ),
    ("serviceRegistries", ListKey::by(&[&["registryArn"]])),
    (
        // A PAUSE hook has no target. Several of them are distinguished by their stages.
        "deploymentConfiguration/lifecycleHooks",
        ListKey::by(&[&["hookTargetArn"], &["targetType"]]).or(Repeated::Append("lifecycleStages", "")),
    ),
    ("serviceConnectConfiguration/services", ListKey::by(&[&["portName"]])),
    (
        "serviceConnectConfiguration/services/*/clientAliases",
        ListKey::by(&[&["port"]]).or(Repeated::Append("dnsName", "")),
    ),
    ("serviceConnectConfiguration/logConfiguration/secretOptions", NAME),
    ("volumeConfigurations", NAME),
    ("volumeConfigurations/*/managedEBSVolume/tagSpecifications", ListKey::by(&[&["resourceType"]])),
    ("volumeConfigurations/*/managedEBSVolume/tagSpecifications/*/tags", KEY),
    ("vpcLatticeConfigurations", ListKey::by(&[&["portName"]]).or(Repeated::Append("targetGroupArn", ""))),
    ("gatewayConnectors", ListKey::by(&[&["portName"]])),
    ("tags", KEY),
];

/// A container's port may have two target groups; the keys of the other lists distinguish only most of their
/// elements.
fn may_repeat(path: &[&str]) -> bool {
    !matches!(path, ["tags" | "volumeConfigurations" | "capacityProviderStrategy"])
}
