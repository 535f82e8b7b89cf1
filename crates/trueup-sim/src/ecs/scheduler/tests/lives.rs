//! Lives of tasks: statuses, stop codes and reasons.

use serde_json::json;

use super::fixture::{Scene, Setup};
use crate::ecs::model::ContainerHealth;
use crate::ecs::model::TaskStatus::{
    self, Activating, Deprovisioning, Pending, Provisioning, Running, Stopped, Stopping,
};
use crate::ecs::scheduler;
use crate::services::ecr::{self, Build};
use crate::workload::{Behaviour, Start};

#[test]
fn a_task_that_ends_says_why() {
    for (image, within, code, reason, container, exit) in [
        (3, 120, "EssentialContainerExited", "Essential container in task exited", None, Some(1)),
        (
            4,
            240,
            "TaskFailedToStart",
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref docker.io/library/web:4: docker.io/library/web:4: not found",
            Some("failed to resolve ref"),
            None,
        ),
        (
            6,
            120,
            "TaskFailedToStart",
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching platform 'linux/arm64'",
            Some("descriptor matching platform"),
            None,
        ),
        (
            7,
            120,
            "TaskFailedToStart",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            None,
            None,
        ),
        (
            8,
            450,
            "EssentialContainerExited",
            "Essential container in task exited",
            Some("OutOfMemoryError: Container killed due to memory usage"),
            Some(137),
        ),
    ] {
        let mut scene = Scene::steady(&Setup::default());
        scene.update(image);
        let arn = scene.definition_arn(image);
        scene.until(within, "a task of it stopped", |scene| {
            scene.tasks().any(|task| task.task_definition == arn && task.last_status == TaskStatus::Stopped)
        });
        let task = scene.tasks().find(|task| task.task_definition == arn && task.stopped_at.is_some()).unwrap();
        assert_eq!(
            (task.stop_code.as_deref(), task.stopped_reason.as_deref()),
            (Some(code), Some(reason)),
            "web:{image}"
        );
        let told = &task.containers[0];
        assert_eq!(told.exit_code, exit, "web:{image}");
        let fits = match (container, &told.reason) {
            (Some(part), Some(reason)) => reason.contains(part),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "web:{image}: {:?}", told.reason);
    }
}

#[test]
fn a_task_goes_through_all_statuses_in_order() {
    let mut scene = Scene::created(&Setup::default());
    scene.until(10, "a task", |scene| scene.tasks().count() == 1);
    let arn = scene.tasks().next().unwrap().arn.clone();
    let mut seen = vec![TaskStatus::Provisioning];
    for second in 0..200 {
        let status = scene.world.ecs.tasks[&arn].last_status;
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        if second == 100 {
            scheduler::stop_task(&mut scene.world, &arn, "UserInitiated", "Task stopped by user");
        }
        scene.pass(1);
    }
    assert_eq!(seen, [Provisioning, Pending, Activating, Running, Stopping, Deprovisioning, Stopped]);
    assert_eq!(scene.serving(1), 1, "a stopped task is replaced");
    scene.pass(3_600);
    assert!(scene.world.ecs.tasks.contains_key(&arn), "described for an hour");
    scene.pass(3_600);
    assert!(!scene.world.ecs.tasks.contains_key(&arn), "then forgotten");
}

#[test]
fn a_container_is_judged_by_the_timings_of_its_own_check() {
    let check = json!({"healthCheck": {"command": ["CMD", "true"], "interval": 10, "retries": 2, "startPeriod": 60}});
    // Image 9 answers after two minutes only; with a start period of one minute it is too late.
    for (image, verdict, from, to) in [
        (2, ContainerHealth::Healthy, 35, 70),
        (9, ContainerHealth::Unhealthy, 90, 130),
        (5, ContainerHealth::Unhealthy, 90, 130),
    ] {
        let mut scene = Scene::steady(&Setup { container: check.clone(), ..Setup::default() });
        scene.update(image);
        let arn = scene.definition_arn(image);
        let decided = scene.until(300, "decided", |scene| {
            scene
                .tasks()
                .any(|task| task.task_definition == arn && task.containers[0].health != ContainerHealth::Unknown)
        });
        let task = scene.tasks().find(|task| task.task_definition == arn).unwrap();
        assert_eq!(task.containers[0].health, verdict, "web:{image}");
        assert!((from..to).contains(&decided), "web:{image} after {decided} s");
        scene.pass(10);
        let task = scene.tasks().find(|task| task.task_definition == arn).unwrap();
        let reason = (verdict == ContainerHealth::Unhealthy).then_some("Task failed container health checks");
        assert_eq!(task.stopped_reason.as_deref(), reason, "web:{image}");
    }
}

