use std::time::Duration;

use serde_json::{Value, json};

use super::{call, listener, rule, target_group, world};
use crate::World;
use crate::elb::health::{self, TargetHealth, deregister, register, set_weights, weights};

const IP: &str = "10.0.0.1";

fn pass(world: &mut World, seconds: u64) {
    let later = world.now + Duration::from_secs(seconds);
    world.advance(later);
}

fn now(world: &World, group: &str) -> (&'static str, Option<&'static str>) {
    let TargetHealth { state, reason, .. } = health::health(world, group, IP, 8000);
    (state, reason)
}

#[test]
fn a_target_that_never_answers_is_unhealthy_after_the_threshold() {
    for seed in 0..8 {
        let mut world = world(seed);
        let group = target_group(&mut world, "web");
        let (_, listener) = listener(&mut world, "main");
        rule(&mut world, &listener, 1, &group);
        register(&mut world, &group, IP, 8000, "arn:no-task");
        assert_eq!(now(&world, &group), ("initial", Some("Elb.RegistrationInProgress")));
        pass(&mut world, 13);
        assert_eq!(now(&world, &group), ("initial", Some("Elb.InitialHealthChecking")));
        pass(&mut world, 30);
        let TargetHealth { state, reason, description } = health::health(&world, &group, IP, 8000);
        assert_eq!(state, "unhealthy");
        let either = [("Target.Timeout", "Request timed out"), ("Target.FailedHealthChecks", "Health checks failed")];
        let found = (reason.unwrap_or_default(), description.unwrap_or_default());
        assert!(either.iter().any(|(reason, text)| found == (*reason, (*text).to_owned())), "{found:?}");
        assert_eq!(world.next(), None, "a target that stays as it is costs nothing");
    }
}

#[test]
fn a_target_is_checked_only_while_something_forwards_to_its_group() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    register(&mut world, &group, IP, 8000, "arn:no-task");
    pass(&mut world, 600);
    assert_eq!(now(&world, &group), ("unused", Some("Target.NotInUse")));
    let (_, listener) = listener(&mut world, "main");
    let rule = rule(&mut world, &listener, 1, &group);
    pass(&mut world, 13);
    assert_eq!(now(&world, &group).0, "initial");
    call(&mut world, "DeleteRule", json!({"RuleArn": rule}));
    pass(&mut world, 600);
    assert_eq!(now(&world, &group), ("unused", Some("Target.NotInUse")));
}

#[test]
fn a_deregistered_target_drains_and_is_forgotten() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    let (_, listener) = listener(&mut world, "main");
    rule(&mut world, &listener, 1, &group);
    register(&mut world, &group, IP, 8000, "arn:no-task");
    deregister(&mut world, &group, IP, 8000);
    pass(&mut world, 299);
    assert_eq!(now(&world, &group), ("draining", Some("Target.DeregistrationInProgress")));
    pass(&mut world, 1);
    assert_eq!(now(&world, &group), ("unused", Some("Target.NotRegistered")));

    register(&mut world, &group, IP, 8000, "arn:no-task");
    deregister(&mut world, &group, IP, 8000);
    register(&mut world, &group, IP, 8000, "arn:no-task");
    pass(&mut world, 600);
    assert_eq!(now(&world, &group).0, "unhealthy", "it was registered again while it drained");

    let none =
        json!({"TargetGroupArn": group, "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]});
    call(&mut world, "ModifyTargetGroupAttributes", none);
    deregister(&mut world, &group, IP, 8000);
    assert_eq!(now(&world, &group), ("unused", Some("Target.NotRegistered")));
}

#[test]
fn the_api_shows_targets_and_those_that_are_none() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    call(
        &mut world,
        "RegisterTargets",
        json!({"TargetGroupArn": group, "Targets": [{"Id": IP}, {"Id": IP, "Port": "81"}]}),
    );
    let shown = call(&mut world, "DescribeTargetHealth", json!({"TargetGroupArn": group}));
    let ports: Vec<&Value> = shown["TargetHealthDescriptions"]
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|shown| &shown["Target"]["Port"])
        .collect();
    assert_eq!(ports, [&json!(81), &json!(8000)]);
    assert_eq!(shown["TargetHealthDescriptions"][0]["HealthCheckPort"], "81");
    let one = json!({"TargetGroupArn": group, "Targets": [{"Id": "10.0.0.9"}]});
    let shown = call(&mut world, "DescribeTargetHealth", one);
    assert_eq!(shown["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"], "Target.NotRegistered");
    call(
        &mut world,
        "DeregisterTargets",
        json!({"TargetGroupArn": group, "Targets": [{"Id": IP}, {"Id": "10.0.0.9"}]}),
    );
    let shown = call(&mut world, "DescribeTargetHealth", json!({"TargetGroupArn": group}));
    assert_eq!(shown["TargetHealthDescriptions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn ecs_sees_an_attached_group_after_some_seconds_at_most() {
    let mut delayed = 0;
    for seed in 0..8 {
        let mut world = world(seed);
        let group = target_group(&mut world, "web");
        assert_eq!(health::target_group(&world, &group), Some(false));
        let (_, listener) = listener(&mut world, "main");
        rule(&mut world, &listener, 1, &group);
        delayed += usize::from(health::target_group(&world, &group) == Some(false));
        pass(&mut world, 5);
        assert_eq!(health::target_group(&world, &group), Some(true));
    }
    assert!(delayed > 0);
    assert_eq!(health::target_group(&world(1), "arn:none"), None);
}

#[test]
fn ecs_shifts_weights_and_the_short_form_disappears() {
    let mut world = world(1);
    let (web, api) = (target_group(&mut world, "web"), target_group(&mut world, "api"));
    let (_, listener) = listener(&mut world, "main");
    let arn = rule(&mut world, &listener, 1, &web);
    set_weights(&mut world, &arn, &[(web.clone(), 0), (api.clone(), 100)]);
    assert_eq!(weights(&world, &arn), Some(vec![(web.clone(), 0), (api.clone(), 100)]));
    let shown = call(&mut world, "DescribeRules", json!({"RuleArns": [arn]}))["Rules"][0]["Actions"][0].clone();
    assert_eq!(
        shown,
        json!({"Type": "forward", "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": web, "Weight": 0}, {"TargetGroupArn": api, "Weight": 100}],
        "TargetGroupStickinessConfig": {"Enabled": false}}})
    );
    pass(&mut world, 5);
    assert_eq!(health::target_group(&world, &api), Some(true), "a shift attaches the other group");
    assert_eq!(weights(&world, "arn:none"), None);
    assert_eq!(weights(&world, &listener), Some(vec![]), "the default rule forwards to none");
}
