//! Successive plans, and the events of each.

use serde_json::json;

use super::*;
use crate::drift::Shown;
use crate::live::{FailureKind, ReadFailure};
use crate::names::{ApplicationName, Arn, EnvironmentName};
use crate::plan::{Call, Cause, Progress, Rollout, Step};
use crate::pointer::Pointer;
use crate::report::{json_line, text};

fn plan() -> Plan {
    let revision = Revision::new("0123456789abcdef0123456789abcdef01234567");
    Plan::settled(EnvironmentName::new("production"), ApplicationName::new("web"), revision)
}

fn service() -> Resource {
    Resource { kind: Kind::Service, name: "service".to_owned(), arn: None }
}

fn count(live: i64) -> Vec<Change> {
    let path = Pointer::root().join("desiredCount");
    let (live, desired) = (Shown::at(&path, &json!(live)), Shown::at(&path, &json!(1)));
    vec![Change { path, live, desired }]
}

fn step(cause: Cause, changes: Vec<Change>) -> Step {
    let call = Call { operation: Operation::UpdateService, input: json!({"secret": "hunter2"}) };
    let drift = changes.iter().filter(|_| cause == Cause::Drift).map(|change| change.path.clone()).collect();
    Step { subject: service().into(), cause, changes, drift, awaits: Vec::new(), call }
}

fn drifted(live: i64) -> Plan {
    Plan { steps: vec![step(Cause::Drift, count(live))], sync: Sync::OutOfSync, ..plan() }
}

fn pending() -> Plan {
    Plan { steps: vec![step(Cause::Pending, count(2))], sync: Sync::OutOfSync, ..plan() }
}

fn held(reason: Hold, sync: Sync) -> Plan {
    let changes = if sync == Sync::Unknown { Vec::new() } else { count(3) };
    Plan { held: vec![Held { subject: service().into(), changes, reason }], sync, ..plan() }
}

fn unread(message: &str) -> Plan {
    let operation = "ecs:DescribeServices".to_owned();
    let failure = ReadFailure { operation, kind: FailureKind::Throttled, message: message.to_owned() };
    held(Hold::NotObserved { failure }, Sync::Unknown)
}

