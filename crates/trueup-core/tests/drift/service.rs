//! Services: `CreateService` against `DescribeServices`.

use serde_json::{Value, json};
use trueup_core::drift::{Context, drift, unwrap_envelope};
use trueup_core::model::Kind;

use crate::{Row, check, over, paths};

/// A service with these members.
fn service(members: &Value) -> Value {
    over(json!({"serviceName": "web"}), members)
}

/// A deployment configuration with these members.
fn deployment(members: &Value) -> Value {
    service(&json!({"deploymentConfiguration": members}))
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
fn deployment_configurations() {
    let bare = || json!({});
    let breaker = |members: Value| json!({"deploymentCircuitBreaker": members});
    let hooks = |more: Value| json!({"lifecycleHooks": [over(json!({"hookTargetArn": "f", "roleArn": "r", "lifecycleStages": ["A", "B"]}), &more)]});
    let canary = |more: Value| over(json!({"strategy": "CANARY"}), &more);
    let rows: &[Row] = &[
        ("percentages of replicas", bare(), json!({"maximumPercent": 200, "minimumHealthyPercent": 100}), &[]),
        ("null is the default", json!({"maximumPercent": null}), json!({"maximumPercent": 200}), &[]),
        ("another maximum", json!({"maximumPercent": 200}), json!({"maximumPercent": 150}), &["/maximumPercent"]),
        ("another maximum when left out", bare(), json!({"maximumPercent": 150}), &["/maximumPercent"]),
        (
            "0 is a minimum",
            json!({"minimumHealthyPercent": 0}),
            json!({"minimumHealthyPercent": 100}),
            &["/minimumHealthyPercent"],
        ),
        (
            "0 in live",
            json!({"minimumHealthyPercent": 50}),
            json!({"minimumHealthyPercent": 0}),
            &["/minimumHealthyPercent"],
        ),
        ("no circuit breaker", bare(), breaker(json!({"enable": false, "rollback": false})), &[]),
        (
            "the long form of none",
            bare(),
            breaker(
                json!({"enable": false, "rollback": false, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            &[],
        ),
        (
            "the short form against the long one",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(
                json!({"enable": true, "rollback": true, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            &[],
        ),
        (
            "the long form against the short one",
            breaker(
                json!({"enable": true, "rollback": true, "resetOnHealthyTask": true, "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}),
            ),
            breaker(json!({"enable": true, "rollback": true})),
            &[],
        ),
        (
            "a breaker switched off",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(json!({"enable": false, "rollback": false})),
            &["/deploymentCircuitBreaker/enable", "/deploymentCircuitBreaker/rollback"],
        ),
        (
            "rollback switched off",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(json!({"enable": true, "rollback": false})),
            &["/deploymentCircuitBreaker/rollback"],
        ),
        (
            "a breaker switched on",
            bare(),
            breaker(json!({"enable": true, "rollback": false})),
            &["/deploymentCircuitBreaker/enable"],
        ),
        (
            "another threshold",
            breaker(json!({"enable": true, "rollback": true})),
            breaker(
                json!({"enable": true, "rollback": true, "thresholdConfiguration": {"type": "COUNT", "value": 50}}),
            ),
            &["/deploymentCircuitBreaker/thresholdConfiguration/type"],
        ),
        ("no alarms", bare(), json!({"alarms": {"alarmNames": [], "enable": false, "rollback": false}}), &[]),
        (
            "no alarms the other way",
            json!({"alarms": {"alarmNames": [], "enable": false, "rollback": false}}),
            bare(),
            &[],
        ),
        (
            "alarms are a set",
            json!({"alarms": {"alarmNames": ["a", "b"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["b", "a"], "enable": true, "rollback": true}}),
            &[],
        ),
        (
            "another alarm",
            json!({"alarms": {"alarmNames": ["a"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["b"], "enable": true, "rollback": true}}),
            &["/alarms/alarmNames"],
        ),
        (
            "alarms switched off",
            json!({"alarms": {"alarmNames": ["a"], "enable": true, "rollback": true}}),
            json!({"alarms": {"alarmNames": ["a"], "enable": false, "rollback": true}}),
            &["/alarms/enable"],
        ),
        ("rolling is the default", bare(), json!({"strategy": "ROLLING", "bakeTimeInMinutes": 0}), &[]),
        ("another strategy", json!({"strategy": "BLUE_GREEN"}), json!({"strategy": "ROLLING"}), &["/strategy"]),
        (
            "a bake time left out with blue/green",
            json!({"strategy": "BLUE_GREEN"}),
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15}),
            &[],
        ),
        (
            "a bake time declared",
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}),
            json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15}),
            &["/bakeTimeInMinutes"],
        ),
        ("a bake time with rolling", bare(), json!({"bakeTimeInMinutes": 5}), &["/bakeTimeInMinutes"]),
        ("no hooks", bare(), json!({"lifecycleHooks": []}), &[]),
        (
            "a hook completed",
            hooks(json!({"hookDetails": {"a": 1}})),
            hooks(
                json!({"hookDetails": {"a": 1.0}, "targetType": "AWS_LAMBDA", "lifecycleStages": ["B", "A"], "timeoutConfiguration": {"action": "ROLLBACK", "timeoutInMinutes": 1440}}),
            ),
            &[],
        ),
        (
            "a hook's timeout left out",
            hooks(bare()),
            hooks(json!({"timeoutConfiguration": {"action": "CONTINUE", "timeoutInMinutes": 5}})),
            &[],
        ),
        (
            "a hook's timeout declared",
            hooks(json!({"timeoutConfiguration": {"timeoutInMinutes": 5}})),
            hooks(json!({"timeoutConfiguration": {"action": "ROLLBACK", "timeoutInMinutes": 6}})),
            &["/lifecycleHooks/f/timeoutConfiguration/timeoutInMinutes"],
        ),
        (
            "a hook's details are JSON",
            hooks(json!({"hookDetails": "{\"a\": 1, \"b\": 2}"})),
            hooks(json!({"hookDetails": {"b": 2, "a": 1}})),
            &[],
        ),
        (
            "a hook's details changed",
            hooks(json!({"hookDetails": {"a": 1}})),
            hooks(json!({"hookDetails": {"a": 2}})),
            &["/lifecycleHooks/f/hookDetails"],
        ),
        (
            "a hook's stages",
            hooks(bare()),
            hooks(json!({"lifecycleStages": ["A"]})),
            &["/lifecycleHooks/f/lifecycleStages"],
        ),
        ("a hook added", bare(), hooks(bare()), &["/lifecycleHooks/f"]),
        (
            "two hooks of one function",
            json!({"lifecycleHooks": [{"hookTargetArn": "f", "lifecycleStages": ["A"]}, {"hookTargetArn": "f", "lifecycleStages": ["B"]}]}),
            json!({"lifecycleHooks": [{"hookTargetArn": "f", "lifecycleStages": ["B"]}]}),
            &["/lifecycleHooks/f:A"],
        ),
        (
            "linear completed",
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10}}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}}),
            &[],
        ),
        (
            "linear left out",
            json!({"strategy": "LINEAR"}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}}),
            &[],
        ),
        (
            "another step",
            json!({"strategy": "LINEAR"}),
            json!({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 20.0, "stepBakeTimeInMinutes": 6}}),
            &["/linearConfiguration/stepPercent"],
        ),
        (
            "canary completed",
            canary(json!({})),
            canary(json!({"canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}})),
            &[],
        ),
        (
            "another canary",
            canary(json!({"canaryConfiguration": {"canaryPercent": 5}})),
            canary(json!({"canaryConfiguration": {"canaryPercent": 5.5}})),
            &["/canaryConfiguration/canaryPercent"],
        ),
        (
            "a canary's bake time",
            canary(json!({"canaryConfiguration": {"canaryBakeTimeInMinutes": 0}})),
            canary(json!({"canaryConfiguration": {"canaryBakeTimeInMinutes": 10}})),
            &["/canaryConfiguration/canaryBakeTimeInMinutes"],
        ),
        (
            "a canary without its strategy is dropped",
            json!({"strategy": "BLUE_GREEN", "canaryConfiguration": {"canaryPercent": 7}}),
            json!({"strategy": "BLUE_GREEN"}),
            &[],
        ),
        (
            "no early success",
            bare(),
            json!({"earlySuccessCriteria": {"enable": false, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING"}}),
            &[],
        ),
        (
            "early success completed",
            json!({"earlySuccessCriteria": {"enable": true}}),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": "BLOCKING"}}),
            &[],
        ),
        (
            "early success switched on",
            bare(),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 50}}),
            &["/earlySuccessCriteria/enable"],
        ),
        (
            "early success at another share",
            json!({"earlySuccessCriteria": {"enable": true}}),
            json!({"earlySuccessCriteria": {"enable": true, "healthyPercent": 50}}),
            &["/earlySuccessCriteria/healthyPercent"],
        ),
    ];
    check(Kind::Service, "/deploymentConfiguration", deployment, rows);
    let daemons: &[Row] = &[
        ("percentages of daemons", json!({}), json!({"maximumPercent": 100, "minimumHealthyPercent": 0}), &[]),
        (
            "percentages of replicas",
            json!({}),
            json!({"maximumPercent": 200, "minimumHealthyPercent": 100}),
            &["/maximumPercent", "/minimumHealthyPercent"],
        ),
    ];
    let daemon = |members: &Value| over(deployment(members), &json!({"schedulingStrategy": "DAEMON"}));
    check(Kind::Service, "/deploymentConfiguration", daemon, daemons);
}

#[test]
fn load_balancers_and_registries() {
    let lb = |group: &str, more: Value| {
        over(json!({"targetGroupArn": group, "containerName": "web", "containerPort": 80}), &more)
    };
    let lbs = |list: Value| json!({"loadBalancers": list});
    let pair = |group: &str, alternate: &str| json!({"loadBalancers": [over(lb(group, json!({})), &json!({"advancedConfiguration": {"alternateTargetGroupArn": alternate, "productionListenerRule": "p", "roleArn": "r"}}))]});
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
            "another green",
            pair("a", "b"),
            pair("a", "c"),
            &["/loadBalancers/web:80/advancedConfiguration/alternateTargetGroupArn"],
        ),
        (
            "another production rule",
            pair("a", "b"),
            json!({"loadBalancers": [over(lb("b", json!({})), &json!({"advancedConfiguration": {"alternateTargetGroupArn": "a", "productionListenerRule": "q", "roleArn": "r"}}))]}),
            &["/loadBalancers/web:80/advancedConfiguration/productionListenerRule"],
        ),
        (
            "blue/green taken away",
            pair("a", "b"),
            lbs(json!([lb("a", json!({}))])),
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

/// A service whose PRIMARY deployment has these members; and a deployment that is on its way out.
fn with_primary(members: &Value) -> Value {
    service(&json!({"deployments": [
        {"status": "ACTIVE", "serviceConnectConfiguration": {"enabled": true, "namespace": "old"}, "volumeConfigurations": [{"name": "old"}]},
        over(json!({"status": "PRIMARY"}), members)
    ]}))
}

/// Judges rows whose live side is the PRIMARY deployment.
fn check_primary(rows: &[Row]) {
    for (name, desired, live, expected) in rows {
        let told = paths(Kind::Service, &service(desired), &with_primary(live), &Context::default());
        assert_eq!(told, *expected, "{name}");
    }
}

#[test]
fn what_stands_in_the_primary_deployment() {
    let connect = |more: Value| json!({"serviceConnectConfiguration": over(json!({"enabled": true, "namespace": "shop"}), &more)});
    let http = |more: Value| connect(json!({"services": [over(json!({"portName": "http"}), &more)]}));
    let alias = |more: Value| http(json!({"clientAliases": [over(json!({"port": 80}), &more)]}));
    let ebs = |more: Value| json!({"volumeConfigurations": [{"name": "data", "managedEBSVolume": over(json!({"roleArn": "r"}), &more)}]});
    let lattice = |group: &str| json!({"vpcLatticeConfigurations": [{"roleArn": "r", "targetGroupArn": group, "portName": "http"}]});
    check_primary(&[
        ("Service Connect alike", connect(json!({})), connect(json!({"services": []})), &[]),
        ("Service Connect off", json!({"serviceConnectConfiguration": {"enabled": false}}), json!({}), &[]),
        ("Service Connect off in live", json!({}), json!({"serviceConnectConfiguration": {"enabled": false}}), &[]),
        ("Service Connect missing", connect(json!({})), json!({}), &["/serviceConnectConfiguration"]),
        ("Service Connect added", json!({}), connect(json!({})), &["/serviceConnectConfiguration"]),
        (
            "Service Connect switched off",
            connect(json!({})),
            json!({"serviceConnectConfiguration": {"enabled": false}}),
            &["/serviceConnectConfiguration/enabled"],
        ),
        (
            "another namespace",
            connect(json!({})),
            connect(json!({"namespace": "other"})),
            &["/serviceConnectConfiguration/namespace"],
        ),
        ("the cluster's namespace", json!({"serviceConnectConfiguration": {"enabled": true}}), connect(json!({})), &[]),
        ("a discovery name completed", http(json!({})), http(json!({"discoveryName": "http"})), &[]),
        (
            "another discovery name",
            http(json!({})),
            http(json!({"discoveryName": "api"})),
            &["/serviceConnectConfiguration/services/http/discoveryName"],
        ),
        ("a DNS name completed", alias(json!({})), alias(json!({"dnsName": "http.shop"})), &[]),
        ("a DNS name not echoed", alias(json!({"dnsName": "http.shop"})), alias(json!({})), &[]),
        (
            "another DNS name",
            alias(json!({})),
            alias(json!({"dnsName": "api"})),
            &["/serviceConnectConfiguration/services/http/clientAliases/80/dnsName"],
        ),
        (
            "another DNS name declared",
            alias(json!({"dnsName": "web"})),
            alias(json!({"dnsName": "api"})),
            &["/serviceConnectConfiguration/services/http/clientAliases/80/dnsName"],
        ),
        (
            "aliases are a set",
            http(json!({"clientAliases": [{"port": 80}, {"port": 81}]})),
            http(json!({"discoveryName": "http", "clientAliases": [{"port": 81}, {"port": 80}]})),
            &[],
        ),
        (
            "an alias added",
            alias(json!({})),
            http(json!({"clientAliases": [{"port": 80}, {"port": 81}]})),
            &["/serviceConnectConfiguration/services/http/clientAliases/81"],
        ),
        (
            "services are a set",
            connect(json!({"services": [{"portName": "a"}, {"portName": "b"}]})),
            connect(json!({"services": [{"portName": "b"}, {"portName": "a"}]})),
            &[],
        ),
        (
            "a service added",
            http(json!({})),
            connect(json!({"services": [{"portName": "http"}, {"portName": "b"}]})),
            &["/serviceConnectConfiguration/services/b"],
        ),
        ("a default timeout", http(json!({})), http(json!({"timeout": {"idleTimeoutSeconds": 300}})), &[]),
        (
            "a timeout switched off",
            http(json!({})),
            http(json!({"timeout": {"idleTimeoutSeconds": 0}})),
            &["/serviceConnectConfiguration/services/http/timeout"],
        ),
        (
            "another timeout",
            http(json!({"timeout": {"idleTimeoutSeconds": 60}})),
            http(json!({"timeout": {"idleTimeoutSeconds": 0}})),
            &["/serviceConnectConfiguration/services/http/timeout/idleTimeoutSeconds"],
        ),
        (
            "an ingress port",
            http(json!({"ingressPortOverride": 8080})),
            http(json!({})),
            &["/serviceConnectConfiguration/services/http/ingressPortOverride"],
        ),
        (
            "TLS is verbatim",
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "a"}}})),
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "b"}}})),
            &["/serviceConnectConfiguration/services/http/tls/issuerCertificateAuthority/awsPcaAuthorityArn"],
        ),
        (
            "TLS added",
            http(json!({})),
            http(json!({"tls": {"issuerCertificateAuthority": {"awsPcaAuthorityArn": "b"}}})),
            &["/serviceConnectConfiguration/services/http/tls"],
        ),
        (
            "access logs completed",
            connect(json!({"accessLogConfiguration": {"format": "JSON"}})),
            connect(json!({"accessLogConfiguration": {"format": "JSON", "includeQueryParameters": "DISABLED"}})),
            &[],
        ),
        (
            "logs of the proxy",
            connect(json!({"logConfiguration": {"logDriver": "awslogs", "options": {"a": ""}}})),
            connect(json!({"logConfiguration": {"logDriver": "awslogs"}})),
            &["/serviceConnectConfiguration/logConfiguration/options/a"],
        ),
        (
            "a log level completed",
            connect(json!({"containerConfigurations": [{}]})),
            connect(json!({"containerConfigurations": [{"logLevel": "info"}]})),
            &[],
        ),
        (
            "another log level",
            connect(json!({"containerConfigurations": [{"logLevel": "debug"}]})),
            connect(json!({"containerConfigurations": [{"logLevel": "info"}]})),
            &["/serviceConnectConfiguration/containerConfigurations"],
        ),
        (
            "a volume completed",
            ebs(json!({"sizeInGiB": 10})),
            ebs(
                json!({"sizeInGiB": 10, "volumeType": "gp3", "iops": 3000, "throughput": 125, "encrypted": true, "filesystemType": "xfs"}),
            ),
            &[],
        ),
        (
            "a larger volume",
            ebs(json!({"sizeInGiB": 10})),
            ebs(json!({"sizeInGiB": 20})),
            &["/volumeConfigurations/data/managedEBSVolume/sizeInGiB"],
        ),
        (
            "another file system",
            ebs(json!({})),
            ebs(json!({"filesystemType": "ext4"})),
            &["/volumeConfigurations/data/managedEBSVolume/filesystemType"],
        ),
        (
            "more operations",
            ebs(json!({})),
            ebs(json!({"iops": 6000})),
            &["/volumeConfigurations/data/managedEBSVolume/iops"],
        ),
        (
            "encryption declared",
            ebs(json!({"encrypted": false})),
            ebs(json!({"encrypted": true})),
            &["/volumeConfigurations/data/managedEBSVolume/encrypted"],
        ),
        (
            "a volume's tags",
            ebs(
                json!({"tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]}]}),
            ),
            ebs(
                json!({"tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}], "propagateTags": "NONE"}]}),
            ),
            &["/volumeConfigurations/data/managedEBSVolume/tagSpecifications/volume/tags/b"],
        ),
        ("a volume missing", ebs(json!({})), json!({}), &["/volumeConfigurations/data"]),
        ("a volume added", json!({}), ebs(json!({})), &["/volumeConfigurations/data"]),
        ("VPC Lattice", lattice("a"), lattice("b"), &["/vpcLatticeConfigurations/http/targetGroupArn"]),
        ("VPC Lattice alike", lattice("a"), lattice("a"), &[]),
        ("VPC Lattice added", json!({}), lattice("a"), &["/vpcLatticeConfigurations/http"]),
    ]);
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
