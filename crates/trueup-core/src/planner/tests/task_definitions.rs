//! Task definitions.

use serde_json::{Value, json};

use super::{Row, World, check_rows, shown};
use crate::desired::{Ignore, Mode};
use crate::kind::Kind;
use crate::live::{FailureKind, LiveTaskDefinition, Observed, ReadFailure};
use crate::names::Arn;
use crate::planner::fixture::revision_arn;
use crate::pointer::Pointer;

fn image(world: &mut World, image: &str) {
    let image = json!(image);
    world.commit(Kind::TaskDefinition, "task-definition", |body| body["containerDefinitions"][0]["image"] = image);
}

fn running(world: &mut World) -> &mut LiveTaskDefinition {
    let found = world.live.task_definitions.values_mut().next().expect("a revision");
    let Observed::Present(running) = found else { panic!("it is not known") };
    running
}

#[test]
fn equal_content_is_never_registered_twice() {
    let rows: [Row<'_>; 6] = [
        (
            "new content",
            |w| image(w, "backend:2"),
            &[
                "RegisterTaskDefinition task-definition pending /containerDefinitions/backend/image",
                "UpdateService service pending /taskDefinition awaits task-definition",
            ],
        ),
        (
            "whatever AWS shows in the revision that carries the digest",
            |w| running(w).description["containerDefinitions"][0]["image"] = json!("strange"),
            &[],
        ),
        (
            "the digest is another and the content is equal",
            |w| {
                w.last_applied = None;
                running(w).tags.insert("trueup:digest".to_owned(), "of-an-older-trueup".to_owned());
            },
            &["TagResource task-definition adopt"],
        ),
        (
            "a crash between the registration and the update",
            |w| {
                image(w, "backend:2");
                w.step();
                w.memory = crate::plan::Memory::default();
            },
            &["UpdateService service pending /taskDefinition"],
        ),
        (
            "the family was not read",
            |w| {
                image(w, "backend:2");
                w.live.families.clear();
            },
            &["held NotObserved task-definition /containerDefinitions/backend/image"],
        ),
        (
            "the family could not be read",
            |w| {
                image(w, "backend:2");
                let failure = ReadFailure {
                    operation: "ecs:ListTaskDefinitions".to_owned(),
                    kind: FailureKind::Throttled,
                    message: "Rate exceeded".to_owned(),
                };
                w.live.families.insert("elearning".to_owned(), Observed::Unknown(failure));
            },
            &["held NotObserved task-definition /containerDefinitions/backend/image"],
        ),
    ];
    check_rows(&rows);
}

#[test]
fn a_revert_goes_back_to_the_revision_that_is_there() {
    let mut world = World::settled();
    let first = world.service().description["taskDefinition"].clone();
    image(&mut world, "backend:2");
    world.converge();
    world.last_applied = Some(world.desired.clone());
    image(&mut world, "backend:1");
    let plan = world.plan();
    assert_eq!(shown(&plan), ["UpdateService service pending /taskDefinition"]);
    assert_eq!(plan.steps[0].call.input["taskDefinition"], first);
    let mut reverted = World::settled();
    image(&mut reverted, "backend:2");
    reverted.converge();
    reverted.last_applied = Some(reverted.desired.clone());
    reverted.live.task_definitions.retain(|arn, _| first != arn.as_str());
    image(&mut reverted, "backend:1");
    let operations: Vec<&str> = reverted.converge().into_iter().map(crate::plan::Operation::as_str).collect();
    assert_eq!(operations, ["UpdateService", "TagResource"], "the family's listing is enough to go on");
    // One that is deregistered cannot be used again.
    if let Some(Observed::Present(revisions)) = world.live.families.get_mut("elearning") {
        for revision in revisions {
            revision.description["status"] = json!("INACTIVE");
        }
    }
    assert!(shown(&world.plan())[0].starts_with("RegisterTaskDefinition"));
}

#[test]
fn a_listing_that_does_not_show_our_registration_yet_leads_to_no_second_one() {
    let mut world = World::settled();
    let stale = world.live.families.clone();
    image(&mut world, "backend:2");
    let registered = world.step().expect("the registration");
    assert_eq!(registered.call.operation.as_str(), "RegisterTaskDefinition");
    world.live.families = stale;
    world.later(90);
    assert_eq!(shown(&world.plan()), ["UpdateService service pending /taskDefinition"]);
}

