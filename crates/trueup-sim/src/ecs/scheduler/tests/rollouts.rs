//! Deployments that reach what they want.

use serde_json::json;

use super::fixture::{Scene, Setup};
use crate::ecs::model::{DeploymentStatus, RolloutState, ServiceStatus};
use crate::ecs::scheduler;
use crate::time::Time;

#[test]
fn a_new_service_is_steady_after_its_tasks_have_run_for_forty_seconds() {
    let scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    assert_eq!(
        scene.messages(),
        [
            "(service web) has started 2 tasks: (task ID) (task ID).",
            "(service web) (deployment ecs-svc/ID) deployment completed.",
            "(service web) has reached a steady state.",
        ]
    );
    let seconds = scene.world.now.since(Time::START).as_secs();
    assert!((70..100).contains(&seconds), "{seconds} s");
    let record = scene.record();
    assert_eq!((record.status.as_str(), record.circuit_breaker.0.as_str()), ("SUCCESSFUL", "DISABLED"));
    assert_eq!(record.final_counts.values().collect::<Vec<_>>(), [&(2, 2, 0)]);
    assert_eq!(scene.running(), 2);
}

#[test]
fn an_update_starts_new_tasks_first_and_stops_old_ones_once_they_are_healthy() {
    let mut scene = Scene::steady(&Setup { desired: 3, ..Setup::default() });
    scene.update(2);
    let statuses: Vec<DeploymentStatus> = scene.service().deployments.iter().map(|known| known.status).collect();
    assert_eq!(statuses, [DeploymentStatus::Primary, DeploymentStatus::Active]);
    let mut least = usize::MAX;
    let mut most = 0;
    scene.until(600, "new tasks serve", |scene| scene.serving(2) == 3 && scene.serving(1) == 0);
    while scene.primary().rollout_state == RolloutState::InProgress {
        least = least.min(scene.serving(1) + scene.serving(2));
        most = most.max(scene.running());
        scene.pass(1);
    }
    assert!(least >= 3 && most <= 6, "from {least} to {most} tasks");
    assert_eq!(scene.service().deployments.len(), 1);
    let stopped: usize = scene
        .messages()
        .iter()
        .filter(|message| message.contains("has stopped"))
        .map(|message| message.matches("(task ID)").count())
        .sum();
    assert_eq!(stopped, 3);
    assert_eq!(scene.record().status, "SUCCESSFUL");
}

#[test]
fn with_a_minimum_of_zero_and_a_maximum_of_one_hundred_the_old_task_stops_first() {
    let configuration = json!({"minimumHealthyPercent": 0, "maximumPercent": 100});
    let mut scene = Scene::steady(&Setup { configuration, ..Setup::default() });
    scene.update(2);
    scene.until(60, "the old task is asked to stop", |scene| scene.serving(1) == 0);
    assert_eq!(scene.serving(2), 0);
    scene.until(300, "the new one serves", |scene| scene.serving(2) == 1);
}

#[test]
fn bounds_that_allow_nothing_are_told_and_the_deployment_stays_in_progress() {
    let configuration = json!({"minimumHealthyPercent": 100, "maximumPercent": 125});
    let mut scene = Scene::steady(&Setup { desired: 3, configuration, ..Setup::default() });
    scene.update(2);
    scene.pass(3_600);
    assert_eq!((scene.serving(1), scene.serving(2)), (3, 0));
    assert_eq!(scene.primary().rollout_state, RolloutState::InProgress);
    let told = scene.messages().into_iter().filter(|message| message.contains("unable to stop or start tasks"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "(service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
        ]
    );
}

#[test]
fn a_newer_update_takes_over_in_the_middle() {
    let mut scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    scene.update(9);
    scene.pass(30);
    scene.update(2);
    assert_eq!(scene.service().deployments.len(), 3);
    scene.until(600, "the newest is complete", |scene| scene.record().status == "SUCCESSFUL");
    assert_eq!((scene.serving(2), scene.serving(9), scene.serving(1)), (2, 0, 0));
    let statuses: Vec<&str> = scene.service().service_deployments.iter().map(|known| known.status.as_str()).collect();
    assert_eq!(statuses, ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    let completed = scene.messages().into_iter().filter(|message| message.contains("deployment completed")).count();
    assert_eq!(completed, 2, "a superseded deployment has no end");
}

#[test]
fn a_count_that_grows_in_the_middle_is_reached_by_the_new_revision() {
    let mut scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    scene.update(2);
    scene.pass(20);
    scene.service_mut().desired_count = 5;
    scheduler::settings_changed(&mut scene.world, &scene.web.clone());
    scene.until(600, "complete", |scene| scene.record().status == "SUCCESSFUL");
    assert_eq!((scene.serving(1), scene.serving(2)), (0, 5));
}

#[test]
fn a_count_that_shrinks_stops_tasks_without_a_deployment() {
    let mut scene = Scene::steady(&Setup { desired: 4, ..Setup::default() });
    scene.service_mut().desired_count = 1;
    scheduler::settings_changed(&mut scene.world, &scene.web.clone());
    scene.until(60, "one is left", |scene| scene.serving(1) == 1);
    assert_eq!(scene.primary().rollout_state, RolloutState::Completed);
    assert_eq!(scene.service().service_deployments.len(), 1);
    let reason = scene.tasks().find_map(|task| task.stopped_reason.clone()).unwrap();
    assert!(reason.starts_with("Scaling activity initiated by (deployment ecs-svc/"), "{reason}");
}

#[test]
fn a_steady_service_says_so_every_six_hours_and_costs_nothing_between() {
    let mut scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    scene.pass(25 * 3_600);
    let steady = scene.messages().into_iter().filter(|message| message.ends_with("steady state.")).count();
    assert_eq!(steady, 5);
    let mut ticks = 0;
    while let Some(next) = scene.world.next().filter(|next| *next < Time::START + std::time::Duration::from_hours(48)) {
        scene.world.advance(next);
        ticks += 1;
    }
    assert!(ticks < 10, "{ticks} things happened in a day at rest");
}

#[test]
fn a_deleted_service_drains_then_is_inactive_then_forgotten() {
    let mut scene = Scene::steady(&Setup { desired: 2, ..Setup::default() });
    scheduler::deleted(&mut scene.world, &scene.web.clone());
    assert_eq!(scene.service().status, ServiceStatus::Draining);
    scene.until(120, "inactive", |scene| scene.service().status == ServiceStatus::Inactive);
    assert_eq!(scene.running(), 0);
    scene.pass(3_700);
    assert!(!scene.world.ecs.services.contains_key(&scene.web));
    scene.pass(3_700);
    assert_eq!(scene.tasks().count(), 0);
}

#[test]
fn early_success_is_complete_before_old_tasks_are_gone() {
    let configuration = json!({"maximumPercent": 150, "earlySuccessCriteria":
        {"enable": true, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"}});
    let mut scene = Scene::steady(&Setup { desired: 4, configuration, ..Setup::default() });
    scene.update(2);
    scene.until(600, "complete", |scene| scene.record().status == "SUCCESSFUL");
    assert!(scene.serving(2) >= 2 && scene.serving(1) > 0, "{}", scene.story());
    scene.until(600, "all new", |scene| scene.serving(2) == 4 && scene.service().deployments.len() == 1);
}
