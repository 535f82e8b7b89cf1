//! Target groups.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Row, World, check_rows, shown};
use crate::kind::Kind;
use crate::live::{FailureKind, Observed, ReadFailure};
use crate::plan::Sync;

#[test]
fn a_target_group_is_mended_part_by_part() {
    let rows: [Row<'_>; 5] = [
        (
            "the health check",
            |w| w.group().description["HealthCheckPath"] = json!("/"),
            &["ModifyTargetGroup backend drift /HealthCheckPath"],
        ),
        (
            "an attribute",
            |w| {
                w.group().attributes =
                    Observed::Present(BTreeMap::from([("deregistration_delay.timeout_seconds".into(), "300".into())]));
            },
            &["ModifyTargetGroupAttributes backend drift /Attributes/deregistration_delay.timeout_seconds"],
        ),
        (
            "what no call changes, and what one does",
            |w| {
                w.commit(Kind::TargetGroup, "backend", |body| {
                    body["Port"] = json!(8080);
                    body["HealthCheckIntervalSeconds"] = json!(30);
                });
            },
            &["ModifyTargetGroup backend pending /HealthCheckIntervalSeconds", "held Immutable backend /Port"],
        ),
        ("attributes that were not read this time", |w| w.group().attributes = Observed::Absent, &[]),
        (
            "another installation's",
            |w| {
                let tags = BTreeMap::from([("trueup:instance".to_owned(), "other".to_owned())]);
                w.group().tags = Observed::Present(tags);
                w.group().description["HealthCheckPath"] = json!("/");
            },
            &["held ForeignInstance backend /HealthCheckPath /Tags/Team"],
        ),
    ];
    check_rows(&rows);
}

#[test]
fn a_failed_read_holds_its_own_part_alone() {
    let failure = || ReadFailure {
        operation: "elasticloadbalancing:DescribeTargetGroupAttributes".to_owned(),
        kind: FailureKind::Throttled,
        message: "Rate exceeded".to_owned(),
    };
    let mut world = World::settled();
    world.group().attributes = Observed::Unknown(failure());
    world.group().description["HealthCheckPath"] = json!("/");
    let plan = world.plan();
    assert_eq!(shown(&plan), ["ModifyTargetGroup backend drift /HealthCheckPath", "held NotObserved backend"]);
    assert_eq!(plan.sync, Sync::Unknown);
    // Without tags nobody knows whose it is.
    world.group().tags = Observed::Unknown(failure());
    assert_eq!(shown(&world.plan()), ["held NotObserved backend"]);
}

#[test]
fn a_modification_sends_what_changed_and_nothing_else() {
    let mut world = World::settled();
    world.group().description["HealthCheckIntervalSeconds"] = json!(10);
    let plan = world.plan();
    let arn = world.group().description["TargetGroupArn"].clone();
    assert_eq!(plan.steps[0].call.input, json!({"TargetGroupArn": arn, "HealthCheckIntervalSeconds": 60}));
}

#[test]
fn a_creation_leaves_the_attributes_to_their_own_call() {
    let world = World::new();
    let plan = world.plan();
    let create = &plan.steps[0].call.input;
    assert!(create.get("Attributes").is_none());
    // A crash before the attributes are set must not look as if all had been applied.
    assert!(!create["Tags"].to_string().contains("trueup:digest"));
    assert!(create["Tags"].to_string().contains("trueup:instance"));
}
