//! Deployments that fail, calibrated by what operators have measured.

use serde_json::json;

use super::fixture::{Scene, Setup, breaker};
use crate::ecs::model::{DeploymentStatus, RolloutState};
use crate::ecs::scheduler;

fn with_breaker(rollback: bool, seed: u64) -> Setup {
    Setup { configuration: breaker(rollback), seed, ..Setup::default() }
}

#[test]
fn a_revision_that_fails_is_rolled_back_in_about_the_time_that_operators_measured() {
    // Image, seconds until the breaker trips, and until the service is complete again.
    for (image, trips, complete) in [(3, 120..260, 140..330), (4, 560..820, 600..900), (6, 260..700, 300..800)] {
        for seed in 1..9 {
            let mut scene = Scene::steady(&with_breaker(true, seed));
            let old = scene.primary().id;
            scene.update(image);
            let failed = scene.primary().id;
            let tripped = scene.until(1_800, "rolls back", |scene| scene.record().status == "ROLLBACK_IN_PROGRESS");
            assert!(
                trips.contains(&tripped),
                "web:{image} of seed {seed} tripped after {tripped} s\n{}",
                scene.story()
            );
            let primary = scene.primary();
            assert_eq!(primary.rollout_state, RolloutState::InProgress);
            let words = format!("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/{old}");
            assert!(primary.rollout_state_reason.starts_with(&words), "{}", primary.rollout_state_reason);
            assert_eq!(scene.service().task_definition, scene.definition_arn(1));
            let broken = scene.service().deployments.iter().find(|known| known.id == failed).unwrap();
            assert_eq!(broken.status, DeploymentStatus::Active);
            let again = tripped + scene.until(1_800, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
            assert!(
                complete.contains(&again),
                "web:{image} of seed {seed} was back after {again} s\n{}",
                scene.story()
            );
            let deployments = &scene.service().deployments;
            assert_eq!(deployments.len(), 1, "nothing tells of the rollback any longer");
            assert_eq!(
                deployments[0].rollout_state_reason,
                format!("ECS deployment ecs-svc/{} completed.", deployments[0].id)
            );
            assert_eq!(scene.serving(1), 1);
            let record = scene.record();
            let words = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
            assert_eq!(record.status_reason.as_deref(), Some(words));
            assert_eq!((record.circuit_breaker.0.as_str(), record.circuit_breaker.2), ("TRIGGERED", 3));
            assert_eq!(scene.service().service_deployments.len(), 2);
        }
    }
}

#[test]
fn seeds_differ_in_what_is_not_known_of_aws() {
    let (mut same_id, mut shown_late, mut full_stop) = (0, 0, 0);
    let seeds = 40;
    for seed in 0..seeds {
        let mut scene = Scene::steady(&with_breaker(true, seed));
        let old = scene.primary().id;
        scene.update(3);
        scene.until(1_800, "rolls back", |scene| scene.record().status == "ROLLBACK_IN_PROGRESS");
        same_id += usize::from(scene.primary().id == old);
        full_stop += usize::from(scene.primary().rollout_state_reason.ends_with('.'));
        shown_late += usize::from(scene.service().deployments[1].rollout_state == RolloutState::InProgress);
        scene.pass(25);
        assert!(scene.service().deployments.iter().skip(1).all(|known| known.rollout_state == RolloutState::Failed));
    }
    for (question, count) in [("the same id", same_id), ("shown late", shown_late), ("full stop", full_stop)] {
        assert!((5..=35).contains(&count), "{question}: {count} of {seeds}");
    }
}

#[test]
fn without_rollback_the_deployment_is_failed_and_the_old_tasks_keep_running() {
    let mut scene = Scene::steady(&with_breaker(false, 1));
    scene.update(3);
    scene.until(1_800, "failed", |scene| scene.primary().rollout_state == RolloutState::Failed);
    assert_eq!(scene.service().task_definition, scene.definition_arn(3));
    assert_eq!(scene.record().status, "STOPPED");
    assert!(scene.record().stopped_at.is_some());
    scene.pass(60);
    let tasks = scene.tasks().count();
    scene.pass(1_800);
    assert_eq!((scene.tasks().count(), scene.serving(1)), (tasks, 1), "no more tasks start");
    assert!(
        scene
            .messages()
            .contains(&"(service web) (deployment ecs-svc/ID) deployment failed: tasks failed to start.".to_owned())
    );
}

#[test]
fn a_first_deployment_has_nothing_to_go_back_to() {
    let mut scene = Scene::steady(&with_breaker(true, 1));
    scene.world.ecs.services.clear();
    let mut scene = Scene::created(&with_breaker(true, 2));
    scene.world.workloads.script(
        "web:1",
        crate::workload::Behaviour {
            exits: Some(crate::workload::Exit {
                after: std::time::Duration::from_secs(2),
                code: 1,
                out_of_memory: false,
            }),
            ..Default::default()
        },
    );
    scene.until(1_800, "failed", |scene| scene.primary().rollout_state == RolloutState::Failed);
    scene.pass(900);
    assert_eq!(scene.service().deployments.len(), 1);
    let record = scene.record();
    assert_eq!((scene.running(), record.status.as_str()), (0, "ROLLBACK_FAILED"));
    let words = "No rollback candidate was found to run the rollback.";
    assert_eq!(record.status_reason.as_deref(), Some(words));
}

#[test]
fn while_a_rollback_runs_a_third_deployment_that_fails_stalls() {
    let mut scene = Scene::steady(&with_breaker(true, 1));
    scene.update(3);
    scene.until(1_800, "rolls back", |scene| scene.record().status == "ROLLBACK_IN_PROGRESS");
    scene.update(4);
    scene.until(1_800, "stalls", |scene| scene.primary().rollout_state == RolloutState::Failed);
    scene.pass(600);
    assert_eq!(scene.service().task_definition, scene.definition_arn(4));
    assert_eq!(scene.record().status, "ROLLBACK_FAILED");
}

#[test]
fn a_rollback_that_fails_itself_stalls() {
    let mut scene = Scene::steady(&with_breaker(true, 1));
    scene.update(3);
    scene.until(1_800, "rolls back", |scene| scene.record().status == "ROLLBACK_IN_PROGRESS");
    // What was well is gone now, and so are its tasks.
    scene.world.workloads.script(
        "web:1",
        crate::workload::Behaviour { start: crate::workload::Start::ImageMissing, ..Default::default() },
    );
    let old: Vec<String> = scene.tasks().filter(|task| !task.to_stop).map(|task| task.arn.clone()).collect();
    for arn in old {
        scheduler::stop_task(&mut scene.world, &arn, "UserInitiated", "Task stopped by user");
    }
    scene.until(3_600, "rollback failed", |scene| scene.record().status == "ROLLBACK_FAILED");
    assert_eq!(scene.primary().rollout_state, RolloutState::Failed);
}

#[test]
fn a_task_that_becomes_healthy_resets_the_counter_unless_told_otherwise() {
    for (resets, expected) in [(true, "IN_PROGRESS"), (false, "ROLLBACK_SUCCESSFUL")] {
        let configuration = json!({"deploymentCircuitBreaker":
            {"enable": true, "rollback": true, "resetOnHealthyTask": resets}, "alarms":
            {"enable": true, "alarmNames": ["errors"], "rollback": true}, "bakeTimeInMinutes": 120});
        let mut scene = Scene::steady(&Setup::default());
        scene.settings().insert("deploymentConfiguration".to_owned(), configuration);
        scene.update(8);
        scene.pass(3_600);
        assert_eq!(scene.record().status, expected, "resetOnHealthyTask {resets}\n{}", scene.story());
    }
}

#[test]
fn an_alarm_fails_a_deployment_unless_it_was_there_before() {
    for (before, expected) in [(false, "ROLLBACK_SUCCESSFUL"), (true, "SUCCESSFUL")] {
        let configuration =
            json!({"alarms": {"enable": true, "alarmNames": ["errors"], "rollback": true}, "bakeTimeInMinutes": 10});
        let mut scene = Scene::steady(&Setup { configuration, ..Setup::default() });
        scheduler::set_alarm(&mut scene.world, "errors", before);
        scene.update(2);
        scene.pass(100);
        assert_eq!(scene.record().status, "IN_PROGRESS", "it bakes");
        scheduler::set_alarm(&mut scene.world, "errors", true);
        scene.pass(1_800);
        assert_eq!(scene.record().status, expected, "{}", scene.story());
    }
}

#[test]
fn a_stopped_service_deployment_goes_back_even_without_a_circuit_breaker() {
    let mut scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    scene.update(9);
    scene.pass(20);
    let arn = scene.record().arn.clone();
    scheduler::stop_service_deployment(&mut scene.world, &arn, "ROLLBACK").unwrap();
    assert_eq!(scene.record().status, "ROLLBACK_REQUESTED");
    scene.until(120, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
    assert_eq!((scene.serving(1), scene.serving(9)), (2, 0));
    let refused = scheduler::stop_service_deployment(&mut scene.world, &arn, "ROLLBACK").unwrap_err();
    assert_eq!(refused.code, "ConflictException");
    let refused = scheduler::stop_service_deployment(&mut scene.world, "arn:none", "ROLLBACK").unwrap_err();
    assert_eq!(refused.code, "ServiceDeploymentNotFoundException");
}

#[test]
fn a_rollback_restores_what_a_revision_records_and_nothing_else() {
    let settings = json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}});
    let mut scene = Scene::steady(&Setup { settings, configuration: breaker(true), ..Setup::default() });
    scene
        .settings()
        .insert("networkConfiguration".to_owned(), json!({"awsvpcConfiguration": {"subnets": ["subnet-2"]}}));
    scene.settings().insert("platformVersion".to_owned(), json!("1.4.0"));
    scene.settings().insert("healthCheckGracePeriodSeconds".to_owned(), json!(7));
    scene.service_mut().desired_count = 2;
    scene.update(3);
    scene.until(1_800, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
    assert_eq!(scene.settings()["networkConfiguration"]["awsvpcConfiguration"]["subnets"][0], "subnet-1");
    assert!(!scene.settings().contains_key("platformVersion"));
    assert_eq!(scene.settings()["healthCheckGracePeriodSeconds"], 7);
    assert_eq!((scene.service().desired_count, scene.serving(1)), (2, 2));
}
