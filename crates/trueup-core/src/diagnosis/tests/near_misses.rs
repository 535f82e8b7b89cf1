//! Evidence that resembles a cause and is not one, or is another.

use serde_json::json;

use super::super::DeploymentState;
use super::{Scene, container, ended};

const EXITED: &str = "EssentialContainerExited";
const FAILED: &str = "TaskFailedToStart";
const ENDED: &str = "Essential container in task exited";
const MISSING: &str = "CannotPullContainerError: failed to resolve ref a/b:1: not found";
const CUT: &str = "CannotPullContainerError: pull image manifest has been retried 7 time(s)";

#[test]
fn a_message_cut_off_before_its_cause_is_unknown() {
    for reason in [
        CUT,
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch sec",
        "ResourceInitializationError: failed to",
        "Task failed ELB health",
        "Unexpected EC2 error",
        "Something that AWS writes only next year",
        "",
    ] {
        assert_eq!(Scene::stopped(FAILED, reason, &json!([])).class(), "unknown", "{reason}");
    }
}

#[test]
fn a_word_of_another_row_does_not_make_it_that_row() {
    let table = [
        // Somebody may give any reason to StopTask.
        ("UserInitiated", "OutOfMemoryError: I saw it in the logs, restarting", "stopped_by_user"),
        ("UserInitiated", MISSING, "stopped_by_user"),
        // A host name that does not resolve is no image that is not found.
        (
            FAILED,
            "CannotPullContainerError: failed to resolve ref a.example.com/b:1: failed to do request: Head: dial tcp: lookup a.example.com on 10.0.0.2:53: no such host",
            "registry_unreachable",
        ),
        // A missing mount is no missing command.
        (
            FAILED,
            "CannotStartContainerError: error mounting \"/host/x\" to rootfs: stat /host/x: no such file or directory",
            "container_not_started",
        ),
        // A network interface that cannot be made for another reason than the subnet's size.
        (
            FAILED,
            "Unexpected EC2 error while attempting to Create Network Interface: UnauthorizedOperation",
            "network_interface",
        ),
        (FAILED, "Timeout waiting for the database", "unknown"),
        (FAILED, "InternalError", "unknown"),
        // The name of a role in an access error is no role that cannot be assumed.
        (
            FAILED,
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: arn:aws:sts::1:assumed-role/assume-the-role/x is not authorized to perform: ssm:GetParameters",
            "execution_role_denied",
        ),
    ];
    for (code, reason, class) in table {
        assert_eq!(Scene::stopped(code, reason, &json!([])).class(), class, "{code} {reason}");
    }
}

#[test]
fn the_stop_code_comes_before_the_exit_code() {
    let table = [
        ("ServiceSchedulerInitiated", "Task failed container health checks", 137, "container_health_check"),
        ("ServiceSchedulerInitiated", "Task failed container health checks", 1, "container_health_check"),
        ("SpotInterruption", "Your Spot Task was interrupted.", 1, "spot_interruption"),
        ("InfrastructureHealth", "Host EC2 (instance i-1) terminated.", 137, "host_gone"),
        (
            "InfrastructureHealth",
            "ECS is performing maintenance on the underlying infrastructure hosting the task",
            137,
            "maintenance",
        ),
        // An unknown reason of the scheduler is not guessed from what it did to the containers.
        ("ServiceSchedulerInitiated", "Something new", 137, "unknown"),
        (EXITED, ENDED, 137, "killed"),
        // Without the matching stop code, an exit code proves nothing when there is another reason.
        ("", "Something new", 1, "unknown"),
        ("", ENDED, 1, "application_exit"),
    ];
    for (code, reason, exit, class) in table {
        let world = Scene::stopped(code, reason, &json!([container(Some(exit), "")]));
        assert_eq!(world.class(), class, "{code} {reason} {exit}");
    }
}

#[test]
fn the_container_that_stopped_the_task_is_found_or_none_is() {
    let table: &[(&[(&str, i64)], &str)] = &[
        // Those that ECS stopped afterwards end with 143, 137 or 0.
        (&[("backend", 1), ("frontend", 143)], "application_exit"),
        (&[("backend", 143), ("frontend", 139)], "segmentation_fault"),
        (&[("backend", 0), ("frontend", 143)], "application_exit"),
        (&[("backend", 137), ("frontend", 143)], "killed"),
        // AWS does not show which of the two was first.
        (&[("backend", 137), ("frontend", 0)], "unknown"),
        (&[("backend", 139), ("frontend", 1)], "unknown"),
        // What is not essential ends no task.
        (&[("backend", 137), ("helper", 1)], "killed"),
        (&[("helper", 1)], "unknown"),
    ];
    for (codes, class) in table {
        assert_eq!(Scene::stopped(EXITED, ENDED, &ended(codes)).class(), *class, "{codes:?}");
    }
    // Two containers with different reasons.
    let two = json!([{"name": "backend", "reason": "OutOfMemoryError: x"}, {"name": "frontend", "reason": "CannotStartContainerError: y"}]);
    assert_eq!(Scene::stopped(EXITED, ENDED, &two).class(), "unknown");
}

