//! Load balancers, registries, network, placement, switches and tags.

use serde_json::{Value, json};
use trueup_core::kind::Kind;

use super::service;
use crate::{Row, check, over};

#[test]
fn load_balancers_and_registries() {
    let lb = |group: &str, more: Value| {
        over(json!({"targetGroupArn": group, "containerName": "web", "containerPort": 80}), &more)
    };
    let lbs = |list: Value| json!({"loadBalancers": list});
    let pair = |group: &str, alternate: &str| json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}, "loadBalancers": [over(lb(group, json!({})), &json!({"advancedConfiguration": {"alternateTargetGroupArn": alternate, "productionListenerRule": "p", "roleArn": "r"}}))]});
    let rows: &[Row] = &[
        ("none", json!({}), lbs(json!([])), &[]),
        ("explicitly none", lbs(json!([])), json!({}), &[]),
        (
            "explicitly none, but there is one",
            lbs(json!([])),
            lbs(json!([lb("a", json!({}))])),
            &["/loadBalancers/web:80"],
        ),
        ("one added", json!({}), lbs(json!([lb("a", json!({}))])), &["/loadBalancers/web:80"]),
        ("one taken away", lbs(json!([lb("a", json!({}))])), lbs(json!([])), &["/loadBalancers/web:80"]),
        (
            "another target group",
            lbs(json!([lb("a", json!({}))])),
            lbs(json!([lb("b", json!({}))])),
            &["/loadBalancers/web:80/targetGroupArn"],
        ),
        (
            "another port",
            lbs(json!([lb("a", json!({}))])),
            lbs(json!([lb("a", json!({"containerPort": 81}))])),
            &["/loadBalancers/web:80", "/loadBalancers/web:81"],
        ),
        (
            "they are a set",
            lbs(json!([lb("a", json!({})), lb("b", json!({"containerPort": 81}))])),
            lbs(json!([lb("b", json!({"containerPort": 81})), lb("a", json!({}))])),
            &[],
        ),
        (
            "one port in two groups",
            lbs(json!([lb("a", json!({})), lb("b", json!({}))])),
            lbs(json!([lb("b", json!({})), lb("a", json!({}))])),
            &[],
        ),
        (
            "one port in two groups, one taken away",
            lbs(json!([lb("a", json!({})), lb("b", json!({}))])),
            lbs(json!([lb("b", json!({}))])),
            &["/loadBalancers/a"],
        ),
        (
            "a group of another region",
            lbs(json!([lb("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/1", json!({}))])),
            lbs(json!([lb("arn:aws:elasticloadbalancing:eu-west-2:1:targetgroup/a/1", json!({}))])),
            &["/loadBalancers/web:80/targetGroupArn"],
        ),
        (
            "a classic load balancer",
            lbs(json!([{"loadBalancerName": "a", "containerName": "web", "containerPort": 80}])),
            lbs(json!([{"loadBalancerName": "b", "containerName": "web", "containerPort": 80}])),
            &["/loadBalancers/web:80/loadBalancerName"],
        ),
        ("blue and green trade places", pair("a", "b"), pair("b", "a"), &[]),
        (
            "nobody makes them trade places in a rolling service",
            over(pair("a", "b"), &json!({"deploymentConfiguration": {"strategy": "ROLLING"}})),
            over(pair("b", "a"), &json!({"deploymentConfiguration": {"strategy": "ROLLING"}})),
            &[
                "/loadBalancers/web:80/advancedConfiguration/alternateTargetGroupArn",
                "/loadBalancers/web:80/targetGroupArn",
            ],
        ),
        (
            "another green",
            pair("a", "b"),
            pair("a", "c"),
            &["/loadBalancers/web:80/advancedConfiguration/alternateTargetGroupArn"],
        ),
        (
            "another production rule",
            pair("a", "b"),
            json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}, "loadBalancers": [over(lb("b", json!({})), &json!({"advancedConfiguration": {"alternateTargetGroupArn": "a", "productionListenerRule": "q", "roleArn": "r"}}))]}),
            &["/loadBalancers/web:80/advancedConfiguration/productionListenerRule"],
        ),
        (
            "blue/green taken away",
            pair("a", "b"),
            over(pair("a", "b"), &lbs(json!([lb("a", json!({}))]))),
            &["/loadBalancers/web:80/advancedConfiguration"],
        ),
        (
            "zeros of an SDK",
            json!({"serviceRegistries": [{"registryArn": "r"}]}),
            json!({"serviceRegistries": [{"registryArn": "r", "port": 0, "containerName": "", "containerPort": 0}]}),
            &[],
        ),
        (
            "a registry's port",
            json!({"serviceRegistries": [{"registryArn": "r", "port": 80}]}),
            json!({"serviceRegistries": [{"registryArn": "r", "port": 81}]}),
            &["/serviceRegistries/r/port"],
        ),
        (
            "a registry added",
            json!({}),
            json!({"serviceRegistries": [{"registryArn": "r"}]}),
            &["/serviceRegistries/r"],
        ),
        ("no registries", json!({"serviceRegistries": []}), json!({}), &[]),
    ];
    check(Kind::Service, "", service, rows);
}

