//! For tests: one event of every kind and one hold of every reason. A new variant does not compile without its sample,
//! and one that is not documented or does not match the schema fails a test.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::{CallFailure, Event, PlannedStep, What};
use crate::desired::Unresolved;
use crate::diagnosis::{Bearing, Class, Fact, Finding, Source};
use crate::digest::Digest;
use crate::document::{Problem, SourceFile, Span};
use crate::drift::{Change, Shown};
use crate::kind::Kind;
use crate::live::{FailureKind, ReadFailure};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::plan::{Ahead, Cause, Hold, Operation, Resource};
use crate::pointer::Pointer;

fn revision() -> Revision {
    Revision::new("0123456789abcdef0123456789abcdef01234567")
}

fn task_definition(number: u32) -> Arn {
    Arn::new(format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{number}"))
}

fn resource(text: &str) -> Resource {
    Resource { kind: Kind::Service, name: text.to_owned(), arn: None }
}

fn changes(text: &str) -> Vec<Change> {
    let path = Pointer::root().join(text);
    vec![Change { live: Shown::at(&path, &json!(text)), desired: Shown::at(&path, &json!({ text: 1 })), path }]
}

fn step(text: &str) -> PlannedStep {
    let (resource, changes) = (resource(text), changes(text));
    PlannedStep { operation: Operation::UpdateService, subject: resource.into(), cause: Cause::Drift, changes }
}

fn finding(text: &str) -> Finding {
    Finding {
        class: Class::ALL[0],
        bearing: Bearing::Terminal,
        deployment: "ecs-svc/1".to_owned(),
        cause: text.to_owned(),
        evidence: vec![Fact { source: Source::Task, text: text.to_owned(), count: 2, time: None }],
        cure: text.to_owned(),
    }
}

/// One hold of every reason.
pub(crate) fn holds() -> Vec<Hold> {
    holds_saying("text")
}

/// One hold of every reason, with the given text wherever AWS's or a user's text appears.
fn holds_saying(text: &str) -> Vec<Hold> {
    let text = || text.to_owned();
    let texts = || vec![text()];
    let operation = || "ecs:UpdateService".to_owned();
    let mut all = vec![Hold::NotObserved {
        failure: ReadFailure { operation: operation(), kind: FailureKind::TimedOut, message: text() },
    }];
    loop {
        let next = match all.last().expect("it begins with one") {
            Hold::NotObserved { .. } => Hold::NotSettled { seconds: 3 },
            Hold::NotSettled { .. } => Hold::ReportOnly { cause: Cause::Drift },
            Hold::ReportOnly { .. } => Hold::Immutable { kind: Kind::TargetGroup, fields: texts() },
            Hold::Immutable { .. } => Hold::ForeignInstance { instance: InstanceName::new("other") },
            Hold::ForeignInstance { .. } => Hold::ForeignEnvironment { environment: EnvironmentName::new("other") },
            Hold::ForeignEnvironment { .. } => Hold::OwnedByStack { stack: text() },
            Hold::OwnedByStack { .. } => Hold::ManagedByEcs,
            Hold::ManagedByEcs => Hold::PriorityTaken {
                listener: Arn::new(format!("arn:{}", text())),
                priority: "7".to_owned(),
                rule: Arn::new(format!("arn:{}", text())),
            },
            Hold::PriorityTaken { .. } => Hold::ServiceDraining,
            Hold::ServiceDraining => Hold::RevisionFailed {
                message: text(),
                transient: false,
                digest: Digest::of(b"content"),
                failed_at: Some(Timestamp::UNIX_EPOCH),
            },
            Hold::RevisionFailed { .. } => Hold::Suspended { note: text(), cause: None },
            Hold::Suspended { .. } => Hold::Contested { fields: texts(), by: None },
            Hold::Contested { .. } => Hold::Unresolved {
                references: vec![Unresolved {
                    reference: "${secret.web}".to_owned(),
                    location: "web/service.toml:1:1".to_owned(),
                    reason: text(),
                    transient: false,
                }],
            },
            Hold::Unresolved { .. } => Hold::WaitsFor { applications: vec![ApplicationName::new("shared")] },
            Hold::WaitsFor { .. } => Hold::PruneLimit { count: 5, limit: 2 },
            Hold::PruneLimit { .. } => Hold::UnknownRevision { revision: Some(revision()) },
            Hold::UnknownRevision { .. } => {
                Hold::Behind(Ahead { revision: revision(), answered: false, unreachable_since: None })
            }
            Hold::Behind(_) => Hold::TargetGroupInUse { by: texts() },
            Hold::TargetGroupInUse { .. } => Hold::InvalidDocument { problems: texts() },
            Hold::InvalidDocument { .. } => Hold::Unverified { commit: revision(), detail: text() },
            Hold::Unverified { .. } => Hold::AccessDenied { operation: operation(), message: text() },
            Hold::AccessDenied { .. } => Hold::CallRefused { operation: operation(), code: None, message: text() },
            Hold::CallRefused { .. } => Hold::WriteFailed { operation: operation(), message: text() },
            Hold::WriteFailed { .. } => Hold::AccountMismatch { expected: text(), actual: text() },
            Hold::AccountMismatch { .. } => Hold::NoCredentials { message: text() },
            Hold::NoCredentials { .. } => Hold::Unsound { defects: texts() },
            Hold::Unsound { .. } => return all,
        };
        all.push(next);
    }
}

/// The event of a hold.
fn started(text: &str, hold: Hold, applications: &[&str]) -> What {
    What::HoldStarted {
        resource: applications.is_empty().then(|| resource(text)),
        message: hold.message(),
        cure: hold.remedy().to_owned(),
        hold,
        changes: changes(text),
        applications: applications.iter().map(|name| ApplicationName::new(*name)).collect(),
    }
}

/// One event of every kind, and one `hold.started` for every reason.
pub(crate) fn events() -> Vec<Event> {
    events_saying("text")
}

/// Why a call failed.
fn call_failure(text: &str) -> CallFailure {
    CallFailure {
        kind: FailureKind::AccessDenied,
        code: Some(text.to_owned()),
        message: text.to_owned(),
        request_id: None,
        effect_unknown: false,
    }
}

/// The event of the kind that is declared after this one's; `None` after the last.
fn after(what: &What, foreign: &str) -> Option<What> {
    let text = || foreign.to_owned();
    let (resource, changes, step) = (|| resource(foreign), || changes(foreign), || step(foreign));
    let file = SourceFile::new(format!("{foreign}/service.toml"), "desiredCout = 1".to_owned());
    let problem = || Problem::at("unknown-member", &Span { file, range: 0..11 }, &Pointer::root(), text());
    let now = Timestamp::UNIX_EPOCH;
    Some(match what {
        What::DaemonStarted { .. } => What::DaemonStopping {},
        What::DaemonStopping {} => What::RevisionAccepted { subject: text(), committed: now, rewritten: false },
        What::RevisionAccepted { .. } => What::RevisionRejected { message: text(), problems: vec![problem()] },
        What::RevisionRejected { .. } => {
            What::RevisionUnverified { commit: revision(), message: text(), cure: text(), in_force: None }
        }
        What::RevisionUnverified { .. } => What::SourceFailed { message: text(), hint: None, last_success: None },
        What::SourceFailed { .. } => What::SourceRecovered { since: now },
        What::SourceRecovered { .. } => {
            What::DriftDetected { resource: resource(), reason: "changed", changes: changes() }
        }
        What::DriftDetected { .. } => What::DriftResolved { resource: resource() },
        What::DriftResolved { .. } => What::PlanMade { steps: vec![step()] },
        What::PlanMade { .. } => What::StepApplied { step: step(), request_id: None },
        What::StepApplied { .. } => What::StepFailed { step: step(), failure: call_failure(foreign) },
        What::StepFailed { .. } => What::RolloutStarted { task_definition: task_definition(2), desired: 1 },
        What::RolloutStarted { .. } => What::RolloutCompleted { task_definition: task_definition(2) },
        What::RolloutCompleted { .. } => {
            What::RolloutFailed { task_definition: task_definition(2), reason: text(), finding: None }
        }
        What::RolloutFailed { .. } => What::RolloutRolledBack {
            task_definition: task_definition(2),
            serving: task_definition(1),
            reason: text(),
            finding: Some(finding(foreign)),
        },
        What::RolloutRolledBack { .. } => What::RolloutTimedOut {
            task_definition: task_definition(2),
            desired: 2,
            running: 1,
            since: Some(now),
            finding: None,
        },
        What::RolloutTimedOut { .. } => started(foreign, Hold::ManagedByEcs, &["a", foreign]),
        What::HoldStarted { .. } => What::HoldEnded {
            resource: None,
            reason: "AccessDenied".to_owned(),
            applications: BTreeSet::new(),
            root: None,
        },
        What::HoldEnded { .. } => return None,
    })
}

/// The same, with the given text wherever AWS's or a user's text appears: names, messages, values.
pub(crate) fn events_saying(foreign: &str) -> Vec<Event> {
    let now = Timestamp::UNIX_EPOCH;
    let first = What::DaemonStarted {
        version: foreign.to_owned(),
        instance: InstanceName::new("trueup"),
        event_schema: super::EVENT_SCHEMA_VERSION,
    };
    let mut all: Vec<What> = std::iter::successors(Some(first), |what| after(what, foreign)).collect();
    all.extend(holds_saying(foreign).into_iter().map(|hold| started(foreign, hold, &[])));
    let event = |what| Event {
        time: now,
        environment: Some(EnvironmentName::new(foreign)),
        application: Some(ApplicationName::new(foreign)),
        revision: Some(revision()),
        what,
    };
    all.into_iter().map(event).collect()
}
