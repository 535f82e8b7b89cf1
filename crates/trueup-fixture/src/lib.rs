//! The effect of a mutating call on a resource in AWS, for tests: derives descriptions from requests, both as JSON.
//!
//! The tests of the planner and of the loop store resources in different ways, but share this effect of a call on one
//! resource. It follows the API references of ECS and Elastic Load Balancing rather than the product's own facts of a
//! kind, so that tests reveal a mistake in those. `trueup-sim` simulates accounts with time, limits and failures.

use serde_json::{Map, Value, json};

/// Members of a service request that AWS describes at the primary deployment and not at the service itself.
const AT_THE_DEPLOYMENT: [&str; 3] =
    ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

/// Members of a request that the description of the resource does not have.
const NOT_DESCRIBED: [&str; 7] =
    ["Attributes", "ListenerArn", "Tags", "clientToken", "cluster", "forceNewDeployment", "tags"];

/// A resource as AWS describes it right after the call that created it. A service has no deployment yet: see [`deploy`].
///
/// # Panics
/// When the operation is not one of the create operations supported here.
pub fn created(operation: &str, input: &Value, arn: &str) -> Value {
    let mut description = without(input, &NOT_DESCRIBED);
    match operation {
        "RegisterTaskDefinition" => {
            let revision = arn.rsplit(':').next().and_then(|revision| revision.parse::<u64>().ok());
            description["taskDefinitionArn"] = json!(arn);
            description["revision"] = json!(revision);
            description["status"] = json!("ACTIVE");
        }
        "CreateService" => {
            let cluster = arn.replacen(":service/", ":cluster/", 1);
            let cluster = cluster.rsplit_once('/').map(|(cluster, _)| cluster);
            description = without(&description, &AT_THE_DEPLOYMENT);
            description["serviceArn"] = json!(arn);
            description["clusterArn"] = json!(cluster);
            description["status"] = json!("ACTIVE");
            description["runningCount"] = json!(0);
            description["pendingCount"] = json!(0);
        }
        "CreateTargetGroup" => {
            description = without(&description, &["Name"]);
            description["TargetGroupName"] = input["Name"].clone();
            description["TargetGroupArn"] = json!(arn);
        }
        "CreateRule" => {
            // A number in the request, text in the description.
            description["Priority"] = json!(input["Priority"].to_string());
            description["RuleArn"] = json!(arn);
            description["IsDefault"] = json!(false);
        }
        other => panic!("{other} creates nothing"),
    }
    description
}

/// A resource as AWS describes it after a call that changed it: members that the request omits stay the same.
///
/// # Panics
/// When the request is not an object.
pub fn changed(before: &Value, input: &Value) -> Value {
    let mut description = before.clone();
    for (member, value) in input.as_object().expect("a request is an object") {
        let is_service_level = !AT_THE_DEPLOYMENT.contains(&member.as_str()) && member != "service";
        if is_service_level && !NOT_DESCRIBED.contains(&member.as_str()) {
            description[member] = value.clone();
        }
    }
    description
}

/// Replaces the deployments of a service with the one that `CreateService` or `UpdateService` began.
///
/// `deployment` has the members that the caller knows, such as its id and its state. The others come from the request,
/// and those that the request omits come from the previous deployment.
pub fn deploy(service: &mut Value, input: &Value, deployment: Value) {
    let before = service.pointer("/deployments/0").cloned().unwrap_or_default();
    let mut primary = Map::new();
    for member in AT_THE_DEPLOYMENT {
        if let Some(value) = input.get(member).or_else(|| before.get(member)) {
            primary.insert(member.to_owned(), value.clone());
        }
    }
    for member in ["taskDefinition", "desiredCount"] {
        primary.insert(member.to_owned(), service[member].clone());
    }
    primary.insert("status".to_owned(), json!("PRIMARY"));
    if let Value::Object(deployment) = deployment {
        primary.extend(deployment);
    }
    service["deployments"] = json!([primary]);
}

/// The answer that carries a description. Empty for operations whose answer does not describe the resource.
pub fn answer(operation: &str, input: &Value, description: &Value) -> Value {
    match operation {
        "RegisterTaskDefinition" => json!({"taskDefinition": description, "tags": input["tags"]}),
        "CreateService" | "UpdateService" => json!({"service": description}),
        "CreateTargetGroup" | "ModifyTargetGroup" => json!({"TargetGroups": [description]}),
        "CreateRule" | "ModifyRule" => json!({"Rules": [description]}),
        _ => json!({}),
    }
}

/// The object without some of its members.
///
/// # Panics
/// When it is not an object.
pub fn without(object: &Value, members: &[&str]) -> Value {
    let all = object.as_object().expect("an object").iter();
    let kept = all.filter(|(member, _)| !members.contains(&member.as_str()));
    Value::Object(kept.map(|(member, value)| (member.clone(), value.clone())).collect())
}
