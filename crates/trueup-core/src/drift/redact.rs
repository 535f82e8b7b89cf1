//! Redaction, built into the type that carries values out of the core.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::digest::hex;
use crate::pointer::Pointer;

/// A value as it may be shown: in a log, a report, an error, a metric or a page.
///
/// The only way to make one from a document's value is [`Shown::at`], which replaces the values of environment
/// variables by a short hash, so that no printing of a [`Shown`] (`Debug` included) can leak one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown(Inner);

#[derive(Clone, Debug, PartialEq)]
enum Inner {
    Absent,
    Value(Value),
}

impl Shown {
    /// Nothing stands there.
    pub fn absent() -> Self {
        Self(Inner::Absent)
    }

    /// The value that stands at `path` in a document of any kind, with what is secret in it replaced.
    pub fn at(path: &Pointer, value: &Value) -> Self {
        let mut segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
        let mut value = value.clone();
        redact(&mut segments, &mut value);
        Self(Inner::Value(value))
    }

    /// Whether nothing stands there.
    pub fn is_absent(&self) -> bool {
        self.0 == Inner::Absent
    }

    /// The value, redacted; JSON null when nothing stands there.
    pub fn to_json(&self) -> Value {
        match &self.0 {
            Inner::Absent => Value::Null,
            Inner::Value(value) => value.clone(),
        }
    }
}

/// Text for people: strings bare, everything else as JSON, `(absent)` for nothing.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Absent => f.write_str("(absent)"),
            Inner::Value(Value::String(text)) => write!(f, "{text:?}"),
            Inner::Value(value) => write!(f, "{value}"),
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Inner::Absent => serializer.serialize_none(),
            Inner::Value(value) => value.serialize(serializer),
        }
    }
}

/// Replaces every secret in `value`, which stands at `path`.
fn redact(path: &mut Vec<&str>, value: &mut Value) {
    if is_secret(path) {
        hide(value);
        return;
    }
    match value {
        // An environment variable's own object, wherever its list stands: `{"name": …, "value": …}`.
        Value::Object(members) if in_environment(path) => {
            if let Some(value) = members.get_mut("value") {
                hide(value);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let mut inner = path.clone();
                inner.push(name);
                redact(&mut inner, member);
            }
        }
        Value::Array(items) => {
            for item in items {
                // The key does not matter to what is secret; the depth does.
                let mut inner = path.clone();
                inner.push("");
                redact(&mut inner, item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether the value at `path` is a secret as a whole: an environment variable's value, a client secret, the value of
/// a container's option that carries credentials.
fn is_secret(path: &[&str]) -> bool {
    matches!(path, [.., "environment", _, "value"] | [.., "ClientSecret"]) || (in_environment(path) && path.len() > 3)
}

/// Whether `path` is one entry of a container's `environment`: `/containerDefinitions/NAME/environment/KEY`.
fn in_environment(path: &[&str]) -> bool {
    matches!(path, ["containerDefinitions", _, "environment", _, ..])
        || matches!(path, ["overrides", "containerOverrides", _, "environment", _, ..])
}

/// Replaces a value by a short hash: enough to see that it changed, too little to search for it among many.
fn hide(value: &mut Value) {
    use sha2::{Digest as _, Sha256};
    let text = match &*value {
        Value::Null => return,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let digest = hex(&Sha256::digest(text.as_bytes()));
    *value = Value::String(format!("(redacted, sha256 {}…)", &digest[..8]));
}
