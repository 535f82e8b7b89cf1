//! Blue/green, linear and canary deployments.

use serde_json::{Value, json};

use super::fixture::{Scene, Setup};
use crate::ecs::{api, scheduler};

/// Advances until the service deployment is over; the stages that it went through, with the seconds each took.
fn stages(scene: &mut Scene, seconds_max: u64) -> Vec<(String, u64)> {
    let mut seen: Vec<(String, u64)> = Vec::new();
    for _ in 0..seconds_max {
        let Some(stage) = scene.record().lifecycle_stage.clone() else { break };
        match seen.last_mut() {
            Some((last, seconds)) if *last == stage => *seconds += 1,
            _ => seen.push((stage, 1)),
        }
        scene.pass(1);
    }
    seen
}

fn names(stages: &[(String, u64)]) -> Vec<&str> {
    stages.iter().map(|(name, _)| name.as_str()).collect()
}

const ONE_STEP: [&str; 10] = [
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
];

fn steady(configuration: Value) -> Scene {
    Scene::steady(&Setup { desired: 2, configuration, ..Setup::default() })
}

#[test]
fn a_blue_green_deployment_goes_through_all_stages_and_keeps_the_old_tasks_until_the_end() {
    let mut scene = steady(json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10}));
    scene.update(2);
    scene.until(900, "bakes", |scene| scene.record().lifecycle_stage.as_deref() == Some("BAKE_TIME"));
    assert_eq!((scene.serving(1), scene.serving(2), scene.service().deployments.len()), (2, 2, 2));
    scene.pass(590);
    assert_eq!((scene.serving(1), scene.record().status.as_str()), (2, "IN_PROGRESS"));
    scene.until(200, "complete", |scene| scene.record().status == "SUCCESSFUL");
    assert_eq!((scene.serving(1), scene.serving(2), scene.service().deployments.len()), (0, 2, 1));
    scene.update(1);
    let stages = stages(&mut scene, 3_000);
    assert_eq!(names(&stages), ONE_STEP);
    assert_eq!(scene.serving(1), 2);
}

#[test]
fn linear_and_canary_deployments_repeat_the_stages_of_production_traffic() {
    let canary = json!({"strategy": "CANARY", "bakeTimeInMinutes": 1,
        "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 7}});
    let linear = json!({"strategy": "LINEAR", "bakeTimeInMinutes": 0,
        "linearConfiguration": {"stepPercent": 33.4, "stepBakeTimeInMinutes": 2}});
    for (configuration, steps, bake) in [(canary, 2, 420), (linear, 3, 120)] {
        let mut scene = steady(configuration.clone());
        scene.update(2);
        let stages = stages(&mut scene, 6_000);
        let shifts: Vec<u64> =
            stages.iter().filter(|(name, _)| name == "PRODUCTION_TRAFFIC_SHIFT").map(|(_, seconds)| *seconds).collect();
        assert_eq!(shifts.len(), steps, "{configuration}");
        let (last, before) = shifts.split_last().unwrap();
        assert!(before.iter().all(|seconds| *seconds >= bake) && *last < 30, "{shifts:?}");
        assert_eq!(scene.record().status, "SUCCESSFUL");
    }
}

#[test]
fn a_deployment_on_top_of_an_unfinished_one_reconciles_first() {
    let mut scene = steady(json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}));
    scene.update(9);
    scene.pass(120);
    scene.update(2);
    let stages = stages(&mut scene, 3_000);
    assert_eq!(names(&stages)[0], "RECONCILE_SERVICE");
    assert_eq!(names(&stages)[1..], ONE_STEP);
    assert_eq!((scene.serving(1), scene.serving(9), scene.serving(2)), (0, 0, 2));
}

