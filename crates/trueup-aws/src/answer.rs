//! Reads a `DescribeServices` answer unchanged, except for "steady state" events, which are dropped.
//!
//! A service lists its newest hundred events, four fifths of a `DescribeServices` answer, and an idle service repeats
//! every six hours that it has reached a steady state.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The message of an event that carries no information. Source: ECS developer guide, "Amazon ECS service event
/// messages".
const QUIET: &str = "has reached a steady state.";

/// An answer whose services are not parsed yet.
#[derive(serde::Deserialize)]
pub(crate) struct DescribedServices<'a> {
    /// The services as JSON text; [`service`] parses those that are not cached.
    #[serde(borrow, default)]
    pub(crate) services: Vec<&'a RawValue>,
    #[serde(default)]
    pub(crate) failures: Vec<Value>,
}

/// Parses one service.
///
/// # Errors
/// When it is not a JSON object, or its events are not a list.
pub(crate) fn service(text: &str) -> serde_json::Result<Value> {
    let ServiceMembers(service) = serde_json::from_str(text)?;
    Ok(Value::Object(service))
}

/// The members of a service, without the events that carry no information.
struct ServiceMembers(Map<String, Value>);

impl<'de> Deserialize<'de> for ServiceMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = ServiceMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<ServiceMembers, A::Error> {
                let mut service = Map::new();
                while let Some(name) = members.next_key::<String>()? {
                    let value = if name == "events" { telling_events(&mut members)? } else { members.next_value()? };
                    service.insert(name, value);
                }
                Ok(ServiceMembers(service))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn telling_events<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Value, A::Error> {
    let events: Vec<&RawValue> = members.next_value()?;
    let telling = events.into_iter().map(RawValue::get).filter(|event| !event.contains(QUIET));
    telling.map(|event| serde_json::from_str::<Value>(event).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DescribedServices, service};

    #[test]
    fn everything_is_kept_but_events_that_tell_nothing() {
        let told = json!({"id": "2", "createdAt": 1.5, "message": "(service a) is unable to place a task: \"no\"."});
        let quiet = json!({"id": "1", "createdAt": 1, "message": "(service a) has reached a steady state."});
        let newer = json!({"message": "(service a, taskSet ecs-svc/1) has reached a steady state."});
        let of = |events: &[&Value]| json!({"serviceName": "a", "newer": {"events": [quiet]}, "events": events, "weight": 1.10});
        let answer = json!({"failures": [{"reason": "MISSING"}], "services": [of(&[&quiet, &told, &newer]), {}]});
        let text = answer.to_string();
        let read: DescribedServices<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(read.failures, [json!({"reason": "MISSING"})]);
        let services: Vec<Value> = read.services.iter().map(|text| service(text.get()).unwrap()).collect();
        assert_eq!(services, [of(&[&told]), json!({})]);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for text in ["", "[]", "1", "{\"events\": [}", "{\"events\": 1}", "<html>"] {
            assert!(service(text).is_err(), "{text}");
        }
    }
}
