//! Who else governs: autoscalers, people who suspend, people who undo repairs, and ECS itself.

use serde_json::{Value, json};

use super::{World, shown};
use crate::desired::Mode;
use crate::kind::Kind;
use crate::live::{FailureKind, Observed, ReadFailure, Traffic};
use crate::names::{Arn, InstanceName, ServiceId};
use crate::plan::{Health, Memory, Operation, Sync, tags};
use crate::planner::fixture::{group_arn, service_id};
use crate::planner::{self, NothingToMark};
use crate::resources::service::traffic;

fn count(world: &mut World, desired: i64) {
    world.edit_service(|live| live["desiredCount"] = json!(desired));
}

fn denied() -> ReadFailure {
    ReadFailure {
        operation: "application-autoscaling:DescribeScalableTargets".to_owned(),
        kind: FailureKind::AccessDenied,
        message: "not authorized".to_owned(),
    }
}

#[test]
fn the_number_of_tasks_waits_until_it_is_known_whose_it_is_and_the_rest_does_not() {
    let cases: [(Option<Observed<()>>, &[&str]); 4] = [
        (Some(Observed::Absent), &["UpdateService service drift /desiredCount /healthCheckGracePeriodSeconds"]),
        (Some(Observed::Present(())), &["UpdateService service drift /healthCheckGracePeriodSeconds"]),
        (
            Some(Observed::Unknown(denied())),
            &["UpdateService service drift /healthCheckGracePeriodSeconds", "held NotObserved service /desiredCount"],
        ),
        (
            None,
            &["UpdateService service drift /healthCheckGracePeriodSeconds", "held NotObserved service /desiredCount"],
        ),
    ];
    for (scaling, expected) in cases {
        let mut world = World::settled();
        world.live.autoscaled = scaling.clone().map(|answer| (service_id(), answer)).into_iter().collect();
        assert_eq!(shown(&world.plan()), Vec::<String>::new(), "nothing differs, {scaling:?}");
        count(&mut world, 7);
        world.edit_service(|live| live["healthCheckGracePeriodSeconds"] = json!(60));
        let plan = world.plan();
        assert_eq!(shown(&plan), expected, "{scaling:?}");
        let sent = plan.steps[0].call.input.get("desiredCount").is_some();
        assert_eq!(sent, scaling == Some(Observed::Absent), "{scaling:?}");
    }
}

#[test]
fn a_commit_whose_number_of_tasks_is_withheld_is_not_taken_for_applied() {
    let mut world = World::settled();
    world.live.autoscaled.insert(service_id(), Observed::Unknown(denied()));
    world.commit(Kind::Service, "service", |body| {
        body["desiredCount"] = json!(5);
        body["healthCheckGracePeriodSeconds"] = json!(60);
    });
    let operations = world.converge();
    assert_eq!(operations, [Operation::UpdateService], "no digest is written");
    world.later(3600);
    world.live.autoscaled.insert(service_id(), Observed::Absent);
    assert_eq!(shown(&world.plan()), ["UpdateService service pending /desiredCount"]);
}

#[test]
fn drift_in_a_call_that_a_commit_causes_is_known_as_drift() {
    let mut world = World::settled();
    world.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(60));
    count(&mut world, 3);
    let step = world.plan().steps.remove(0);
    let drifted: Vec<String> = step.drifted().map(|change| change.path.to_string()).collect();
    assert_eq!((step.changes.len(), drifted), (2, vec!["/desiredCount".to_owned()]));
}

/// Undoes a repair of the number of tasks some seconds after it, as soon as it is made. Gives back after how many
/// seconds each repair came.
fn fight(world: &mut World, undone_after: i64, until: i64) -> Vec<i64> {
    let (mut second, mut repaired, mut undo_at) = (0, Vec::new(), Some(0));
    while second <= until {
        if undo_at.is_some_and(|at| at <= second) {
            count(world, 9);
            undo_at = None;
        }
        if !world.plan().steps.is_empty() {
            world.converge();
            repaired.push(second);
            undo_at = Some(second + undone_after);
        }
        world.later(10);
        second += 10;
    }
    repaired
}

