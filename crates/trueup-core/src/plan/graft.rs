//! Puts live values into a document: what may not be written keeps the value that it has.
//!
//! A call often has to send a whole structure to change one member of it. The members of it that are masked by
//! `ignore`, or held by the policy, then carry the live value.

use serde_json::{Map, Value};

use crate::model::Kind;
use crate::pointer::Pointer;

/// Gives `desired` the value of `live` at every place that `pointer` names, and takes away what `live` does not have
/// there. Keyed lists are addressed by key; the segment `*` stands for any one segment.
pub(super) fn graft(desired: &mut Value, live: &Value, pointer: &Pointer) {
    at(desired, Some(live), pointer.segments());
}

/// The value at a pointer, keyed lists addressed by key.
pub(super) fn get<'a>(value: &'a Value, pointer: &Pointer) -> Option<&'a Value> {
    pointer.segments().iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get(segment),
        Value::Array(items) => position(items, segment).map(|index| &items[index]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// A live description in the spelling of the request: renamed members by their request names, and what ECS shows in
/// the PRIMARY deployment alone at the place where the request has it.
pub(super) fn as_request(kind: Kind, live: &Value) -> Value {
    let mut value = live.clone();
    let Value::Object(members) = &mut value else { return value };
    match kind {
        Kind::TargetGroup => {
            if let Some(name) = members.remove("TargetGroupName") {
                members.insert("Name".to_owned(), name);
            }
        }
        Kind::Service => {
            let primary = super::rollout::primary(live).cloned();
            for name in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
                if let (false, Some(part)) = (members.contains_key(name), primary.as_ref().and_then(|p| p.get(name))) {
                    members.insert(name.to_owned(), part.clone());
                }
            }
        }
        Kind::TaskDefinition | Kind::ListenerRule => {}
    }
    value
}

/// A request body as AWS would describe it: [`as_request`] the other way round.
pub(super) fn as_described(kind: Kind, body: &Value) -> Value {
    let mut value = body.clone();
    let Value::Object(members) = &mut value else { return value };
    match kind {
        Kind::TargetGroup => {
            if let Some(name) = members.remove("Name") {
                members.insert("TargetGroupName".to_owned(), name);
            }
        }
        Kind::Service => {
            let mut primary = Map::from_iter([("status".to_owned(), Value::from("PRIMARY"))]);
            for name in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
                if let Some(part) = members.remove(name) {
                    primary.insert(name.to_owned(), part);
                }
            }
            members.insert("deployments".to_owned(), Value::Array(vec![Value::Object(primary)]));
        }
        Kind::TaskDefinition | Kind::ListenerRule => {}
    }
    value
}

