//! Load balancing as its clients see it.

mod health;
mod load_balancing;
mod target_groups;
mod with_ecs;

use serde_json::{Value, json};

use super::api::answer;
use crate::time::Time;
use crate::wire::ApiError;
use crate::world::World;

/// The result of a call that works.
fn call(world: &mut World, action: &str, input: impl Into<Value>) -> Value {
    let input = input.into();
    answer(world, "arn:aws:iam::123456789012:role/test", action, &input)
        .unwrap_or_else(|error| panic!("{action} {input}: {} {}", error.code, error.message))
}

/// The code and text of a call that does not.
fn refusal(world: &mut World, action: &str, input: impl Into<Value>) -> (String, String) {
    let input = input.into();
    let answered = answer(world, "arn:aws:iam::123456789012:role/test", action, &input);
    let ApiError { code, message, .. } = answered.expect_err(&format!("{action} {input} should have been refused"));
    (code, message)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn world(seed: u64) -> World {
    World::new("123456789012", "eu-west-1", seed, Time::START)
}

/// A group with the required members; its ARN.
fn target_group(world: &mut World, name: &str) -> String {
    let input = json!({"Name": name, "Protocol": "HTTP", "Port": "8000", "VpcId": "vpc-1", "TargetType": "ip"});
    text(&call(world, "CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"])
}

/// A load balancer with a listener that answers 404; the ARNs of both.
fn listener(world: &mut World, name: &str) -> (String, String) {
    let input = json!({"Name": name, "Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-1"]});
    let balancer = text(&call(world, "CreateLoadBalancer", input)["LoadBalancers"][0]["LoadBalancerArn"]);
    let input = json!({
        "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": "80",
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    });
    let listener = text(&call(world, "CreateListener", input)["Listeners"][0]["ListenerArn"]);
    (balancer, listener)
}

/// A rule for a path that forwards to a group; its ARN.
fn rule(world: &mut World, listener: &str, priority: u64, target_group: &str) -> String {
    let input = json!({
        "ListenerArn": listener, "Priority": priority.to_string(),
        "Conditions": [{"Field": "path-pattern", "Values": [format!("/{priority}/*")]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": target_group}],
    });
    text(&call(world, "CreateRule", input)["Rules"][0]["RuleArn"])
}
