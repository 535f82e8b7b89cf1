//! Which lists of documents are sets, and by what their elements are told apart.
//!
//! Source: the ECS and Elastic Load Balancing API references, where each of these members says that it must be unique
//! in its list, or is what other members refer to.

use crate::document::{Node, NodeValue};
use crate::model::Kind;

/// The members that tell the elements of a list apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListKey(&'static [&'static str]);

impl ListKey {
    /// The names of the members, all of which make the key.
    pub fn members(self) -> &'static [&'static str] {
        self.0
    }

    /// The key of one element, its parts joined by `:`; `None` when a part is missing or neither text nor a number.
    pub fn of(self, element: &Node) -> Option<String> {
        let mut key = String::new();
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                key.push(':');
            }
            match &element.get(name)?.value {
                NodeValue::String(text) => key.push_str(text),
                NodeValue::Number(number) => key.push_str(&number.to_string()),
                NodeValue::Null | NodeValue::Bool(_) | NodeValue::List(_) | NodeValue::Object(_) => return None,
            }
        }
        Some(key)
    }
}

/// The key of the list at `path`, when it is a keyed set. Each list on the way stands in the path as one segment,
/// whatever it holds: an index, a key or `*`.
pub fn list_key(kind: Kind, path: &[&str]) -> Option<ListKey> {
    let key: &'static [&'static str] = match (kind, path) {
        (Kind::TaskDefinition, ["containerDefinitions", _, inner @ ..]) => return container_key(inner),
        (Kind::TaskDefinition, ["containerDefinitions" | "volumes"] | ["proxyConfiguration", "properties"])
        | (Kind::Service, ["volumeConfigurations"] | ["serviceConnectConfiguration", "logConfiguration", "secretOptions"]) => {
            &["name"]
        }
        (Kind::TaskDefinition | Kind::Service, ["tags"]) => &["key"],
        (Kind::TaskDefinition, ["inferenceAccelerators"]) => &["deviceName"],
        (Kind::Service, ["capacityProviderStrategy"]) => &["capacityProvider"],
        (Kind::Service, ["loadBalancers"]) => &["containerName", "containerPort"],
        (Kind::Service, ["serviceConnectConfiguration", "services"]) => &["portName"],
        (Kind::TargetGroup | Kind::ListenerRule, ["Tags"]) | (Kind::TargetGroup, ["Attributes"]) => &["Key"],
        (Kind::ListenerRule, ["Conditions"]) => &["Field"],
        (Kind::ListenerRule, ["Actions", _, "ForwardConfig", "TargetGroups"]) => &["TargetGroupArn"],
        _ => return None,
    };
    Some(ListKey(key))
}

/// The key of a list inside a container definition.
fn container_key(path: &[&str]) -> Option<ListKey> {
    let key: &'static [&'static str] = match path {
        ["environment" | "secrets" | "ulimits"] | ["logConfiguration", "secretOptions"] => &["name"],
        ["portMappings"] => &["containerPort"],
        ["mountPoints"] | ["linuxParameters", "tmpfs"] => &["containerPath"],
        ["volumesFrom"] => &["sourceContainer"],
        ["dependsOn"] => &["containerName"],
        ["systemControls"] => &["namespace"],
        ["extraHosts"] => &["hostname"],
        ["resourceRequirements"] => &["type"],
        ["linuxParameters", "devices"] => &["hostPath"],
        _ => return None,
    };
    Some(ListKey(key))
}
