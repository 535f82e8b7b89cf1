//! Writes a JSON document as the form pairs of AWS's query protocol: `Actions.member.1.TargetGroupArn=…`.
//!
//! The document's own shape says what is a list and what an object. The API model is asked for one thing that JSON
//! cannot show: whether an object is a structure (`A.B=…`) or a map (`A.entry.1.key=B`).

use aws_smithy_query::{QueryValueWriter, QueryWriter};
use serde_json::Value;
use trueup_core::model::{Api, Model, Shape};

/// The version of the ELBv2 API, which every request names.
const ELBV2_VERSION: &str = "2015-12-01";

/// The body of an ELBv2 request.
pub(crate) fn elb_body(operation: &str, input: &Value) -> String {
    pairs(operation, ELBV2_VERSION, input, ExpectedInput::of_elb_request(operation))
}

/// The body of a request to an API without a model here: its requests must have no maps.
pub(crate) fn body(operation: &str, version: &str, input: &Value) -> String {
    pairs(operation, version, input, ExpectedInput(None))
}

/// `null` members are left out, as the SDK leaves out members that are not set.
fn pairs(operation: &str, version: &str, input: &Value, shape: ExpectedInput) -> String {
    let mut body = String::new();
    let mut writer = QueryWriter::new(&mut body, operation, version);
    for (name, value) in input.as_object().into_iter().flatten() {
        write(writer.prefix(name), value, shape.member(name));
    }
    writer.finish();
    body
}

/// What the API model says of a value; nothing for members that it does not know.
#[derive(Clone, Copy)]
struct ExpectedInput(Option<&'static Shape>);

impl ExpectedInput {
    fn of_elb_request(operation: &str) -> Self {
        // The model carries the requests that documents are written for. The others (tags, deletions) have no map in
        // them, so nothing is missed.
        let shape = matches!(operation, "CreateRule" | "ModifyRule").then(|| Model::aws().shape(Api::Elbv2, "Actions"));
        Self(shape)
    }

    /// The shape of a request's member.
    fn member(self, name: &str) -> Self {
        if name == "Actions" { self } else { Self(None) }
    }

    fn below(self, name: Option<&str>) -> Self {
        let shape = match (self.0, name) {
            (Some(Shape::Structure(structure)), Some(name)) => structure.members.get(name).map(|m| m.shape.as_str()),
            (Some(Shape::List(list)), None) => Some(list.member.as_str()),
            _ => None,
        };
        Self(shape.map(|shape| Model::aws().shape(Api::Elbv2, shape)))
    }
}

fn write<'a>(mut writer: QueryValueWriter<'a>, value: &'a Value, expected: ExpectedInput) {
    match value {
        Value::Null => {}
        Value::Bool(value) => writer.boolean(*value),
        Value::Number(value) => writer.string(&value.to_string()),
        Value::String(value) => writer.string(value),
        Value::Array(values) => {
            let mut list = writer.start_list(false, None);
            for value in values {
                write(list.entry(), value, expected.below(None));
            }
            list.finish();
        }
        Value::Object(entries) if matches!(expected.0, Some(Shape::Map(_))) => {
            let mut map = writer.start_map(false, "key", "value");
            for (key, value) in entries {
                write(map.entry(key), value, ExpectedInput(None));
            }
            map.finish();
        }
        Value::Object(members) => {
            for (name, value) in members {
                write(writer.prefix(name), value, expected.below(Some(name)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::elb_body as body;

    #[test]
    fn a_document_becomes_pairs() {
        let cases = [
            ("DeleteRule", json!({"RuleArn": "a:b"}), "&RuleArn=a%3Ab"),
            ("AddTags", json!({"Tags": [{"Key": "k", "Value": ""}]}), "&Tags.member.1.Key=k&Tags.member.1.Value="),
            ("CreateTargetGroup", json!({"Port": 80, "HealthCheckEnabled": true}), "&Port=80&HealthCheckEnabled=true"),
            ("CreateTargetGroup", json!({"Tags": [], "Name": null}), "&Tags="),
            (
                "CreateTargetGroup",
                json!({"Newer": {"Than": ["the", "SDK"]}}),
                "&Newer.Than.member.1=the&Newer.Than.member.2=SDK",
            ),
        ];
        for (operation, input, pairs) in cases {
            assert_eq!(body(operation, &input), format!("Action={operation}&Version=2015-12-01{pairs}"));
        }
    }
}
