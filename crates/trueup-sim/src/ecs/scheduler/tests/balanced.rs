//! Services behind a load balancer.

use std::collections::BTreeMap;

use serde_json::json;

use super::fixture::{Scene, Setup, breaker};
use crate::ecs::scheduler;
use crate::time::Time;
use crate::workload::{Behaviour, Health};

fn balanced(setup: Setup) -> Scene {
    Scene::steady(&Setup { balanced: true, ..setup })
}

/// Seconds after `since` of the first message with each of these parts.
fn times<'a>(scene: &Scene, since: Time, parts: &[&'a str]) -> BTreeMap<&'a str, u64> {
    let events = scene.service().events.iter().rev().filter(|event| event.created_at >= since);
    let mut found = BTreeMap::new();
    for event in events {
        for part in parts.iter().filter(|part| event.message.contains(**part)) {
            found.entry(*part).or_insert(event.created_at.since(since).as_secs());
        }
    }
    found
}

#[test]
fn an_update_goes_in_the_order_and_about_the_time_that_operators_measured() {
    let parts = [
        "has started 1 tasks",
        "registered 1 targets in",
        "has stopped 1 running tasks",
        "deregistered 1 targets in",
        "has begun draining connections on 1 tasks",
        "deployment completed",
        "has reached a steady state",
    ];
    for seed in 1..6 {
        let mut scene = balanced(Setup { seed, ..Setup::default() });
        scene.pass(60);
        let since = scene.world.now;
        scene.update(2);
        scene.until(600, "complete", |scene| scene.record().status == "SUCCESSFUL");
        let times = times(&scene, since, &parts);
        let at = |part: &str| times[part];
        let [started, registered, stopped, deregistered, draining, completed, steady] = parts.map(at);
        assert!((25..60).contains(&(registered - started)), "{times:?}");
        assert!((3..60).contains(&(stopped - registered)), "{times:?}");
        assert!((8..=12).contains(&(deregistered - stopped)), "{times:?}");
        assert!((30..90).contains(&(completed - draining)), "{times:?}");
        assert_eq!((draining, steady), (deregistered, completed), "{times:?}");
        assert_eq!((scene.serving(2), scene.targets(&scene.balancer.blue, "healthy")), (1, 1));
    }
}

#[test]
fn a_revision_that_never_passes_the_load_balancers_checks_takes_long_to_fail() {
    let mut scene = balanced(Setup { configuration: breaker(true), ..Setup::default() });
    let delay = json!([{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]);
    let blue = scene.balancer.blue.clone();
    scene.elb("ModifyTargetGroupAttributes", &json!({"TargetGroupArn": blue, "Attributes": delay}));
    scene.update(5);
    let seconds = scene.until(3_600, "rolls back", |scene| scene.record().status == "ROLLBACK_IN_PROGRESS");
    assert!((15 * 60..24 * 60).contains(&seconds), "{seconds} s\n{}", scene.story());
    let reason = format!("Task failed ELB health checks in (target-group {blue})");
    assert!(scene.tasks().any(|task| task.stopped_reason.as_ref() == Some(&reason)));
    assert!(scene.messages().iter().any(|message| message.contains("(port 80) is unhealthy in (target-group ")));
    scene.until(300, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
    assert_eq!((scene.serving(1), scene.targets(&blue, "healthy")), (1, 1));
}

#[test]
fn a_slow_revision_needs_a_grace_period() {
    for (grace, expected) in [(0, "ROLLBACK_SUCCESSFUL"), (300, "SUCCESSFUL")] {
        let settings = json!({"healthCheckGracePeriodSeconds": grace});
        let mut scene = balanced(Setup { configuration: breaker(true), settings, ..Setup::default() });
        scene.update(9);
        scene.pass(2_400);
        assert_eq!(scene.record().status, expected, "grace period {grace}\n{}", scene.story());
    }
}

#[test]
fn tasks_that_become_unhealthy_at_rest_are_replaced_without_a_deployment() {
    let mut scene = balanced(Setup { desired: 2, ..Setup::default() });
    scene.pass(4_000);
    let ill = Behaviour { health: Health::Status(503), ..Behaviour::default() };
    scene.world.workloads.script("web:1", ill);
    scene.until(300, "unhealthy", |scene| {
        scene
            .messages()
            .iter()
            .any(|message| message.contains("due to (reason Health checks failed with these codes: [503])"))
    });
    scene.pass(60);
    scene.world.workloads.script("web:1", Behaviour::default());
    scene.until(900, "steady again", |scene| scene.targets(&scene.balancer.blue, "healthy") == 2);
    assert_eq!(scene.service().service_deployments.len(), 1);
}

#[test]
fn at_rest_nothing_happens() {
    let mut scene = balanced(Setup { desired: 2, ..Setup::default() });
    scene.pass(4_000);
    let (mut things, until) = (0, scene.world.now + std::time::Duration::from_hours(24));
    while let Some(next) = scene.world.next().filter(|next| *next < until) {
        scene.world.advance(next);
        things += 1;
    }
    assert!(things < 10, "{things} things happened in a day");
}

#[test]
fn a_blue_green_deployment_shifts_weights_and_the_groups_have_swapped_roles_afterwards() {
    let configuration = json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5});
    let mut scene = balanced(Setup { configuration, ..Setup::default() });
    let (production, test) = (scene.balancer.production.clone(), scene.balancer.test.clone());
    let (blue, green) = (scene.balancer.blue.clone(), scene.balancer.green.clone());
    assert_eq!(scene.weights(&production), (100, 0));
    for (revision, before, after, group) in [(2, (100, 0), (0, 100), &green), (1, (0, 100), (100, 0), &blue)] {
        scene.update(revision);
        scene.until(900, "scaled up", |scene| scene.record().lifecycle_stage.as_deref() == Some("POST_SCALE_UP"));
        assert_eq!((scene.targets(&blue, "healthy"), scene.targets(&green, "healthy")), (1, 1));
        assert_eq!(scene.weights(&production), before);
        scene.until(900, "tests", |scene| scene.record().lifecycle_stage.as_deref() == Some("POST_TEST_TRAFFIC_SHIFT"));
        assert_eq!((scene.weights(&test), scene.weights(&production)), (after, before));
        scene.until(900, "bakes", |scene| scene.record().lifecycle_stage.as_deref() == Some("BAKE_TIME"));
        assert_eq!(scene.weights(&production), after);
        scene.until(900, "complete", |scene| scene.record().status == "SUCCESSFUL");
        assert_eq!(scene.weights(&production), after);
        let serving = scene.service().revisions[&scene.primary().revision].settings["resolvedConfiguration"].clone();
        assert_eq!(serving["loadBalancers"][0]["targetGroupArn"], **group);
        assert_eq!(scene.targets(group, "healthy"), 1);
    }
}

