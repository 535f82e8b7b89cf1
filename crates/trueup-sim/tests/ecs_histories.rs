//! What the actions of ECS show while the scheduler and the load balancer do their part.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::workload::{Behaviour, Health, Start};
use trueup_sim::{Time, World, ecs, elb};

const CALLER: &str = "arn:aws:iam::123456789012:user/ada";

fn ecs(world: &mut World, action: &str, input: &Value) -> Value {
    let answer = ecs::api::answer(world, CALLER, action, input);
    answer.unwrap_or_else(|error| panic!("{action}: {} {}", error.code, error.message))
}

fn refusal(world: &mut World, action: &str, input: &Value) -> (String, String) {
    match ecs::api::answer(world, CALLER, action, input) {
        Err(error) => (error.code, error.message),
        Ok(answer) => panic!("{action} was not refused: {answer}"),
    }
}

fn elb(world: &mut World, action: &str, input: &Value) -> Value {
    let answer = elb::api::answer(world, CALLER, action, input);
    answer.unwrap_or_else(|error| panic!("{action}: {} {}", error.code, error.message))
}

fn pass(world: &mut World, seconds: u64) {
    let later = world.now + Duration::from_secs(seconds);
    world.advance(later);
}

/// Registers a revision of `web` with this image.
fn register(world: &mut World, image: &str) -> String {
    let input = json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{ "name": "app", "image": image, "portMappings": [{ "containerPort": 8080 }] }],
    });
    let arn = &ecs(world, "RegisterTaskDefinition", &input)["taskDefinition"]["taskDefinitionArn"];
    arn.as_str().expect("an ARN").to_owned()
}

fn network() -> Value {
    json!({ "awsvpcConfiguration": { "subnets": ["subnet-a"] } })
}

/// A cluster `prod` with a service `web` of two tasks of `app:1`, with a circuit breaker, not yet steady.
fn begun(seed: u64, change: &Value) -> World {
    let mut world = World::new("123456789012", "eu-west-1", seed, Time::START);
    ecs(&mut world, "CreateCluster", &json!({ "clusterName": "prod" }));
    register(&mut world, "app:1");
    create(&mut world, change);
    world
}

fn create(world: &mut World, change: &Value) {
    let mut input = json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": network(),
        "deploymentConfiguration": { "deploymentCircuitBreaker": { "enable": true, "rollback": true } },
    });
    for (name, value) in change.as_object().expect("an object") {
        input[name] = value.clone();
    }
    ecs(world, "CreateService", &input);
}

fn described(world: &mut World) -> Value {
    ecs(world, "DescribeServices", &json!({ "cluster": "prod", "services": ["web"] }))["services"][0].clone()
}

/// Lets time pass until `done`, for an hour at most.
fn until(world: &mut World, what: &str, done: impl Fn(&mut World) -> bool) {
    for _ in 0..720 {
        if done(world) {
            return;
        }
        pass(world, 5);
    }
    panic!("never {what}: {}", described(world));
}

/// What the SDK's waiter `ServicesStable` looks at.
fn is_stable(world: &mut World) -> bool {
    let service = described(world);
    service["deployments"].as_array().is_some_and(|all| all.len() == 1)
        && service["runningCount"] == service["desiredCount"]
}

fn is_successful(world: &mut World) -> bool {
    newest_deployment(world)["status"] == "SUCCESSFUL"
}

fn newest_deployment(world: &mut World) -> Value {
    let listed = ecs(world, "ListServiceDeployments", &json!({ "cluster": "prod", "service": "web", "maxResults": 1 }));
    let arn = &listed["serviceDeployments"][0]["serviceDeploymentArn"];
    let told = ecs(world, "DescribeServiceDeployments", &json!({ "serviceDeploymentArns": [arn] }));
    assert_eq!(told["failures"], json!([]));
    told["serviceDeployments"][0].clone()
}

#[test]
fn bounds_that_are_widened_while_a_deployment_is_stuck_let_it_go_on() {
    let mut world = begun(1, &json!({ "desiredCount": 1 }));
    until(&mut world, "complete", is_successful);
    let bounds = |minimum, maximum| {
        let percent = json!({ "minimumHealthyPercent": minimum, "maximumPercent": maximum });
        json!({ "cluster": "prod", "service": "web", "deploymentConfiguration": percent })
    };
    ecs(&mut world, "UpdateService", &bounds(100, 150));
    let second = register(&mut world, "app:2");
    ecs(&mut world, "UpdateService", &json!({ "cluster": "prod", "service": "web", "taskDefinition": second }));
    pass(&mut world, 3_600);
    assert!(!is_successful(&mut world), "nothing may start and nothing may stop");
    ecs(&mut world, "UpdateService", &bounds(100, 200));
    until(&mut world, "complete", is_successful);
}

