//! What the actions of ECS answer and refuse, without anything happening by itself.

mod listings;
mod services;
mod task_definitions;

use serde_json::{Value, json};
use trueup_sim::ecs::api::answer;
use trueup_sim::wire::ApiError;
use trueup_sim::{Time, World};

const CALLER: &str = "arn:aws:iam::123456789012:user/ada";

/// A world of a seed with a cluster `prod`.
fn world(seed: u64) -> World {
    let mut world = World::new("123456789012", "eu-west-1", seed, Time::START);
    ok(&mut world, "CreateCluster", json!({ "clusterName": "prod", "capacityProviders": ["FARGATE", "FARGATE_SPOT"] }));
    world
}

#[expect(clippy::needless_pass_by_value, reason = "inputs are written where they are used")]
fn ok(world: &mut World, action: &str, input: Value) -> Value {
    answer(world, CALLER, action, &input).unwrap_or_else(|error| panic!("{action}: {} {}", error.code, error.message))
}

#[expect(clippy::needless_pass_by_value, reason = "inputs are written where they are used")]
fn refused(world: &mut World, action: &str, input: Value) -> ApiError {
    match answer(world, CALLER, action, &input) {
        Err(error) => error,
        Ok(answer) => panic!("{action} was not refused: {answer}"),
    }
}

/// `base` with the members of `change`, where `null` takes one away.
fn with(base: &Value, change: &Value) -> Value {
    let mut changed = base.clone();
    for (name, value) in change.as_object().expect("an object") {
        if value.is_null() {
            changed.as_object_mut().expect("an object").remove(name);
        } else {
            changed[name] = value.clone();
        }
    }
    changed
}

fn definition() -> Value {
    json!({
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "0.25 vCPU",
        "memory": "0.5GB",
        "executionRoleArn": "ecs-execution",
        "taskRoleArn": "",
        "containerDefinitions": [{
            "name": "app",
            "image": "app:1",
            "portMappings": [{ "containerPort": 8080 }],
            "healthCheck": { "command": ["CMD", "true"] },
            "environment": [{ "name": "A", "value": "1" }, { "name": "B" }],
            "command": [],
            "typo": "ignored",
        }],
    })
}

fn service() -> Value {
    json!({
        "cluster": "prod",
        "serviceName": "web",
        "taskDefinition": "web",
        "desiredCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-b", "subnet-a"] } },
    })
}

/// A world with the task definition `web:1` and the service `web`.
fn world_with_service(seed: u64) -> World {
    let mut world = world(seed);
    ok(&mut world, "RegisterTaskDefinition", definition());
    ok(&mut world, "CreateService", service());
    world
}

fn described(world: &mut World) -> Value {
    let answer = ok(world, "DescribeServices", json!({ "cluster": "prod", "services": ["web"], "include": ["TAGS"] }));
    answer["services"][0].clone()
}
