//! Whose a resource is, and what is done about its tags.

use serde_json::json;

use super::{Row, World, check_rows, shown};
use crate::desired::Mode;
use crate::kind::Kind;
use crate::plan::{Cause, Operation};
use crate::planner::fixture::untagged;

fn retag(world: &mut World, key: &str, value: &str) {
    world.service().tags.insert(key.to_owned(), value.to_owned());
}

#[test]
fn what_belongs_to_somebody_else_is_not_touched() {
    let rows: [Row<'_>; 7] = [
        ("another installation", |w| retag(w, "trueup:instance", "other"), &["held ForeignInstance service"]),
        ("another environment", |w| retag(w, "trueup:environment", "staging"), &["held ForeignEnvironment service"]),
        (
            "another application: renamed in git",
            |w| retag(w, "trueup:application", "old"),
            &["TagResource service adopt"],
        ),
        ("a stack", |w| retag(w, "aws:cloudformation:stack-name", "infra"), &["held OwnedByStack service"]),
        (
            "a stack, and the policy allows it",
            |w| {
                retag(w, "aws:cloudformation:stack-name", "infra");
                w.desired.policy.manage_stack_resources = true;
            },
            &[],
        ),
        (
            "ECS itself",
            |w| w.edit_service(|live| live["resourceManagementType"] = json!("ECS")),
            &["held ManagedByEcs service"],
        ),
        (
            "another installation, and different",
            |w| {
                retag(w, "trueup:instance", "other");
                w.edit_service(|live| live["desiredCount"] = json!(3));
                w.commit(Kind::TaskDefinition, "task-definition", |body| body["cpu"] = json!("1024"));
            },
            &["held ForeignInstance service /desiredCount"],
        ),
    ];
    check_rows(&rows);
}

#[test]
fn adopting_writes_tags_and_nothing_that_already_matches() {
    let mut world = World::settled();
    world.last_applied = None;
    untagged(&mut world.service().tags);
    let plan = world.plan();
    assert_eq!(shown(&plan), ["TagResource service adopt"]);
    assert_eq!(plan.steps[0].cause, Cause::Adopt);
    world.converge();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());

    // What differs in something that nobody owned waits for the policy to follow.
    let mut world = World::settled();
    world.last_applied = None;
    untagged(&mut world.service().tags);
    world.edit_service(|live| live["desiredCount"] = json!(3));
    assert_eq!(shown(&world.plan()), ["UpdateService service pending /desiredCount", "TagResource service adopt"]);
    world.desired.policy.follow = Mode::Report;
    assert_eq!(shown(&world.plan()), ["held ReportOnly service /desiredCount"]);
}

#[test]
fn tags_are_git_s_where_git_declares_them_and_other_people_s_where_it_never_did() {
    let rows: [Row<'_>; 7] = [
        ("somebody's own tag", |w| retag(w, "CostCentre", "7"), &[]),
        ("a declared tag was changed", |w| retag(w, "Team", "x"), &["TagResource service drift /tags/Team"]),
        (
            "a declared tag was taken away",
            |w| drop(w.service().tags.remove("Team")),
            &["TagResource service drift /tags/Team"],
        ),
        (
            "git took a tag away",
            |w| w.commit(Kind::Service, "service", |body| body["tags"] = json!([])),
            &["TagResource service adopt", "UntagResource service pending /tags/Team"],
        ),
        (
            "git has a new tag",
            |w| {
                w.commit(Kind::Service, "service", |body| {
                    body["tags"] = json!([{"key": "Team", "value": "learning"}, {"key": "Tier", "value": "1"}]);
                });
            },
            &["TagResource service pending /tags/Tier"],
        ),
        (
            "a target group's tag",
            |w| {
                let tags = w.group().tags.clone().map(|mut tags| {
                    tags.insert("Team".to_owned(), "x".to_owned());
                    tags
                });
                w.group().tags = tags;
            },
            &["AddTags backend drift /Tags/Team"],
        ),
        (
            "a tag of the revision that runs",
            |w| {
                w.commit(Kind::TaskDefinition, "task-definition", |body| {
                    body["tags"] = json!([{"key": "Team", "value": "other"}]);
                });
            },
            &["TagResource task-definition pending /tags/Team", "TagResource service adopt"],
        ),
    ];
    check_rows(&rows);
}

#[test]
fn all_that_is_made_carries_whose_it_is() {
    let mut world = World::new();
    while let Some(step) = world.step() {
        let input = step.call.input.to_string();
        let creates = matches!(
            step.call.operation,
            Operation::CreateService
                | Operation::CreateRule
                | Operation::CreateTargetGroup
                | Operation::RegisterTaskDefinition
        );
        for part in ["trueup:application", "trueup:environment", "trueup:instance", "trueup:document", "learning"] {
            let rule = step.call.operation == Operation::CreateRule;
            assert!(!creates || input.contains(part) || (rule && part == "learning"), "{part} in {:?}", step.call);
        }
    }
    let group = world.group().clone();
    assert_eq!(group.tags.present().expect("tags")["trueup:document"], "target-groups/backend");
    assert!(group.tags.present().expect("tags").contains_key("trueup:digest"));
}