#[test]
fn network_placement_and_switches() {
    let net = |more: Value| json!({"networkConfiguration": {"awsvpcConfiguration": over(json!({"subnets": ["a", "b"]}), &more)}});
    let constraint =
        |expression: &str| json!({"placementConstraints": [{"type": "memberOf", "expression": expression}]});
    let strategy = |list: Value| json!({"placementStrategy": list});
    let rows: &[Row] = &[
        (
            "subnets are a set",
            net(json!({})),
            net(json!({"subnets": ["b", "a"], "securityGroups": [], "assignPublicIp": "DISABLED"})),
            &[],
        ),
        (
            "another subnet",
            net(json!({})),
            net(json!({"subnets": ["a", "c"]})),
            &["/networkConfiguration/awsvpcConfiguration/subnets"],
        ),
        (
            "security groups are a set",
            net(json!({"securityGroups": ["x", "y"]})),
            net(json!({"securityGroups": ["y", "x"]})),
            &[],
        ),
        (
            "a security group added",
            net(json!({"securityGroups": ["x"]})),
            net(json!({"securityGroups": ["y", "x"]})),
            &["/networkConfiguration/awsvpcConfiguration/securityGroups"],
        ),
        (
            "a security group where none was",
            net(json!({})),
            net(json!({"securityGroups": ["x"]})),
            &["/networkConfiguration/awsvpcConfiguration/securityGroups"],
        ),
        (
            "a public address",
            net(json!({})),
            net(json!({"assignPublicIp": "ENABLED"})),
            &["/networkConfiguration/awsvpcConfiguration/assignPublicIp"],
        ),
        (
            "no public address any more",
            net(json!({"assignPublicIp": "ENABLED"})),
            net(json!({})),
            &["/networkConfiguration/awsvpcConfiguration/assignPublicIp"],
        ),
        ("a network added", json!({}), net(json!({})), &["/networkConfiguration"]),
        (
            "constraints are a set",
            json!({"placementConstraints": [{"type": "distinctInstance"}, {"type": "memberOf", "expression": "a"}]}),
            json!({"placementConstraints": [{"type": "memberOf", "expression": "a"}, {"type": "distinctInstance", "expression": ""}]}),
            &[],
        ),
        ("another constraint", constraint("a"), constraint("b"), &["/placementConstraints"]),
        ("explicitly no constraint", json!({"placementConstraints": []}), constraint("b"), &["/placementConstraints"]),
        ("no constraint", json!({}), json!({"placementConstraints": []}), &[]),
        (
            "a strategy has an order",
            strategy(
                json!([{"type": "spread", "field": "attribute:ecs.availability-zone"}, {"type": "binpack", "field": "memory"}]),
            ),
            strategy(
                json!([{"type": "binpack", "field": "memory"}, {"type": "spread", "field": "attribute:ecs.availability-zone"}]),
            ),
            &["/placementStrategy"],
        ),
        (
            "memory comes back in upper case",
            strategy(json!([{"type": "binpack", "field": "memory"}])),
            strategy(json!([{"type": "binpack", "field": "MEMORY"}])),
            &[],
        ),
        (
            "cpu comes back in upper case",
            strategy(json!([{"type": "binpack", "field": "cpu"}])),
            strategy(json!([{"type": "binpack", "field": "CPU"}])),
            &[],
        ),
        (
            "host is instanceId",
            strategy(json!([{"type": "spread", "field": "host"}])),
            strategy(json!([{"type": "spread", "field": "instanceId"}])),
            &[],
        ),
        (
            "attributes have case",
            strategy(json!([{"type": "spread", "field": "attribute:a"}])),
            strategy(json!([{"type": "spread", "field": "attribute:A"}])),
            &["/placementStrategy"],
        ),
        (
            "random has no field",
            strategy(json!([{"type": "random"}])),
            strategy(json!([{"type": "random", "field": ""}])),
            &[],
        ),
        (
            "cpu is not memory",
            strategy(json!([{"type": "binpack", "field": "cpu"}])),
            strategy(json!([{"type": "binpack", "field": "memory"}])),
            &["/placementStrategy"],
        ),
        ("no grace period", json!({}), json!({"healthCheckGracePeriodSeconds": 0}), &[]),
        (
            "a grace period",
            json!({}),
            json!({"healthCheckGracePeriodSeconds": 60}),
            &["/healthCheckGracePeriodSeconds"],
        ),
        (
            "another grace period",
            json!({"healthCheckGracePeriodSeconds": 30}),
            json!({"healthCheckGracePeriodSeconds": 60}),
            &["/healthCheckGracePeriodSeconds"],
        ),
        ("a controller in older answers", json!({"deploymentController": {"type": "ECS"}}), json!({}), &[]),
        ("a controller in newer answers", json!({}), json!({"deploymentController": {"type": "ECS"}}), &[]),
        (
            "another controller",
            json!({}),
            json!({"deploymentController": {"type": "CODE_DEPLOY"}}),
            &["/deploymentController/type"],
        ),
        ("tags that are not propagated", json!({"propagateTags": ""}), json!({"propagateTags": "NONE"}), &[]),
        ("in older answers", json!({"propagateTags": "NONE"}), json!({}), &[]),
        (
            "tags that are propagated",
            json!({"propagateTags": "SERVICE"}),
            json!({"propagateTags": "NONE"}),
            &["/propagateTags"],
        ),
        ("propagation switched on", json!({}), json!({"propagateTags": "TASK_DEFINITION"}), &["/propagateTags"]),
        ("switches are off", json!({"enableExecuteCommand": false}), json!({"enableECSManagedTags": false}), &[]),
        (
            "switches switched on",
            json!({}),
            json!({"enableExecuteCommand": true, "enableECSManagedTags": true}),
            &["/enableECSManagedTags", "/enableExecuteCommand"],
        ),
        (
            "a tag changed",
            json!({"tags": [{"key": "a", "value": "1"}]}),
            json!({"tags": [{"key": "a", "value": "2"}, {"key": "b", "value": "2"}]}),
            &["/tags/a"],
        ),
        ("tags that were not read", json!({"tags": [{"key": "a", "value": "1"}]}), json!({}), &[]),
        (
            "monitoring is in no answer",
            json!({"monitoring": {"metricConfigurations": [{"metricNames": ["a"], "resolutionSeconds": 20}]}}),
            json!({}),
            &[],
        ),
        (
            "monitoring where it was read",
            json!({"monitoring": {"metricConfigurations": [{"metricNames": ["a", "b"], "resolutionSeconds": 20}]}}),
            json!({"monitoring": {"metricConfigurations": [{"metricNames": ["b", "a"], "resolutionSeconds": 60}]}}),
            &["/monitoring/metricConfigurations"],
        ),
        ("gateway connectors are in no answer", json!({"gatewayConnectors": [{"portName": "http"}]}), json!({}), &[]),
        (
            "a declared field that is newer than the model",
            json!({"newField": [1]}),
            json!({"newField": [2]}),
            &["/newField"],
        ),
        (
            "fields of answers",
            json!({}),
            json!({"status": "ACTIVE", "events": [], "runningCount": 3, "newField": 1}),
            &[],
        ),
    ];
    check(Kind::Service, "", service, rows);
}
