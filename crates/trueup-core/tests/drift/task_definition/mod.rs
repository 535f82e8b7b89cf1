//! Task definitions: `RegisterTaskDefinition` against `DescribeTaskDefinition`.

mod container;
mod nested;
mod task;
mod volumes;

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;
use trueup_core::kind::drift;

use crate::{over, paths};

const ROLE: &str = "arn:aws:iam::123456789012:role/web";

/// A task definition with one container, with these members.
fn task(members: &Value) -> Value {
    over(json!({"family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}]}), members)
}

/// A task definition whose one container has these members.
fn container(members: &Value) -> Value {
    task(&json!({"containerDefinitions": [over(json!({"name": "web", "image": "web:1"}), members)]}))
}

/// A Fargate task definition whose one container has these members.
fn fargate_container(members: &Value) -> Value {
    over(container(members), &json!({"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}))
}

/// A task definition with one volume `data` that has these members.
fn volume(members: &Value) -> Value {
    task(&json!({"volumes": [over(json!({"name": "data"}), members)]}))
}

#[test]
fn a_whole_answer_of_aws_is_no_drift() {
    let desired = json!({
        "family": "web", "cpu": ".25 vCPU", "memory": "0.5 GB", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE", "EC2"], "taskRoleArn": "", "executionRoleArn": "web",
        "tags": [{"key": "team", "value": "shop"}],
        "containerDefinitions": [
            {"name": "web", "image": "nginx", "portMappings": [{"containerPort": 8080}, {"containerPort": 443}],
             "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
             "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
            {"name": "logger", "image": "fluent-bit"}
        ],
        "volumes": [{"name": "data"}]
    });
    let live = json!({
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7", "revision": 7, "status": "ACTIVE",
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}], "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
        "registeredAt": 1_780_000_000.123, "registeredBy": "arn:aws:iam::123456789012:user/me",
        "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "executionRoleArn": ROLE,
        "requiresCompatibilities": ["EC2", "FARGATE"], "placementConstraints": [], "enableFaultInjection": false,
        "tags": [{"key": "aws:cloudformation:stack-name", "value": "x"}, {"key": "team", "value": "shop"},
                 {"key": "trueup:digest", "value": "y"}, {"key": "other", "value": "z"}],
        "containerDefinitions": [
            {"name": "logger", "image": "fluent-bit", "cpu": 0, "essential": true, "portMappings": [], "environment": [],
             "mountPoints": [], "volumesFrom": [], "systemControls": []},
            {"name": "web", "image": "nginx", "cpu": 0, "essential": true,
             "portMappings": [{"containerPort": 443, "hostPort": 443, "protocol": "tcp"},
                              {"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
             "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
             "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": false}],
             "volumesFrom": [], "systemControls": []}
        ],
        "volumes": [{"name": "data", "host": {}}]
    });
    assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &Context::default()), [""; 0]);
}

#[test]
fn a_change_shows_both_values_as_they_were_written_and_no_environment() {
    let desired = json!({"family": "web", "cpu": ".25 vCPU", "containerDefinitions": [
        {"name": "web", "image": "a", "essential": false, "environment": [{"name": "A", "value": "secret-1"}]}]});
    let live = json!({"family": "web", "cpu": "512", "containerDefinitions": [
        {"name": "web", "image": "a", "environment": [{"name": "A", "value": "secret-2"}]}]});
    let changes = drift(Kind::TaskDefinition, &desired, &live, &Context::default());
    let shown: Vec<_> = changes.iter().map(|c| (c.path.to_string(), c.live.to_json(), c.desired.to_json())).collect();
    assert_eq!(shown[1], ("/containerDefinitions/web/essential".to_owned(), json!(true), json!(false)));
    assert_eq!(shown[2], ("/cpu".to_owned(), json!("512"), json!(".25 vCPU")));
    let environment = format!("{:?} {}", changes[0], serde_json::to_string(&changes[0]).unwrap());
    assert!(environment.contains("/containerDefinitions/web/environment/A") && !environment.contains("secret-"));
}

#[test]
fn ignored_fields_are_not_told_with_all_below_them() {
    let desired = json!({"family": "web", "cpu": "256", "containerDefinitions": [{"name": "web", "image": "a"}]});
    let live = json!({"family": "web", "cpu": "512", "containerDefinitions": [{"name": "web", "image": "b", "dockerLabels": {"x": "y"}}]});
    let ignoring = |patterns: &[&str]| Context {
        ignore: patterns.iter().filter_map(|pattern| trueup_core::pointer::Pointer::parse(pattern)).collect(),
        ..Context::default()
    };
    for (patterns, told) in [
        (&[][..], &["/containerDefinitions/web/dockerLabels/x", "/containerDefinitions/web/image", "/cpu"][..]),
        (&["/cpu"], &["/containerDefinitions/web/dockerLabels/x", "/containerDefinitions/web/image"]),
        (&["/containerDefinitions/*/dockerLabels"], &["/containerDefinitions/web/image", "/cpu"]),
        (&["/containerDefinitions"], &["/cpu"]),
        (&[""], &[]),
    ] {
        assert_eq!(paths(Kind::TaskDefinition, &desired, &live, &ignoring(patterns)), told, "{patterns:?}");
    }
}