#[test]
fn a_stopped_deployment_goes_back_to_the_tasks_that_still_run() {
    let mut scene = steady(json!({"strategy": "CANARY", "bakeTimeInMinutes": 30}));
    scene.update(2);
    scene.until(900, "shifts", |scene| scene.record().lifecycle_stage.as_deref() == Some("PRODUCTION_TRAFFIC_SHIFT"));
    let arn = scene.record().arn.clone();
    scheduler::stop_service_deployment(&mut scene.world, &arn, "ROLLBACK").unwrap();
    let seconds = scene.until(200, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
    assert!(seconds > 30, "{seconds} s");
    assert_eq!((scene.serving(1), scene.serving(2)), (2, 0));
    assert_eq!(scene.service().task_definition, scene.definition_arn(1));
}

#[test]
fn a_revision_that_never_becomes_healthy_fails_by_the_breaker_or_after_a_day() {
    let (mut by_breaker, mut by_time) = (0, 0);
    for seed in 0..12 {
        let configuration = json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1,
            "deploymentCircuitBreaker": {"enable": true, "rollback": true}});
        let mut scene = Scene::steady(&Setup { seed, configuration, ..Setup::default() });
        scene.update(3);
        scene.until(25 * 3_600, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
        assert_eq!(scene.serving(1), 1);
        match scene.record().status_reason.as_deref() {
            Some("Service deployment rolled back because the circuit breaker threshold was exceeded.") => {
                by_breaker += 1;
            }
            Some("Service deployment rolled back because SCALE_UP timed out.") => by_time += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(by_breaker > by_time && by_time > 0, "{by_breaker} by the breaker, {by_time} by time");
}

#[test]
fn a_pause_holds_its_stage_until_somebody_says_how_to_go_on() {
    let paused = |action: &str| {
        json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "lifecycleHooks": [{"targetType": "PAUSE",
            "lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 60, "action": action}}]})
    };
    for (action, answer, expected) in [
        ("ROLLBACK", Some(true), "SUCCESSFUL"),
        ("ROLLBACK", Some(false), "ROLLBACK_SUCCESSFUL"),
        ("ROLLBACK", None, "ROLLBACK_SUCCESSFUL"),
        ("CONTINUE", None, "SUCCESSFUL"),
    ] {
        let mut scene = steady(json!({}));
        scene.settings().insert("deploymentConfiguration".to_owned(), paused(action));
        scene.update(2);
        scene.until(300, "waits", |scene| scheduler::waiting_hook(scene.service()).is_some());
        scene.pass(1_800);
        assert_eq!(scene.record().lifecycle_stage.as_deref(), Some("POST_SCALE_UP"));
        let (arn, hook) =
            (scene.record().arn.clone(), scheduler::waiting_hook(scene.service()).unwrap().hook_id.clone());
        let refused =
            scheduler::continue_service_deployment(&mut scene.world, &arn, "ecs-pause-other", true).unwrap_err();
        assert!(refused.message.starts_with("Provided hookId is either completed"), "{refused:?}");
        let described = json!({"serviceDeploymentArns": [arn]});
        let described = api::answer(&mut scene.world, "", "DescribeServiceDeployments", &described).unwrap();
        let told = &described["serviceDeployments"][0]["lifecycleHookDetails"][0];
        assert_eq!((told["hookId"].as_str(), told["timeoutAction"].as_str()), (Some(hook.as_str()), Some(action)));
        if let Some(goes_on) = answer {
            let answer = if goes_on { "CONTINUE" } else { "ROLLBACK" };
            let input = json!({"serviceDeploymentArn": arn, "hookId": hook, "action": answer});
            api::answer(&mut scene.world, "", "ContinueServiceDeployment", &input).unwrap();
        }
        scene.pass(2_400);
        assert_eq!(scene.record().status, expected, "{action} {answer:?}\n{}", scene.story());
        let refused = scheduler::continue_service_deployment(&mut scene.world, &arn, &hook, true).unwrap_err();
        assert!(refused.message.ends_with("in terminal states."), "{refused:?}");
    }
}

#[test]
fn a_function_that_fails_takes_the_deployment_back() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:check";
    let mut scene = steady(json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "lifecycleHooks":
        [{"hookTargetArn": function, "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}]}));
    scheduler::set_hook_fails(&mut scene.world, function, true);
    scene.update(2);
    scene.until(600, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
    let words = format!(
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. Lifecycle hook target {function} returned FAILED status."
    );
    assert_eq!(scene.record().status_reason.as_ref(), Some(&words));
    scheduler::set_hook_fails(&mut scene.world, function, false);
    scene.update(2);
    scene.until(600, "complete", |scene| scene.record().status == "SUCCESSFUL");
}
