//! The types of values in calls: numbers as text, or text as numbers, where the API model says so.
//!
//! Authors write `HealthCheckPort = 8080` and AWS expects text; the drift comparison treats both as equal, and a call
//! carries the type that AWS expects. Nothing else of the author's document changes.

use serde_json::{Number, Value};

use super::Operation;
use crate::model::{Api, Model, Shape, Structure};

/// The request with every scalar in its model's type. Members that the model does not know stay as they are.
pub(crate) fn typed(operation: Operation, input: Value) -> Value {
    let api = operation.api();
    // The other requests are built by the planner alone, from text.
    match Model::aws().find_input(api, operation.as_str()) {
        Some(shape) => structure(api, shape, input),
        None => input,
    }
}

fn structure(api: Api, shape: &Structure, value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let typed = members.into_iter().map(|(name, value)| {
        let value = match shape.members.get(&name) {
            Some(member) => of_shape(api, &member.shape, value),
            None => value,
        };
        (name, value)
    });
    Value::Object(typed.collect())
}

fn of_shape(api: Api, name: &str, value: Value) -> Value {
    match (Model::aws().shape(api, name), value) {
        (Shape::Structure(shape), value) if !shape.document => structure(api, shape, value),
        (Shape::List(list), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| of_shape(api, &list.member, item)).collect())
        }
        (Shape::Map(map), Value::Object(members)) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, of_shape(api, &map.value, value))).collect())
        }
        (Shape::String(_), Value::Number(number)) => Value::String(number.to_string()),
        (Shape::String(_), Value::Bool(value)) => Value::String(value.to_string()),
        (Shape::Integer(_) | Shape::Long(_), Value::String(text)) => match text.trim().parse::<i64>() {
            Ok(number) => Value::Number(Number::from(number)),
            Err(_) => Value::String(text),
        },
        (Shape::Boolean {}, Value::String(text)) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::typed;
    use crate::plan::Operation;

    #[test]
    fn scalars_take_the_type_of_the_model() {
        let cases = [
            (Operation::CreateRule, json!({"Priority": "10"}), json!({"Priority": 10})),
            (Operation::ModifyTargetGroup, json!({"HealthCheckPort": 8080}), json!({"HealthCheckPort": "8080"})),
            (
                Operation::ModifyTargetGroupAttributes,
                json!({"Attributes": [{"Key": "stickiness.enabled", "Value": false}]}),
                json!({"Attributes": [{"Key": "stickiness.enabled", "Value": "false"}]}),
            ),
            (Operation::RegisterTaskDefinition, json!({"cpu": 256, "new": 1}), json!({"cpu": "256", "new": 1})),
            (
                Operation::RegisterTaskDefinition,
                json!({"containerDefinitions": [{"essential": "true", "cpu": "10", "name": "web"}]}),
                json!({"containerDefinitions": [{"essential": true, "cpu": 10, "name": "web"}]}),
            ),
            (Operation::UpdateService, json!({"desiredCount": "many"}), json!({"desiredCount": "many"})),
            (Operation::TagResource, json!({"resourceArn": 1}), json!({"resourceArn": 1})),
        ];
        for (operation, input, expected) in cases {
            assert_eq!(typed(operation, input), expected, "{operation:?}");
        }
    }
}
