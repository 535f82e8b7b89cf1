//! Health of targets that tasks of ECS answer for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{call, world};
use crate::World;
use crate::elb::health;
use crate::setup;
use crate::workload::{Behaviour, Health};

const CALLER: &str = "arn:aws:iam::123456789012:user/test";

fn ecs(world: &mut World, action: &str, input: &serde_json::Value) -> serde_json::Value {
    crate::ecs::api::answer(world, CALLER, action, input)
        .unwrap_or_else(|error| panic!("{action} {input}: {} {}", error.code, error.message))
}

/// A service behind a rule of its own; its target group.
fn service(world: &mut World, listener: &str, number: u64, image: &str) -> String {
    let name = format!("web{number}");
    let group = setup::target_group(world, &name, 8000);
    setup::rule(world, listener, number, &format!("/{number}/*"), &group);
    // ECS sees that some seconds later.
    let later = world.now + Duration::from_secs(5);
    world.advance(later);
    ecs(
        world,
        "RegisterTaskDefinition",
        &json!({
            "family": name, "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "web", "image": image, "portMappings": [{"containerPort": 8000}]}],
        }),
    );
    ecs(
        world,
        "CreateService",
        &json!({
            "cluster": "main", "serviceName": name, "taskDefinition": name, "desiredCount": 2, "launchType": "FARGATE",
            "healthCheckGracePeriodSeconds": 3_600,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            "loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 8000}],
        }),
    );
    group
}

fn states(world: &World, group: &str) -> Vec<&'static str> {
    let targets = world.elb.target_groups[group].targets.keys();
    targets.map(|(ip, port)| health::health(world, group, ip, *port).state).collect()
}

fn pass(world: &mut World, wait: Duration) {
    let later = world.now + wait;
    world.advance(later);
}

#[test]
fn a_new_target_is_healthy_by_its_first_passed_check_and_others_by_the_threshold() {
    let mut world = world(1);
    let main = setup::main(&mut world);
    let group = service(&mut world, &main.listener, 1, "web:1");
    let mut seen = BTreeSet::new();
    let mut first = None;
    for _ in 0..180 {
        pass(&mut world, Duration::from_secs(1));
        let now = states(&world, &group);
        seen.extend(now.iter().copied());
        if first.is_none() && now == ["healthy", "healthy"] {
            first = Some(world.now);
        }
    }
    assert_eq!(
        seen,
        BTreeSet::from(["initial", "healthy"]),
        "an early check fails, and that is not enough to be unhealthy"
    );
    assert!(first.is_some());

    let unwell = Behaviour { health: Health::Status(503), ..Behaviour::default() };
    world.workloads.script("web:1", unwell);
    pass(&mut world, Duration::from_secs(62));
    let described = call(&mut world, "DescribeTargetHealth", json!({"TargetGroupArn": group}));
    assert_eq!(
        described["TargetHealthDescriptions"][0]["TargetHealth"],
        json!({
            "State": "unhealthy", "Reason": "Target.ResponseCodeMismatch",
            "Description": "Health checks failed with these codes: [503]",
        })
    );
    world.workloads.script("web:1", Behaviour::default());
    pass(&mut world, Duration::from_secs(119));
    assert_eq!(states(&world, &group), ["unhealthy", "unhealthy"], "the fifth passed check has not been yet");
    pass(&mut world, Duration::from_secs(33));
    assert_eq!(states(&world, &group), ["healthy", "healthy"]);
}

#[test]
fn a_matcher_decides_which_status_passes() {
    let mut world = world(2);
    let main = setup::main(&mut world);
    let moved = Behaviour { health: Health::Status(301), ..Behaviour::default() };
    world.workloads.script("web:1", moved);
    let group = service(&mut world, &main.listener, 1, "web:1");
    pass(&mut world, Duration::from_mins(4));
    assert_eq!(states(&world, &group), ["unhealthy", "unhealthy"]);
    let change = json!({"TargetGroupArn": group, "Matcher": {"HttpCode": "200-299,301"}, "HealthyThresholdCount": "2"});
    call(&mut world, "ModifyTargetGroup", change);
    pass(&mut world, Duration::from_secs(62));
    assert_eq!(states(&world, &group), ["healthy", "healthy"]);
}

#[test]
fn a_flapping_target_goes_up_and_down() {
    let mut world = world(3);
    let main = setup::main(&mut world);
    let (well, unwell) = (Duration::from_mins(5), Duration::from_mins(5));
    world.workloads.script("web:1", Behaviour { health: Health::Flaps { well, unwell }, ..Behaviour::default() });
    let group = service(&mut world, &main.listener, 1, "web:1");
    let mut changes = 0;
    let mut last = Vec::new();
    for _ in 0..60 {
        pass(&mut world, Duration::from_mins(1));
        let now = states(&world, &group);
        changes += usize::from(now != last);
        last = now;
    }
    assert!(changes >= 10, "{changes}");
}

#[test]
fn steady_services_cost_next_to_nothing_for_a_day() {
    let mut world = world(4);
    let main = setup::main(&mut world);
    let groups: Vec<String> = (1..=50).map(|number| service(&mut world, &main.listener, number, "web:1")).collect();
    pass(&mut world, Duration::from_mins(10));
    assert!(groups.iter().all(|group| states(&world, group) == ["healthy", "healthy"]));
    let end = world.now + Duration::from_hours(24);
    let mut moments = 0;
    while let Some(next) = world.next().filter(|next| *next <= end) {
        world.advance(next);
        moments += 1;
    }
    assert!(moments < 50 * 24, "{moments} things happened to fifty services at rest");
}
