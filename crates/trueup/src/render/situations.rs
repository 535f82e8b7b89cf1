//! The whole text of `plan`, `status`, `why` and `apply` in a few telling situations, as an operator reads it. Clock, ids and
//! width are fixed. `check` has its snapshots in `tests/offline.rs`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use trueup_core::diagnosis::{Bearing, Class, Fact, Finding, Source};
use trueup_core::digest::Digest;
use trueup_core::drift::{Change, Shown};
use trueup_core::kind::Kind;
use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
use trueup_core::plan::{
    Awaited, Call, Cause, Health, Held, Hold, Operation, Plan, Progress, Resource, Rollout, Step, Subject, Sync,
};
use trueup_core::pointer::Pointer;
use trueup_core::report::{Event, PlannedStep, ReportedState, What, why as explain};
use trueup_engine::ApplicationStatus;

use super::{plan, status, why};
use crate::commands::apply::is_shown;
use crate::events::told;

/// An application that has nothing to do.
fn settled() -> Plan {
    let revision = Revision::new("0123456789abcdef0123456789abcdef01234567");
    Plan {
        rollout: Some(Rollout::Serving { task_definition: task_definition(6) }),
        ..Plan::settled(EnvironmentName::new("production"), ApplicationName::new("web"), revision)
    }
}