fn rolling(revision: u32, running: i64) -> Plan {
    let task_definition = Arn::new(format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{revision}"));
    let progress = Progress { desired: 2, running, pending: 2 - running, ..Progress::default() };
    Plan { rollout: Some(Rollout::Running { task_definition, progress }), ..plan() }
}

fn serving(revision: u32) -> Plan {
    let task_definition = Arn::new(format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{revision}"));
    Plan { rollout: Some(Rollout::Serving { task_definition }), ..plan() }
}

fn revision_of(number: u32) -> Arn {
    Arn::new(format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{number}"))
}

fn failed(revision: u32, recorded: bool) -> Plan {
    let reason = "tasks\u{1b}[31m failed".to_owned();
    Plan { rollout: Some(Rollout::Failed { task_definition: revision_of(revision), reason, recorded }), ..plan() }
}

fn rolled_back(revision: u32, done: bool, recorded: bool) -> Plan {
    let (task_definition, serving) = (revision_of(revision), revision_of(1));
    let reason = "circuit breaker".to_owned();
    Plan { rollout: Some(Rollout::RolledBack { task_definition, serving, reason, done, recorded }), ..plan() }
}

fn stopped(revision: u32, serving: u32) -> Plan {
    let (task_definition, serving) = (revision_of(revision), revision_of(serving));
    let reason = "requested".to_owned();
    Plan { rollout: Some(Rollout::Stopped { task_definition, serving, reason, recorded: false }), ..plan() }
}

fn timed_out(revision: u32) -> Plan {
    let progress = Progress { desired: 2, running: 1, ..Progress::default() };
    Plan { rollout: Some(Rollout::TimedOut { task_definition: revision_of(revision), progress }), ..plan() }
}

/// Observes one plan after another and compares the names of the events of each.
#[track_caller]
fn check(succession: &[(Plan, &[&str])]) {
    let mut state = ReportedState::default();
    for (at, (plan, expected)) in succession.iter().enumerate() {
        let events: Vec<_> = state.observe(plan, Timestamp::UNIX_EPOCH).iter().map(|event| event.what.name()).collect();
        assert_eq!(events, *expected, "plan {at}");
    }
}

#[test]
fn what_is_at_rest_is_silent() {
    check(&[(plan(), &[]), (serving(1), &[]), (serving(1), &[])]);
}

#[test]
fn drift_is_reported_once_and_again_after_it_changed() {
    check(&[
        (drifted(3), &["drift.detected", "plan.made"]),
        (drifted(3), &[]),
        (drifted(4), &["drift.detected"]),
        (plan(), &["drift.resolved"]),
        (drifted(3), &["drift.detected", "plan.made"]),
    ]);
}

#[test]
fn drift_that_cannot_be_seen_any_more_is_not_resolved() {
    check(&[
        (drifted(3), &["drift.detected", "plan.made"]),
        (unread("a"), &["hold.started"]),
        (drifted(3), &["hold.ended", "plan.made"]),
    ]);
}

#[test]
fn drift_that_is_only_reported_is_drift_and_held() {
    check(&[
        (held(Hold::ReportOnly { cause: Cause::Drift }, Sync::OutOfSync), &["drift.detected", "hold.started"]),
        (held(Hold::ReportOnly { cause: Cause::Drift }, Sync::OutOfSync), &[]),
        (plan(), &["drift.resolved", "hold.ended"]),
        (held(Hold::ReportOnly { cause: Cause::Pending }, Sync::OutOfSync), &["hold.started"]),
    ]);
}

#[test]
fn drift_beside_a_commit_s_change_or_held_is_drift() {
    let both = || {
        let mut plan = pending();
        plan.steps[0].changes.extend(count(7));
        plan.steps[0].drift = vec![Pointer::root().join("desiredCount")];
        plan
    };
    let note = "by alice".to_owned();
    let suspended = |cause| held(Hold::Suspended { note: note.clone(), cause: Some(cause) }, Sync::OutOfSync);
    let contested = |by: Option<&str>| {
        held(Hold::Contested { fields: vec!["/a".to_owned()], by: by.map(str::to_owned) }, Sync::OutOfSync)
    };
    check(&[(both(), &["drift.detected", "plan.made"]), (plan(), &["drift.resolved"])]);
    check(&[(suspended(Cause::Drift), &["drift.detected", "hold.started"]), (suspended(Cause::Drift), &[])]);
    check(&[(suspended(Cause::Pending), &["hold.started"])]);
    check(&[
        (contested(None), &["drift.detected", "hold.started"]),
        (contested(Some("bob")), &["hold.started"]),
        (plan(), &["drift.resolved", "hold.ended"]),
    ]);
}

#[test]
fn a_deleted_resource_is_reported_as_deleted() {
    let root = Pointer::root();
    let gone = Change { live: Shown::absent(), desired: Shown::at(&root, &json!({})), path: root };
    for (changes, reason) in [(vec![gone], "deleted"), (count(3), "changed")] {
        let events = ReportedState::default()
            .observe(&Plan { steps: vec![step(Cause::Drift, changes)], ..plan() }, Timestamp::UNIX_EPOCH);
        let line = json_line(&events[0]);
        assert!(line.contains(&format!("\"reason\":\"{reason}\"")), "{line}");
    }
}

#[test]
fn a_call_that_fails_again_and_again_is_held_once() {
    let failed = || Hold::WriteFailed { operation: "ecs:UpdateService".to_owned(), message: "500".to_owned() };
    let awaited = || {
        let mut plan = held(failed(), Sync::OutOfSync);
        plan.held.extend(held(Hold::NotSettled { seconds: 5 }, Sync::OutOfSync).held);
        plan.sync = Sync::Unknown;
        plan
    };
    let tried = || {
        let mut plan = held(failed(), Sync::OutOfSync);
        plan.steps = pending().steps;
        plan
    };
    check(&[
        (pending(), &["plan.made"]),
        (awaited(), &["hold.started"]),
        (tried(), &[]),
        (awaited(), &[]),
        (tried(), &[]),
        (plan(), &["hold.ended"]),
    ]);
}

#[test]
fn a_hold_lasts_though_its_message_differs_each_time() {
    check(&[
        (unread("Rate exceeded (request 1)"), &["hold.started"]),
        (unread("Rate exceeded (request 2)"), &[]),
        (plan(), &["hold.ended"]),
    ]);
}

#[test]
fn a_hold_whose_details_change_starts_again_without_an_end() {
    let waits = |name: &str| held(Hold::WaitsFor { applications: vec![ApplicationName::new(name)] }, Sync::OutOfSync);
    check(&[(waits("a"), &["hold.started"]), (waits("b"), &["hold.started"]), (plan(), &["hold.ended"])]);
}

#[test]
fn what_is_left_of_a_plan_is_no_news_and_another_revision_is() {
    let mut two = pending();
    two.steps.insert(
        0,
        Step { subject: Resource { kind: Kind::TargetGroup, ..service() }.into(), ..pending().steps.remove(0) },
    );
    let mut newer = pending();
    newer.revision = Revision::new("1123456789abcdef0123456789abcdef01234567");
    check(&[(two, &["plan.made"]), (pending(), &[]), (newer, &["plan.made"]), (plan(), &[])]);
}

#[test]
fn tags_that_follow_a_change_are_no_plan_of_their_own() {
    let tags = Plan { steps: vec![step(Cause::Pending, Vec::new())], ..plan() };
    check(&[(pending(), &["plan.made"]), (tags.clone(), &[]), (plan(), &[]), (tags, &[])]);
}

#[test]
fn a_rollout_is_reported_from_start_to_end() {
    check(&[
        (plan(), &[]),
        (rolling(1, 0), &["rollout.started"]),
        (rolling(1, 1), &[]),
        (rolling(2, 0), &["rollout.started"]),
        (unread("a"), &["hold.started"]),
        (rolling(2, 1), &["hold.ended"]),
        (serving(2), &["rollout.completed"]),
        (serving(2), &[]),
        (serving(3), &["rollout.completed"]),
        (rolling(4, 0), &["rollout.started"]),
        (failed(4, false), &["rollout.failed"]),
        (failed(4, true), &[]),
    ]);
}

#[test]
fn a_rollback_is_reported_once_when_it_begins() {
    check(&[
        (serving(1), &[]),
        (rolling(2, 0), &["rollout.started"]),
        (rolled_back(2, false, false), &["rollout.rolled_back"]),
        (rolled_back(2, true, true), &[]),
        // Git goes back to what serves anyway.
        (serving(1), &[]),
        (rolling(3, 0), &["rollout.started"]),
        (timed_out(3), &["rollout.timed_out"]),
        (timed_out(3), &[]),
        (serving(3), &["rollout.completed"]),
        (rolling(4, 0), &["rollout.started"]),
        (stopped(4, 3), &["rollout.rolled_back"]),
        (rolling(5, 0), &["rollout.started"]),
        (stopped(5, 5), &["rollout.failed"]),
    ]);
}

#[test]
fn a_restart_reports_nothing_twice() {
    for known in [rolling(2, 1), serving(2), failed(2, true), rolled_back(2, true, true)] {
        check(&[(unread("a"), &["hold.started"]), (known.clone(), &["hold.ended"]), (known, &[])]);
    }
    // No process has reported these: the tag was not written yet.
    check(&[(failed(2, false), &["rollout.failed"])]);
    check(&[(rolled_back(2, true, false), &["rollout.rolled_back"])]);
    // The one that was on its way at the restart comes to its end.
    check(&[(rolling(2, 1), &[]), (serving(2), &["rollout.completed"])]);
    check(&[(rolling(2, 1), &[]), (rolled_back(2, false, true), &["rollout.rolled_back"])]);
}

#[test]
fn a_failure_that_can_be_read_again_is_no_news() {
    check(&[
        (plan(), &[]),
        (rolled_back(2, true, false), &["rollout.rolled_back"]),
        (plan(), &[]),
        (rolled_back(2, true, true), &[]),
    ]);
}

#[test]
fn events_read_well_in_both_formats() {
    let mut state = ReportedState::default();
    let plans = [
        drifted(3),
        unread("Rate exceeded"),
        rolling(7, 0),
        failed(7, false),
        rolled_back(8, true, false),
        timed_out(9),
    ];
    let events: Vec<Event> = plans.iter().flat_map(|plan| state.observe(plan, Timestamp::UNIX_EPOCH)).collect();
    let lines = |write: fn(&Event) -> String| events.iter().map(write).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("text", lines(text));
    insta::assert_snapshot!("json", lines(json_line));
    assert!(!lines(json_line).contains("hunter2"));
}
