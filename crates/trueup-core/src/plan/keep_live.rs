//! Puts live values into a document: a field that may not be written keeps its value.
//!
//! A call often has to send a whole structure to change one member of it. Its members that are masked by `ignore`, or
//! held by the policy, then carry the live value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::pointer::Pointer;

/// Copies the values of `live` into `desired` at every place that `pointer` names, and removes those that `live` lacks.
/// Keyed lists are addressed by key; the segment `*` stands for any one segment.
pub(crate) fn keep_live(kind: Kind, desired: &mut Value, live: &Value, pointer: &Pointer) {
    at(kind, &mut Vec::new(), desired, Some(live), pointer.segments());
}

/// The value at a pointer, keyed lists addressed by key.
pub(crate) fn get<'a>(kind: Kind, value: &'a Value, pointer: &Pointer) -> Option<&'a Value> {
    let mut path: Vec<&str> = Vec::new();
    pointer.segments().iter().try_fold(value, |value, segment| {
        let found = match value {
            Value::Object(members) => members.get(segment),
            Value::Array(items) => position(kind, &path, items, segment).map(|index| &items[index]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        path.push(segment);
        found
    })
}

fn at(kind: Kind, path: &mut Vec<String>, desired: &mut Value, live: Option<&Value>, segments: &[String]) {
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
                path.push(name.clone());
                in_object(kind, path, members, name, inner, rest);
                path.pop();
            }
        }
        Value::Array(items) => {
            let there = live.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let keys: Vec<String> = if segment == "*" {
                items.iter().chain(there).filter_map(|item| key(kind, path, item)).collect()
            } else {
                vec![segment.clone()]
            };
            for key in keys {
                let inner = position(kind, path, there, &key).map(|index| &there[index]);
                match (position(kind, path, items, &key), inner) {
                    (Some(index), None) if rest.is_empty() => {
                        items.remove(index);
                    }
                    (Some(index), inner) => {
                        path.push(segment.clone());
                        at(kind, path, &mut items[index], inner, rest);
                        path.pop();
                    }
                    (None, Some(inner)) if rest.is_empty() => items.push(inner.clone()),
                    (None, _) => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn in_object(
    kind: Kind,
    path: &mut Vec<String>,
    members: &mut Map<String, Value>,
    name: String,
    live: Option<&Value>,
    rest: &[String],
) {
    match (members.get_mut(&name), live) {
        (Some(_), None) if rest.is_empty() => {
            members.shift_remove(&name);
        }
        (Some(member), live) => at(kind, path, member, live, rest),
        (None, Some(live)) if rest.is_empty() => {
            members.insert(name, live.clone());
        }
        (None, Some(live)) => {
            // A parent that only live has is created, but only as far as needed.
            let mut member = if live.is_array() { Value::Array(vec![]) } else { Value::Object(Map::new()) };
            at(kind, path, &mut member, Some(live), rest);
            if !is_empty(&member) {
                members.insert(name, member);
            }
        }
        (None, None) => {}
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

/// The key of an element of the list at `path`.
fn key(kind: Kind, path: &[String], element: &Value) -> Option<String> {
    kind.list_key(path)?.of_repeated(element).map(Cow::into_owned)
}

/// The element that a segment names: by key, or by position in a list that is not a keyed set.
fn position<S: AsRef<str>>(kind: Kind, path: &[S], items: &[Value], segment: &str) -> Option<usize> {
    match kind.list_key(path) {
        Some(key) => {
            let exactly = items.iter().position(|item| key.of_repeated(item).as_deref() == Some(segment));
            exactly.or_else(|| items.iter().position(|item| key.of_json(item).as_deref() == Some(segment)))
        }
        None => segment.parse().ok().filter(|index| *index < items.len()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::keep_live;
    use crate::kind::Kind;
    use crate::pointer::Pointer;

    #[test]
    fn the_live_value_stands_where_the_pointer_says_and_nowhere_else() {
        let cases: [(Kind, &str, Value, Value, Value); 9] = [
            (Kind::Service, "/a", json!({"a": 1, "b": 1}), json!({"a": 2, "b": 2}), json!({"a": 2, "b": 1})),
            (Kind::Service, "/a", json!({"a": 1, "b": 1}), json!({"b": 2}), json!({"b": 1})),
            (Kind::Service, "/a", json!({"b": 1}), json!({"a": 2}), json!({"b": 1, "a": 2})),
            (Kind::Service, "/a/x", json!({}), json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 1}})),
            (Kind::Service, "/a/x", json!({}), json!({"a": {"y": 2}}), json!({})),
            (
                Kind::TaskDefinition,
                "/containerDefinitions/web/image",
                json!({"containerDefinitions": [{"name": "db", "image": "d:1"}, {"name": "web", "image": "w:1"}]}),
                json!({"containerDefinitions": [{"name": "web", "image": "w:2"}, {"name": "db", "image": "d:2"}]}),
                json!({"containerDefinitions": [{"name": "db", "image": "d:1"}, {"name": "web", "image": "w:2"}]}),
            ),
            (
                Kind::TaskDefinition,
                "/containerDefinitions/*/cpu",
                json!({"containerDefinitions": [{"name": "db", "cpu": 1}, {"name": "web", "cpu": 1}]}),
                json!({"containerDefinitions": [{"name": "web", "cpu": 3}, {"name": "db", "cpu": 2}]}),
                json!({"containerDefinitions": [{"name": "db", "cpu": 2}, {"name": "web", "cpu": 3}]}),
            ),
            (
                Kind::TaskDefinition,
                "/containerDefinitions/web/environment/B",
                json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "A", "value": "1"}]}]}),
                json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "B", "value": "2"}]}]}),
                json!({"containerDefinitions": [{"name": "web", "environment":
                    [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}),
            ),
            (
                Kind::Service,
                "/loadBalancers/web:80",
                json!({"loadBalancers": [{"containerName": "web", "containerPort": 80, "targetGroupArn": "new"}]}),
                json!({"loadBalancers": []}),
                json!({"loadBalancers": []}),
            ),
        ];
        for (kind, pointer, mut desired, live, expected) in cases {
            keep_live(kind, &mut desired, &live, &Pointer::parse(pointer).expect("a pointer"));
            assert_eq!(desired, expected, "{pointer}");
        }
    }
}
