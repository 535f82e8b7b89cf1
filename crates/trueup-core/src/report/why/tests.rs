//! Plans, and the explanations of each.

use jiff::Timestamp;

use super::*;
use crate::desired::Unresolved;
use crate::diagnosis::{Class, Finding, Source};
use crate::kind::Kind;
use crate::live::{FailureKind, ReadFailure};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::plan::{Call, Cause, Held, Hold, Operation, Resource, Step};

fn plan(sync: Sync, health: Health) -> Plan {
    let revision = Revision::new("0123456789abcdef0123456789abcdef01234567");
    let settled = Plan::settled(EnvironmentName::new("production"), ApplicationName::new("web"), revision);
    Plan { sync, health, ..settled }
}

fn web() -> Arn {
    Arn::new("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:7")
}

fn service() -> Resource {
    Resource { kind: Kind::Service, name: "service".to_owned(), arn: None }
}

fn held(reason: Hold) -> Plan {
    let held = vec![Held { subject: service().into(), changes: Vec::new(), reason }];
    Plan { held, ..plan(Sync::OutOfSync, Health::Healthy) }
}

fn rolling(rollout: Rollout, health: Health) -> Plan {
    Plan { rollout: Some(rollout), ..plan(Sync::Synced, health) }
}

fn finding() -> Finding {
    let text = "CannotPullContainerError: not found".to_owned();
    Finding {
        class: Class::ImageNotFound,
        bearing: Class::ImageNotFound.bearing(),
        deployment: "ecs-svc/1".to_owned(),
        cause: "the image `web:7` does not exist in its repository".to_owned(),
        evidence: vec![Fact { source: Source::Task, text, count: 3, time: None }],
        cure: "push it".to_owned(),
    }
}

fn progress() -> Progress {
    Progress { desired: 2, running: 1, pending: 1, since: Some(Timestamp::UNIX_EPOCH), ..Progress::default() }
}

fn reason() -> String {
    "tasks failed to start.".to_owned()
}