#[test]
fn drift_that_comes_back_after_each_repair_is_contested_and_repairs_slow_down() {
    let mut world = World::settled();
    // The very same call is not repeated within a minute after an own write.
    let repaired = fight(&mut world, 20, 1500);
    assert_eq!(repaired, [0, 60, 120, 420, 720, 1020, 1320]);
    let plan = world.plan();
    assert_eq!(shown(&plan), ["held Contested service /desiredCount"]);
    assert_eq!(plan.sync, Sync::OutOfSync);
    assert_eq!(plan.held[0].drift().len(), 1, "it is drift all the same");
    assert!(plan.held[0].reason.message().contains("`/desiredCount`"), "{}", plan.held[0].reason.message());

    // Between a repair and its undoing the contest goes on.
    world.later(300);
    world.converge();
    let plan = world.plan();
    assert_eq!((shown(&plan), plan.sync), (vec!["held Contested service".to_owned()], Sync::Synced));
    // It ends when the drift stays away.
    world.later(crate::plan::CONTESTED_QUIET_SECONDS + 1);
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
    count(&mut world, 4);
    assert_eq!(shown(&world.plan()), ["UpdateService service drift /desiredCount"], "a first one again");
}

#[test]
fn a_contest_holds_its_own_field_alone_and_ends_when_git_changes_it() {
    let contested = || {
        let mut world = World::settled();
        fight(&mut world, 20, 200);
        assert_eq!(shown(&world.plan()), ["held Contested service /desiredCount"]);
        world
    };
    let mut world = contested();
    world.edit_service(|live| live["enableExecuteCommand"] = json!(true));
    let plan = world.plan();
    assert_eq!(
        shown(&plan),
        ["UpdateService service drift /enableExecuteCommand", "held Contested service /desiredCount"]
    );
    assert_eq!(plan.steps[0].call.input.get("desiredCount"), None);

    let mut world = contested();
    world.commit(Kind::Service, "service", |body| body["desiredCount"] = json!(2));
    assert_eq!(shown(&world.plan())[0], "UpdateService service pending /desiredCount");

    // A restart forgets, and stays within bounds.
    let mut world = contested();
    world.memory = Memory::default();
    assert_eq!(fight(&mut world, 20, 600), [0, 60, 120, 420]);
}

#[test]
fn drift_that_comes_back_seldom_is_repaired_each_time_at_once() {
    let mut world = World::settled();
    for _ in 0..6 {
        count(&mut world, 9);
        assert_eq!(shown(&world.plan()), ["UpdateService service drift /desiredCount"]);
        world.converge();
        world.later(crate::plan::CONTESTED_QUIET_SECONDS + 60);
    }
}

const NOTE: &str = "2026-01-01T00:00:00Z by alice - moving the database";

fn instance() -> InstanceName {
    InstanceName::new("main")
}

#[test]
fn a_suspended_application_is_observed_and_told_and_not_written() {
    let mut world = World::settled();
    let call = planner::suspend(&world.desired, &world.live, &instance(), NOTE).expect("there is a service");
    assert_eq!(call.operation, Operation::TagResource);
    world.live.absorb(&call, &json!({}));
    let plan = world.plan();
    assert_eq!(
        (shown(&plan), plan.sync, plan.health),
        (vec!["held Suspended all".to_owned()], Sync::Synced, Health::Suspended),
        "the mark is no drift"
    );
    assert_eq!(plan.held[0].reason.message(), format!("suspended by an operator: {NOTE}"));

    count(&mut world, 3);
    world.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(60));
    world.commit(Kind::TargetGroup, "backend", |body| body["HealthCheckPath"] = json!("/new"));
    let plan = world.plan();
    assert_eq!(
        shown(&plan),
        [
            "held Suspended all",
            "held Suspended backend /HealthCheckPath",
            "held Suspended service /desiredCount",
            "held Suspended service /healthCheckGracePeriodSeconds",
        ]
    );
    let drift: Vec<usize> = plan.held.iter().map(|held| held.drift().len()).collect();
    assert_eq!((drift, plan.sync), (vec![0, 0, 1, 0], Sync::OutOfSync));

    for call in planner::resume(&world.desired, &world.live, &instance()).expect("there is a service") {
        world.live.absorb(&call, &json!({}));
    }
    assert!(!world.service().tags.contains_key(tags::SUSPENDED));
    assert_eq!(world.plan().steps.len(), 2);
    assert_eq!(planner::resume(&world.desired, &world.live, &instance()).expect("it was read"), [], "a second time");
}

