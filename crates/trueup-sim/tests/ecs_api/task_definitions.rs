//! Task definitions: what comes back, what is refused, how they end.

use serde_json::{Value, json};

use super::{CALLER, definition, ok, refused, with, world};

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
