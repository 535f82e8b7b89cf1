//! How AWS describes a resource: the envelope around it, and where its members differ from the request's.

use serde_json::{Map, Value};

use super::Kind;

/// How responses describe a kind of resource.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The member of the response that contains it, as `aws ecs describe-…` and `aws elbv2 describe-…` print it.
    pub envelope: &'static str,
    /// The members that AWS returns next to the resource in the envelope or by another call, and that belong inside
    /// it.
    pub beside: &'static [&'static str],
    /// The member that contains the ARN.
    pub arn: &'static str,
    /// Members with another name than in the request: `(request, response)`.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Members that only the deployment with the status `PRIMARY` in `deployments` has.
    pub in_primary_deployment: &'static [&'static str],
}

impl Described {
    /// A description in the form of the request: renamed members have their request names, and members that only the
    /// PRIMARY deployment has are moved to their place in the request.
    pub(crate) fn as_request(&self, description: &Value) -> Value {
        let mut value = description.clone();
        let Value::Object(members) = &mut value else { return value };
        for (request, answer) in self.renamed {
            if let Some(member) = members.shift_remove(*answer) {
                members.insert((*request).to_owned(), member);
            }
        }
        if !self.in_primary_deployment.is_empty() {
            let primary = primary(description);
            for name in self.in_primary_deployment {
                if let (false, Some(part)) = (members.contains_key(*name), primary.and_then(|p| p.get(name))) {
                    members.insert((*name).to_owned(), part.clone());
                }
            }
        }
        value
    }

    /// A request as AWS would describe it: the reverse of [`Described::as_request`].
    pub(crate) fn as_described(&self, body: &Value) -> Value {
        let mut value = body.clone();
        let Value::Object(members) = &mut value else { return value };
        for (request, answer) in self.renamed {
            if let Some(member) = members.shift_remove(*request) {
                members.insert((*answer).to_owned(), member);
            }
        }
        if !self.in_primary_deployment.is_empty() {
            let mut primary = Map::from_iter([("status".to_owned(), Value::from("PRIMARY"))]);
            for name in self.in_primary_deployment {
                if let Some(part) = members.shift_remove(*name) {
                    primary.insert((*name).to_owned(), part);
                }
            }
            members.insert("deployments".to_owned(), Value::Array(vec![Value::Object(primary)]));
        }
        value
    }
}

/// The PRIMARY deployment, which ECS is rolling out.
pub(crate) fn primary(service: &Value) -> Option<&Value> {
    let deployments = service.get("deployments")?.as_array()?;
    deployments.iter().find(|deployment| deployment.get("status").and_then(Value::as_str) == Some("PRIMARY"))
}

/// Extracts one resource from the AWS CLI's output, with or without the envelope.
///
/// Members next to the resource (`tags` of a task definition, `Attributes` and `Tags` of a target group, `Tags` of a
/// rule) are moved into it. A document without an envelope is returned unchanged.
///
/// # Errors
/// When there is an envelope and it does not hold exactly one resource; the message says what it holds.
pub fn unwrap_envelope(kind: Kind, document: &Value) -> Result<Value, String> {
    let Described { envelope, beside, .. } = kind.facts().described;
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
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => return Ok(document.clone()),
    };
    if let Some(resource) = resource.as_object_mut() {
        for name in beside {
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
    use crate::kind::Kind;

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