#[test]
fn replacements_are_noise() {
    let replaced = Scene::stopped(
        "ServiceSchedulerInitiated",
        "Scaling activity initiated by (deployment ecs-svc/1)",
        &ended(&[("backend", 1)]),
    )
    .and_stopped(EXITED, ENDED, &ended(&[("backend", 143)]));
    assert_eq!(replaced.class(), "unknown", "it failed, and these do not say why");
    let quiet = Scene { state: DeploymentState::Degraded, ..replaced.clone() };
    assert_eq!(quiet.class(), "(nothing)");
    assert_eq!(replaced.and_stopped(FAILED, MISSING, &json!([])).class(), "image_not_found");
}

#[test]
fn tasks_of_another_deployment_do_not_count() {
    let mut world = Scene::stopped(FAILED, MISSING, &json!([]));
    world.tasks[0]["startedBy"] = json!("ecs-svc/other");
    assert_eq!(world.class(), "unknown");
    // Where AWS does not say who started a task, its revision does.
    world.tasks[0]["startedBy"] = json!(null);
    assert_eq!(world.class(), "image_not_found");
    world.tasks[0]["taskDefinitionArn"] =
        json!("arn:aws:ecs:ap-northeast-1:123456789012:task-definition/elearning-system:7");
    assert_eq!(world.class(), "unknown");
}

#[test]
fn most_tasks_decide_and_a_tie_is_unknown() {
    let lost = "ECS is performing maintenance on the underlying infrastructure hosting the task.";
    let slow = "Timeout waiting for network interface provisioning to complete.";
    let dead = |n: i64| json!([container(Some(n), "")]);
    let missing = || Scene::stopped(FAILED, MISSING, &json!([]));
    let table = [
        (missing().and_stopped(EXITED, ENDED, &dead(1)), "unknown"),
        (missing().and_stopped(EXITED, ENDED, &dead(1)).and_stopped(EXITED, ENDED, &dead(2)), "application_exit"),
        (missing().and_stopped(FAILED, "Something new", &json!([])), "unknown"),
        // A cut-off text counts for the only thing it may mean.
        (missing().and_stopped(FAILED, CUT, &json!([])).and_stopped(FAILED, CUT, &json!([])), "image_not_found"),
        (Scene::stopped(EXITED, ENDED, &dead(1)).and_stopped(FAILED, CUT, &json!([])), "unknown"),
        // A temporary cause, or one outside the release, does not count when there is a lasting one.
        (
            Scene::stopped(FAILED, slow, &json!([])).and_stopped(FAILED, slow, &json!([])).and_stopped(
                FAILED,
                MISSING,
                &json!([]),
            ),
            "image_not_found",
        ),
        (
            Scene::stopped("", lost, &json!([])).and_stopped("", lost, &json!([])).and_stopped(
                FAILED,
                MISSING,
                &json!([]),
            ),
            "image_not_found",
        ),
        (Scene::stopped("", lost, &json!([])).and_stopped(FAILED, slow, &json!([])), "network_interface_timeout"),
        (Scene::stopped("", lost, &json!([])), "maintenance"),
    ];
    for (at, (world, class)) in table.into_iter().enumerate() {
        assert_eq!(world.class(), class, "{at}: {:#?}", world.finding());
    }
}

#[test]
fn foreign_and_contradictory_target_health_is_ignored() {
    let failed = || {
        Scene::stopped(
            "ServiceSchedulerInitiated",
            &format!("Task failed ELB health checks in (target-group {})", super::GROUP),
            &json!([]),
        )
    };
    // The old deployment's task is unhealthy, too.
    assert_eq!(failed().target("10.0.9.9", "Target.Timeout", "Request timed out").class(), "target_unhealthy");
    let both = failed().target("10.0.1.0", "Target.Timeout", "Request timed out").target(
        "10.0.1.0",
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [500]",
    );
    assert_eq!(both.class(), "target_unhealthy");
    let event = |task: &str| {
        format!(
            "(service web) (task {task}) (port 8000) is unhealthy in (target-group {}) due to (reason Health checks failed with these codes: [404]).",
            super::GROUP
        )
    };
    assert_eq!(failed().event(950, &event("task0")).class(), "target_response_code");
    assert_eq!(failed().event(950, &event("other")).class(), "target_unhealthy");
}

