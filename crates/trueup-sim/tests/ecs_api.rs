//! What the actions of ECS answer and refuse, without anything happening by itself.

use std::time::Duration;

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
        match value {
            Value::Null => drop(changed.as_object_mut().expect("an object").remove(name)),
            value => changed[name] = value.clone(),
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

#[test]
fn a_task_definition_comes_back_completed() {
    // (pointer into taskDefinition, what is there)
    let told = ok(&mut world(1), "RegisterTaskDefinition", definition())["taskDefinition"].clone();
    for (pointer, wanted) in [
        ("/taskDefinitionArn", json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1")),
        ("/revision", json!(1)),
        ("/status", json!("ACTIVE")),
        ("/cpu", json!("256")),
        ("/memory", json!("512")),
        ("/executionRoleArn", json!("arn:aws:iam::123456789012:role/ecs-execution")),
        ("/volumes", json!([])),
        ("/placementConstraints", json!([])),
        ("/enableFaultInjection", json!(false)),
        ("/registeredBy", json!(CALLER)),
        ("/registeredAt", serde_json::from_str("1767225600.000").expect("a number")),
        ("/containerDefinitions/0/cpu", json!(0)),
        ("/containerDefinitions/0/essential", json!(true)),
        ("/containerDefinitions/0/mountPoints", json!([])),
        ("/containerDefinitions/0/volumesFrom", json!([])),
        ("/containerDefinitions/0/environment", json!([{ "name": "A", "value": "1" }])),
        (
            "/containerDefinitions/0/portMappings",
            json!([{ "containerPort": 8080, "hostPort": 8080, "protocol": "tcp" }]),
        ),
        (
            "/containerDefinitions/0/healthCheck",
            json!({ "command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3 }),
        ),
    ] {
        assert_eq!(told.pointer(pointer), Some(&wanted), "{pointer}");
    }
    for pointer in ["/taskRoleArn", "/containerDefinitions/0/typo", "/containerDefinitions/0/command", "/tags"] {
        assert_eq!(told.pointer(pointer), None, "{pointer}");
    }
}

#[test]
fn sizes_are_spelled_as_integers() {
    for (cpu, memory, told) in [
        ("256", "512", ("256", "512")),
        (".25 vCPU", "1GB", ("256", "1024")),
        ("1vcpu", "2 GB", ("1024", "2048")),
        ("0.5 vCPU", "1.0gb", ("512", "1024")),
    ] {
        let input = with(&definition(), &json!({ "cpu": cpu, "memory": memory }));
        let answer = ok(&mut world(1), "RegisterTaskDefinition", input);
        assert_eq!(
            (&answer["taskDefinition"]["cpu"], &answer["taskDefinition"]["memory"]),
            (&json!(told.0), &json!(told.1))
        );
    }
}

#[test]
fn some_world_puts_containers_into_another_order_and_every_world_keeps_it() {
    let container = |name: &str| json!({ "name": name, "image": "app:1" });
    let sent =
        with(&definition(), &json!({ "containerDefinitions": [container("a"), container("b"), container("c")] }));
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let mut world = world(seed);
        let registered = ok(&mut world, "RegisterTaskDefinition", sent.clone());
        let described = ok(&mut world, "DescribeTaskDefinition", json!({ "taskDefinition": "web:1" }));
        assert_eq!(registered["taskDefinition"], described["taskDefinition"]);
        let names = registered["taskDefinition"]["containerDefinitions"].as_array().expect("a list").iter();
        orders.insert(names.map(|container| container["name"].to_string()).collect::<String>());
    }
    assert!(orders.len() > 1, "{orders:?}");
}

#[test]
fn register_task_definition_refuses_as_ecs_does() {
    let container =
        |change: Value| json!({ "containerDefinitions": [with(&definition()["containerDefinitions"][0], &change)] });
    for (change, code, words) in [
        (json!({ "family": "a b" }), "ClientException", "Family contains invalid characters."),
        (json!({ "family": 1 }), "SerializationException", "NUMBER_VALUE can not be converted to a String"),
        (json!({ "family": null }), "InvalidParameterException", "family should not be null or empty."),
        (
            json!({ "containerDefinitions": {} }),
            "SerializationException",
            "Start of structure or map found where not expected.",
        ),
        (json!({ "containerDefinitions": [] }), "ClientException", "Container list cannot be empty."),
        (json!({ "networkMode": "bridge" }), "ClientException", "Fargate only supports network mode ‘awsvpc’."),
        (json!({ "networkMode": "moon" }), "InvalidParameterException", "moon is not a valid value for networkMode."),
        (json!({ "cpu": null }), "ClientException", "Fargate requires that 'cpu' be defined at the task level."),
        (
            json!({ "memory": "4096" }),
            "ClientException",
            "No Fargate configuration exists for given values: 256 CPU, 4096 memory.",
        ),
        (json!({ "tags": [] }), "InvalidParameterException", "Tags can not be empty."),
        (
            json!({ "tags": [{ "key": "aws:x", "value": "1" }] }),
            "InvalidParameterException",
            "aws: prefixed tag key names",
        ),
        (
            json!({ "executionRoleArn": null, "containerDefinitions": [{ "name": "app", "image": "1.dkr.ecr.eu-west-1.amazonaws.com/a:1" }] }),
            "ClientException",
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ),
        (container(json!({ "image": null })), "ClientException", "Container.image should not be null or empty."),
        (container(json!({ "cpu": "1" })), "SerializationException", "STRING_VALUE can not be converted to an Integer"),
        (container(json!({ "essential": false })), "ClientException", "At least one container must be essential."),
        (
            container(json!({ "portMappings": [{ "containerPort": 80, "hostPort": 81 }] })),
            "ClientException",
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        ),
        (container(json!({ "mountPoints": [{ "sourceVolume": "x" }] })), "ClientException", "Unknown volume 'x'."),
    ] {
        let error = refused(&mut world(1), "RegisterTaskDefinition", with(&definition(), &change));
        assert_eq!((error.code.as_str(), error.status), (code, 400), "{change}");
        assert!(error.message.contains(words), "{change}: {}", error.message);
    }
}

#[test]
fn revisions_only_grow_and_go_from_active_to_inactive_to_deleted() {
    let mut world = world(1);
    for _ in 0..12 {
        ok(&mut world, "RegisterTaskDefinition", definition());
    }
    let arns = |answer: &Value| -> Vec<String> {
        let arns = answer["taskDefinitionArns"].as_array().expect("a list").iter();
        arns.map(|arn| arn.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()).collect()
    };
    let newest = ok(&mut world, "ListTaskDefinitions", json!({ "familyPrefix": "web", "sort": "DESC" }));
    assert_eq!(arns(&newest)[..3], ["web:12", "web:11", "web:10"]);
    assert!(arns(&ok(&mut world, "ListTaskDefinitions", json!({ "familyPrefix": "we" }))).is_empty());

    ok(&mut world, "DeregisterTaskDefinition", json!({ "taskDefinition": "web:12" }));
    let newest = ok(&mut world, "DescribeTaskDefinition", json!({ "taskDefinition": "web" }));
    assert_eq!(newest["taskDefinition"]["revision"], 11);
    let gone = ok(&mut world, "DescribeTaskDefinition", json!({ "taskDefinition": "web:12" }));
    assert_eq!(gone["taskDefinition"]["status"], "INACTIVE");
    let inactive = ok(&mut world, "ListTaskDefinitions", json!({ "status": "INACTIVE" }));
    assert_eq!(arns(&inactive), ["web:12"]);

    let deleted = ok(&mut world, "DeleteTaskDefinitions", json!({ "taskDefinitions": ["web:12", "web:11", "web:99"] }));
    assert_eq!(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
    let reasons: Vec<&Value> =
        deleted["failures"].as_array().expect("a list").iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, ["TASK_DEFINITION_STILL_ACTIVE", "TASK_DEFINITION_NOT_FOUND"]);

    let next = ok(&mut world, "RegisterTaskDefinition", definition());
    assert_eq!(next["taskDefinition"]["revision"], 13);
    let error = refused(&mut world, "DescribeTaskDefinition", json!({ "taskDefinition": "other" }));
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("ClientException", "Unable to describe task definition.")
    );
}

#[test]
fn a_service_comes_back_completed() {
    let told = described(&mut world_with_service(1));
    for (pointer, wanted) in [
        ("/serviceArn", json!("arn:aws:ecs:eu-west-1:123456789012:service/prod/web")),
        ("/clusterArn", json!("arn:aws:ecs:eu-west-1:123456789012:cluster/prod")),
        ("/status", json!("ACTIVE")),
        ("/desiredCount", json!(2)),
        ("/taskDefinition", json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1")),
        ("/launchType", json!("FARGATE")),
        ("/platformVersion", json!("LATEST")),
        ("/platformFamily", json!("Linux")),
        ("/schedulingStrategy", json!("REPLICA")),
        ("/deploymentController", json!({ "type": "ECS" })),
        ("/deploymentConfiguration/maximumPercent", json!(200)),
        ("/deploymentConfiguration/minimumHealthyPercent", json!(100)),
        ("/deploymentConfiguration/strategy", json!("ROLLING")),
        ("/deploymentConfiguration/deploymentCircuitBreaker/enable", json!(false)),
        ("/availabilityZoneRebalancing", json!("ENABLED")),
        ("/loadBalancers", json!([])),
        ("/serviceRegistries", json!([])),
        ("/placementConstraints", json!([])),
        ("/placementStrategy", json!([])),
        ("/healthCheckGracePeriodSeconds", json!(0)),
        ("/enableECSManagedTags", json!(false)),
        ("/enableExecuteCommand", json!(false)),
        ("/propagateTags", json!("NONE")),
        ("/networkConfiguration/awsvpcConfiguration/securityGroups", json!([])),
        ("/networkConfiguration/awsvpcConfiguration/assignPublicIp", json!("DISABLED")),
        ("/roleArn", json!("arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")),
        ("/tags", json!([])),
        ("/createdBy", json!(CALLER)),
    ] {
        assert_eq!(told.pointer(pointer), Some(&wanted), "{pointer}");
    }
}

#[test]
fn some_world_tells_the_circuit_breaker_long_and_some_short() {
    let lengths: std::collections::BTreeSet<usize> = (0..20)
        .map(|seed| {
            let told = described(&mut world_with_service(seed));
            told["deploymentConfiguration"]["deploymentCircuitBreaker"].as_object().expect("an object").len()
        })
        .collect();
    assert_eq!(lengths, [2, 4].into());
}

#[test]
fn create_service_refuses_as_ecs_does() {
    for (change, code, words) in [
        (json!({ "cluster": "none" }), "ClusterNotFoundException", "Cluster not found."),
        (json!({ "taskDefinition": "none" }), "ClientException", "TaskDefinition not found."),
        (json!({ "taskDefinition": null }), "InvalidParameterException", "TaskDefinition can not be blank."),
        (
            json!({ "networkConfiguration": null }),
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            json!({ "capacityProviderStrategy": [{ "capacityProvider": "FARGATE" }] }),
            "InvalidParameterException",
            "Specifying both a launch type and capacity provider strategy is not supported.",
        ),
        (
            json!({ "capacityProviderStrategy": [{ "capacityProvider": "mine" }], "launchType": null }),
            "InvalidParameterException",
            "not associated with the cluster",
        ),
        (json!({ "platformVersion": "9.9" }), "PlatformUnknownException", "The specified platform does not exist."),
        (json!({ "launchType": "EXTERNAL" }), "InvalidParameterException", "does not support launch_type EXTERNAL"),
        (json!({ "desiredCount": null }), "InvalidParameterException", "Desired count is required"),
        (json!({ "desiredCount": -1 }), "InvalidParameterException", "must not be negative"),
        (json!({ "schedulingStrategy": "DAEMON", "desiredCount": null }), "InvalidParameterException", "DAEMON"),
        (
            json!({ "deploymentConfiguration": { "maximumPercent": 100, "minimumHealthyPercent": 100 } }),
            "InvalidParameterException",
            "cannot be 100 as this will block deployments",
        ),
        (
            json!({ "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true } } }),
            "InvalidParameterException",
            "deploymentConfiguration.deploymentCircuitBreaker.rollback",
        ),
        (
            json!({ "loadBalancers": [{ "targetGroupArn": "arn:tg", "containerName": "x", "containerPort": 8080 }] }),
            "InvalidParameterException",
            "The container x does not exist in the task definition.",
        ),
        (
            json!({ "loadBalancers": [{ "targetGroupArn": "arn:tg", "containerName": "app", "containerPort": 1 }] }),
            "InvalidParameterException",
            "The container app did not have a container port 1 defined.",
        ),
        (json!({ "serviceName": "web" }), "InvalidParameterException", "Creation of service was not idempotent."),
    ] {
        let mut world = world_with_service(1);
        let base = with(&service(), &json!({ "serviceName": "other" }));
        let error = refused(&mut world, "CreateService", with(&base, &change));
        assert_eq!(error.code, code, "{change}: {}", error.message);
        assert!(error.message.contains(words), "{change}: {}", error.message);
    }
}

#[test]
fn a_client_token_makes_creation_idempotent() {
    let mut world = world(1);
    ok(&mut world, "RegisterTaskDefinition", definition());
    let request = with(&service(), &json!({ "clientToken": "token-1" }));
    let first = ok(&mut world, "CreateService", request.clone());
    let again = ok(&mut world, "CreateService", request.clone());
    assert_eq!(first["service"]["serviceArn"], again["service"]["serviceArn"]);
    for change in [json!({ "desiredCount": 3 }), json!({ "clientToken": "token-2" }), json!({ "clientToken": null })] {
        let error = refused(&mut world, "CreateService", with(&request, &change));
        assert_eq!(error.message, "Creation of service was not idempotent.", "{change}");
    }
}

#[test]
fn an_update_keeps_what_it_leaves_out_and_an_empty_list_removes() {
    let mut world = world_with_service(1);
    let constraint = json!([{ "type": "distinctInstance" }]);
    let call = |world: &mut World, change: Value| {
        ok(world, "UpdateService", with(&json!({ "cluster": "prod", "service": "web" }), &change));
        described(world)
    };
    let told =
        call(&mut world, json!({ "desiredCount": 5, "placementConstraints": constraint, "propagateTags": "SERVICE" }));
    assert_eq!((&told["desiredCount"], &told["placementConstraints"]), (&json!(5), &constraint));
    let told = call(&mut world, json!({ "enableExecuteCommand": true }));
    assert_eq!((&told["desiredCount"], &told["placementConstraints"]), (&json!(5), &constraint));
    assert_eq!(told["propagateTags"], "SERVICE");
    let told = call(&mut world, json!({ "placementConstraints": [], "desiredCount": 0 }));
    assert_eq!((&told["desiredCount"], &told["placementConstraints"]), (&json!(0), &json!([])));
}

#[test]
fn a_set_that_is_sent_in_another_order_comes_back_in_the_same_order() {
    let mut world = world_with_service(3);
    let before = described(&mut world)["networkConfiguration"].clone();
    let network = json!({ "awsvpcConfiguration": { "subnets": ["subnet-a", "subnet-b"] } });
    ok(&mut world, "UpdateService", json!({ "cluster": "prod", "service": "web", "networkConfiguration": network }));
    assert_eq!(described(&mut world)["networkConfiguration"], before);
}

#[test]
fn update_service_refuses_as_ecs_does() {
    for (change, code, words) in [
        (json!({ "service": "none" }), "ServiceNotFoundException", "Service not found."),
        (json!({ "cluster": "none" }), "ClusterNotFoundException", "Cluster not found."),
        (json!({ "taskDefinition": "none:1" }), "ClientException", "TaskDefinition not found."),
        (json!({ "taskDefinition": "web:x" }), "InvalidParameterException", "Invalid revision number."),
        (json!({ "healthCheckGracePeriodSeconds": -1 }), "InvalidParameterException", "healthCheckGracePeriodSeconds"),
        (
            json!({ "networkConfiguration": { "awsvpcConfiguration": { "subnets": [] } } }),
            "InvalidParameterException",
            "subnets can not be empty.",
        ),
    ] {
        let base = json!({ "cluster": "prod", "service": "web" });
        let error = refused(&mut world_with_service(1), "UpdateService", with(&base, &change));
        assert_eq!(error.code, code, "{change}: {}", error.message);
        assert!(error.message.contains(words), "{change}: {}", error.message);
    }
}

#[test]
fn a_code_deploy_service_is_not_deployed_by_an_update() {
    let mut world = world(1);
    ok(&mut world, "RegisterTaskDefinition", definition());
    ok(&mut world, "CreateService", with(&service(), &json!({ "deploymentController": { "type": "CODE_DEPLOY" } })));
    let error =
        refused(&mut world, "UpdateService", json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:1" }));
    assert_eq!(
        error.message,
        "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a \
         new deployment."
    );
    ok(&mut world, "UpdateService", json!({ "cluster": "prod", "service": "web", "desiredCount": 1 }));
}

#[test]
fn a_deregistered_task_definition_may_not_be_used_after_ten_minutes() {
    for seed in 0..10 {
        let mut world = world_with_service(seed);
        ok(&mut world, "DeregisterTaskDefinition", json!({ "taskDefinition": "web:1" }));
        let later = world.now + Duration::from_secs(601);
        world.advance(later);
        // The service that runs it may still be changed; a new one may not have it.
        ok(
            &mut world,
            "UpdateService",
            json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:1", "desiredCount": 3 }),
        );
        let other = with(&service(), &json!({ "serviceName": "other", "taskDefinition": "web:1" }));
        let error = refused(&mut world, "CreateService", other);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("ClientException", "TaskDefinition is inactive"));
    }
}

#[test]
fn a_service_that_is_wanted_is_deleted_only_by_force_and_leaves_the_listing() {
    let mut world = world_with_service(1);
    let error = refused(&mut world, "DeleteService", json!({ "cluster": "prod", "service": "web" }));
    assert_eq!(error.message, "The service cannot be stopped while it is scaled above 0.");
    let deleted = ok(&mut world, "DeleteService", json!({ "cluster": "prod", "service": "web", "force": true }));
    assert_eq!(deleted["service"]["serviceName"], "web");
    assert_eq!(ok(&mut world, "ListServices", json!({ "cluster": "prod" }))["serviceArns"], json!([]));
    let error = refused(&mut world, "DeleteService", json!({ "cluster": "prod", "service": "web" }));
    assert!(["ServiceNotFoundException", "ServiceNotActiveException"].contains(&error.code.as_str()), "{}", error.code);
    let error = refused(&mut world, "UpdateService", json!({ "cluster": "prod", "service": "web", "desiredCount": 1 }));
    assert_eq!(error.code, "ServiceNotActiveException");
}

#[test]
fn describe_services_takes_ten_names_and_tells_who_is_missing() {
    let mut world = world_with_service(1);
    let names = |count: usize| json!({ "cluster": "prod", "services": (0..count).map(|n| format!("s{n}")).collect::<Vec<_>>() });
    assert_eq!(refused(&mut world, "DescribeServices", names(0)).message, "Services cannot be empty.");
    assert_eq!(refused(&mut world, "DescribeServices", names(11)).code, "InvalidParameterException");
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web";
    let told = ok(&mut world, "DescribeServices", json!({ "cluster": "prod", "services": [arn, "none"] }));
    assert_eq!(told["services"][0]["serviceArn"], arn);
    let missing = json!([{ "arn": "arn:aws:ecs:eu-west-1:123456789012:service/prod/none", "reason": "MISSING" }]);
    assert_eq!(told["failures"], missing);
}

#[test]
fn pages_together_tell_everything_once_and_a_foreign_token_is_refused() {
    let mut world = world(4);
    ok(&mut world, "RegisterTaskDefinition", definition());
    for number in 0..25 {
        let change = json!({ "serviceName": format!("s{number:02}"), "desiredCount": 0 });
        ok(&mut world, "CreateService", with(&service(), &change));
    }
    let (mut all, mut token, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let page = ok(&mut world, "ListServices", json!({ "cluster": "prod", "nextToken": token }));
        let arns = page["serviceArns"].as_array().expect("a list");
        assert!(arns.len() <= 10, "{}", arns.len());
        all.extend(arns.clone());
        pages += 1;
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!((all.len(), pages), (25, 3));
    assert!(all.is_sorted_by(|one, other| one.as_str() < other.as_str()));
    for (action, token) in [("ListServices", json!("bm9uc2Vuc2U=")), ("ListTasks", token)] {
        let error = refused(&mut world, action, json!({ "cluster": "prod", "nextToken": token }));
        assert_eq!(error.code, "InvalidParameterException", "{action}");
    }
    let error = refused(&mut world, "ListServices", json!({ "cluster": "prod", "maxResults": 101 }));
    assert_eq!(error.code, "InvalidParameterException");
}

#[test]
fn tags_are_added_replaced_and_taken_away_on_every_resource() {
    let mut world = world_with_service(1);
    let run = json!({ "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE",
        "networkConfiguration": service()["networkConfiguration"] });
    let task = ok(&mut world, "RunTask", run)["tasks"][0]["taskArn"].clone();
    let prefix = "arn:aws:ecs:eu-west-1:123456789012";
    for arn in [
        json!(format!("{prefix}:cluster/prod")),
        json!(format!("{prefix}:service/prod/web")),
        json!(format!("{prefix}:task-definition/web:1")),
        task,
    ] {
        let tag = |key: &str, value: &str| json!({ "resourceArn": arn, "tags": [{ "key": key, "value": value }] });
        ok(&mut world, "TagResource", tag("team", "a"));
        ok(&mut world, "TagResource", tag("stage", "x"));
        ok(&mut world, "TagResource", tag("team", "b"));
        ok(&mut world, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["stage", "none"] }));
        let told = ok(&mut world, "ListTagsForResource", json!({ "resourceArn": arn }));
        assert_eq!(told["tags"], json!([{ "key": "team", "value": "b" }]), "{arn}");
        let many: Vec<Value> = (0..50).map(|n| json!({ "key": format!("k{n}"), "value": "" })).collect();
        let error = refused(&mut world, "TagResource", json!({ "resourceArn": arn, "tags": many }));
        assert_eq!(error.code, "InvalidParameterException", "{arn}");
        assert_eq!(refused(&mut world, "TagResource", tag("AWS:x", "1")).code, "InvalidParameterException");
    }
    let gone = json!({ "resourceArn": format!("{prefix}:service/prod/none") });
    assert_eq!(refused(&mut world, "ListTagsForResource", gone).code, "ResourceNotFoundException");
}

#[test]
fn run_task_starts_once_per_client_token() {
    let mut world = world_with_service(1);
    let run = json!({ "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE", "count": 2, "clientToken": "t",
        "startedBy": "me", "networkConfiguration": service()["networkConfiguration"] });
    let arns = |answer: &Value| -> Vec<Value> {
        answer["tasks"].as_array().expect("a list").iter().map(|task| task["taskArn"].clone()).collect()
    };
    let first = ok(&mut world, "RunTask", run.clone());
    assert_eq!(arns(&first).len(), 2);
    assert_eq!(arns(&ok(&mut world, "RunTask", run.clone())), arns(&first));
    let error = refused(&mut world, "RunTask", with(&run, &json!({ "count": 1 })));
    assert_eq!(error.code, "ConflictException");
    assert_eq!(error.members["resourceIds"], json!(arns(&first)));

    let mut listed = ok(&mut world, "ListTasks", json!({ "cluster": "prod", "startedBy": "me" }))["taskArns"].clone();
    let mut started = arns(&first);
    listed.as_array_mut().expect("a list").sort_by_key(ToString::to_string);
    started.sort_by_key(ToString::to_string);
    assert_eq!(listed, json!(started));
    let told = ok(&mut world, "DescribeTasks", json!({ "cluster": "prod", "tasks": [started[0], "none"] }));
    for (pointer, wanted) in [
        ("/tasks/0/lastStatus", json!("PROVISIONING")),
        ("/tasks/0/desiredStatus", json!("RUNNING")),
        ("/tasks/0/launchType", json!("FARGATE")),
        ("/tasks/0/group", json!("family:web")),
        ("/tasks/0/cpu", json!("256")),
        ("/tasks/0/containers/0/name", json!("app")),
        ("/tasks/0/healthStatus", json!("UNKNOWN")),
        ("/failures/0/reason", json!("MISSING")),
    ] {
        assert_eq!(told.pointer(pointer), Some(&wanted), "{pointer}");
    }
    for (change, words) in [
        (json!({ "count": 11 }), "Count must be between 1 and 10."),
        (json!({ "startedBy": "a b" }), "startedBy"),
        (json!({ "overrides": { "containerOverrides": [{ "name": "x" }] } }), "not a container in the TaskDefinition"),
        (json!({ "overrides": { "containerOverrides": [{ "name": "app", "command": ["x".repeat(9000)] }] } }), "8192"),
    ] {
        let error = refused(&mut world, "RunTask", with(&run, &with(&change, &json!({ "clientToken": "u" }))));
        assert!(error.message.contains(words), "{change}: {}", error.message);
    }
}

#[test]
fn what_is_not_simulated_is_an_unknown_operation() {
    for action in ["UpdateServicePrimaryTaskSet", "Tag", "describeServices"] {
        assert_eq!(refused(&mut world(1), action, json!({})).code, "UnknownOperationException", "{action}");
    }
}
