//! Services: `CreateService` against `DescribeServices`.

mod deployment;
mod network;
mod primary;

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;
use trueup_core::kind::{drift, unwrap_envelope};

use crate::{Row, check, over, paths};

/// A service with these members.
fn service(members: &Value) -> Value {
    over(json!({"serviceName": "web"}), members)
}

#[test]
fn a_whole_answer_of_aws_is_no_drift() {
    let desired = json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "web:7", "launchType": "FARGATE", "desiredCount": 2,
        "loadBalancers": [{"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 80}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-2", "subnet-1"], "securityGroups": ["sg-2", "sg-1"]}},
        "serviceConnectConfiguration": {"enabled": true, "namespace": "shop", "services": [{"portName": "http", "clientAliases": [{"port": 80}]}]},
        "tags": [{"key": "team", "value": "shop"}]
    });
    let live = json!({"failures": [], "services": [{
        "serviceArn": "arn:aws:ecs:eu-west-1:123456789012:service/prod/web", "serviceName": "web",
        "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod", "status": "ACTIVE",
        "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "loadBalancers": [{"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 80}], "serviceRegistries": [],
        "desiredCount": 2, "runningCount": 2, "pendingCount": 0, "launchType": "FARGATE", "platformVersion": "LATEST", "platformFamily": "Linux",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": false, "rollback": false, "resetOnHealthyTask": true,
                                         "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}},
            "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
            "alarms": {"alarmNames": [], "enable": false, "rollback": false}},
        "deployments": [
            {"id": "ecs-svc/2", "status": "ACTIVE", "serviceConnectConfiguration": {"enabled": false}},
            {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED",
             "serviceConnectConfiguration": {"enabled": true, "namespace": "shop", "services": [
                {"portName": "http", "discoveryName": "http", "clientAliases": [{"port": 80, "dnsName": "http.shop"}]}]}}],
        "roleArn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [{"id": "1", "createdAt": "2026-08-01T00:00:00+00:00", "message": "(service web) has reached a steady state."}],
        "createdAt": 1_780_000_000.1, "createdBy": "arn:aws:iam::123456789012:user/me", "placementConstraints": [], "placementStrategy": [],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1", "sg-2"], "assignPublicIp": "DISABLED"}},
        "healthCheckGracePeriodSeconds": 0, "schedulingStrategy": "REPLICA", "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": false, "propagateTags": "NONE", "enableExecuteCommand": false, "availabilityZoneRebalancing": "ENABLED",
        "tags": [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-name", "value": "x"}]
    }]});
    let live = unwrap_envelope(Kind::Service, &live).unwrap();
    assert_eq!(paths(Kind::Service, &desired, &live, &Context::default()), [""; 0]);
}

