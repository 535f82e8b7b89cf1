//! Verdicts and failures as tables: what ECS shows, and what follows from it.

#![expect(clippy::needless_pass_by_value, reason = "tables read better without borrows")]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Case, FailureLookup, RolloutFacts, Sameness, find, health, same_revision, status};
use crate::digest::Digest;
use crate::live::{FailureKind, Observed, ReadFailure, Tags};
use crate::plan::{Health, Rollout, tags};
use crate::service_deployment::{ServiceDeployment, ServiceRevision};

const NEW: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2";
const OLD: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1";
const BACK: &str = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
const GAVE_UP: &str = "ECS deployment circuit breaker: tasks failed to start.";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

fn deployment(status: &str, revision: &str, state: &str, reason: &str) -> Value {
    json!({"status": status, "taskDefinition": revision, "rolloutState": state, "rolloutStateReason": reason,
           "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "failedTasks": 1, "createdAt": 1000.0})
}

fn primary(revision: &str, state: &str, reason: &str) -> Value {
    deployment("PRIMARY", revision, state, reason)
}

/// A service with these deployments, the PRIMARY one first.
fn service(deployments: Vec<Value>) -> Value {
    json!({"taskDefinition": deployments[0]["taskDefinition"], "desiredCount": 2, "runningCount": 2,
           "deployments": deployments})
}

fn with_event(mut service: Value, at: f64) -> Value {
    service["events"] = json!([{"message": "(service web) has begun draining connections.", "createdAt": at + 9.0},
        {"message": "(service web) rolling back to deployment ecs-svc/1.", "createdAt": at}]);
    service
}

/// An entry of the record: what it was to run, status, when it was asked for.
fn entry(revision: &str, status: &str, created: i64) -> ServiceDeployment {
    words(revision, status, created, "")
}

fn words(revision: &str, status: &str, created: i64, reason: &str) -> ServiceDeployment {
    let value = json!({"serviceDeploymentArn": format!("sd/{created}"), "status": status, "statusReason": reason,
        "createdAt": created, "finishedAt": created + 100, "lifecycleStage": "BAKE_TIME",
        "targetServiceRevisionArn": format!("sr/{created}")});
    ServiceDeployment::read(&value, |_| Some(json!({ "taskDefinition": revision }))).expect("it has an ARN")
}

fn digest() -> Digest {
    Digest::of(b"what git wants")
}

fn failed_tag() -> Tags {
    Tags::from([(tags::FAILED.to_owned(), digest().to_string())])
}

fn retry_tag(until: i64) -> Tags {
    Tags::from([(tags::RETRY.to_owned(), format!("{} {}", digest(), at(until)))])
}

/// What comes of looking for a failure of `NEW`, where the service runs the PRIMARY deployment's revision.
fn look(service: &Value, record: Option<Observed<Vec<ServiceDeployment>>>, tags: &Tags, asked: bool) -> FailureLookup {
    let same = |revision: &ServiceRevision| match revision.task_definition() {
        Some(NEW) => Sameness::Same,
        _ => Sameness::Other,
    };
    find(&Case {
        service,
        tags,
        record: record.as_ref(),
        differs: service["taskDefinition"] != NEW,
        wanted: NEW,
        asked,
        same: &same,
        digest: &digest,
        now: at(5000),
    })
}

fn name(finding: &FailureLookup) -> String {
    match finding {
        FailureLookup::Clear => "clear".to_owned(),
        FailureLookup::Failed(failure) => {
            let when = if failure.current { "" } else { " before" };
            let done = if failure.done { "" } else { " going" };
            format!("{:?}{done}{when}", failure.ending)
        }
        FailureLookup::Retried => "retried".to_owned(),
        FailureLookup::UnderWay(_) => "under way".to_owned(),
        FailureLookup::Unreadable(_) => "unreadable".to_owned(),
    }
}

#[test]
fn what_the_record_of_service_deployments_tells() {
    let old = || service(vec![primary(OLD, "COMPLETED", "")]);
    let none = Tags::new();
    // What it is, the entries newest first, what comes of it.
    let cases: Vec<(&str, Vec<ServiceDeployment>, &str)> = vec![
        ("nothing", vec![], "clear"),
        ("never asked for", vec![entry(OLD, "SUCCESSFUL", 1000)], "clear"),
        ("rolled back", vec![entry(NEW, "ROLLBACK_SUCCESSFUL", 2000), entry(OLD, "SUCCESSFUL", 1000)], "RolledBack"),
        ("going back", vec![entry(NEW, "ROLLBACK_IN_PROGRESS", 2000)], "RolledBack going"),
        ("nothing to go back to", vec![entry(NEW, "ROLLBACK_FAILED", 2000)], "Failed"),
        ("without rollback", vec![words(NEW, "STOPPED", 2000, "the circuit breaker threshold was exceeded")], "Failed"),
        ("a person", vec![words(NEW, "STOPPED", 2000, "Stop requested by a user")], "Stopped"),
        ("a person, just now", vec![entry(NEW, "ROLLBACK_REQUESTED", 2000)], "Stopped going"),
        ("a person, back", vec![words(NEW, "ROLLBACK_SUCCESSFUL", 2000, "rollback was requested")], "Stopped"),
        ("replaced", vec![entry(OLD, "SUCCESSFUL", 2050), entry(NEW, "STOPPED", 2000)], "clear"),
        (
            "replaced, in ECS's words",
            vec![words(
                NEW,
                "STOPPED",
                2000,
                "Service deployment stopped because a new service deployment was started.",
            )],
            "clear",
        ),
        (
            "replaced, and failed before that",
            vec![entry(OLD, "SUCCESSFUL", 2050), entry(NEW, "STOPPED", 2000), entry(NEW, "ROLLBACK_SUCCESSFUL", 1500)],
            "RolledBack before",
        ),
        (
            "stopped long before the next one",
            vec![entry(OLD, "SUCCESSFUL", 9000), entry(NEW, "STOPPED", 2000)],
            "Stopped before",
        ),
        (
            "failed once, and something else came",
            vec![entry(OLD, "SUCCESSFUL", 3000), entry(NEW, "ROLLBACK_SUCCESSFUL", 2000)],
            "RolledBack before",
        ),
        (
            "failed once, and served later",
            vec![
                entry(OLD, "SUCCESSFUL", 4000),
                entry(NEW, "SUCCESSFUL", 3000),
                entry(NEW, "ROLLBACK_SUCCESSFUL", 2000),
            ],
            "clear",
        ),
        ("ECS is at it, and the service does not show it", vec![entry(NEW, "IN_PROGRESS", 4990)], "under way"),
        ("ECS was at it long ago", vec![entry(NEW, "IN_PROGRESS", 1000)], "clear"),
        ("a status from the future", vec![entry(NEW, "PAUSED", 2000)], "clear"),
    ];
    for (what, record, expected) in cases {
        let found = look(&old(), Some(Observed::Present(record)), &none, false);
        assert_eq!(name(&found), expected, "{what}");
    }
}

#[test]
fn what_the_service_shows_counts_where_there_is_no_record() {
    let denied = |kind| {
        let operation = "ecs:ListServiceDeployments".to_owned();
        Some(Observed::Unknown(ReadFailure { operation, kind, message: "no".to_owned() }))
    };
    let unreadable = || denied(FailureKind::Unavailable);
    let old = || service(vec![primary(OLD, "COMPLETED", "")]);
    let beside = |state: &str| deployment("ACTIVE", NEW, state, GAVE_UP);
    let none = Tags::new();
    // What it is, the service, its tags, whether the service was asked for it, what comes of it.
    let cases: Vec<(&str, Value, &Tags, bool, &str)> = vec![
        ("older serves", old(), &none, true, "clear"),
        ("gave up", service(vec![primary(NEW, "FAILED", GAVE_UP)]), &none, false, "Failed"),
        (
            "going back",
            service(vec![primary(OLD, "IN_PROGRESS", BACK), beside("FAILED")]),
            &none,
            false,
            "RolledBack going",
        ),
        (
            "going back, not failed yet",
            service(vec![primary(OLD, "IN_PROGRESS", BACK), beside("IN_PROGRESS")]),
            &none,
            false,
            "RolledBack going",
        ),
        (
            "going back, from a part only",
            service(vec![primary(OLD, "IN_PROGRESS", BACK)]),
            &none,
            true,
            "RolledBack going",
        ),
        ("going back, from something else", service(vec![primary(OLD, "IN_PROGRESS", BACK)]), &none, false, "clear"),
        ("failed beside", service(vec![primary(OLD, "COMPLETED", ""), beside("FAILED")]), &none, true, "RolledBack"),
        ("went back", with_event(old(), 1500.0), &none, true, "RolledBack"),
        ("went back, from something else", with_event(old(), 1500.0), &none, false, "clear"),
        ("just before", with_event(old(), 970.0), &none, true, "RolledBack"),
        ("long before", with_event(old(), 100.0), &none, true, "clear"),
    ];
    for (what, service, tags, asked, expected) in cases {
        for record in [None, unreadable()] {
            assert_eq!(name(&look(&service, record, tags, asked)), expected, "{what}");
        }
    }
    assert_eq!(name(&look(&old(), unreadable(), &failed_tag(), false)), "Failed before", "the tag alone");
    // A read that will succeed soon is waited for; one that never will is done without.
    for (kind, expected) in [
        (FailureKind::Throttled, "unreadable"),
        (FailureKind::TimedOut, "unreadable"),
        (FailureKind::Credentials, "unreadable"),
        (FailureKind::Unavailable, "clear"),
        (FailureKind::AccessDenied, "clear"),
        (FailureKind::Rejected, "clear"),
    ] {
        assert_eq!(name(&look(&old(), denied(kind), &none, false)), expected, "{kind:?}");
    }
    let in_place = service(vec![primary(NEW, "IN_PROGRESS", "")]);
    assert_eq!(
        name(&look(&in_place, denied(FailureKind::Throttled), &none, true)),
        "clear",
        "nothing is to be asked for"
    );
}

#[test]
fn a_retry_ends_what_was_known_and_not_what_comes_after() {
    let old = || service(vec![primary(OLD, "COMPLETED", "")]);
    let failed = |created| Some(Observed::Present(vec![entry(NEW, "ROLLBACK_SUCCESSFUL", created)]));
    let both = || failed_tag().into_iter().chain(retry_tag(2000)).collect::<Tags>();
    let cases = [
        ("known", look(&old(), failed(2000), &retry_tag(2000), false), "retried"),
        ("later", look(&old(), failed(2001), &retry_tag(2000), false), "RolledBack"),
        ("the tag is still there", look(&old(), None, &both(), false), "retried"),
        ("both tags, and it failed again", look(&old(), failed(2500), &both(), false), "RolledBack"),
        ("events, known", look(&with_event(old(), 1500.0), None, &retry_tag(1500), true), "retried"),
        ("events, later", look(&with_event(old(), 1501.0), None, &retry_tag(1500), true), "RolledBack"),
        (
            "gave up, and is to be tried again",
            look(&service(vec![primary(NEW, "FAILED", GAVE_UP)]), None, &retry_tag(1000), true),
            "retried",
        ),
        ("gave up again", look(&service(vec![primary(NEW, "FAILED", GAVE_UP)]), None, &retry_tag(999), true), "Failed"),
    ];
    for (what, found, expected) in cases {
        assert_eq!(name(&found), expected, "{what}");
    }
}

#[test]
fn the_newest_that_is_known_of_a_failure_is_what_a_retry_begins_after() {
    let shown = with_event(service(vec![primary(OLD, "COMPLETED", "")]), 2150.0);
    let record = Some(Observed::Present(vec![entry(NEW, "ROLLBACK_SUCCESSFUL", 2000)]));
    let FailureLookup::Failed(failure) = look(&shown, record, &Tags::new(), true) else { panic!("it failed") };
    assert_eq!(failure.last_seen, Some(at(2150)), "asked for at 2000, ended at 2100, told at 2150");
    assert_eq!(failure.task_definition.as_deref(), Some(NEW));
}

/// How a rollout of `NEW` stands, in one word, and the health that follows.
fn stands(service: &Value, record: Vec<ServiceDeployment>, now: i64) -> (&'static str, Health) {
    let finding = look(service, Some(Observed::Present(record.clone())), &Tags::new(), true);
    let failure = match &finding {
        FailureLookup::Failed(failure) => Some(failure),
        FailureLookup::Clear | FailureLookup::Retried | FailureLookup::UnderWay(_) | FailureLookup::Unreadable(_) => {
            None
        }
    };
    let rollout = status(&RolloutFacts {
        service,
        record: &record,
        differs: service["taskDefinition"] != NEW,
        wanted: Some(NEW),
        failure,
        recorded: false,
        limit: SignedDuration::from_mins(30),
        now: at(now),
    });
    let word = match &rollout {
        None => "-",
        Some(Rollout::Running { .. }) => "running",
        Some(Rollout::Serving { .. }) => "serving",
        Some(Rollout::Failed { .. }) => "failed",
        Some(Rollout::RolledBack { done: false, .. }) => "going back",
        Some(Rollout::RolledBack { done: true, .. }) => "rolled back",
        Some(Rollout::Stopped { .. }) => "stopped",
        Some(Rollout::Superseded { .. }) => "superseded",
        Some(Rollout::TimedOut { .. }) => "timed out",
    };
    (word, health(service, rollout.as_ref()))
}

/// What it is, the service, the record, the time, verdict, health.
type Row = (&'static str, Value, Vec<ServiceDeployment>, i64, &'static str, Health);

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_rollout_is_judged_by_the_revision_that_serves() {
    let starting = || service(vec![primary(NEW, "IN_PROGRESS", ""), deployment("ACTIVE", OLD, "COMPLETED", "")]);
    let done = || service(vec![primary(NEW, "COMPLETED", "")]);
    let strategy = |strategy: &str, mut service: Value| {
        service["deploymentConfiguration"] = json!({ "strategy": strategy });
        service
    };
    let mut died = done();
    died["runningCount"] = json!(1);
    let mut classic = done();
    classic["deployments"][0].as_object_mut().expect("an object").shift_remove("rolloutState");
    let old = || service(vec![primary(OLD, "COMPLETED", "")]);
    let cases: Vec<Row> = vec![
        ("starting", starting(), vec![], 1100, "running", Health::Progressing),
        ("for too long, and ECS never gives up", starting(), vec![], 2801, "timed out", Health::Degraded),
        ("done", done(), vec![], 1100, "serving", Health::Healthy),
        (
            "early success: old tasks are still there",
            service(vec![primary(NEW, "COMPLETED", ""), deployment("ACTIVE", OLD, "COMPLETED", "")]),
            vec![entry(NEW, "SUCCESSFUL", 1000)],
            1100,
            "serving",
            Health::Healthy,
        ),
        ("a task died", died, vec![], 1100, "serving", Health::Degraded),
        ("behind a Classic Load Balancer, starting", classic, vec![], 1100, "running", Health::Progressing),
        (
            "blue/green bakes",
            strategy("BLUE_GREEN", done()),
            vec![entry(NEW, "IN_PROGRESS", 1000)],
            1100,
            "running",
            Health::Progressing,
        ),
        (
            "linear bakes",
            strategy("LINEAR", done()),
            vec![entry(NEW, "IN_PROGRESS", 1000)],
            1100,
            "running",
            Health::Progressing,
        ),
        (
            "canary bakes",
            strategy("CANARY", done()),
            vec![entry(NEW, "PENDING", 1000)],
            1100,
            "running",
            Health::Progressing,
        ),
        (
            "blue/green is over",
            strategy("BLUE_GREEN", done()),
            vec![entry(NEW, "SUCCESSFUL", 1000)],
            1100,
            "serving",
            Health::Healthy,
        ),
        ("blue/green without a record", strategy("BLUE_GREEN", done()), vec![], 1100, "serving", Health::Healthy),
        ("gave up", service(vec![primary(NEW, "FAILED", GAVE_UP)]), vec![], 1100, "failed", Health::Degraded),
        (
            "a first deployment has nothing to go back to",
            service(vec![primary(NEW, "IN_PROGRESS", "")]),
            vec![entry(NEW, "ROLLBACK_FAILED", 1000)],
            1100,
            "failed",
            Health::Degraded,
        ),
        ("going back", service(vec![primary(OLD, "IN_PROGRESS", BACK)]), vec![], 1100, "going back", Health::Degraded),
        (
            "stable again, on the old one",
            old(),
            vec![entry(NEW, "ROLLBACK_SUCCESSFUL", 900)],
            1100,
            "rolled back",
            Health::Degraded,
        ),
        (
            "stopped by a person",
            old(),
            vec![words(NEW, "ROLLBACK_SUCCESSFUL", 900, "as requested")],
            1100,
            "stopped",
            Health::Degraded,
        ),
        (
            "another one came",
            service(vec![primary(OLD, "IN_PROGRESS", ""), deployment("ACTIVE", NEW, "IN_PROGRESS", "")]),
            vec![],
            1100,
            "superseded",
            Health::Progressing,
        ),
        ("ECS does nothing about it", old(), vec![], 1100, "-", Health::Healthy),
        (
            "it failed once, and something else was deployed since",
            old(),
            vec![entry(OLD, "SUCCESSFUL", 990), entry(NEW, "ROLLBACK_SUCCESSFUL", 500)],
            1100,
            "-",
            Health::Healthy,
        ),
    ];
    for (what, service, record, now, verdict, expected) in cases {
        assert_eq!(stands(&service, record, now), (verdict, expected), "{what}");
    }
}

#[test]
fn either_id_of_a_deployment_that_rolls_back_is_safe() {
    // Published outputs disagree on whether it is the old deployment or a new one.
    for (id, created) in [("ecs-svc/1", 10.0), ("ecs-svc/3", 1500.0)] {
        let mut back = primary(OLD, "IN_PROGRESS", BACK);
        back["id"] = json!(id);
        back["createdAt"] = json!(created);
        let shown = service(vec![back, deployment("ACTIVE", NEW, "IN_PROGRESS", "")]);
        assert_eq!(stands(&shown, vec![], 1600).0, "going back", "{id}");
    }
}

#[test]
fn progress_tells_counts_stage_and_since_when() {
    let shown = service(vec![primary(NEW, "IN_PROGRESS", "")]);
    let record = [entry(NEW, "IN_PROGRESS", 990)];
    let facts = RolloutFacts {
        service: &shown,
        record: &record,
        differs: false,
        wanted: Some(NEW),
        failure: None,
        recorded: false,
        limit: SignedDuration::from_mins(30),
        now: at(1100),
    };
    let rollout = serde_json::to_value(status(&facts)).expect("it serializes");
    assert_eq!(
        rollout,
        json!({"state": "running", "task_definition": NEW, "desired": 2, "running": 1, "healthy": null, "pending": 1,
               "failed": 1, "stage": "BAKE_TIME", "since": "1970-01-01T00:16:30Z"})
    );
}

#[test]
fn a_short_name_and_an_arn_are_one_revision_and_two_accounts_are_not() {
    let other = "arn:aws:ecs:eu-west-1:999999999999:task-definition/web:2";
    for (a, b, same) in [(NEW, "web:2", true), (NEW, NEW, true), (NEW, "web:1", false), (NEW, other, false)] {
        assert_eq!(same_revision(a, b), same, "{a} {b}");
    }
}

#[test]
fn times_are_read_in_both_spellings() {
    let mut shown = with_event(service(vec![primary(OLD, "COMPLETED", "")]), 0.0);
    shown["deployments"][0]["createdAt"] = json!("2026-01-01T10:00:00+09:00");
    shown["events"][1]["createdAt"] = json!("2026-01-01T01:00:05Z");
    assert_eq!(name(&look(&shown, None, &Tags::new(), true)), "RolledBack");
}

#[test]
fn what_passes_is_looked_for_in_the_events_of_the_failure_alone() {
    let capacity = "(service web) was unable to place a task. Reason: Capacity is unavailable at this time.";
    let record = || Some(Observed::Present(vec![entry(NEW, "ROLLBACK_SUCCESSFUL", 2000)]));
    // A service keeps its last hundred events, which may be weeks.
    for (at, transient) in [(1500.0, false), (2050.0, true)] {
        let mut service = service(vec![primary(OLD, "COMPLETED", "")]);
        service["events"] = json!([{ "message": capacity, "createdAt": at }]);
        let FailureLookup::Failed(failure) = look(&service, record(), &Tags::new(), true) else { panic!("it failed") };
        assert_eq!(failure.transient, transient, "{at}");
    }
}

#[test]
fn a_record_that_is_older_than_the_deployment_says_nothing_of_how_long_it_takes() {
    let shown = service(vec![primary(NEW, "IN_PROGRESS", "")]);
    // The record was read last while ECS was still at what came before, which never got done.
    let judged = |created: i64| {
        let record = vec![entry(OLD, "IN_PROGRESS", created)];
        let (limit, now) = (SignedDuration::from_mins(1), at(1030));
        let facts = RolloutFacts {
            service: &shown,
            record: &record,
            differs: false,
            wanted: Some(NEW),
            failure: None,
            recorded: false,
            limit,
            now,
        };
        status(&facts)
    };
    let Some(Rollout::Running { progress, .. }) = judged(100) else { panic!("{:?}", judged(100)) };
    assert_eq!((progress.since, progress.stage), (Some(at(1000)), None));
    // ECS notes the deployment in the record moments before.
    assert!(matches!(judged(960), Some(Rollout::TimedOut { .. })));
}