#[test]
fn a_registration_carries_the_author_s_document_and_the_live_value_of_what_is_masked() {
    let mut world = World::settled();
    let pointer = Pointer::parse("/containerDefinitions/backend/environment/LOG_LEVEL").expect("a pointer");
    world.desired.policy.ignore = vec![Ignore { kind: Kind::TaskDefinition, name: None, pointer }];
    // Somebody runs a revision of their own, with another log level and more memory.
    let mut own = running(&mut world).clone();
    own.description["taskDefinitionArn"] = json!(revision_arn(50));
    own.description["containerDefinitions"][0]["environment"][0]["value"] = json!("debug");
    own.description["memory"] = json!("2048");
    own.tags.clear();
    world.live.task_definitions.insert(Arn::new(revision_arn(50)), Observed::Present(own));
    world.edit_service(|live| live["taskDefinition"] = json!(revision_arn(50)));
    let plan = world.plan();
    assert_eq!(
        shown(&plan),
        [
            "RegisterTaskDefinition task-definition drift /memory",
            "UpdateService service drift /taskDefinition awaits task-definition",
        ]
    );
    let input = &plan.steps[0].call.input;
    assert_eq!(input["memory"], "1024");
    assert_eq!(input["containerDefinitions"][0]["environment"], json!([{"name": "LOG_LEVEL", "value": "debug"}]));
    world.converge();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
}

#[test]
fn a_registration_leaves_out_what_the_policy_only_reports() {
    let mut world = World::settled();
    let mut own = running(&mut world).clone();
    own.description["taskDefinitionArn"] = json!(revision_arn(50));
    own.description["memory"] = json!("2048");
    own.tags.clear();
    world.live.task_definitions.insert(Arn::new(revision_arn(50)), Observed::Present(own));
    world.edit_service(|live| live["taskDefinition"] = json!(revision_arn(50)));
    world.desired.policy.heal = Mode::Report;
    assert_eq!(shown(&world.plan()), ["held ReportOnly task-definition /memory"]);
    image(&mut world, "backend:2");
    let plan = world.plan();
    assert_eq!(plan.steps[0].call.input["memory"], "2048");
    assert_eq!(plan.steps[0].call.input["containerDefinitions"][0]["image"], "backend:2");
    // It stays drift, and stays reported: after this commit and after the next one.
    world.converge();
    world.later(3600);
    assert_eq!(shown(&world.plan()), ["held ReportOnly task-definition /memory"]);
    world.last_applied = Some(world.desired.clone());
    image(&mut world, "backend:3");
    assert_eq!(world.plan().steps[0].call.input["memory"], "2048");
}

#[test]
fn an_image_tag_that_moved_is_a_pending_change_although_no_commit_came() {
    let mut world = World::settled();
    world.desired.policy.heal = Mode::Report;
    let revision = world.desired.revision.clone();
    image(&mut world, "backend@sha256:2");
    world.desired.revision = revision;
    // The commit that was applied resolves to the new image as well, today.
    world.last_applied = Some(world.desired.clone());
    assert_eq!(
        shown(&world.plan()),
        [
            "RegisterTaskDefinition task-definition pending /containerDefinitions/backend/image",
            "UpdateService service pending /taskDefinition awaits task-definition",
        ]
    );
}

#[test]
fn the_author_s_json_goes_through_to_the_digit() {
    let mut world = World::settled();
    let exotic: Value =
        serde_json::from_str(r#"{"newMember": {"ratio": 1.10, "big": 12345678901234567890}}"#).expect("JSON");
    world.commit(Kind::TaskDefinition, "task-definition", |body| body["brandNew"] = exotic.clone());
    let plan = world.plan();
    assert_eq!(plan.steps[0].call.input["brandNew"].to_string(), exotic.to_string());
}

#[test]
fn without_a_service_the_newest_revision_counts() {
    let mut world = World::settled();
    world.remove(Kind::Service);
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
    image(&mut world, "backend:2");
    assert_eq!(
        shown(&world.plan()),
        ["RegisterTaskDefinition task-definition pending /containerDefinitions/backend/image"]
    );
    world.converge();
    assert_eq!(shown(&world.plan()), Vec::<String>::new());
}
