//! Which lists of the documents are keyed sets, and by what: the one table of it.
//!
//! AWS returns many lists in another order than it was given them. Those whose elements have an identity are compared,
//! addressed and merged by it (`/containerDefinitions/web/environment/LOG_LEVEL`), never by position.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::Kind;

/// How the elements of one list are told apart.
#[derive(Debug, PartialEq, Eq)]
pub struct ListKey {
    /// Members that make up the key, joined by `:`; the first alternative whose members are all there counts.
    alternatives: &'static [&'static [&'static str]],
    /// What tells elements with equal keys apart.
    repeated: Repeated,
}

/// What tells elements with equal keys apart.
#[derive(Debug, PartialEq, Eq)]
enum Repeated {
    /// Nothing: AWS refuses such a list.
    Never,
    /// This member is appended to the key: `53:udp`. Where it is left out, the text beside it stands in.
    Append(&'static str, &'static str),
    /// This member is the key instead: `targetGroupArn`.
    Instead(&'static str),
    /// The name of the header or of the query parameters is appended: `http-header:X-Env`.
    ConditionName,
}

impl ListKey {
    const fn by(alternatives: &'static [&'static [&'static str]]) -> Self {
        Self { alternatives, repeated: Repeated::Never }
    }

    const fn or(self, repeated: Repeated) -> Self {
        Self { alternatives: self.alternatives, repeated }
    }

    /// The key of an element, from the text of its scalar members.
    ///
    /// `member` gives the text of the member with that name: a string itself, a number in digits. `None` when the
    /// element has no key (a member of it is missing), so that the list cannot be taken as a keyed set.
    pub fn of<'a>(&self, member: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        self.alternatives.iter().find_map(|names| match names {
            [name] => member(name),
            names => {
                let parts: Option<Vec<_>> = names.iter().map(|name| member(name)).collect();
                Some(Cow::Owned(parts?.join(":")))
            }
        })
    }

    /// The key of an element that is JSON; see [`ListKey::of`].
    pub fn of_json<'a>(&self, element: &'a Value) -> Option<Cow<'a, str>> {
        self.of(|name| text(element.get(name)?))
    }

    /// The key of an element whose [`ListKey::of_json`] another element of its list has as well.
    pub(crate) fn of_repeated<'a>(&self, element: &'a Value) -> Option<Cow<'a, str>> {
        let key = self.of_json(element)?;
        let append = |more: Option<Cow<'a, str>>| match more {
            Some(more) if !more.is_empty() => Cow::Owned(format!("{key}:{more}")),
            _ => key.clone(),
        };
        Some(match self.repeated {
            Repeated::Never => key,
            Repeated::Append(name, default) => {
                append(element.get(name).and_then(text).or(Some(Cow::Borrowed(default))))
            }
            Repeated::Instead(name) => element.get(name).and_then(text).unwrap_or(key),
            Repeated::ConditionName => append(condition_name(element)),
        })
    }
}

/// What an element says, whatever the order of its lists and of its members, and without what is empty: elements with
/// equal keys are paired by it.
pub(super) fn content(element: &Value) -> String {
    match element {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name, content(value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            members.sort();
            members.join(" ")
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(content).collect();
            items.sort();
            items.join(",")
        }
        scalar => text(scalar).unwrap_or_default().to_ascii_lowercase(),
    }
}

/// What a listener rule's condition is about within its field: the header's name, the query parameters' names.
fn condition_name(condition: &Value) -> Option<Cow<'_, str>> {
    if let Some(header) = condition.pointer("/HttpHeaderConfig/HttpHeaderName") {
        return text(header);
    }
    let pairs = condition.pointer("/QueryStringConfig/Values")?.as_array()?;
    let names: Vec<_> = pairs.iter().filter_map(|pair| text(pair.get("Key")?)).collect();
    (!names.is_empty()).then(|| Cow::Owned(names.join(",")))
}

/// The text of a scalar, or of a list of them.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().filter_map(text).collect();
            items.sort();
            Some(Cow::Owned(items.join(",")))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// The key of the list at `path`, when it is a keyed set.
///
/// `path` holds the segments from the document's root to the list, with anything for the elements of outer lists
/// (`["containerDefinitions", "web", "environment"]`). `None` for sets of plain values, for ordered lists
/// (a rule's `Actions` among them, which are addressed by position), and for what is not a list.
pub fn list_key<S: AsRef<str>>(kind: Kind, path: &[S]) -> Option<&'static ListKey> {
    let table = match kind {
        Kind::TaskDefinition => TASK_DEFINITION,
        Kind::Service => SERVICE,
        Kind::TargetGroup => TARGET_GROUP,
        Kind::ListenerRule => LISTENER_RULE,
    };
    let fits = |pattern: &str| {
        let mut path = path.iter();
        pattern.split('/').all(|part| path.next().is_some_and(|segment| part == "*" || part == segment.as_ref()))
            && path.next().is_none()
    };
    table.iter().find(|(pattern, _)| fits(pattern)).map(|(_, key)| key)
}