#[test]
fn identity_task_definition_and_counts() {
    let bare = || json!({});
    let td = |text: &str| json!({"taskDefinition": text});
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
    let cluster = || json!({"clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"});
    let rows: &[Row] = &[
        ("another name", json!({"serviceName": "api"}), bare(), &["/serviceName"]),
        ("a cluster's name is its ARN", json!({"cluster": "prod"}), cluster(), &[]),
        ("a cluster's ARN", json!({"cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"}), cluster(), &[]),
        ("another cluster", json!({"cluster": "test"}), cluster(), &["/cluster"]),
        (
            "a cluster of another account",
            json!({"cluster": "arn:aws:ecs:eu-west-1:999999999999:cluster/prod"}),
            cluster(),
            &["/cluster"],
        ),
        ("a cluster that ends alike", json!({"cluster": "rod"}), cluster(), &["/cluster"]),
        ("no cluster said", bare(), cluster(), &[]),
        ("a revision is its ARN", td("web:7"), td(arn), &[]),
        ("an ARN is itself", td(arn), td(arn), &[]),
        ("another revision", td("web:8"), td(arn), &["/taskDefinition"]),
        (
            "an older revision after a rollback",
            td("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8"),
            td(arn),
            &["/taskDefinition"],
        ),
        ("a family alone", td("web"), td(arn), &[]),
        ("another family alone", td("api"), td(arn), &["/taskDefinition"]),
        ("a family that begins alike", td("we"), td(arn), &["/taskDefinition"]),
        ("a revision that begins alike", td("web:70"), td(arn), &["/taskDefinition"]),
        ("no task definition said", bare(), td(arn), &[]),
        ("a count left out", bare(), json!({"desiredCount": 7}), &[]),
        ("another count", json!({"desiredCount": 2}), json!({"desiredCount": 3}), &["/desiredCount"]),
        ("0 is a count", json!({"desiredCount": 0}), json!({"desiredCount": 2}), &["/desiredCount"]),
        ("scaled to 0 by hand", json!({"desiredCount": 2}), json!({"desiredCount": 0}), &["/desiredCount"]),
        (
            "a daemon's count is AWS's",
            json!({"schedulingStrategy": "DAEMON", "desiredCount": 0}),
            json!({"schedulingStrategy": "DAEMON", "desiredCount": 5, "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0}}),
            &[],
        ),
        ("replicas are the default", bare(), json!({"schedulingStrategy": "REPLICA"}), &[]),
        ("a client token is in no answer", json!({"clientToken": "x"}), bare(), &[]),
        (
            "a role's name is its ARN",
            json!({"role": "ecsServiceRole"}),
            json!({"roleArn": "arn:aws:iam::123456789012:role/ecsServiceRole"}),
            &[],
        ),
        (
            "the service-linked role",
            json!({"role": "AWSServiceRoleForECS"}),
            json!({"roleArn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}),
            &[],
        ),
        (
            "another role",
            json!({"role": "ecsServiceRole"}),
            json!({"roleArn": "arn:aws:iam::123456789012:role/other"}),
            &["/role"],
        ),
        ("a role left out", bare(), json!({"roleArn": "arn:aws:iam::123456789012:role/other"}), &[]),
    ];
    check(Kind::Service, "", service, rows);
}

#[test]
fn capacity_and_platform() {
    let bare = || json!({});
    let spot = |weight: i64| json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": weight, "base": 0}]});
    let rows: &[Row] = &[
        ("a launch type left out", bare(), json!({"launchType": "EC2"}), &[]),
        ("another launch type", json!({"launchType": "FARGATE"}), json!({"launchType": "EC2"}), &["/launchType"]),
        ("a strategy in place of the launch type", json!({"launchType": "FARGATE"}), spot(1), &["/launchType"]),
        ("the cluster's default strategy", bare(), spot(1), &[]),
        (
            "explicitly no strategy",
            json!({"capacityProviderStrategy": []}),
            spot(1),
            &["/capacityProviderStrategy/FARGATE_SPOT"],
        ),
        (
            "weight and base are 0",
            json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}),
            spot(0),
            &[],
        ),
        (
            "another weight",
            json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 2}]}),
            spot(1),
            &["/capacityProviderStrategy/FARGATE_SPOT/weight"],
        ),
        (
            "a base left out",
            json!({"capacityProviderStrategy": [{"capacityProvider": "a"}]}),
            json!({"capacityProviderStrategy": [{"capacityProvider": "a", "base": 1}]}),
            &["/capacityProviderStrategy/a/base"],
        ),
        (
            "strategies are sets",
            json!({"capacityProviderStrategy": [{"capacityProvider": "a"}, {"capacityProvider": "b"}]}),
            json!({"capacityProviderStrategy": [{"capacityProvider": "b"}, {"capacityProvider": "a"}]}),
            &[],
        ),
        (
            "a strategy taken away",
            json!({"capacityProviderStrategy": [{"capacityProvider": "a"}]}),
            json!({"launchType": "EC2"}),
            &["/capacityProviderStrategy/a"],
        ),
        ("the platform is the latest", bare(), json!({"platformVersion": "LATEST"}), &[]),
        ("none on EC2", json!({"platformVersion": "LATEST"}), bare(), &[]),
        ("latest is whatever runs", json!({"platformVersion": "LATEST"}), json!({"platformVersion": "1.4.0"}), &[]),
        ("left out is latest", bare(), json!({"platformVersion": "1.4.0"}), &[]),
        (
            "pinned is text",
            json!({"platformVersion": "1.4.0"}),
            json!({"platformVersion": "1.3.0"}),
            &["/platformVersion"],
        ),
        (
            "pinned is not latest",
            json!({"platformVersion": "1.4.0"}),
            json!({"platformVersion": "LATEST"}),
            &["/platformVersion"],
        ),
        ("zones left out", bare(), json!({"availabilityZoneRebalancing": "ENABLED"}), &[]),
        ("zones left out, older", bare(), json!({"availabilityZoneRebalancing": "DISABLED"}), &[]),
        (
            "zones declared",
            json!({"availabilityZoneRebalancing": "ENABLED"}),
            json!({"availabilityZoneRebalancing": "DISABLED"}),
            &["/availabilityZoneRebalancing"],
        ),
    ];
    check(Kind::Service, "", service, rows);
}

#[test]
fn fields_with_another_writer() {
    let of = |controller: &str, members: Value| {
        over(service(&json!({"deploymentController": {"type": controller}})), &members)
    };
    let all = |suffix: &str| {
        json!({
            "taskDefinition": format!("web:{suffix}"), "platformVersion": format!("1.{suffix}.0"), "desiredCount": 1,
            "loadBalancers": [{"targetGroupArn": suffix, "containerName": "web", "containerPort": 80}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": [suffix]}}
        })
    };
    for (controller, told) in [
        ("CODE_DEPLOY", &[][..]),
        ("EXTERNAL", &[]),
        (
            "ECS",
            &[
                "/loadBalancers/web:80/targetGroupArn",
                "/networkConfiguration/awsvpcConfiguration/subnets",
                "/platformVersion",
                "/taskDefinition",
            ],
        ),
    ] {
        let (desired, live) = (of(controller, all("1")), of(controller, all("2")));
        assert_eq!(paths(Kind::Service, &desired, &live, &Context::default()), told, "{controller}");
    }
    let autoscaled = Context { autoscaled: true, ..Context::default() };
    let (desired, live) = (service(&json!({"desiredCount": 1})), service(&json!({"desiredCount": 9})));
    assert_eq!(paths(Kind::Service, &desired, &live, &autoscaled), [""; 0]);
}

#[test]
fn what_a_repair_has_to_spell_out_is_the_default() {
    let live = service(
        &json!({"healthCheckGracePeriodSeconds": 60, "propagateTags": "SERVICE", "enableExecuteCommand": true}),
    );
    let changes = drift(Kind::Service, &service(&json!({})), &live, &Context::default());
    assert_eq!(changes[1].member(), Some("healthCheckGracePeriodSeconds"));
    let desired: Vec<_> = changes.iter().map(|change| (change.path.to_string(), change.desired.to_json())).collect();
    assert_eq!(
        desired,
        [
            ("/enableExecuteCommand".to_owned(), json!(false)),
            ("/healthCheckGracePeriodSeconds".to_owned(), json!(0)),
            ("/propagateTags".to_owned(), json!("NONE"))
        ]
    );
}
