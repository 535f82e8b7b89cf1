//! The checker finds what the planner would never do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::World;
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::{ApplicationName, InstanceName};
use crate::plan::{Call, Cause, Held, Hold, Operation, Plan, Resource, Step};
use crate::planner::fixture::service_id;
use crate::planner::{Prune, check};

fn step(kind: Kind, operation: Operation, input: serde_json::Value) -> Step {
    let name = kind.as_str().to_owned();
    let resource = Resource { kind, name, arn: None };
    Step {
        subject: resource.into(),
        cause: Cause::Pending,
        changes: vec![],
        drift: vec![],
        awaits: vec![],
        call: Call { operation, input },
    }
}

fn update(input: serde_json::Value) -> Step {
    step(Kind::Service, Operation::UpdateService, input)
}

#[test]
fn an_unsound_plan_is_told() {
    let register = || step(Kind::TaskDefinition, Operation::RegisterTaskDefinition, json!({}));
    let tag = |operation, input| step(Kind::Service, operation, input);
    // How a settled world's plan is spoilt, and the first word about it.
    let cases: Vec<(&str, Vec<Step>)> = vec![
        ("UpdateService twice", vec![update(json!({})), update(json!({}))]),
        ("the service does not await", vec![register(), update(json!({}))]),
        ("RegisterTaskDefinition comes too late", vec![update(json!({})), register()]),
        ("DeleteService outside pruning", vec![step(Kind::Service, Operation::DeleteService, json!({}))]),
        ("a deployment is forced", vec![update(json!({"forceNewDeployment": true}))]),
        ("a deployment is forced", vec![update(json!({"capacityProviderStrategy": []}))]),
        (
            "CreateService of something",
            vec![step(
                Kind::Service,
                Operation::CreateService,
                json!({"cluster": service_id().cluster, "serviceName": service_id().name}),
            )],
        ),
        (
            "CreateTargetGroup of something",
            vec![step(Kind::TargetGroup, Operation::CreateTargetGroup, json!({"Name": "backend-tg"}))],
        ),
        (
            "claims something",
            vec![tag(Operation::TagResource, json!({"tags": [{"key": "trueup:instance", "value": "other"}]}))],
        ),
        ("writes the tag `aws:x`", vec![tag(Operation::AddTags, json!({"Tags": [{"Key": "aws:x", "Value": "1"}]}))]),
        ("takes the tag", vec![tag(Operation::UntagResource, json!({"tagKeys": ["trueup:digest"]}))]),
    ];
    let world = World::settled();
    let instance = InstanceName::new("main");
    for (word, steps) in cases {
        let mut plan = world.plan();
        plan.steps = steps;
        let wrong = check::check(&world.input(&instance), &plan);
        assert!(wrong.first().is_some_and(|wrong| wrong.starts_with(word)), "{word}: {wrong:?}");
    }
}

#[test]
fn a_step_that_the_application_or_a_hold_forbids_is_told() {
    let instance = InstanceName::new("main");
    let spoilt = |world: &World, spoil: &dyn Fn(&mut Plan)| {
        let mut plan = world.plan();
        spoil(&mut plan);
        check::check(&world.input(&instance), &plan).len()
    };
    let mut world = World::settled();
    let with_step = |plan: &mut Plan| plan.steps.push(update(json!({})));
    assert_eq!(spoilt(&world, &with_step), 0);
    let with_hold = |plan: &mut Plan| {
        with_step(plan);
        let subject = plan.steps[0].subject.clone();
        plan.held.push(Held { subject, changes: vec![], reason: Hold::ServiceDraining });
    };
    assert_eq!(spoilt(&world, &with_hold), 1);
    let with_count = |plan: &mut Plan| plan.steps.push(update(json!({"desiredCount": 1})));
    assert_eq!(spoilt(&world, &with_count), 0);
    world.live.autoscaled.insert(service_id(), Observed::Present(()));
    assert_eq!(spoilt(&world, &with_count), 1);
    world.waits_for = BTreeSet::from([ApplicationName::new("shared")]);
    assert_eq!(spoilt(&world, &with_step), 1);
    let mut world = World::settled();
    world.document(Kind::ListenerRule, "api").awaits.insert((Kind::TargetGroup, "new".to_owned()));
    let unresolved = |plan: &mut Plan| {
        let input = json!({"Actions": [{"TargetGroupArn": "${target_group.new}"}]});
        plan.steps.push(step(Kind::ListenerRule, Operation::ModifyRule, input));
    };
    assert_eq!(spoilt(&world, &unresolved), 1);
}

#[test]
fn unsound_pruning_is_told() {
    let prunes = |cause, operation| {
        let mut step = step(Kind::Service, operation, json!({}));
        step.cause = cause;
        BTreeMap::from([(ApplicationName::new("shop"), Prune { steps: vec![step], held: vec![] })])
    };
    for (cause, operation, limit, count) in [
        (Cause::Prune, Operation::DeleteService, 1, 0),
        (Cause::Prune, Operation::DeleteService, 0, 1),
        (Cause::Drift, Operation::DeleteService, 1, 1),
        (Cause::Prune, Operation::UpdateService, 1, 1),
    ] {
        assert_eq!(
            check::check_prune("main", limit, &prunes(cause, operation)).len(),
            count,
            "{cause:?} {operation:?}"
        );
    }
}