const NAME: ListKey = ListKey::by(&[&["name"]]);
const KEY: ListKey = ListKey::by(&[&["key"]]);

const TASK_DEFINITION: &[(&str, ListKey)] = &[
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

const SERVICE: &[(&str, ListKey)] = &[
    ("capacityProviderStrategy", ListKey::by(&[&["capacityProvider"]])),
    (
        "loadBalancers",
        ListKey::by(&[&["containerName", "containerPort"], &["targetGroupArn"], &["loadBalancerName"]])
            .or(Repeated::Instead("targetGroupArn")),
    ),
    ("serviceRegistries", ListKey::by(&[&["registryArn"]])),
    (
        // A PAUSE hook has no target. Its stages tell several of them apart.
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

const TARGET_GROUP: &[(&str, ListKey)] =
    &[("Attributes", ListKey::by(&[&["Key"]])), ("Tags", ListKey::by(&[&["Key"]]))];

const LISTENER_RULE: &[(&str, ListKey)] = &[
    ("Conditions", ListKey::by(&[&["Field"]]).or(Repeated::ConditionName)),
    ("Actions/*/ForwardConfig/TargetGroups", ListKey::by(&[&["TargetGroupArn"]])),
    ("Actions/*/JwtValidationConfig/AdditionalClaims", ListKey::by(&[&["Name"]])),
    ("Transforms", ListKey::by(&[&["Type"]])),
    ("Tags", ListKey::by(&[&["Key"]])),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::list_key;
    use crate::model::Kind;

    #[test]
    fn every_keyed_list_gives_its_elements_the_key_that_paths_show() {
        let table = [
            (Kind::TaskDefinition, "containerDefinitions", json!({"name": "web"}), "web"),
            (Kind::TaskDefinition, "containerDefinitions/web/portMappings", json!({"containerPort": 80}), "80"),
            (
                Kind::TaskDefinition,
                "containerDefinitions/web/portMappings",
                json!({"containerPortRange": "80-90"}),
                "80-90",
            ),
            (Kind::Service, "loadBalancers", json!({"containerName": "web", "containerPort": 80}), "web:80"),
            (Kind::Service, "loadBalancers", json!({"targetGroupArn": "arn"}), "arn"),
            (Kind::ListenerRule, "Conditions", json!({"Field": "host-header"}), "host-header"),
            (Kind::TargetGroup, "Attributes", json!({"Key": "stickiness.enabled"}), "stickiness.enabled"),
        ];
        for (kind, path, element, key) in table {
            let path: Vec<_> = path.split('/').collect();
            let list = list_key(kind, &path).unwrap_or_else(|| panic!("{path:?} is a keyed set"));
            assert_eq!(list.of_json(&element).as_deref(), Some(key), "{path:?}");
        }
    }

    #[test]
    fn ordered_lists_and_sets_of_plain_values_have_no_key() {
        let table = [
            (Kind::TaskDefinition, "containerDefinitions/web/command"),
            (Kind::TaskDefinition, "containerDefinitions/web/links"),
            (Kind::TaskDefinition, "containerDefinitions/web/environment/A"),
            (Kind::Service, "placementStrategy"),
            (Kind::ListenerRule, "Actions"),
        ];
        for (kind, path) in table {
            assert_eq!(list_key(kind, &path.split('/').collect::<Vec<_>>()), None, "{path}");
        }
    }

    #[test]
    fn repeated_keys_are_told_apart_by_what_the_list_has_for_that() {
        let table = [
            (
                Kind::ListenerRule,
                "Conditions",
                json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Env"}}),
                "http-header:X-Env",
            ),
            (
                Kind::ListenerRule,
                "Conditions",
                json!({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a"}, {"Key": "b"}]}}),
                "query-string:a,b",
            ),
            (
                Kind::Service,
                "loadBalancers",
                json!({"containerName": "web", "containerPort": 80, "targetGroupArn": "arn"}),
                "arn",
            ),
            (
                Kind::TaskDefinition,
                "containerDefinitions/web/extraHosts",
                json!({"hostname": "db", "ipAddress": "10.0.0.1"}),
                "db:10.0.0.1",
            ),
        ];
        for (kind, path, element, key) in table {
            let list = list_key(kind, &path.split('/').collect::<Vec<_>>()).unwrap();
            assert_eq!(list.of_repeated(&element).as_deref(), Some(key), "{path}");
        }
    }
}
