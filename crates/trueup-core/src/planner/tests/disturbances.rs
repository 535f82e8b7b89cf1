//! Whatever happens to an application, it converges and then it rests.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{World, shown};
use crate::desired::Mode;
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::Revision;
use crate::plan::{Memory, Sync};
use crate::planner::fixture::{revision_arn, service_id, untagged};

/// What may happen, alone or one after the other.
const DISTURBANCES: [fn(&mut World); 20] = [
    |w| w.commit(Kind::Service, "service", |body| body["desiredCount"] = json!(4)),
    |w| w.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(30)),
    |w| w.commit(Kind::Service, "service", |body| body["tags"] = json!([])),
    |w| w.commit(Kind::TaskDefinition, "task-definition", |body| body["cpu"] = json!("1024")),
    |w| w.commit(Kind::TaskDefinition, "task-definition", |body| body["tags"] = json!([{"key": "A", "value": "b"}])),
    |w| w.commit(Kind::TargetGroup, "backend", |body| body["HealthCheckPath"] = json!("/new")),
    |w| w.commit(Kind::TargetGroup, "backend", |body| body["Attributes"] = json!([])),
    |w| w.commit(Kind::ListenerRule, "api", |body| body["Priority"] = json!(33)),
    |w| w.desired.revision = Revision::new("e".repeat(40)),
    |w| w.last_applied = None,
    |w| {
        if present(w) {
            w.edit_service(|live| live["desiredCount"] = json!(9));
        }
    },
    |w| {
        if present(w) {
            w.edit_service(|live| live["taskDefinition"] = json!(revision_arn(77)));
            let arn = crate::names::Arn::new(revision_arn(77));
            w.live.task_definitions.insert(arn, Observed::Absent);
        }
    },
    |w| {
        if present(w) {
            untagged(&mut w.service().tags);
        }
    },
    |w| drop(w.live.services.insert(service_id(), Observed::Absent)),
    |w| drop(w.live.target_groups.insert("backend-tg".to_owned(), Observed::Absent)),
    |w| w.rules().clear(),
    |w| {
        for rule in w.rules() {
            rule.description["Priority"] = json!("44");
        }
    },
    |w| w.memory = Memory::default(),
    |w| w.later(7),
    |w| {
        w.converge();
    },
];

fn present(world: &World) -> bool {
    world.live.services.get(&service_id()).is_some_and(|service| service.present().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_converges_and_then_makes_no_call(
        chosen in vec(0..DISTURBANCES.len(), 1..8),
        follow in prop_oneof![4 => Just(Mode::On), 1 => Just(Mode::Report)],
        heal in prop_oneof![4 => Just(Mode::On), 1 => Just(Mode::Report)],
    ) {
        let mut world = World::settled();
        (world.desired.policy.follow, world.desired.policy.heal) = (follow, heal);
        for index in chosen {
            DISTURBANCES[index](&mut world);
        }
        world.later(3600);
        world.converge();
        world.later(3600);
        world.memory = Memory::default();
        let plan = world.plan();
        prop_assert!(plan.steps.iter().all(|step| !step.awaits.is_empty()), "it goes on: {:?}", shown(&plan));
        if follow == Mode::On && heal == Mode::On {
            prop_assert_eq!((shown(&plan), plan.sync), (vec![], Sync::Synced));
        }
    }
}
