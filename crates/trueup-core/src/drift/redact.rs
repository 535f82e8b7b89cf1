//! Redaction, built into the type that carries values out of the core.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::broken::{self, Broken};
use crate::digest::hex;
use crate::pointer::Pointer;

/// A value as it may be shown: in a log, a report, an error, a metric or a page.
///
/// The only way to create one from a document's value is [`Shown::at`], which replaces the values of environment
/// variables by a short hash, so that no printing of a [`Shown`] (`Debug` included) can leak one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown(Inner);

#[derive(Clone, Debug, PartialEq)]
enum Inner {
    Absent,
    Value(Value),
}

impl Shown {
    /// An absent value.
    pub fn absent() -> Self {
        Self(Inner::Absent)
    }

    /// The value at `path` in a document of any kind, with its secrets replaced.
    pub fn at(path: &Pointer, value: &Value) -> Self {
        let mut segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
        let mut value = value.clone();
        redact(&mut segments, &mut value);
        Self(Inner::Value(value))
    }

    /// Whether the value is absent.
    pub fn is_absent(&self) -> bool {
        self.0 == Inner::Absent
    }

    /// The value, redacted; JSON null for an absent value.
    pub fn to_json(&self) -> Value {
        match &self.0 {
            Inner::Absent => Value::Null,
            Inner::Value(value) => value.clone(),
        }
    }
}

/// Human-readable text: bare strings, everything else as JSON, `(absent)` for an absent value.
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

/// Replaces every secret in `value`, whose path is `path`.
fn redact<'v>(path: &mut Vec<&'v str>, value: &'v mut Value) {
    match secrecy(path) {
        Secrecy::Whole => hide(value),
        Secrecy::Variable => match value {
            // All but the name: any other member is not legal, and may be a misspelt `value`.
            Value::Object(members) => members.iter_mut().filter(|(name, _)| *name != "name").for_each(|(_, v)| hide(v)),
            value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                hide(value);
            }
        },
        Secrecy::Open => match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    path.push(name);
                    redact(path, member);
                    path.pop();
                }
            }
            Value::Array(items) => {
                for item in items {
                    // Whether a value is secret depends on the depth, not on the key.
                    path.push("");
                    redact(path, item);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        },
    }
}

/// How much of a value is secret.
enum Secrecy {
    /// Not secret itself; its members are checked one by one.
    Open,
    /// It is an entry of an `environment`, or its value alone.
    Variable,
    /// All of it.
    Whole,
}

/// How much of the value at `path` is secret.
///
/// An `environment` is a list of a container, of a container's override in `RunTask`, or the root of what is shown.
/// `ClientSecret` is an OIDC client's. `splunk-token` is the one option of a log driver that AWS documents as a
/// credential (ECS API reference, `LogConfiguration`). References to secrets (`secrets`, `secretOptions`) are names
/// and are shown.
fn secrecy(path: &[&str]) -> Secrecy {
    match path {
        [.., "ClientSecret"]
        | [.., "options", "splunk-token"]
        | ["containerDefinitions" | "containerOverrides", _, "environment", _, _, ..]
        | ["overrides", "containerOverrides", _, "environment", _, _, ..] => Secrecy::Whole,
        ["environment", _]
        | ["containerDefinitions" | "containerOverrides", _, "environment", _]
        | ["overrides", "containerOverrides", _, "environment", _] => Secrecy::Variable,
        _ => Secrecy::Open,
    }
}

/// Replaces a value by a short hash: enough to see that it changed, too little to search for it among many.
fn hide(value: &mut Value) {
    use sha2::{Digest as _, Sha256};
    let text = match &*value {
        Value::Null => return,
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    if broken::is(Broken::ValuesTold) {
        return;
    }
    let digest = hex(&Sha256::digest(text.as_bytes()));
    *value = Value::String(format!("(redacted, sha256 {}…)", &digest[..8]));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Shown;
    use crate::pointer::Pointer;

    const SECRET: &str = "hunter2";

    fn entry() -> Value {
        json!({"name": "PASSWORD", "value": SECRET})
    }

    #[test]
    fn no_form_of_an_environment_shows_a_value() {
        for (path, value) in [
            ("", json!({"containerDefinitions": [{"name": "web", "environment": [entry()]}]})),
            ("", json!({"overrides": {"containerOverrides": [{"name": "web", "environment": [entry()]}]}})),
            ("", json!({"environment": [entry()]})),
            ("/overrides", json!({"containerOverrides": [{"name": "web", "environment": [entry()]}]})),
            ("/containerDefinitions", json!([{"name": "web", "environment": [entry()]}])),
            ("/containerDefinitions/web", json!({"name": "web", "environment": [entry()]})),
            ("/containerDefinitions/web/environment", json!([entry()])),
            ("/containerDefinitions/web/environment", json!({"PASSWORD": SECRET})),
            ("/containerDefinitions/web/environment/PASSWORD", entry()),
            ("/containerDefinitions/web/environment/PASSWORD", json!(SECRET)),
            ("/containerDefinitions/web/environment/PASSWORD", json!({"name": "PASSWORD", "Value": SECRET})),
            ("/containerDefinitions/web/environment/PASSWORD/value", json!(SECRET)),
            ("/containerDefinitions/web/logConfiguration/options", json!({"splunk-token": SECRET})),
            ("/Actions/0/AuthenticateOidcConfig", json!({"ClientSecret": SECRET})),
            ("/Actions", json!([{"AuthenticateOidcConfig": {"ClientSecret": SECRET}}])),
        ] {
            let shown = Shown::at(&Pointer::parse(path).unwrap(), &value);
            let printed = format!("{shown} {shown:?} {}", serde_json::to_string(&shown).unwrap());
            assert!(!printed.contains(SECRET), "{path}: {printed}");
            assert!(printed.contains("redacted"), "{path}: {printed}");
        }
    }

    #[test]
    fn what_is_no_secret_is_shown_as_it_is() {
        for (path, value) in [
            ("/containerDefinitions/web/image", json!("web:1")),
            ("/containerDefinitions/web/dockerLabels/environment", json!("production")),
            (
                "/containerDefinitions/web/secrets/PASSWORD",
                json!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"),
            ),
            ("/tags/environment", json!("production")),
        ] {
            assert_eq!(Shown::at(&Pointer::parse(path).unwrap(), &value).to_json(), value, "{path}");
        }
    }

    #[test]
    fn two_values_can_be_told_apart() {
        let path = Pointer::parse("/containerDefinitions/web/environment/A").unwrap();
        assert_ne!(Shown::at(&path, &json!("a")), Shown::at(&path, &json!("b")));
    }
}