#[test]
fn the_mark_stands_on_what_there_is_and_a_service_is_not_made_while_it_does() {
    type Case = (fn(&mut World), Result<Operation, NothingToMark>);
    // What there is, in the order in which the mark is put there.
    let cases: [Case; 4] = [
        (|w| drop(w.live.services.insert(service_id(), Observed::Absent)), Ok(Operation::AddTags)),
        (
            |w| {
                w.live.services.insert(service_id(), Observed::Absent);
                w.live.target_groups.insert("backend-tg".to_owned(), Observed::Absent);
            },
            Ok(Operation::AddTags),
        ),
        (
            |w| {
                w.live.services.insert(service_id(), Observed::Absent);
                w.live.target_groups.insert("backend-tg".to_owned(), Observed::Absent);
                w.rules().clear();
            },
            Err(NothingToMark::Nothing),
        ),
        (
            |w| drop(w.live.services.insert(service_id(), Observed::Unknown(denied()))),
            Err(NothingToMark::Unread(denied())),
        ),
    ];
    for (change, expected) in cases {
        let mut world = World::settled();
        change(&mut world);
        let call = planner::suspend(&world.desired, &world.live, &instance(), NOTE);
        assert_eq!(call.as_ref().map(|call| call.operation), expected.as_ref().map(|operation| *operation));
        let Ok(call) = call else { continue };
        assert!(!world.plan().steps.is_empty(), "the service is missing");
        world.live.absorb(&call, &json!({}));
        let plan = world.plan();
        assert_eq!((plan.steps.len(), plan.health), (0, Health::Suspended));
    }
}

#[test]
fn while_the_service_is_unread_nobody_knows_whether_it_is_suspended_and_nothing_is_written() {
    let mut world = World::settled();
    world.commit(Kind::TargetGroup, "backend", |body| body["HealthCheckPath"] = json!("/new"));
    world.live.services.insert(service_id(), Observed::Unknown(denied()));
    assert_eq!(shown(&world.plan()), ["held NotObserved service", "held NotObserved backend /HealthCheckPath"]);
}

#[test]
fn another_installation_s_mark_is_none_of_ours() {
    let mut world = World::settled();
    world.service().tags.insert(tags::SUSPENDED.to_owned(), NOTE.to_owned());
    world.service().tags.insert(tags::INSTANCE.to_owned(), "other".to_owned());
    assert_eq!(world.plan().health, Health::Healthy);
}

#[test]
fn a_deleted_service_is_drift_and_one_that_never_was_is_not() {
    type Row = (&'static str, fn() -> Value, bool, Mode, &'static str);
    // When its revision was registered, before now; what the process saw; heal, and what is planned.
    let young = || json!(1_767_225_600_i64 - 60);
    let old = || json!(1_767_225_600_i64 - 7200);
    let rows: [Row; 5] = [
        ("an old revision", old, false, Mode::On, "CreateService service drift /"),
        ("an old revision, only told", old, false, Mode::Report, "held ReportOnly service /"),
        ("a young revision", young, false, Mode::On, "CreateService service create /"),
        ("a young revision, and drift is only told", young, false, Mode::Report, "CreateService service create /"),
        ("a young revision of a service that was seen", young, true, Mode::On, "CreateService service drift /"),
    ];
    for (what, registered, seen, heal, expected) in rows {
        let mut world = World::settled();
        world.now = "2026-01-01T00:00:00Z".parse().expect("a time");
        (world.last_applied, world.memory, world.desired.policy.heal) = (None, Memory::default(), heal);
        if seen {
            world.memory.note_service(&world.desired, &world.live, &instance(), world.now);
        }
        world.live.services.insert(service_id(), Observed::Absent);
        let revisions = world.live.families.values_mut().find_map(|family| match family {
            Observed::Present(revisions) => Some(revisions),
            Observed::Absent | Observed::Unknown(_) => None,
        });
        revisions.expect("it was registered")[0].description["registeredAt"] = registered();
        assert_eq!(shown(&world.plan()), [expected], "{what}");
        // What takes long to be made is not taken for deleted.
        world.memory.note_service(&world.desired, &world.live, &instance(), world.now);
        world.later(86_400);
        assert_eq!(shown(&world.plan()), [expected], "{what}, a day later");
    }
}