#[test]
fn a_new_service_is_told_from_its_first_moment_until_it_is_stable() {
    let mut world = begun(1, &json!({ "enableExecuteCommand": true }));
    let first = described(&mut world);
    assert_eq!(first["deployments"][0]["status"], "PRIMARY");
    assert_eq!(first["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(first["deployments"][0]["platformVersion"], "1.4.0");
    assert_eq!(first["deployments"][0]["networkConfiguration"], first["networkConfiguration"]);
    until(&mut world, "stable", is_stable);
    until(&mut world, "successful", is_successful);

    let service = described(&mut world);
    let deployment = &service["deployments"][0];
    assert_eq!((&deployment["rolloutState"], &deployment["runningCount"]), (&json!("COMPLETED"), &json!(2)));
    let record = newest_deployment(&mut world);
    assert_eq!(service["currentServiceDeployment"], record["serviceDeploymentArn"]);
    let revision = &service["currentServiceRevisions"][0];
    assert_eq!((&revision["runningTaskCount"], &revision["requestedTaskCount"]), (&json!(2), &json!(2)));
    assert_eq!(record["targetServiceRevision"]["arn"], revision["arn"]);
    let revisions = ecs(&mut world, "DescribeServiceRevisions", &json!({ "serviceRevisionArns": [revision["arn"]] }));
    let told = &revisions["serviceRevisions"][0];
    assert_eq!(told["taskDefinition"], service["taskDefinition"]);
    assert_eq!((&told["containerImages"][0]["image"], &told["platformVersion"]), (&json!("app:1"), &json!("1.4.0")));
    assert!(told["containerImages"][0]["imageDigest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));

    // The tasks of a deployment are found by its id.
    let listed = ecs(&mut world, "ListTasks", &json!({ "cluster": "prod", "startedBy": deployment["id"] }));
    assert_eq!(listed["taskArns"].as_array().map(Vec::len), Some(2));
    let of_service = ecs(&mut world, "ListTasks", &json!({ "cluster": "prod", "serviceName": "web" }));
    assert_eq!(of_service, listed);
    let tasks = ecs(&mut world, "DescribeTasks", &json!({ "cluster": "prod", "tasks": listed["taskArns"] }));
    for task in tasks["tasks"].as_array().expect("a list") {
        assert_eq!((&task["lastStatus"], &task["group"]), (&json!("RUNNING"), &json!("service:web")));
        assert_eq!((&task["launchType"], &task["platformVersion"]), (&json!("FARGATE"), &json!("1.4.0")));
        assert_eq!(task["enableExecuteCommand"], json!(true));
        assert_eq!(task["containers"][0]["networkInterfaces"][0]["attachmentId"], task["attachments"][0]["id"]);
        assert_eq!(task["attachments"][0]["details"][0], json!({ "name": "subnetId", "value": "subnet-a" }));
    }
}

#[test]
fn only_some_changes_begin_a_deployment() {
    for (change, deploys) in [
        (json!({ "taskDefinition": "web:2" }), true),
        (json!({ "taskDefinition": "web:1" }), false),
        (json!({ "forceNewDeployment": true }), true),
        (json!({ "networkConfiguration": network() }), false),
        (json!({ "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-b"] } } }), true),
        (json!({ "platformVersion": "1.4.0" }), true),
        (json!({ "platformVersion": "LATEST" }), false),
        (json!({ "loadBalancers": [], "serviceRegistries": [] }), false),
        (json!({ "serviceConnectConfiguration": { "enabled": false } }), false),
        (json!({ "serviceConnectConfiguration": { "enabled": true, "namespace": "internal" } }), true),
        (json!({ "desiredCount": 3 }), false),
        (json!({ "deploymentConfiguration": { "maximumPercent": 150 } }), false),
        (json!({ "enableExecuteCommand": true, "propagateTags": "SERVICE", "enableECSManagedTags": true }), false),
        (json!({ "placementConstraints": [], "availabilityZoneRebalancing": "DISABLED" }), false),
    ] {
        let mut world = begun(2, &json!({}));
        until(&mut world, "stable", is_stable);
        until(&mut world, "successful", is_successful);
        register(&mut world, "app:2");
        let before = newest_deployment(&mut world)["serviceDeploymentArn"].clone();
        let mut input = change.clone();
        (input["cluster"], input["service"]) = (json!("prod"), json!("web"));
        ecs(&mut world, "UpdateService", &input);
        let after = newest_deployment(&mut world)["serviceDeploymentArn"].clone();
        assert_eq!(before != after, deploys, "{change}");
        until(&mut world, "stable again", is_stable);
    }
}

#[test]
fn a_rollback_is_told_by_service_deployments_and_not_by_stability() {
    let mut world = begun(3, &json!({}));
    until(&mut world, "successful", is_successful);
    let good = described(&mut world)["taskDefinition"].clone();
    world.workloads.script("app:2", Behaviour { start: Start::ImageMissing, ..Behaviour::default() });
    let bad = register(&mut world, "app:2");
    ecs(&mut world, "UpdateService", &json!({ "cluster": "prod", "service": "web", "taskDefinition": bad }));
    assert_eq!(described(&mut world)["taskDefinition"], json!(bad));
    until(&mut world, "rolled back", |world| newest_deployment(world)["status"] == "ROLLBACK_SUCCESSFUL");
    until(&mut world, "stable", is_stable);

    let record = newest_deployment(&mut world);
    assert_eq!(record["deploymentCircuitBreaker"]["status"], "TRIGGERED");
    assert_eq!(record["deploymentCircuitBreaker"]["failureCount"], record["deploymentCircuitBreaker"]["threshold"]);
    assert_eq!(record["rollback"]["serviceRevisionArn"], record["sourceServiceRevisions"][0]["arn"]);
    let target = &record["targetServiceRevision"]["arn"];
    let revision = ecs(&mut world, "DescribeServiceRevisions", &json!({ "serviceRevisionArns": [target] }));
    assert_eq!(revision["serviceRevisions"][0]["taskDefinition"], json!(bad));
    assert_eq!(described(&mut world)["taskDefinition"], good);

    let only = json!({ "cluster": "prod", "service": "web", "status": ["ROLLBACK_SUCCESSFUL"] });
    let listed = ecs(&mut world, "ListServiceDeployments", &only);
    assert_eq!(listed["serviceDeployments"].as_array().map(Vec::len), Some(1));
    let none = json!({ "cluster": "prod", "service": "web", "createdAt": { "before": 1_700_000_000 } });
    assert_eq!(ecs(&mut world, "ListServiceDeployments", &none)["serviceDeployments"], json!([]));
}

#[test]
fn a_deployment_that_is_stopped_goes_back_and_one_that_is_over_cannot_be_stopped() {
    let mut world = begun(4, &json!({}));
    until(&mut world, "successful", is_successful);
    let first = newest_deployment(&mut world)["serviceDeploymentArn"].clone();
    let (code, _) = refusal(&mut world, "StopServiceDeployment", &json!({ "serviceDeploymentArn": first }));
    assert_eq!(code, "ConflictException");
    world.workloads.script("app:2", Behaviour { health: Health::Silent, ..Behaviour::default() });
    let next = register(&mut world, "app:2");
    ecs(&mut world, "UpdateService", &json!({ "cluster": "prod", "service": "web", "taskDefinition": next }));
    pass(&mut world, 20);
    let second = newest_deployment(&mut world)["serviceDeploymentArn"].clone();
    let answer = ecs(&mut world, "StopServiceDeployment", &json!({ "serviceDeploymentArn": second }));
    assert_eq!(answer["serviceDeploymentArn"], second);
    until(&mut world, "rolled back", |world| newest_deployment(world)["status"] == "ROLLBACK_SUCCESSFUL");
    for arn in ["arn:aws:ecs:eu-west-1:123456789012:service-deployment/prod/web/none", "nonsense"] {
        let (code, _) = refusal(&mut world, "StopServiceDeployment", &json!({ "serviceDeploymentArn": arn }));
        assert_eq!(code, "ServiceDeploymentNotFoundException", "{arn}");
    }
}

#[test]
fn a_deleted_service_drains_then_is_inactive_and_its_name_may_be_used_again() {
    let mut world = begun(5, &json!({}));
    until(&mut world, "successful", is_successful);
    ecs(&mut world, "DeleteService", &json!({ "cluster": "prod", "service": "web", "force": true }));
    assert_eq!(described(&mut world)["status"], "DRAINING");
    let again = json!({ "cluster": "prod", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 1,
        "launchType": "FARGATE", "networkConfiguration": network() });
    let (code, text) = refusal(&mut world, "CreateService", &again);
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("InvalidParameterException", "Unable to Start a service that is still Draining.")
    );
    until(&mut world, "inactive", |world| described(world)["status"] == "INACTIVE");
    ecs(&mut world, "CreateService", &again);
    until(&mut world, "stable again", is_stable);
    assert_eq!(described(&mut world)["status"], "ACTIVE");
}

