//! An AWS that completes and reorders what it is told: a second opinion on its defaults.

use serde_json::{Map, Value, json};
use trueup_core::kind::Kind;
use trueup_core::model::{Api, Model, Shape};

use super::documents::Chance;
use super::places::{SETS, key_of};
use super::rules;

/// What AWS fills in, by the end of the path.
#[expect(clippy::match_same_arms, reason = "a table: equal defaults of different fields are no duplicates")]
fn aws_default(path: &[String], document: &Value, parent: &Map<String, Value>) -> Option<Value> {
    let ends: Vec<&str> = path.iter().map(String::as_str).collect();
    Some(match &ends[..] {
        ["networkMode"] => json!("bridge"),
        ["enableFaultInjection"] | [.., "mountPoints" | "volumesFrom", "*", "readOnly"] => json!(false),
        ["containerDefinitions", "*", "cpu"] => json!(0),
        ["containerDefinitions", "*", "essential"] => json!(true),
        [
            "containerDefinitions",
            "*",
            "environment" | "mountPoints" | "volumesFrom" | "portMappings" | "systemControls",
        ]
        | ["volumes" | "placementConstraints" | "placementStrategy" | "loadBalancers" | "serviceRegistries"]
        | [.., "capabilities", "add" | "drop"]
        | [.., "awsvpcConfiguration", "securityGroups"] => json!([]),
        ["volumes", "*", "host"] => json!({}),
        [.., "portMappings", "*", "protocol"] => json!("tcp"),
        [.., "portMappings", "*", "hostPort"] => match document["networkMode"].as_str() {
            Some("awsvpc" | "host") => parent["containerPort"].clone(),
            _ => json!(0),
        },
        [.., "healthCheck", "interval"] => json!(30),
        [.., "healthCheck", "timeout"] => json!(5),
        [.., "healthCheck", "retries"] => json!(3),
        [.., "efsVolumeConfiguration" | "s3filesVolumeConfiguration", "rootDirectory"] => json!("/"),
        [.., "proxyConfiguration", "type"] => json!("APPMESH"),
        [.., "dockerVolumeConfiguration", "scope"] => json!("task"),
        [.., "dockerVolumeConfiguration", "driver"] => json!("local"),
        ["propagateTags"] => json!("NONE"),
        ["healthCheckGracePeriodSeconds"] => json!(0),
        ["enableECSManagedTags" | "enableExecuteCommand"] => json!(false),
        ["desiredCount"] => json!(3),
        ["availabilityZoneRebalancing"] => json!("ENABLED"),
        ["platformVersion"] => json!("LATEST"),
        ["deploymentConfiguration"] => {
            json!({"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING",
            "bakeTimeInMinutes": 0, "alarms": {"alarmNames": [], "enable": false, "rollback": false},
            "deploymentCircuitBreaker": {"enable": false, "rollback": false}})
        }
        ["deploymentConfiguration", "maximumPercent"] => json!(200),
        ["deploymentConfiguration", "minimumHealthyPercent"] => json!(100),
        ["deploymentConfiguration", "strategy"] => json!("ROLLING"),
        ["deploymentConfiguration", "deploymentCircuitBreaker"] => json!({"enable": false, "rollback": false}),
        [.., "deploymentCircuitBreaker", "resetOnHealthyTask"] => json!(true),
        [.., "deploymentCircuitBreaker", "thresholdConfiguration"] => json!({"type": "BOUNDED_PERCENT", "value": 50}),
        [.., "capacityProviderStrategy", "*", "weight" | "base"] => json!(0),
        [.., "awsvpcConfiguration", "assignPublicIp"] => json!("DISABLED"),
        [.., "services", "*", "discoveryName"] => parent["portName"].clone(),
        ["TargetType"] => json!("instance"),
        ["IpAddressType"] => json!("ipv4"),
        ["HealthCheckIntervalSeconds"] => json!(30),
        ["HealthCheckPath"] => json!("/"),
        ["Matcher"] => json!({"HttpCode": "200"}),
        _ => return None,
    })
}

/// Writes a document down as AWS does: completed, reordered, in plain spelling.
fn answer(api: Api, shape: &str, path: &mut Vec<String>, root: &Value, value: &Value, chance: &mut Chance) -> Value {
    match (Model::aws().shape(api, shape), value) {
        (Shape::Structure(structure), Value::Object(object)) if !structure.document => {
            complete(api, &structure.members, path, root, object, chance)
        }
        (Shape::List(list), Value::Array(elements)) => {
            path.push("*".to_owned());
            let mut elements: Vec<Value> =
                elements.iter().map(|element| answer(api, &list.member, path, root, element, chance)).collect();
            path.pop();
            let name = path.last().map_or("", String::as_str);
            if !key_of(name).is_empty() || SETS.contains(&name) {
                for index in (1..elements.len()).rev() {
                    elements.swap(index, chance.below(index + 1));
                }
            }
            Value::Array(elements)
        }
        (_, value) => match (path.last().map(String::as_str), value.as_str()) {
            (Some("cpu"), Some(".5 vCPU")) => json!("512"),
            (Some("cpu"), Some("1 vcpu")) | (Some("memory"), Some("1GB")) => json!("1024"),
            (Some("memory"), Some("2 GB")) => json!("2048"),
            (Some("field"), Some(field @ ("cpu" | "memory"))) => json!(field.to_uppercase()),
            _ => value.clone(),
        },
    }
}

fn complete(
    api: Api,
    members: &indexmap::IndexMap<String, trueup_core::model::Member>,
    path: &mut Vec<String>,
    root: &Value,
    object: &Map<String, Value>,
    chance: &mut Chance,
) -> Value {
    let mut written = Map::new();
    for (name, member) in members {
        path.push(name.clone());
        match object.get(name) {
            Some(value) => {
                written.insert(name.clone(), answer(api, &member.shape, path, root, value, chance));
            }
            None if chance.below(3) > 0 => {
                if let Some(default) = aws_default(path, root, object) {
                    written.insert(name.clone(), default);
                }
            }
            None => {}
        }
        path.pop();
    }
    Value::Object(written)
}

pub(super) fn aws_answers(kind: Kind, desired: &Value, chance: &mut Chance) -> Value {
    if kind == Kind::ListenerRule {
        return rules::answer(desired, chance);
    }
    let (api, _) = kind.request();
    let members = &kind.shape().members;
    let object = desired.as_object().cloned().unwrap_or_default();
    let mut live = complete(api, members, &mut Vec::new(), desired, &object, chance);
    if let (Kind::TargetGroup, Some(live)) = (kind, live.as_object_mut()) {
        let name = live.shift_remove("Name");
        live.insert("TargetGroupName".to_owned(), name.unwrap_or_default());
        let mut attributes = desired["Attributes"].as_array().cloned().unwrap_or_default();
        attributes.reverse();
        attributes.push(json!({"Key": "slow_start.duration_seconds", "Value": "0"}));
        live.insert("Attributes".to_owned(), Value::Array(attributes));
    }
    if let (Kind::Service, Some(live)) = (kind, live.as_object_mut()) {
        let mut primary = Map::from_iter([("status".to_owned(), json!("PRIMARY"))]);
        for name in ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"] {
            primary.extend(live.shift_remove(name).map(|value| (name.to_owned(), value)));
        }
        live.insert("deployments".to_owned(), json!([{"status": "ACTIVE"}, primary]));
    }
    live
}