fn at(desired: &mut Value, live: Option<&Value>, segments: &[String]) {
    let Some((segment, rest)) = segments.split_first() else {
        if let Some(live) = live {
            *desired = live.clone();
        }
        return;
    };
    match desired {
        Value::Object(members) => {
            for name in names(segment, members, live) {
                let inner = live.and_then(|live| live.get(&name));
                match (members.get_mut(&name), inner) {
                    (Some(_), None) if rest.is_empty() => {
                        members.remove(&name);
                    }
                    (Some(member), inner) => at(member, inner, rest),
                    (None, Some(inner)) if rest.is_empty() => {
                        members.insert(name, inner.clone());
                    }
                    (None, Some(inner)) => {
                        // A parent that only live has is made as far as it is needed, and no further.
                        let mut member = if inner.is_array() { Value::Array(vec![]) } else { Value::Object(Map::new()) };
                        at(&mut member, Some(inner), rest);
                        if !is_empty(&member) {
                            members.insert(name, member);
                        }
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let there = live.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let keys: Vec<String> = if segment == "*" {
                items.iter().chain(there).filter_map(key).collect()
            } else {
                vec![segment.clone()]
            };
            for key in keys {
                let inner = position(there, &key).map(|index| &there[index]);
                match (position(items, &key), inner) {
                    (Some(index), None) if rest.is_empty() => {
                        items.remove(index);
                    }
                    (Some(index), inner) => at(&mut items[index], inner, rest),
                    (None, Some(inner)) if rest.is_empty() => items.push(inner.clone()),
                    (None, _) => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

fn names(segment: &str, members: &Map<String, Value>, live: Option<&Value>) -> Vec<String> {
    if segment != "*" {
        return vec![segment.to_owned()];
    }
    let mut names: Vec<String> = members.keys().cloned().collect();
    if let Some(live) = live.and_then(Value::as_object) {
        names.extend(live.keys().filter(|name| !members.contains_key(*name)).cloned());
    }
    names
}

/// The members that tell the elements of AWS's lists apart, the more telling ones first: a port mapping has a name and
/// is known by its port.
const KEYS: [&str; 18] = [
    "containerPort", "containerPath", "sourceContainer", "containerName", "namespace", "hostname", "hostPath", "portName",
    "capacityProvider", "deviceName", "name", "key", "Key", "type", "Field", "TargetGroupArn", "targetGroupArn",
    "registryArn",
];

/// The key of an element.
fn key(element: &Value) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if let (Some(name), Some(port)) = (element.get("containerName"), element.get("containerPort")) {
        return Some(format!("{}:{}", text(name)?, text(port)?));
    }
    KEYS.iter().find_map(|name| text(element.get(*name)?))
}

/// The element that a segment names: by key, else by any identifying member, else by index.
fn position(items: &[Value], segment: &str) -> Option<usize> {
    let any = |item: &Value| {
        KEYS.iter().any(|name| match item.get(*name) {
            Some(Value::String(text)) => text == segment,
            Some(Value::Number(number)) => number.to_string() == segment,
            _ => false,
        })
    };
    items
        .iter()
        .position(|item| key(item).as_deref() == Some(segment))
        .or_else(|| items.iter().position(any))
        .or_else(|| segment.parse().ok().filter(|index| *index < items.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::graft;
    use crate::pointer::Pointer;

    #[test]
    fn the_live_value_stands_where_the_pointer_says_and_nowhere_else() {
        let cases: [(&str, Value, Value, Value); 9] = [
            ("/a", json!({"a": 1, "b": 1}), json!({"a": 2, "b": 2}), json!({"a": 2, "b": 1})),
            ("/a", json!({"a": 1, "b": 1}), json!({"b": 2}), json!({"b": 1})),
            ("/a", json!({"b": 1}), json!({"a": 2}), json!({"b": 1, "a": 2})),
            ("/a/x", json!({}), json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 1}})),
            ("/a/x", json!({}), json!({"a": {"y": 2}}), json!({})),
            (
                "/containerDefinitions/web/image",
                json!({"containerDefinitions": [{"name": "db", "image": "d:1"}, {"name": "web", "image": "w:1"}]}),
                json!({"containerDefinitions": [{"name": "web", "image": "w:2"}, {"name": "db", "image": "d:2"}]}),
                json!({"containerDefinitions": [{"name": "db", "image": "d:1"}, {"name": "web", "image": "w:2"}]}),
            ),
            (
                "/containerDefinitions/*/cpu",
                json!({"containerDefinitions": [{"name": "db", "cpu": 1}, {"name": "web", "cpu": 1}]}),
                json!({"containerDefinitions": [{"name": "web", "cpu": 3}, {"name": "db", "cpu": 2}]}),
                json!({"containerDefinitions": [{"name": "db", "cpu": 2}, {"name": "web", "cpu": 3}]}),
            ),
            (
                "/containerDefinitions/web/environment/B",
                json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "A", "value": "1"}]}]}),
                json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "B", "value": "2"}]}]}),
                json!({"containerDefinitions": [{"name": "web", "environment":
                    [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}),
            ),
            (
                "/loadBalancers/web:80",
                json!({"loadBalancers": [{"containerName": "web", "containerPort": 80, "targetGroupArn": "new"}]}),
                json!({"loadBalancers": []}),
                json!({"loadBalancers": []}),
            ),
        ];
        for (pointer, mut desired, live, expected) in cases {
            graft(&mut desired, &live, &Pointer::parse(pointer).expect("a pointer"));
            assert_eq!(desired, expected, "{pointer}");
        }
    }
}