#[test]
fn a_canary_that_is_stopped_takes_its_traffic_back() {
    let configuration = json!({"strategy": "CANARY", "bakeTimeInMinutes": 5,
        "canaryConfiguration": {"canaryPercent": 2.5, "canaryBakeTimeInMinutes": 30}});
    let mut scene = balanced(Setup { configuration, ..Setup::default() });
    let production = scene.balancer.production.clone();
    scene.update(2);
    scene.until(900, "shifts", |scene| scene.record().lifecycle_stage.as_deref() == Some("PRODUCTION_TRAFFIC_SHIFT"));
    assert_eq!(scene.weights(&production), (974, 25));
    let arn = scene.record().arn.clone();
    scheduler::stop_service_deployment(&mut scene.world, &arn, "ROLLBACK").unwrap();
    scene.pass(5);
    assert_eq!(scene.weights(&production), (100, 0));
    scene.until(300, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
}

#[test]
fn rules_that_do_not_fit_take_the_deployment_back_before_anything_starts() {
    let configuration = json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5});
    let forward = |groups: &[(&str, u64)]| {
        let groups: Vec<_> = groups
            .iter()
            .map(|(group, weight)| json!({"TargetGroupArn": group, "Weight": weight.to_string()}))
            .collect();
        json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
    };
    for (words, both) in [
        (
            "should have exactly one target group serving traffic but found 2 target groups which are serving traffic",
            true,
        ),
        ("is not associated with either productionListenerRule or testListenerRule.", false),
    ] {
        let mut scene = balanced(Setup { configuration: configuration.clone(), ..Setup::default() });
        let (blue, green) = (scene.balancer.blue.clone(), scene.balancer.green.clone());
        let (production, test) = (scene.balancer.production.clone(), scene.balancer.test.clone());
        if both {
            let actions = forward(&[(&blue, 1), (&green, 1)]);
            scene.elb("ModifyRule", &json!({"RuleArn": production, "Actions": actions}));
        } else {
            for rule in [&production, &test] {
                scene.elb("ModifyRule", &json!({"RuleArn": rule, "Actions": forward(&[(&blue, 1)])}));
            }
        }
        scene.update(2);
        scene.until(300, "back", |scene| scene.record().status == "ROLLBACK_SUCCESSFUL");
        let reason = scene.record().status_reason.clone().unwrap();
        let begins = "Service deployment rolled back because of invalid networking configuration. ";
        assert!(reason.starts_with(begins) && reason.ends_with(words), "{reason}");
        let arn = scene.definition_arn(2);
        assert!(!scene.tasks().any(|task| task.task_definition == arn));
    }
}

#[test]
fn weights_that_somebody_changed_in_the_middle_are_not_looked_at_again() {
    let configuration = json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5});
    let mut scene = balanced(Setup { configuration, ..Setup::default() });
    let (production, green) = (scene.balancer.production.clone(), scene.balancer.green.clone());
    scene.update(2);
    scene.until(900, "scaled up", |scene| scene.record().lifecycle_stage.as_deref() == Some("POST_SCALE_UP"));
    let actions = json!([{"Type": "forward", "TargetGroupArn": green}]);
    scene.elb("ModifyRule", &json!({"RuleArn": production, "Actions": actions}));
    scene.until(1_200, "complete", |scene| scene.record().status == "SUCCESSFUL");
    assert_eq!(scene.weights(&production), (0, 100));
}
