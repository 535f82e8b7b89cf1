//! Which members an action takes and of what type they are: `shapes.txt`, read once.
//!
//! ECS ignores members that it does not know, so that a typing error vanishes rather than fails; what is of the wrong type it
//! refuses before it checks anything else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::errors::{invalid, serialization};
use crate::wire::ApiError;

/// A member of a structure.
struct Member {
    name: &'static str,
    kind: &'static str,
    required: bool,
}

/// What a name in the table means.
enum Shape {
    Structure(Vec<Member>),
    Enumeration(Vec<&'static str>),
}

static SHAPES: LazyLock<BTreeMap<&'static str, Shape>> = LazyLock::new(|| {
    include_str!("shapes.txt").lines().filter(|line| !line.starts_with('#')).filter_map(shape).collect()
});

fn shape(line: &'static str) -> Option<(&'static str, Shape)> {
    let mut words = line.split(' ');
    match (words.next()?, words.next()?) {
        ("structure", name) => Some((name, Shape::Structure(words.filter_map(member).collect()))),
        (_, name) => Some((name, Shape::Enumeration(words.collect()))),
    }
}

fn member(word: &'static str) -> Option<Member> {
    let (name, kind) = word.split_once(':')?;
    let required = kind.ends_with('!');
    Some(Member { name, kind: kind.trim_end_matches('!'), required })
}

/// What an action is given, reduced to the members that it knows; members that are `null` are gone.
///
/// # Errors
/// `SerializationException` for a value of the wrong type, `InvalidParameterException` for a missing required member or a word
/// that an enumeration does not have.
pub(super) fn accept(action: &str, input: &Value) -> Result<Map<String, Value>, ApiError> {
    match SHAPES.get(action) {
        Some(Shape::Structure(members)) => structure(members, input, ""),
        _ => Err(ApiError::client("UnknownOperationException", format!("{action} is not simulated"))),
    }
}

fn structure(members: &[Member], value: &Value, path: &str) -> Result<Map<String, Value>, ApiError> {
    let Value::Object(given) = value else {
        return Err(wrong_type(value, "Expected map or null"));
    };
    let mut taken = Map::new();
    for member in members {
        let place = if path.is_empty() { member.name.to_owned() } else { format!("{path}.{}", member.name) };
        match given.get(member.name) {
            Some(value) if !value.is_null() => {
                taken.insert(member.name.to_owned(), typed(member.kind, value, &place)?);
            }
            _ if member.required => return Err(invalid(format!("{place} should not be null or empty."))),
            _ => {}
        }
    }
    Ok(taken)
}

fn typed(kind: &'static str, value: &Value, place: &str) -> Result<Value, ApiError> {
    if let Some(item) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        let Value::Array(items) = value else { return Err(wrong_type(value, "Expected list or null")) };
        let items = items.iter().filter(|item| !item.is_null()).map(|value| typed(item, value, place));
        return Ok(Value::Array(items.collect::<Result<_, _>>()?));
    }
    if let Some(item) = kind.strip_prefix('{').and_then(|kind| kind.strip_suffix('}')) {
        let Value::Object(items) = value else { return Err(wrong_type(value, "Expected map or null")) };
        let items = items.iter().filter(|(_, value)| !value.is_null());
        let items = items.map(|(key, value)| Ok((key.clone(), typed(item, value, place)?)));
        return Ok(Value::Object(items.collect::<Result<_, ApiError>>()?));
    }
    match (kind, value) {
        ("text", Value::String(_))
        | ("boolean", Value::Bool(_))
        | ("number" | "time", Value::Number(_))
        | ("document", _) => Ok(value.clone()),
        ("integer", Value::Number(number)) => {
            whole(number).map(Value::from).ok_or_else(|| wrong_type(value, "Integer"))
        }
        ("text", _) => Err(wrong_type(value, "String")),
        ("boolean", _) => Err(wrong_type(value, "Boolean")),
        ("number" | "time", _) => Err(wrong_type(value, "Double")),
        ("integer", _) => Err(wrong_type(value, "Integer")),
        (name, _) => match (SHAPES.get(name), value) {
            (Some(Shape::Structure(members)), _) => Ok(Value::Object(structure(members, value, place)?)),
            (Some(Shape::Enumeration(words)), Value::String(word)) => {
                if words.contains(&word.as_str()) {
                    return Ok(value.clone());
                }
                Err(invalid(format!("{word} is not a valid value for {place}. Valid values: [{}]", words.join(", "))))
            }
            _ => Err(wrong_type(value, "String")),
        },
    }
}

/// A whole number that fits 64 bits; `3.0` is one.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_str().strip_suffix(".0")?.parse().ok())
}

fn wrong_type(value: &Value, wanted: &str) -> ApiError {
    let token = match value {
        Value::Object(_) => return serialization("Start of structure or map found where not expected."),
        Value::Array(_) => return serialization("Start of list found where not expected"),
        Value::Null | Value::Bool(false) => "FALSE_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
    };
    if wanted.starts_with("Expected") {
        return serialization(wanted);
    }
    let article = if wanted.starts_with('I') { "an" } else { "a" };
    serialization(&format!("{token} can not be converted to {article} {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::{SHAPES, Shape};

    /// What a member's type is made of: `[x]` and `{x}` are x.
    fn innermost(kind: &'static str) -> &'static str {
        let open = |list: &[char]| kind.strip_prefix(list[0]).and_then(|kind| kind.strip_suffix(list[1]));
        open(&['[', ']']).or_else(|| open(&['{', '}'])).map_or(kind, innermost)
    }

    #[test]
    fn every_action_has_its_structure_and_every_member_a_type() {
        for (action, _) in crate::ecs::api::ACTIONS {
            assert!(matches!(SHAPES.get(action), Some(Shape::Structure(_))), "{action}");
        }
        for (name, shape) in SHAPES.iter() {
            let Shape::Structure(members) = shape else { continue };
            for member in members {
                let kind = innermost(member.kind);
                let plain = ["text", "integer", "number", "boolean", "time", "document"].contains(&kind);
                assert!(plain || SHAPES.contains_key(kind), "{name}.{}: {kind}", member.name);
            }
        }
    }
}