#[test]
fn a_task_that_is_stopped_by_hand_says_so_and_is_replaced() {
    let mut world = begun(6, &json!({}));
    until(&mut world, "successful", is_successful);
    let listed = ecs(&mut world, "ListTasks", &json!({ "cluster": "prod", "serviceName": "web" }));
    let task = &listed["taskArns"][0];
    let answer = ecs(&mut world, "StopTask", &json!({ "cluster": "prod", "task": task, "reason": "just so" }));
    assert_eq!(answer["task"]["desiredStatus"], "STOPPED");
    until(&mut world, "stopped", |world| {
        let told = ecs(world, "DescribeTasks", &json!({ "cluster": "prod", "tasks": [task] }));
        told["tasks"][0]["lastStatus"] == "STOPPED"
    });
    let told = ecs(&mut world, "DescribeTasks", &json!({ "cluster": "prod", "tasks": [task] }))["tasks"][0].clone();
    assert_eq!((&told["stopCode"], &told["stoppedReason"]), (&json!("UserInitiated"), &json!("just so")));
    let stopped = ecs(&mut world, "ListTasks", &json!({ "cluster": "prod", "desiredStatus": "STOPPED" }));
    assert_eq!(stopped["taskArns"], json!([task]));
    until(&mut world, "replaced", is_stable);
    let (code, text) = refusal(&mut world, "StopTask", &json!({ "cluster": "prod", "task": "none" }));
    assert_eq!((code.as_str(), text.as_str()), ("InvalidParameterException", "The referenced task was not found."));
}

