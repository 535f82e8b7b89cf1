//! The application as a whole: order, rest, policies, waiting, and what its state is called.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Row, World, check_rows, shown};
use crate::desired::{Mode, Unresolved};
use crate::kind::Kind;
use crate::live::{FailureKind, Observed, ReadFailure};
use crate::names::{ApplicationName, Revision};
use crate::plan::{Health, Memory, Sync};
use crate::planner::fixture::service_id;

fn failure() -> ReadFailure {
    ReadFailure {
        operation: "ecs:DescribeServices".to_owned(),
        kind: FailureKind::Throttled,
        message: "slow".to_owned(),
    }
}

#[test]
fn a_new_application_is_made_in_order_and_then_rests() {
    let mut world = World::new();
    let plan = world.plan();
    assert_eq!(
        shown(&plan),
        [
            "CreateTargetGroup backend create /",
            "ModifyTargetGroupAttributes backend create /Attributes awaits target-group backend",
            "CreateRule api create /",
            "RegisterTaskDefinition task-definition create /",
            "CreateService service create / awaits task-definition",
        ]
    );
    assert_eq!((plan.sync, plan.health), (Sync::OutOfSync, Health::Missing));
    let operations: Vec<&str> = world.converge().into_iter().map(crate::plan::Operation::as_str).collect();
    assert_eq!(
        operations,
        [
            "CreateTargetGroup",
            "ModifyTargetGroupAttributes",
            "AddTags",
            "CreateRule",
            "RegisterTaskDefinition",
            "CreateService",
        ]
    );
    let plan = world.plan();
    assert_eq!((plan.sync, plan.health), (Sync::Synced, Health::Progressing));
    world.finish_rollout();
    let plan = world.plan();
    assert_eq!((shown(&plan), plan.sync, plan.health), (vec![], Sync::Synced, Health::Healthy));
    // A process that remembers nothing comes to the same.
    world.memory = Memory::default();
    assert_eq!(world.plan(), plan);
}

#[test]
fn a_target_group_that_does_not_exist_yet_is_awaited_by_name() {
    let mut world = World::new();
    for (kind, name) in [(Kind::ListenerRule, "api"), (Kind::Service, "service")] {
        world.document(kind, name).awaits.insert((Kind::TargetGroup, "backend".to_owned()));
    }
    assert_eq!(
        shown(&world.plan())[2..],
        [
            "CreateRule api create / awaits target-group backend",
            "RegisterTaskDefinition task-definition create /",
            "CreateService service create / awaits target-group backend and task-definition",
        ]
    );
}

#[test]
fn nothing_is_called_without_a_difference() {
    let rows: [Row<'_>; 3] = [
        ("nothing happened", |_| {}, &[]),
        ("an unrelated commit", |world| world.desired.revision = Revision::new("c".repeat(40)), &[]),
        ("a process that knows no commit", |world| world.last_applied = None, &[]),
    ];
    check_rows(&rows);
}

#[test]
fn the_policy_says_what_is_acted_on_and_a_call_carries_nothing_else() {
    // The network is somebody else's change, the grace period a commit's.
    let both = |world: &mut World| {
        world.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(60));
        world.edit_service(|live| live["desiredCount"] = json!(3));
    };
    let rows = [
        (Mode::On, Mode::On, vec!["UpdateService service pending /desiredCount /healthCheckGracePeriodSeconds"]),
        (Mode::On, Mode::Off, vec!["UpdateService service pending /healthCheckGracePeriodSeconds"]),
        (Mode::Off, Mode::On, vec!["UpdateService service drift /desiredCount"]),
        (Mode::Off, Mode::Off, vec![]),
        (
            Mode::On,
            Mode::Report,
            vec![
                "UpdateService service pending /healthCheckGracePeriodSeconds",
                "held ReportOnly service /desiredCount",
            ],
        ),
        (
            Mode::Report,
            Mode::On,
            vec!["UpdateService service drift /desiredCount", "held ReportOnly service /healthCheckGracePeriodSeconds"],
        ),
    ];
    for (follow, heal, expected) in rows {
        let mut world = World::settled();
        both(&mut world);
        world.desired.policy.follow = follow;
        world.desired.policy.heal = heal;
        let plan = world.plan();
        assert_eq!(shown(&plan), expected, "follow {follow:?}, heal {heal:?}");
        let synced = if expected.is_empty() { Sync::Synced } else { Sync::OutOfSync };
        assert_eq!(plan.sync, synced, "follow {follow:?}, heal {heal:?}");
        if let Some(step) = plan.steps.first() {
            let sends = |name| step.call.input.get(name).is_some();
            assert_eq!(sends("desiredCount"), heal == Mode::On, "follow {follow:?}, heal {heal:?}");
            assert_eq!(sends("healthCheckGracePeriodSeconds"), follow == Mode::On, "follow {follow:?}, heal {heal:?}");
        }
    }
}

