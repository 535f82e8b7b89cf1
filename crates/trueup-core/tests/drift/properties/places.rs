//! Places in documents, by members and indexes and as the comparison addresses them, with keys written down again.

use serde_json::{Value, json};

/// The key members of a list's elements, by the list's name.
pub(super) fn key_of(list: &str) -> &'static [&'static str] {
    match list {
        "containerDefinitions"
        | "environment"
        | "secrets"
        | "ulimits"
        | "secretOptions"
        | "volumes"
        | "properties"
        | "volumeConfigurations" => &["name"],
        "portMappings" => &["containerPort"],
        "mountPoints" | "tmpfs" => &["containerPath"],
        "volumesFrom" => &["sourceContainer"],
        "dependsOn" => &["containerName"],
        "systemControls" => &["namespace"],
        "extraHosts" => &["hostname"],
        "resourceRequirements" => &["type"],
        "devices" => &["hostPath"],
        "inferenceAccelerators" => &["deviceName"],
        "tags" => &["key"],
        "Tags" | "Attributes" => &["Key"],
        "Transforms" => &["Type"],
        "Conditions" => &["Field"],
        "TargetGroups" => &["TargetGroupArn"],
        "capacityProviderStrategy" => &["capacityProvider"],
        "loadBalancers" => &["containerName", "containerPort"],
        "serviceRegistries" => &["registryArn"],
        "lifecycleHooks" => &["hookTargetArn"],
        "services" | "vpcLatticeConfigurations" => &["portName"],
        "clientAliases" => &["port"],
        "tagSpecifications" => &["resourceType"],
        _ => &[],
    }
}

/// Lists of plain values whose order means nothing.
pub(super) const SETS: [&str; 15] = [
    "requiresCompatibilities",
    "links",
    "ignoredExitCodes",
    "dockerSecurityOptions",
    "add",
    "drop",
    "permissions",
    "placementConstraints",
    "subnets",
    "securityGroups",
    "alarmNames",
    "lifecycleStages",
    "containerConfigurations",
    "metricNames",
    "Values",
];

/// A place in a document: the way there by members and indexes, and as the comparison addresses it.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) raw: String,
    pub(super) keyed: String,
}

/// Every scalar of a document. The key of an element is addressed as its list.
pub(super) fn scalars(value: &Value, list: &str, place: &Place, found: &mut Vec<Place>) {
    let escape = |text: &str| text.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let raw = format!("{}/{}", place.raw, escape(name));
                let keyed = if key_of(list).contains(&name.as_str()) {
                    place.keyed.rsplit_once('/').map_or(String::new(), |(list, _)| list.to_owned())
                } else {
                    format!("{}/{}", place.keyed, escape(name))
                };
                scalars(value, name, &Place { raw, keyed }, found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let keys: Vec<String> = key_of(list)
                    .iter()
                    .map(|key| element[*key].as_str().map_or_else(|| element[*key].to_string(), str::to_owned))
                    .collect();
                let keyed = if list == "Actions" {
                    format!("{}/{}", place.keyed, rank(elements, index))
                } else if keys.is_empty() {
                    place.keyed.clone()
                } else {
                    format!("{}/{}", place.keyed, escape(&keys.join(":")))
                };
                scalars(
                    element,
                    if keys.is_empty() { "" } else { list },
                    &Place { raw: format!("{}/{index}", place.raw), keyed },
                    found,
                );
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(place.clone()),
    }
}

/// The position of an action among its like: by `Order`, which all of them have or none.
fn rank(actions: &[Value], index: usize) -> usize {
    let order = |action: &Value| action["Order"].as_i64();
    match order(&actions[index]) {
        Some(own) => actions.iter().filter(|action| order(action) < Some(own)).count(),
        None => index,
    }
}

/// Another value, far from any default.
pub(super) fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_i64().unwrap_or(0) + 1_000_003),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => json!("zz-changed"),
    }
}

pub(super) fn is_near(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    within(a, b) || within(b, a)
}

/// The value at a place that is addressed by key.
pub(super) fn at<'v>(value: &'v Value, list: &str, path: &[String]) -> Option<&'v Value> {
    let Some((segment, rest)) = path.split_first() else { return Some(value) };
    match value {
        Value::Array(elements) => at(elements.iter().find(|element| has_key(element, list, segment))?, "", rest),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            at(value.get(segment)?, segment, rest)
        }
    }
}

/// Whether an element of a list has this key.
pub(super) fn has_key(element: &Value, list: &str, key: &str) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    key_of(list).iter().map(|member| text(&element[*member])).collect::<Vec<_>>().join(":") == key
}

/// Writes a value at a place that is addressed by key, or takes away what is there.
pub(super) fn put(document: &mut Value, list: &str, path: &[String], value: Option<&Value>) {
    let Some((segment, rest)) = path.split_first() else { return };
    if let Value::Array(elements) = document {
        let found = elements.iter().position(|element| has_key(element, list, segment));
        match (found, value) {
            (Some(index), _) if !rest.is_empty() => put(&mut elements[index], "", rest, value),
            (Some(index), Some(value)) => elements[index] = value.clone(),
            (Some(index), None) => drop(elements.remove(index)),
            (None, Some(value)) => elements.push(value.clone()),
            (None, None) => {}
        }
    } else if !rest.is_empty() {
        if document.get(segment).is_none_or(Value::is_null) {
            document[segment] = if key_of(segment).is_empty() { json!({}) } else { json!([]) };
        }
        put(&mut document[segment], segment, rest, value);
    } else if let Some(value) = value {
        document[segment] = value.clone();
    } else if let Some(object) = document.as_object_mut() {
        object.shift_remove(segment);
    }
}

/// Sorts, or turns round, every list of a document that is a set.
pub(super) fn permuted(value: &Value, list: &str) -> Value {
    match value {
        Value::Object(object) => {
            object.iter().rev().map(|(name, value)| (name.clone(), permuted(value, name))).collect()
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(|element| permuted(element, "")).collect();
            if !key_of(list).is_empty() || SETS.contains(&list) {
                elements.reverse();
            }
            Value::Array(elements)
        }
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value.clone(),
    }
}
