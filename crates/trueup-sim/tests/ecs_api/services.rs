//! Services: what comes back, what an update keeps, what is refused.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::World;

use super::{CALLER, definition, described, ok, refused, service, with, world, world_with_service};

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