fn task_definition(revision: u32) -> Arn {
    Arn::new(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{revision}"))
}

fn resource(kind: Kind, name: &str) -> Resource {
    Resource { kind, name: name.to_owned(), arn: None }
}

fn change(path: &[&str], live: &Value, desired: &Value) -> Change {
    let path = path.iter().fold(Pointer::root(), |path, part| path.join(*part));
    let (live, desired) = (Shown::at(&path, live), Shown::at(&path, desired));
    Change { path, live, desired }
}

fn step(kind: Kind, cause: Cause, operation: Operation, changes: Vec<Change>, awaits: Vec<Awaited>) -> Step {
    let drift =
        if cause == Cause::Drift { changes.iter().map(|change| change.path.clone()).collect() } else { Vec::new() };
    let call = Call { operation, input: json!({}) };
    Step { subject: resource(kind, kind.as_str()).into(), cause, changes, drift, awaits, call }
}

fn held(reason: Hold, changes: Vec<Change>) -> Held {
    Held { subject: resource(Kind::Service, "service").into(), changes, reason }
}

fn pending() -> Plan {
    let image = change(&["containerDefinitions", "web", "image"], &json!("web:1.0"), &json!("web:1.1"));
    let interval = change(&["HealthCheckIntervalSeconds"], &json!(30), &json!(10));
    let serves = change(&["taskDefinition"], &json!("web:6"), &json!("the new revision"));
    let awaited = Awaited::Created(Kind::TaskDefinition, Kind::TaskDefinition.as_str().to_owned());
    let steps = vec![
        step(Kind::TargetGroup, Cause::Pending, Operation::ModifyTargetGroup, vec![interval], Vec::new()),
        step(Kind::TaskDefinition, Cause::Pending, Operation::RegisterTaskDefinition, vec![image], Vec::new()),
        step(Kind::Service, Cause::Pending, Operation::UpdateService, vec![serves], vec![awaited]),
    ];
    Plan { steps, sync: Sync::OutOfSync, ..settled() }
}

fn drifted() -> Plan {
    let percent = change(&["deploymentConfiguration", "minimumHealthyPercent"], &json!(0), &json!(50));
    let steps = vec![step(Kind::Service, Cause::Drift, Operation::UpdateService, vec![percent], Vec::new())];
    let count = change(&["desiredCount"], &json!(3), &json!(2));
    let note = "by ada at 2027-01-01T00:00:00Z: incident 42".to_owned();
    let holds = vec![held(Hold::Suspended { note, cause: Some(Cause::Drift) }, vec![count])];
    Plan { steps, held: holds, sync: Sync::OutOfSync, ..settled() }
}

fn rolled_back() -> Plan {
    let fact = |text: &str, count| Fact { source: Source::Task, text: text.to_owned(), count, time: None };
    let finding = Finding {
        class: Class::ApplicationExit,
        bearing: Bearing::Terminal,
        deployment: "ecs-svc/1234567890123456789".to_owned(),
        cause: "container `web` of task definition web:7 exits with code 1".to_owned(),
        evidence: vec![fact("Essential container in task exited", 3)],
        cure: "read the logs of the container, and push a commit that works".to_owned(),
    };
    let rollout = Rollout::RolledBack {
        task_definition: task_definition(7),
        serving: task_definition(6),
        reason: "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
        done: true,
        recorded: true,
    };
    let failed = Hold::RevisionFailed {
        message: "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
        transient: false,
        digest: Digest::of(b"web:7"),
        failed_at: Timestamp::from_second(1_767_225_500).ok(),
    };
    let serves = change(&["taskDefinition"], &json!("web:6"), &json!("web:7"));
    Plan {
        rollout: Some(rollout),
        finding: Some(finding),
        held: vec![held(failed, vec![serves])],
        sync: Sync::OutOfSync,
        health: Health::Degraded,
        ..settled()
    }
}

fn rolling() -> Plan {
    let since = Timestamp::from_second(1_767_225_500).ok();
    let progress = Progress { desired: 2, running: 1, healthy: Some(0), pending: 1, since, ..Progress::default() };
    let rollout = Rollout::Running { task_definition: task_definition(7), progress };
    Plan { rollout: Some(rollout), health: Health::Progressing, ..settled() }
}

fn unverified() -> Plan {
    let commit = Revision::new("89abcdef0123456789abcdef0123456789abcdef");
    let hold = Hold::Unverified { commit, detail: "it is not signed".to_owned() };
    application_held(hold)
}

fn invalid() -> Plan {
    let problems = vec!["web/service.toml:4:1: unknown field `desiredCout`".to_owned()];
    let hold = Hold::InvalidDocument { problems };
    application_held(hold)
}

/// The whole application waits.
fn application_held(reason: Hold) -> Plan {
    let sync = reason.implies().unwrap_or(Sync::Synced);
    Plan { sync, held: vec![Held { subject: Subject::Application, changes: Vec::new(), reason }], ..settled() }
}

/// What the three commands print of one application.
fn text(of: &Plan) -> String {
    let now = Timestamp::from_second(1_767_225_600).expect("in range");
    let explained = vec![(Arc::new(ApplicationStatus { plan: of.clone(), observed: now, since: now }), explain(of))];
    let plans = std::slice::from_ref(of);
    let (plan, status, why) = (plan::plans(plans), status::status(plans, now), why::why(&explained));
    let text = format!("$ trueup plan\n{plan}\n$ trueup status\n{status}\n$ trueup why web\n{why}");
    anstream::adapter::strip_str(&text).to_string()
}

/// The output of `trueup apply` over a sequence of plans whose steps are all applied: first stderr, then stdout.
fn applied(plans: &[Plan]) -> String {
    let now = Timestamp::from_second(1_767_225_600).expect("in range");
    let mut reported = ReportedState::default();
    let mut events = Vec::new();
    for plan in plans {
        events.extend(reported.observe(plan, now));
        events.extend(plan.steps.iter().map(|step| Event {
            time: now,
            environment: Some(plan.environment.clone()),
            application: Some(plan.application.clone()),
            revision: Some(plan.revision.clone()),
            what: What::StepApplied { step: PlannedStep::from(step), request_id: Some("4f1c".to_owned()) },
        }));
    }
    let lines: Vec<String> = events.iter().filter(|event| is_shown(event)).map(|event| told(event) + "\n").collect();
    let text = format!("$ trueup apply\n{}{}", lines.concat(), status::status(&plans[plans.len() - 1..], now));
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn apply_tells_steps_and_the_rollout_that_completes() {
    let serving = Plan { rollout: Some(Rollout::Serving { task_definition: task_definition(7) }), ..settled() };
    insta::assert_snapshot!(applied(&[pending(), rolling(), serving]));
}

#[test]
fn apply_tells_why_the_rollout_was_rolled_back() {
    insta::assert_snapshot!(applied(&[pending(), rolling(), rolled_back()]));
}

#[test]
fn apply_tells_what_it_may_not_do() {
    insta::assert_snapshot!(applied(&[unverified()]));
}

#[test]
fn nothing_to_do() {
    insta::assert_snapshot!(text(&settled()));
}

#[test]
fn a_pending_commit_with_three_resources() {
    insta::assert_snapshot!(text(&pending()));
}

#[test]
fn drift_and_a_suspended_change() {
    insta::assert_snapshot!(text(&drifted()));
}

#[test]
fn a_rollout_under_way() {
    insta::assert_snapshot!(text(&rolling()));
}

#[test]
fn a_rollout_that_was_rolled_back_with_its_finding() {
    insta::assert_snapshot!(text(&rolled_back()));
}

#[test]
fn an_unverified_commit() {
    insta::assert_snapshot!(text(&unverified()));
}

#[test]
fn an_invalid_commit() {
    insta::assert_snapshot!(text(&invalid()));
}
