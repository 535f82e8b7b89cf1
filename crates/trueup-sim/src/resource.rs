//! Which resources a call is about, as ARNs.

use serde_json::Value;

use crate::ecs::model::ServiceKey;
use crate::wire::{Api, Call};

/// The ARNs of what a call names; none when it is about no resource in particular, such as a listing.
///
/// ECS takes names and ARNs alike; here both are ARNs.
pub fn resources(call: &Call, account: &str) -> Vec<String> {
    match call.service {
        Api::Ecs => ecs(call, account),
        Api::ElasticLoadBalancing => elb(call),
        Api::CloudFormation
        | Api::Sts
        | Api::Ecr
        | Api::SecretsManager
        | Api::Ssm
        | Api::CloudWatch
        | Api::ApplicationAutoScaling
        | Api::CloudTrail => Vec::new(),
    }
}

/// The service that an ARN of the long form names.
pub fn service_key(arn: &str) -> Option<ServiceKey> {
    let (cluster, name) = arn.split_once(":service/")?.1.split_once('/')?;
    Some(ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() })
}

/// The family and, when it is named, the revision of a task definition's ARN.
pub fn family(arn: &str) -> Option<(&str, Option<u64>)> {
    let name = arn.split_once(":task-definition/")?.1;
    Some(match name.rsplit_once(':') {
        Some((family, revision)) => (family, revision.parse().ok()),
        None => (name, None),
    })
}

fn ecs(call: &Call, account: &str) -> Vec<String> {
    let input = &call.input;
    let arn = |resource: String| format!("arn:aws:ecs:{}:{account}:{resource}", call.region);
    let cluster = text(input, "cluster").map_or("default", last);
    let service =
        |name: &str| if name.starts_with("arn:") { name.to_owned() } else { arn(format!("service/{cluster}/{name}")) };
    let task =
        |name: &str| if name.starts_with("arn:") { name.to_owned() } else { arn(format!("task/{cluster}/{name}")) };
    let definition =
        |name: &str| if name.starts_with("arn:") { name.to_owned() } else { arn(format!("task-definition/{name}")) };
    let mut found = Vec::new();
    found.extend(text(input, "service").map(service));
    found.extend(texts(input, "services").map(service));
    found.extend(text(input, "task").map(task));
    found.extend(texts(input, "tasks").map(task));
    found.extend(text(input, "resourceArn").map(str::to_owned));
    found.extend(text(input, "serviceDeploymentArn").map(|deployment| {
        // `service-deployment/CLUSTER/SERVICE/ID` is about that service.
        let parts: Vec<&str> = deployment.split('/').collect();
        match parts.as_slice() {
            [_, cluster, service, _] => arn(format!("service/{cluster}/{service}")),
            _ => deployment.to_owned(),
        }
    }));
    match call.action.as_str() {
        "CreateService" => found.extend(text(input, "serviceName").map(service)),
        "RegisterTaskDefinition" => found.extend(text(input, "family").map(definition)),
        "DeregisterTaskDefinition" | "DescribeTaskDefinition" | "RunTask" => {
            found.extend(text(input, "taskDefinition").map(definition));
        }
        "DeleteTaskDefinitions" => found.extend(texts(input, "taskDefinitions").map(definition)),
        "CreateCluster" | "DeleteCluster" | "UpdateCluster" => {
            let name = text(input, "cluster").or(text(input, "clusterName")).map_or("default", last);
            found.push(arn(format!("cluster/{name}")));
        }
        _ => {}
    }
    found
}

fn elb(call: &Call) -> Vec<String> {
    const ONE: [&str; 4] = ["RuleArn", "TargetGroupArn", "ListenerArn", "LoadBalancerArn"];
    const MANY: [&str; 5] = ["ResourceArns", "RuleArns", "TargetGroupArns", "ListenerArns", "LoadBalancerArns"];
    let mut found: Vec<String> = ONE.iter().filter_map(|member| text(&call.input, member)).map(str::to_owned).collect();
    found.extend(MANY.iter().flat_map(|member| texts(&call.input, member)).map(str::to_owned));
    if call.action == "SetRulePriorities" {
        let rules = call.input.get("RulePriorities").and_then(Value::as_array).into_iter().flatten();
        found.extend(rules.filter_map(|rule| text(rule, "RuleArn")).map(str::to_owned));
    }
    found
}

fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn texts<'a>(input: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    input.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
