//! What AWS makes of a mutating call, for tests: descriptions from requests, both as JSON.
//!
//! The tests of the planner and of the loop store resources in different ways; what a call does to one resource is said here,
//! once. Written from the API references of ECS and of Elastic Load Balancing, and not from the product's own facts of a kind,
//! so that a mistake in those is seen. Accounts with time, limits and failures are `trueup-sim`'s.

use serde_json::{Map, Value, json};

/// What is new in the description of a service, and not at the service but at its primary deployment.
const AT_THE_DEPLOYMENT: [&str; 3] =
    ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

/// What a request says to the API and not of the resource.
const NOT_DESCRIBED: [&str; 7] =
    ["Attributes", "ListenerArn", "Tags", "clientToken", "cluster", "forceNewDeployment", "tags"];

/// A resource as AWS describes it right after the call that created it. A service has no deployment yet: see [`deploy`].
///
/// # Panics
/// When the operation creates nothing that is known here.
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

/// A resource as AWS describes it after a call that changed it: what the request leaves out stays.
///
/// # Panics
/// When the request is no object.
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

/// Gives a service the deployment that `CreateService` or `UpdateService` began, instead of those before.
///
/// `deployment` has what the caller knows of it, such as its id and its state; what the request says for it is kept, and what
/// the request leaves out stays as it was at the deployment before.
pub fn deploy(service: &mut Value, input: &Value, deployment: Value) {
    let before = service["deployments"][0].take();
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

/// The answer that carries a description. Empty for operations whose answer says nothing of the resource.
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
/// When it is no object.
pub fn without(object: &Value, members: &[&str]) -> Value {
    let all = object.as_object().expect("an object").iter();
    let kept = all.filter(|(member, _)| !members.contains(&member.as_str()));
    Value::Object(kept.map(|(member, value)| (member.clone(), value.clone())).collect())
}
