//! Reads an ECS answer as it is, but for events that tell nothing.
//!
//! A service shows its newest hundred events, four fifths of what `DescribeServices` answers, and on a quiet service
//! all of them say every six hours that it is quiet.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What an event says that tells nothing. Source: ECS developer guide, "Amazon ECS service event messages".
const QUIET: &str = "has reached a steady state.";

/// Reads the body of an answer.
///
/// # Errors
/// When it is not a JSON object.
pub(crate) fn read(body: &[u8]) -> serde_json::Result<Value> {
    let Object::<Services>(answer, _) = serde_json::from_slice(body)?;
    Ok(Value::Object(answer))
}

/// An object of which one member is read in a way of its own.
struct Object<M>(Map<String, Value>, std::marker::PhantomData<M>);

/// A way to read one member.
trait Member {
    const NAME: &str;

    fn read<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Value, A::Error>;
}

/// The services of an answer.
struct Services;

impl Member for Services {
    const NAME: &str = "services";

    fn read<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Value, A::Error> {
        let services: Vec<Object<Events>> = members.next_value()?;
        Ok(services.into_iter().map(|Object(service, _)| Value::Object(service)).collect())
    }
}

/// The events of a service.
struct Events;

impl Member for Events {
    const NAME: &str = "events";

    fn read<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Value, A::Error> {
        let events: Vec<&RawValue> = members.next_value()?;
        let telling = events.into_iter().map(RawValue::get).filter(|event| !event.contains(QUIET));
        telling.map(|event| serde_json::from_str::<Value>(event).map_err(serde::de::Error::custom)).collect()
    }
}

impl<'de, M: Member> Deserialize<'de> for Object<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<M>(std::marker::PhantomData<M>);

        impl<'de, M: Member> Visitor<'de> for Members<M> {
            type Value = Object<M>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut object = Map::new();
                while let Some(name) = members.next_key::<String>()? {
                    let value = if name == M::NAME { M::read(&mut members)? } else { members.next_value()? };
                    object.insert(name, value);
                }
                Ok(Object(object, self.0))
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn everything_is_kept_but_events_that_tell_nothing() {
        let told = json!({"id": "2", "createdAt": 1.5, "message": "(service a) is unable to place a task: \"no\"."});
        let quiet = json!({"id": "1", "createdAt": 1, "message": "(service a) has reached a steady state."});
        let newer = json!({"message": "(service a, taskSet ecs-svc/1) has reached a steady state."});
        let answer = |events: &[&Value]| {
            json!({
                "failures": [{"reason": "MISSING"}], "newer": {"events": [quiet]},
                "services": [{"serviceName": "a", "events": events, "weight": 1.10}, {"serviceName": "b"}],
            })
        };
        let read = |value: &Value| read(value.to_string().as_bytes()).unwrap();
        assert_eq!(read(&answer(&[&quiet, &told, &newer])), answer(&[&told]));
        let task_definition = json!({"taskDefinition": {"cpu": "256"}, "tags": [], "empty": {}});
        assert_eq!(read(&task_definition), task_definition);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for body in ["", "[]", "{\"services\": [1]}", "<html>", "{\"services\": [{\"events\": [}]}"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