#[test]
fn what_is_held_back_stays_known_for_what_it_is() {
    // Drift that is only reported is still drift after a commit was applied over it, and a pending change that is
    // only reported does not turn into drift when drift is repaired.
    for (follow, heal, expected) in [
        (Mode::On, Mode::Report, "held ReportOnly service /desiredCount"),
        (Mode::Report, Mode::On, "held ReportOnly service /healthCheckGracePeriodSeconds"),
    ] {
        let mut world = World::settled();
        world.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(60));
        world.edit_service(|live| live["desiredCount"] = json!(3));
        (world.desired.policy.follow, world.desired.policy.heal) = (follow, heal);
        world.converge();
        world.later(3600);
        assert_eq!(shown(&world.plan()), [expected]);
    }
}

#[test]
fn the_digest_is_written_after_the_change_and_a_crash_between_costs_one_tag_call() {
    let mut world = World::settled();
    world.commit(Kind::Service, "service", |body| body["desiredCount"] = json!(2));
    assert_eq!(shown(&world.plan()), ["UpdateService service pending /desiredCount"]);
    world.step();
    world.memory = Memory::default();
    let plan = world.plan();
    assert_eq!((shown(&plan), plan.sync), (vec!["TagResource service adopt".to_owned()], Sync::Synced));
    world.step();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
    assert_eq!(world.service().tags["trueup:revision"], "b".repeat(40));
}

#[test]
fn a_read_that_shows_the_time_before_our_write_is_unknown_for_a_minute() {
    let mut world = World::settled();
    world.edit_service(|live| live["desiredCount"] = json!(3));
    let stale = world.live.clone();
    world.step();
    for (seconds, expected) in
        [(5, "held NotSettled service /desiredCount"), (60, "UpdateService service drift /desiredCount")]
    {
        world.live = stale.clone();
        world.later(seconds);
        let plan = world.plan();
        assert_eq!(shown(&plan), [expected], "after {seconds} more seconds");
        assert_eq!(plan.sync == Sync::Unknown, expected.starts_with("held"));
    }
    // Something else than before the write is no old read.
    let mut world = World::settled();
    world.edit_service(|live| live["desiredCount"] = json!(3));
    world.step();
    world.edit_service(|live| live["desiredCount"] = json!(4));
    assert_eq!(shown(&world.plan()), ["UpdateService service drift /desiredCount"]);
}

#[test]
fn an_application_that_waits_takes_no_step() {
    let drifted = |world: &mut World| world.edit_service(|live| live["desiredCount"] = json!(3));
    let mut world = World::settled();
    world.waits_for = BTreeSet::from([ApplicationName::new("shared")]);
    assert_eq!(shown(&world.plan()), Vec::<String>::new(), "nothing to do, nothing to wait for");
    drifted(&mut world);
    assert_eq!(shown(&world.plan()), ["held WaitsFor service /desiredCount"]);

    for (transient, sync) in [(true, Sync::Unknown), (false, Sync::OutOfSync)] {
        let mut world = World::settled();
        drifted(&mut world);
        world.desired.unresolved = vec![Unresolved {
            reference: "${secret.elearning/database}".to_owned(),
            location: "elearning/task-definition.json:3:5".to_owned(),
            reason: "there is none".to_owned(),
            transient,
        }];
        let plan = world.plan();
        assert_eq!((shown(&plan), plan.sync), (vec!["held Unresolved all".to_owned()], sync));
    }
}

#[test]
fn what_could_not_be_read_is_unknown_and_is_not_written() {
    let mut world = World::settled();
    world.live.services.insert(service_id(), Observed::Unknown(failure()));
    let plan = world.plan();
    assert_eq!(
        (shown(&plan), plan.sync, plan.health),
        (vec!["held NotObserved service".to_owned()], Sync::Unknown, Health::Unknown)
    );
    for missing in ["services", "target groups", "rules", "revisions"] {
        let mut world = World::settled();
        match missing {
            "services" => world.live.services.clear(),
            "target groups" => world.live.target_groups.clear(),
            "rules" => world.live.rules.clear(),
            _ => {
                world.live.task_definitions.clear();
                world.live.families.clear();
            }
        }
        let plan = world.plan();
        assert_eq!((plan.steps.len(), plan.held.len(), plan.sync), (0, 1, Sync::Unknown), "{missing} were not read");
    }
}

#[test]
fn every_hold_says_what_is_the_matter_and_what_ends_it() {
    let mut world = World::settled();
    world.live.services.insert(service_id(), Observed::Unknown(failure()));
    let hold = &world.plan().held[0].reason;
    assert_eq!(hold.message(), "it could not be read: ecs:DescribeServices was throttled: slow");
    assert_eq!(hold.remedy(), "trueup reads it again soon");
    assert_eq!(serde_json::to_value(hold).expect("it is data")["reason"], hold.reason());
}
