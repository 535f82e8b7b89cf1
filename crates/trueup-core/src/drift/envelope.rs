//! The envelopes that `aws ecs describe-…` and `aws elbv2 describe-…` print around a resource.

use serde_json::Value;

use crate::model::Kind;

/// Takes one resource out of what the AWS CLI prints for it, with or without the envelope.
///
/// What stands beside the resource (`tags` of a task definition, `Attributes` and `Tags` of a target group, `Tags` of
/// a rule) comes inside it. A document without envelope comes back as it is.
///
/// # Errors
/// When there is an envelope and it does not hold exactly one resource; the message says what it holds.
pub fn unwrap_envelope(kind: Kind, document: &Value) -> Result<Value, String> {
    let (envelope, inside) = match kind {
        Kind::TaskDefinition => ("taskDefinition", &["tags"][..]),
        Kind::Service => ("services", &["tags"][..]),
        Kind::TargetGroup => ("TargetGroups", &["Attributes", "Tags"][..]),
        Kind::ListenerRule => ("Rules", &["Tags"][..]),
    };
    let Some(members) = document.as_object() else {
        return Err(format!("a {} as AWS describes it is a JSON object", kind.as_str()));
    };
    let mut resource = match members.get(envelope) {
        Some(resource @ Value::Object(_)) => resource.clone(),
        Some(Value::Array(resources)) => match &resources[..] {
            [resource @ Value::Object(_)] => resource.clone(),
            [_] => return Err(format!("`{envelope}` holds something that is not a JSON object")),
            [] => return Err(format!("`{envelope}` holds no resource{}", failures(document))),
            more => return Err(format!("`{envelope}` holds {} resources, one is compared at a time", more.len())),
        },
        // A service has a `taskDefinition` of its own, but no `services`; a null envelope holds nothing.
        Some(Value::Null) => return Err(format!("`{envelope}` is null")),
        _ => return Ok(document.clone()),
    };
    if let Some(resource) = resource.as_object_mut() {
        for name in inside {
            let read = members.get(*name).filter(|value| !value.is_null());
            if let (Some(read), false) = (read, resource.get(*name).is_some_and(|value| !value.is_null())) {
                resource.insert((*name).to_owned(), read.clone());
            }
        }
    }
    Ok(resource)
}

/// Why the envelope is empty, where AWS says so.
fn failures(document: &Value) -> String {
    let reason = document.pointer("/failures/0/reason").and_then(Value::as_str);
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::unwrap_envelope;
    use crate::model::Kind;

    #[test]
    fn a_resource_comes_out_of_its_envelope_with_what_stands_beside_it() {
        let table: &[(Kind, Value, Result<Value, &str>)] = &[
            (
                Kind::TaskDefinition,
                json!({"taskDefinition": {"family": "web"}, "tags": [{"key": "a", "value": "b"}]}),
                Ok(json!({"family": "web", "tags": [{"key": "a", "value": "b"}]})),
            ),
            (Kind::TaskDefinition, json!({"taskDefinition": {"family": "web"}}), Ok(json!({"family": "web"}))),
            (Kind::TaskDefinition, json!({"family": "web"}), Ok(json!({"family": "web"}))),
            (
                Kind::Service,
                json!({"services": [{"serviceName": "web"}], "failures": []}),
                Ok(json!({"serviceName": "web"})),
            ),
            (
                Kind::Service,
                json!({"serviceName": "web", "taskDefinition": "web:1"}),
                Ok(json!({"serviceName": "web", "taskDefinition": "web:1"})),
            ),
            (
                Kind::Service,
                json!({"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]}),
                Err("`services` holds no resource: MISSING"),
            ),
            (
                Kind::Service,
                json!({"services": [{}, {}]}),
                Err("`services` holds 2 resources, one is compared at a time"),
            ),
            (
                Kind::TargetGroup,
                json!({"TargetGroups": [{"TargetGroupName": "web"}], "Attributes": [{"Key": "a", "Value": "b"}]}),
                Ok(json!({"TargetGroupName": "web", "Attributes": [{"Key": "a", "Value": "b"}]})),
            ),
            (Kind::ListenerRule, json!({"Rules": [{"Priority": "1"}]}), Ok(json!({"Priority": "1"}))),
            (Kind::ListenerRule, json!([]), Err("a listener-rule as AWS describes it is a JSON object")),
        ];
        for (kind, document, resource) in table {
            assert_eq!(unwrap_envelope(*kind, document), resource.clone().map_err(str::to_owned), "{document}");
        }
    }
}
