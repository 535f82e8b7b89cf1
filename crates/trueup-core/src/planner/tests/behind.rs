//! Copies that are behind: what tells that, and what follows.

use serde_json::json;

use super::World;
use crate::kind::Kind;
use crate::live::{Observed, Tags};
use crate::names::{Arn, InstanceName, Revision};
use crate::plan::{Ahead, Health, Hold, Sync, tags};
use crate::planner::applied_revisions;
use crate::planner::fixture::LISTENER;

#[test]
fn a_process_that_is_behind_does_nothing_and_concludes_nothing() {
    let ahead = |answered, unreachable| Ahead {
        revision: Revision::new("f".repeat(40)),
        answered,
        unreachable_since: unreachable,
    };
    let since = "2026-01-01T00:00:00Z".parse().expect("a time");
    for (ahead, message, cure) in [
        (ahead(false, None), "which this copy does not have", "trueup fetches from git at once"),
        (ahead(false, Some(since)), "has been unreachable since 2026-01-01T00:00:00Z", "make the repository reachable"),
        (ahead(true, None), "has no valid documents of it", "push a commit"),
    ] {
        let mut world = World::settled();
        world.commit(Kind::Service, "service", |body| body["healthCheckGracePeriodSeconds"] = json!(60));
        world.edit_service(|live| live["desiredCount"] = json!(3));
        world.ahead = Some(ahead.clone());
        let plan = world.plan();
        assert_eq!((plan.steps.len(), plan.held.len()), (0, 1));
        assert_eq!((plan.sync, plan.health, &plan.rollout), (Sync::Unknown, Health::Unknown, &None));
        let hold = &plan.held[0].reason;
        assert_eq!(*hold, Hold::Behind(ahead));
        assert!(hold.message().contains(message) && hold.message().contains("ffff"), "{}", hold.message());
        assert!(hold.remedy().contains(cure), "{}", hold.remedy());
        let told = serde_json::to_value(&plan.held[0]).expect("it has string keys only");
        assert_eq!((&told["reason"], &told["commit"]), (&json!("Behind"), &json!("f".repeat(40))));
    }
}

#[test]
fn the_commits_that_were_applied_are_those_in_our_own_tags() {
    type Change = fn(&mut World);
    fn mark(tags: &mut Tags) {
        tags.insert(tags::REVISION.to_owned(), "new".to_owned());
    }
    fn foreign(tags: &mut Tags, key: &str) {
        mark(tags);
        tags.insert(key.to_owned(), "other".to_owned());
    }
    fn rule(world: &mut World) -> &mut Tags {
        let rules = world.live.rules.get_mut(&Arn::new(LISTENER)).expect("it was observed");
        let Observed::Present(rules) = rules else { panic!("there are rules") };
        let Observed::Present(tags) = &mut rules[0].tags else { panic!("they were read") };
        tags
    }
    fn running(world: &mut World) -> &mut Tags {
        let Some(Observed::Present(revision)) = world.live.task_definitions.values_mut().next() else {
            panic!("the service runs one")
        };
        &mut revision.tags
    }
    fn group(world: &mut World) -> &mut Tags {
        let Observed::Present(tags) = &mut world.group().tags else { panic!("they were read") };
        tags
    }
    let rows: [(&str, Change, bool); 9] = [
        ("nothing", |_| {}, false),
        ("the service", |world| mark(&mut world.service().tags), true),
        ("the revision that it runs", |world| mark(running(world)), true),
        ("a target group", |world| mark(group(world)), true),
        ("a rule", |world| mark(rule(world)), true),
        ("another application's rule", |world| foreign(rule(world), tags::APPLICATION), false),
        (
            "a service that another application has at that commit",
            |world| {
                foreign(&mut world.service().tags, tags::APPLICATION);
            },
            true,
        ),
        ("another installation's", |world| foreign(&mut world.service().tags, tags::INSTANCE), false),
        ("another environment's", |world| foreign(group(world), tags::ENVIRONMENT), false),
    ];
    for (what, change, seen) in rows {
        let mut world = World::settled();
        let before = applied_revisions(&world.desired, &world.live, &InstanceName::new("main"));
        assert_eq!(before, [world.desired.revision.clone()].into(), "{what}");
        change(&mut world);
        let after = applied_revisions(&world.desired, &world.live, &InstanceName::new("main"));
        assert_eq!(after.contains(&Revision::new("new")), seen, "{what}: {after:?}");
    }
}