#[test]
fn a_grace_period_keeps_an_unhealthy_task() {
    let container = json!({"healthCheck": {"command": ["CMD", "true"], "interval": 5, "retries": 1}});
    let settings = json!({"healthCheckGracePeriodSeconds": 600});
    let mut scene = Scene::steady(&Setup { container, settings, ..Setup::default() });
    scene.update(5);
    scene.pass(300);
    assert_eq!((scene.serving(1), scene.serving(5)), (1, 1));
    scene.pass(400);
    assert!(scene.tasks().any(|task| task.stopped_reason.as_deref() == Some("Task failed container health checks")));
}

#[test]
fn tasks_that_never_run_are_tried_ever_more_slowly() {
    let mut scene = Scene::steady(&Setup::default());
    scene.update(4);
    scene.pass(12 * 3_600);
    let arn = scene.definition_arn(4);
    let begun: Vec<u64> =
        scene.tasks().filter(|task| task.task_definition == arn).map(|task| task.created_at.0 / 1_000).collect();
    assert!((3..=4).contains(&begun.len()), "in the hour that is remembered: {begun:?}");
    assert_eq!(scene.serving(1), 1);
    assert!(
        scene.messages().iter().any(|message| message.contains("is unable to consistently start tasks successfully."))
    );
}

#[test]
fn capacity_that_is_gone_is_told_and_comes_back() {
    let mut scene = Scene::steady(&Setup::default());
    scheduler::set_capacity(&mut scene.world, false);
    scene.update(2);
    scene.pass(300);
    assert_eq!(scene.serving(2), 0);
    assert!(
        scene.messages().iter().any(
            |message| message.contains("was unable to place a task. Reason: Capacity is unavailable at this time.")
        )
    );
    scheduler::set_capacity(&mut scene.world, true);
    scene.until(200, "it runs", |scene| scene.serving(2) == 1);
}

#[test]
fn retired_infrastructure_is_left_after_the_replacement_is_healthy() {
    let mut scene = Scene::steady(&Setup::default());
    let old = scene.tasks().next().unwrap().arn.clone();
    scheduler::retire(&mut scene.world, &old);
    let mut least = u64::MAX;
    for _ in 0..200 {
        least = least.min(scene.running());
        scene.pass(1);
    }
    assert_eq!((least, scene.serving(1)), (1, 1));
    let task = &scene.world.ecs.tasks[&old];
    assert_eq!(
        task.stopped_reason.as_deref(),
        Some("ECS is performing maintenance on the underlying infrastructure hosting the task")
    );
    assert_eq!(scene.service().service_deployments.len(), 1);
}

#[test]
fn a_tag_that_moves_changes_nothing_until_the_next_deployment() {
    let mut scene = Scene::steady(&Setup::default());
    let broken = Behaviour { start: Start::PullDenied, ..Behaviour::default() };
    let arm = |content: &str| Build::of(content).on(&["linux/arm64"]);
    let first = ecr::push(&mut scene.world, "web", "latest", &arm("one"));
    scene.set_image(2, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:latest");
    scene.update(2);
    scene.until(600, "complete", |scene| scene.record().status == "SUCCESSFUL");
    let second = ecr::push(&mut scene.world, "web", "latest", &arm("two").that(broken));
    let old = scene.tasks().find(|task| !task.to_stop).unwrap().arn.clone();
    scheduler::stop_task(&mut scene.world, &old, "UserInitiated", "Task stopped by user");
    scene.pass(300);
    assert_eq!(scene.serving(2), 1, "the replacement is of the same digest\n{}", scene.story());
    let digest = |scene: &Scene| scene.service().revisions[&scene.primary().revision].images["web"].1.clone();
    assert_eq!(digest(&scene), first);
    scene.update(2);
    assert_eq!(digest(&scene), second);
    scene.pass(120);
    assert!(
        scene.tasks().any(|task| task.stopped_reason.as_ref().is_some_and(|why| why.contains("pull access denied")))
    );
}

#[test]
fn the_registry_decides_what_can_be_pulled() {
    for (tag, platform, reason) in [
        ("other", "linux/arm64", "failed to resolve ref 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:latest"),
        ("latest", "linux/amd64", "descriptor matching platform 'linux/arm64'"),
    ] {
        let mut scene = Scene::steady(&Setup::default());
        ecr::push(&mut scene.world, "web", tag, &Build::of("one").on(&[platform]));
        scene.set_image(2, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:latest");
        scene.update(2);
        scene.pass(300);
        assert!(
            scene.tasks().any(|task| task.stopped_reason.as_ref().is_some_and(|why| why.contains(reason))),
            "{reason}"
        );
    }
}

#[test]
fn an_interrupted_spot_task_says_so() {
    let mut codes = std::collections::BTreeSet::new();
    for seed in 0..10 {
        let mut scene = Scene::steady(&Setup { seed, ..Setup::default() });
        let arn = scene.tasks().next().unwrap().arn.clone();
        scheduler::interrupt(&mut scene.world, &arn);
        let task = &scene.world.ecs.tasks[&arn];
        assert_eq!(task.stopped_reason.as_deref(), Some("Your Spot Task was interrupted."));
        codes.extend(task.stop_code.clone());
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["SpotInterruption", "TerminationNotice"]);
}