#[test]
fn foreign_events_and_names_like_reasons_are_ignored() {
    let table = [
        (
            800,
            "(service web) was unable to place a task because no container instance met all of its requirements.",
            "unknown",
        ),
        (
            950,
            "(service alarm-detected) (deployment ecs-svc/4000000000000000001) deployment failed: tasks failed to start.",
            "unknown",
        ),
        (950, "(service web) (deployment ecs-svc/1) deployment failed: alarm detected.", "unknown"),
        (950, "(service web) has reached a steady state.", "unknown"),
        (950, "(service web) has started 2 tasks: (task a) (task b).", "unknown"),
        (950, "(service could-not-launch) registered 1 targets in (target-group arn:aws:x)", "unknown"),
    ];
    for (at, message, class) in table {
        assert_eq!(Scene::new().event(at, message).class(), class, "{message}");
    }
    // Two events that say different things.
    let two = Scene::new().event(950, "(service web) operations are being throttled. Will try again later.");
    let two = two.event(
        951,
        "(service web) was unable to place a task because no container instance met all of its requirements.",
    );
    assert_eq!(two.class(), "unknown");
}

#[test]
fn a_task_that_recovered_is_not_the_cause_of_missing_tasks() {
    let event = format!(
        "(service web) (task task0) (port 8000) is unhealthy in (target-group {}) due to (reason Request timed out).",
        super::GROUP
    );
    let mut world = Scene { state: DeploymentState::Degraded, ..Scene::stopped("", "", &json!([])) };
    world.tasks[0]["lastStatus"] = json!("RUNNING");
    assert_eq!(world.clone().event(950, &event).class(), "(nothing)");
    assert_eq!(world.target("10.0.1.0", "Target.Timeout", "Request timed out").class(), "target_timeout");
}

#[test]
fn what_could_not_be_read_is_said_and_not_taken_for_nothing() {
    for state in [DeploymentState::Failed, DeploymentState::Failing, DeploymentState::Degraded] {
        let world = Scene { state, unread: true, ..Scene::new() };
        let finding = world.finding().expect("it is not known that nothing failed");
        assert_eq!(
            (finding.class.name(), finding.evidence[0].text.as_str()),
            ("unknown", "ecs:ListTasks was denied: no")
        );
        assert_eq!(Scene { unread: false, ..world }.finding().is_some(), state == DeploymentState::Failed);
    }
}

#[test]
fn a_container_that_is_not_essential_is_not_the_cause() {
    let helper = |reason: &str| json!({"name": "helper", "exitCode": 137, "reason": reason});
    for reason in ["OutOfMemoryError: Container killed due to memory usage", "CannotStopContainerError: x"] {
        let containers = json!([{"name": "backend", "exitCode": 1}, helper(reason)]);
        assert_eq!(Scene::stopped(EXITED, ENDED, &containers).class(), "application_exit", "{reason}");
    }
    // A task does not start without it.
    let missing = Scene::stopped(FAILED, "", &json!([helper(MISSING)]));
    assert_eq!(missing.class(), "image_not_found");
}

#[test]
fn a_target_without_checks_failed_no_check() {
    let unused = |state: &str, reason: &str, description: &str| {
        let mut world = Scene { state: DeploymentState::Degraded, ..Scene::stopped("", "", &json!([])) };
        world.tasks[0]["lastStatus"] = json!("RUNNING");
        let mut world = world.target("10.0.1.0", reason, description);
        world.targets[0]["TargetHealth"]["State"] = json!(state);
        world.class()
    };
    let table = [
        (
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
            "(nothing)",
        ),
        ("unavailable", "Target.HealthCheckDisabled", "Health checks are not enabled for this target", "(nothing)"),
        (
            "unused",
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
            "target_zone_not_enabled",
        ),
        ("unhealthy", "Target.Timeout", "Request timed out", "target_timeout"),
    ];
    for (state, reason, description, class) in table {
        assert_eq!(unused(state, reason, description), class, "{state} {description}");
    }
}

#[test]
fn an_event_has_one_class_with_and_without_brackets() {
    let table = [
        ("operations are being throttled on elb. Will try again later. (error Rate exceeded)", "ecs_throttled"),
        ("failed to register targets in (target-group arn:aws:x) with (error AccessDenied)", "target_registration"),
        ("is unable to consistently start tasks successfully.", "crash_loop"),
        ("has reached a steady state.", "unknown"),
    ];
    for (says, class) in table {
        for name in ["(service web)", "service web", "(service could-not-launch)", "service could-not-launch"] {
            let message = format!("{name} {says}");
            assert_eq!(Scene::new().event(950, &message).class(), class, "{message}");
        }
    }
}
