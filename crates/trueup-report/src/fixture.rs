//! Statuses and events for tests.

use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;
use trueup_core::drift::{Change, Shown};
use trueup_core::kind::Kind;
use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
use trueup_core::plan::{Call, Cause, Health, Held, Hold, Operation, Plan, Resource, Step, Sync};
use trueup_core::pointer::Pointer;
use trueup_core::report::{Event, What};
use trueup_engine::{ApplicationStatus, EnvironmentStatus, SourceStatus, Status};

/// The value of an environment variable, which must not be seen anywhere.
pub const CANARY: &str = "canary-t0p-s3cret";

/// The time now.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap()
}

fn service() -> Resource {
    Resource { kind: Kind::Service, name: "service".to_owned(), arn: None }
}

fn variable() -> Change {
    let path = Pointer::root().join("containerDefinitions").join("web").join("environment").join("TOKEN");
    let (live, desired) = (Shown::at(&path, &json!("old")), Shown::at(&path, &json!(CANARY)));
    Change { path, live, desired }
}

/// An application that is as it should be.
pub fn plan(environment: &str, application: &str) -> Plan {
    let revision = Revision::new("0123456789abcdef0123456789abcdef01234567");
    Plan::settled(EnvironmentName::new(environment), ApplicationName::new(application), revision)
}

/// Drift of a secret, and a hold of AWS's words.
pub fn wrong(plan: Plan) -> Plan {
    let change = variable();
    let step = Step {
        subject: service().into(),
        cause: Cause::Drift,
        drift: vec![change.path.clone()],
        changes: vec![change],
        awaits: Vec::new(),
        call: Call { operation: Operation::UpdateService, input: json!({ "secret": CANARY }) },
    };
    let held = |reason| Held { subject: service().into(), changes: vec![variable()], reason };
    let holds = [Hold::ServiceDraining, Hold::ManagedByEcs, Hold::ServiceDraining].map(held).into();
    Plan { steps: vec![step], held: holds, sync: Sync::OutOfSync, health: Health::Degraded, ..plan }
}

/// A status with these applications.
pub fn status(plans: impl IntoIterator<Item = Plan>) -> Status {
    let entry = |plan: Plan| {
        let (observed, since) = (now(), Timestamp::UNIX_EPOCH);
        let key = (plan.environment.clone(), plan.application.clone());
        (key, Arc::new(ApplicationStatus { plan, observed, since }))
    };
    let last_success = Some(Timestamp::from_second(now().as_second() - 42).unwrap());
    let environment = EnvironmentStatus { cycled: Some(now()) };
    Status {
        source: SourceStatus { revision: Some(Revision::new("a".repeat(40))), last_success, failure: None },
        environments: [(EnvironmentName::new("production"), environment)].into(),
        applications: plans.into_iter().map(entry).collect(),
    }
}

/// An event of an application.
pub fn event(application: &str, what: What) -> Event {
    Event {
        time: now(),
        environment: Some(EnvironmentName::new("production")),
        application: Some(ApplicationName::new(application)),
        revision: Some(Revision::new("a".repeat(40))),
        what,
    }
}

/// A rollout that failed, in AWS's words.
pub fn failed(reason: &str) -> What {
    What::RolloutFailed { task_definition: web(), reason: reason.to_owned(), finding: None }
}

/// A rollout that is done.
pub fn completed() -> What {
    What::RolloutCompleted { task_definition: web() }
}

/// A planned event with the drift of a secret in it.
pub fn planned() -> What {
    What::PlanMade { steps: wrong(plan("production", "web")).steps.iter().map(Into::into).collect() }
}

fn web() -> Arn {
    Arn::new("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7")
}