/// A target group and, when asked for, a rule that forwards to it.
fn target_group(world: &mut World, name: &str, kind: &str, attached: bool) -> String {
    let input = json!({ "Name": name, "Protocol": "HTTP", "Port": "80", "VpcId": "vpc-1", "TargetType": kind });
    let group = elb(world, "CreateTargetGroup", &input)["TargetGroups"][0]["TargetGroupArn"].clone();
    if attached {
        let input = json!({ "Name": format!("{name}-lb"), "Subnets": ["subnet-a", "subnet-b"] });
        let balancer = elb(world, "CreateLoadBalancer", &input)["LoadBalancers"][0]["LoadBalancerArn"].clone();
        let forward = json!([{ "Type": "forward", "TargetGroupArn": group }]);
        let input = json!({ "LoadBalancerArn": balancer, "Port": "80", "Protocol": "HTTP", "DefaultActions": forward });
        elb(world, "CreateListener", &input);
    }
    group.as_str().expect("an ARN").to_owned()
}

#[test]
fn a_service_needs_a_target_group_with_a_load_balancer() {
    let mut world = begun(7, &json!({}));
    let balanced = |group: &str| {
        json!({ "cluster": "prod", "serviceName": "api", "taskDefinition": "web:1", "desiredCount": 1,
            "launchType": "FARGATE", "networkConfiguration": network(), "healthCheckGracePeriodSeconds": 60,
            "loadBalancers": [{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }] })
    };
    let lonely = target_group(&mut world, "lonely", "ip", false);
    let instances = target_group(&mut world, "instances", "instance", true);
    let good = target_group(&mut world, "good", "ip", true);
    pass(&mut world, 120);
    for (group, words) in [
        (lonely.as_str(), "does not have an associated load balancer."),
        ("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef", "does not exist"),
        (instances.as_str(), "which is incompatible with the awsvpc network mode"),
    ] {
        let (code, text) = refusal(&mut world, "CreateService", &balanced(group));
        assert_eq!(code, "InvalidParameterException");
        assert!(text.contains(words), "{text}");
    }
    ecs(&mut world, "CreateService", &balanced(&good));
    until(&mut world, "healthy", |world| {
        let health = elb(world, "DescribeTargetHealth", &json!({ "TargetGroupArn": good }));
        health["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "healthy"
    });
}