#[test]
fn a_lost_call_is_made_again_after_20_seconds_and_one_that_would_make_a_second_thing_after_a_minute() {
    let drifted: fn(&mut World) = |world| count(world, 3);
    let committed: fn(&mut World) =
        |world| world.commit(Kind::TaskDefinition, "task-definition", |body| body["cpu"] = json!("1024"));
    for (change, seconds) in [(drifted, crate::plan::LOST_CALL_SECONDS_MAX), (committed, 60)] {
        let mut world = World::settled();
        change(&mut world);
        let step = world.plan().steps.into_iter().find(|step| step.awaits.is_empty()).expect("there is one");
        world.memory.lost(&step, world.now);
        world.later(seconds - 1);
        assert!(shown(&world.plan()).iter().any(|line| line.starts_with("held NotSettled")));
        world.later(1);
        assert!(!shown(&world.plan()).iter().any(|line| line.starts_with("held NotSettled")));
    }
}

#[test]
fn weights_are_ecs_s_for_whichever_service_names_the_rule_and_git_s_otherwise() {
    let pair = |weights: [i64; 2]| {
        json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": group_arn("backend-tg"), "Weight": weights[0]},
            {"TargetGroupArn": group_arn("green-tg"), "Weight": weights[1]}]}}])
    };
    let other = || ServiceId { cluster: "main".to_owned(), name: "other".to_owned() };
    let service = |named: &str, rule: &Value, group: &str, state: &str| {
        let mut balancer = json!({"targetGroupArn": group_arn(group), "containerName": "web", "containerPort": 80});
        if !named.is_empty() {
            balancer["advancedConfiguration"] = json!({"alternateTargetGroupArn": group_arn("green-tg"), named: rule});
        }
        json!({"serviceName": "other", "loadBalancers": [balancer],
            "deployments": [{"status": "PRIMARY", "rolloutState": state}]})
    };
    // The member that names the rule, the service's group, the rollout; whether the weights are ECS's.
    let cases = [
        ("productionListenerRule", "backend-tg", "COMPLETED", true),
        ("testListenerRule", "backend-tg", "COMPLETED", true),
        ("productionListenerRule", "backend-tg", "IN_PROGRESS", true),
        // Back to rolling updates: until the group that git names has targets, weights stay.
        ("", "backend-tg", "IN_PROGRESS", true),
        ("", "backend-tg", "COMPLETED", false),
        ("", "another-tg", "IN_PROGRESS", false),
    ];
    for (named, group, state, ecs) in cases {
        // It is observed in this cycle, or was in an earlier one.
        for observed in [true, false] {
            let mut world = World::settled();
            world.commit(Kind::ListenerRule, "api", |body| body["Actions"] = pair([100, 0]));
            world.converge();
            world.last_applied = Some(world.desired.clone());
            world.later(3600);
            world.rules()[0].description["Actions"] = pair([0, 100]);
            let rule = world.rules()[0].description["RuleArn"].clone();
            let description = service(named, &rule, group, state);
            if observed {
                let live = crate::live::LiveService { description: description.into(), tags: crate::live::Tags::new() };
                world.live.services.insert(other(), Observed::Present(live));
            } else {
                world.live.traffic.insert(other(), traffic(&description));
            }
            let plan = world.plan();
            assert_eq!(plan.steps.is_empty(), ecs, "{named} {group} {state} {observed}: {:?}", shown(&plan));
        }
    }
}

#[test]
fn a_plain_forward_that_ecs_made_weighted_is_not_drift() {
    let mut world = World::settled();
    let rule = Arn::new(world.rules()[0].description["RuleArn"].as_str().expect("an ARN"));
    world.rules()[0].description["Actions"] = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": group_arn("backend-tg"), "Weight": 0},
        {"TargetGroupArn": group_arn("green-tg"), "Weight": 1}]}}]);
    let other = ServiceId { cluster: "main".to_owned(), name: "other".to_owned() };
    for (traffic, steps) in [
        (Traffic { rules: [rule].into(), ..Traffic::default() }, 0),
        (Traffic { unread: true, ..Traffic::default() }, 0),
        (Traffic::default(), 1),
    ] {
        world.live.traffic.insert(other.clone(), traffic.clone());
        assert_eq!(world.plan().steps.len(), steps, "{traffic:?}");
    }
}