/// A plan, and reason, cause and remedy of each of its explanations.
type Row = (Plan, Vec<(&'static str, &'static str, &'static str)>);

/// Compares reason, and parts of cause and remedy, of each explanation.
#[track_caller]
fn check<const N: usize>(table: [Row; N]) {
    for (plan, expected) in table {
        let all = why(&plan);
        assert!(!serde_json::to_string(&all).expect("it has string keys only").contains("hunter2"));
        assert_eq!(all.len(), expected.len(), "{all:#?}");
        for (explanation, (reason, cause, cure)) in all.iter().zip(expected) {
            assert_eq!(explanation.reason, reason);
            assert!(explanation.cause.contains(cause), "{reason}: {}", explanation.cause);
            assert!(explanation.cure.contains(cure), "{reason}: {}", explanation.cure);
        }
    }
}

#[test]
fn every_state_is_explained_with_its_remedy() {
    let running = || Rollout::Running { task_definition: web(), progress: progress() };
    let failed = || Rollout::Failed { task_definition: web(), reason: reason(), recorded: false };
    let serving = rolling(Rollout::Serving { task_definition: web() }, Health::Healthy);
    let step = Step {
        subject: service().into(),
        cause: Cause::Drift,
        changes: Vec::new(),
        drift: Vec::new(),
        awaits: Vec::new(),
        call: Call { operation: Operation::UpdateService, input: serde_json::json!({"secret": "hunter2"}) },
    };
    let failing = Plan { finding: Some(finding()), ..rolling(failed(), Health::Degraded) };
    let failing_on = Plan { finding: Some(finding()), ..rolling(running(), Health::Progressing) };
    let table = [
        (serving, vec![("Synced", "nothing is wrong: Synced and Healthy, web:7 serves", "nothing to do")]),
        (
            rolling(running(), Health::Progressing),
            vec![(
                "Progressing",
                "web:7 is rolling out since 1970-01-01T00:00:00Z: 1 of 2 tasks run, 1 are starting",
                "wait",
            )],
        ),
        (failing, vec![("image_not_found", "`web:7` does not exist", "push it")]),
        (
            failing_on,
            vec![
                ("image_not_found", "`web:7` does not exist", "push it"),
                ("Progressing", "web:7 is rolling out", "wait"),
            ],
        ),
        (
            rolling(failed(), Health::Degraded),
            vec![("RolloutFailed", "ECS failed web:7: tasks failed to start.", "no longer shows why")],
        ),
        (
            Plan { steps: vec![step], ..plan(Sync::OutOfSync, Health::Healthy) },
            vec![("Pending", "UpdateService service (drift)", "trueup apply")],
        ),
        (plan(Sync::Synced, Health::Degraded), vec![("Degraded", "fewer tasks run than desired", "events")]),
        (
            plan(Sync::OutOfSync, Health::Suspended),
            vec![("Suspended", "following and healing are suspended", "trueup resume")],
        ),
        (plan(Sync::OutOfSync, Health::Missing), vec![("Missing", "not in AWS", "trueup plan")]),
        (plan(Sync::Unknown, Health::Unknown), vec![("Unknown", "its status is unknown", "retry")]),
    ];
    check(table);
}

#[test]
fn every_hold_is_an_explanation_of_its_own() {
    let denied = ReadFailure {
        operation: "ecs:DescribeServices".to_owned(),
        kind: FailureKind::AccessDenied,
        message: "no".to_owned(),
    };
    let unresolved = Unresolved {
        reference: "${image.web}".to_owned(),
        location: "web/task-definition.json:1:1".to_owned(),
        reason: "there is no tag `v9`".to_owned(),
        transient: false,
    };
    check([
        (
            held(Hold::ForeignInstance { instance: InstanceName::new("other") }),
            vec![("ForeignInstance", "service: it belongs to the trueup installation `other`", "trueup:instance")],
        ),
        (
            held(Hold::WaitsFor { applications: vec![ApplicationName::new("shared")] }),
            vec![("WaitsFor", "waiting for `shared` to be Synced and Healthy", "fix those applications first")],
        ),
        (
            held(Hold::Unresolved { references: vec![unresolved] }),
            vec![("Unresolved", "there is no tag `v9`", "create the named resource")],
        ),
        (
            held(Hold::NotObserved { failure: denied }),
            vec![("NotObserved", "ecs:DescribeServices was denied", "IAM policy")],
        ),
    ]);
}

#[test]
fn a_rollout_without_progress_is_explained_with_its_remedy() {
    let back = |done| {
        let serving = Arn::new("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:6");
        Rollout::RolledBack { task_definition: web(), serving, reason: reason(), done, recorded: false }
    };
    let by = Arn::new("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:8");
    let late = Progress { failed: 4, stage: Some("BAKE_TIME".to_owned()), ..progress() };
    check([
        (
            rolling(back(false), Health::Degraded),
            vec![("RollingBack", "failed web:7 and is rolling back to web:6: tasks failed", "wait until it is done")],
        ),
        (
            rolling(back(true), Health::Degraded),
            vec![("RolledBack", "failed web:7 and rolled back to web:6: tasks failed", "no longer shows why")],
        ),
        (
            Plan { finding: Some(finding()), ..rolling(back(true), Health::Degraded) },
            vec![("image_not_found", "`web:7` does not exist", "push it")],
        ),
        (
            rolling(
                Rollout::Stopped { task_definition: web(), serving: web(), reason: reason(), recorded: false },
                Health::Degraded,
            ),
            vec![("RolloutStopped", "an operator stopped the rollout of web:7", "trueup retry")],
        ),
        (
            rolling(Rollout::TimedOut { task_definition: web(), progress: late }, Health::Degraded),
            vec![(
                "RolloutTimedOut",
                "web:7 exceeded `rollout_timeout`, rolling out since 1970-01-01T00:00:00Z: 1 of 2 tasks run, 1 are starting, 4 failed in a row, at the \
                 stage BAKE_TIME",
                "circuit breaker",
            )],
        ),
        (
            rolling(Rollout::Superseded { task_definition: web(), by }, Health::Progressing),
            vec![("Superseded", "deployment of web:8 replaced web:7", "drift")],
        ),
    ]);
}
