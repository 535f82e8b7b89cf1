//! The sentences of a finding: the cause names the resource, the evidence quotes AWS, the remedy can be followed.

use serde_json::json;

use super::super::Fact;
use super::{GROUP, Scene, container};

const FAILED: &str = "TaskFailedToStart";

/// Checks that cause and remedy contain these texts.
#[track_caller]
fn check(world: &Scene, cause: &str, remedy: &str) {
    let finding = world.finding().expect("something failed");
    assert!(finding.cause.contains(cause), "{:?}: {}", finding.class, finding.cause);
    assert!(finding.cure.contains(remedy), "{:?}: {}", finding.class, finding.cure);
}

#[test]
fn the_cause_names_what_a_task_lacked_before_it_started() {
    let pull = "CannotPullContainerError: ";
    let image = json!([container(
        None,
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'"
    )]);
    let table = [
        (
            FAILED,
            "",
            image,
            "the image `123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/backend:v9` has no variant for `linux/amd64`",
            "docker buildx build --platform linux/amd64",
        ),
        (
            FAILED,
            &format!("{pull}failed to resolve ref docker.io/library/web:v9: not found"),
            json!([]),
            "the image `docker.io/library/web:v9` does not exist",
            "push that tag",
        ),
        (
            FAILED,
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: arn:aws:sts::1:assumed-role/exec-role/1 is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:1:secret:db-Ab",
            json!([]),
            "the execution role `exec-role` may not perform `secretsmanager:GetSecretValue` on `arn:aws:secretsmanager:eu-west-1:1:secret:db-Ab`",
            "allow `secretsmanager:GetSecretValue`",
        ),
        (
            FAILED,
            "ResourceInitializationError: unable to pull secrets or registry auth: retrieved secret from Secrets Manager did not contain json key GROQ_API_KEY",
            json!([]),
            "no JSON key `GROQ_API_KEY`",
            "`valueFrom`",
        ),
        (
            FAILED,
            "ResourceInitializationError: failed to validate logger args: ResourceNotFoundException: The specified log group does not exist.",
            json!([]),
            "the log group `/ecs/backend` does not exist",
            "awslogs-create-group",
        ),
        (
            FAILED,
            "ECS was unable to assume the role 'arn:aws:iam::1:role/web' that was provided",
            json!([]),
            "the role `arn:aws:iam::1:role/web`",
            "ecs-tasks.amazonaws.com",
        ),
        (
            FAILED,
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-0a1b': InsufficientFreeAddressesInSubnet",
            json!([]),
            "the subnet `subnet-0a1b` has no free address",
            "other subnets",
        ),
    ];
    for (code, reason, containers, cause, remedy) in table {
        check(&Scene::stopped(code, reason, &containers), cause, remedy);
    }
}

#[test]
fn the_cause_names_the_container_that_ended() {
    let table = [
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            json!([container(Some(137), "OutOfMemoryError: Container killed due to memory usage")]),
            "container `backend` used more memory than its limit of 512 MiB",
            "raise `memory`",
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            json!([container(Some(127), "")]),
            "container `backend` cannot run `gunicorn app` (exit code 127)",
            "`command`",
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited",
            json!([container(Some(0), "")]),
            "exit code 0, and a service's essential container must keep running",
            "foreground",
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
            json!([container(Some(137), "")]),
            "the health check of container `backend` (`CMD-SHELL curl -f http://localhost:8000/health`) fails",
            "startPeriod",
        ),
    ];
    for (code, reason, containers, cause, remedy) in table {
        check(&Scene::stopped(code, reason, &containers), cause, remedy);
    }
}

#[test]
fn a_failed_health_check_is_explained_by_the_load_balancer() {
    let elb = format!("Task failed ELB health checks in (target-group {GROUP})");
    check(
        &Scene::stopped("ServiceSchedulerInitiated", &elb, &json!([])),
        "container `backend` on port 8000 fails the health checks of the target group `elearning-system-backend-tg` to `/health`",
        "healthCheckGracePeriodSeconds` of the service (now 0)",
    );
    let codes = Scene::stopped("ServiceSchedulerInitiated", &elb, &json!([])).target(
        "10.0.1.0",
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [503]",
    );
    check(
        &codes,
        "answers the health check of the target group `elearning-system-backend-tg` to `/health` with 503 (it accepts 200)",
        "Matcher",
    );
    let late = Scene::stopped("ServiceSchedulerInitiated", &elb, &json!([])).target(
        "10.0.1.0",
        "Target.Timeout",
        "Request timed out",
    );
    check(&late, "does not answer the health check", "security group");
}

#[test]
fn equal_facts_are_counted_safe_to_print_and_newest_first() {
    let missing = "CannotPullContainerError: failed to resolve ref a/b:1: not found\u{1b}[31m\nred";
    let mut world = Scene::new();
    for _ in 0..3 {
        world = world.and_stopped(FAILED, missing, &json!([]));
    }
    world = world.event(
        1100,
        "(service web) (deployment ecs-svc/4000000000000000001) deployment failed: tasks failed to start.",
    );
    world
        .deployments
        .push(json!({"id": super::DEPLOYMENT, "status": "ACTIVE", "rolloutState": "FAILED", "updatedAt": 1101,
        "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}));
    let facts = world.finding().expect("it failed").evidence;
    let lines: Vec<String> =
        facts.iter().map(|Fact { source, text, count, .. }| format!("{count} {} {text}", source.as_str())).collect();
    assert_eq!(
        lines,
        [
            "1 deployment ECS deployment circuit breaker: tasks failed to start.",
            "1 event (service web) (deployment ecs-svc/4000000000000000001) deployment failed: tasks failed to start.",
            "3 task TaskFailedToStart; CannotPullContainerError: failed to resolve ref a/b:1: not found\u{fffd}[31m red",
        ]
    );
}

#[test]
fn unknown_shows_everything() {
    let world = Scene::stopped(FAILED, "Something new", &json!([])).and_stopped(FAILED, "Another thing", &json!([]));
    let finding = world.finding().expect("it failed");
    assert_eq!((finding.class.name(), finding.evidence.len()), ("unknown", 2));
}
