//! Task definitions: register, deregister, delete, describe, list.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::errors::{client, invalid};
use super::input::{Input, tag_list};
use super::paging::{self, Listing};
use super::{names, normalise, tags, task_definition_rules};
use crate::ecs::model::{TaskDefinition, TaskDefinitionStatus};
use crate::wire::Outcome;
use crate::world::World;

/// At most so many task definitions in one `DeleteTaskDefinitions`.
const DELETE_MAX: usize = 10;

/// What `DescribeTaskDefinition` says of what is not there.
const NOT_FOUND: &str = "Unable to describe task definition.";

/// `RegisterTaskDefinition`: always a new revision, also of an equal document.
pub(super) fn register(world: &mut World, caller: &str, input: &Input) -> Outcome {
    if input.0.get("tags").is_some() && input.list("tags").is_empty() {
        return Err(invalid("Tags can not be empty."));
    }
    let tags = tags::given(input)?;
    task_definition_rules::check(input)?;
    let family = input.required("family").to_owned();
    let revision = world.ecs.families.get(&family).map_or(0, |family| family.newest) + 1;
    let arn = world.arn("ecs", &format!("task-definition/{family}:{revision}"));
    let description = normalise::described(world, input, &arn, revision);
    let definition = TaskDefinition {
        arn,
        status: TaskDefinitionStatus::Active,
        description,
        tags,
        registered_at: world.now,
        registered_by: caller.to_owned(),
        deregistered_at: None,
    };
    let mut answer = json!({ "taskDefinition": view(&definition) });
    if !definition.tags.is_empty() {
        answer["tags"] = tag_list(&definition.tags);
    }
    let family = world.ecs.families.entry(family).or_default();
    family.newest = revision;
    family.revisions.insert(revision, definition);
    Ok(answer)
}

/// `DescribeTaskDefinition`: by ARN, `family:revision`, or `family` for the newest ACTIVE revision. Also INACTIVE ones.
pub(super) fn describe(world: &World, input: &Input) -> Outcome {
    let definition = names::task_definition(world, input.required("taskDefinition"), NOT_FOUND)?;
    let mut answer = json!({ "taskDefinition": view(definition) });
    if input.includes("include", "TAGS") {
        answer["tags"] = tag_list(&definition.tags);
    }
    Ok(answer)
}

/// `DeregisterTaskDefinition`: an ACTIVE revision becomes INACTIVE; an INACTIVE one stays INACTIVE.
pub(super) fn deregister(world: &mut World, input: &Input) -> Outcome {
    let reference = input.required("taskDefinition");
    let (family, revision) = names::family_and_revision(reference);
    let revision = revision.ok_or_else(|| client("Revision is missing."))??;
    let not_found = || {
        client("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
    };
    let now = world.now;
    let definition = world
        .ecs
        .families
        .get_mut(family)
        .and_then(|family| family.revisions.get_mut(&revision))
        .ok_or_else(not_found)?;
    if definition.status == TaskDefinitionStatus::Active {
        definition.status = TaskDefinitionStatus::Inactive;
        definition.deregistered_at = Some(now);
    }
    Ok(json!({ "taskDefinition": view(definition) }))
}

/// `DeleteTaskDefinitions`: only INACTIVE ones, the others are in `failures`.
pub(super) fn delete(world: &mut World, input: &Input) -> Outcome {
    let asked = input.texts("taskDefinitions");
    if asked.is_empty() || asked.len() > DELETE_MAX {
        return Err(invalid(format!("taskDefinitions must have between 1 and {DELETE_MAX} elements.")));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for reference in asked {
        let (family, revision) = names::family_and_revision(reference);
        let revision = revision.ok_or_else(|| client("Revision is missing."))??;
        let arn = world.arn("ecs", &format!("task-definition/{family}:{revision}"));
        let definition = world.ecs.families.get_mut(family).and_then(|family| family.revisions.get_mut(&revision));
        match definition {
            None => failures.push(json!({
                "arn": arn,
                "reason": "TASK_DEFINITION_NOT_FOUND",
                "detail": "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
            })),
            Some(definition) if definition.status == TaskDefinitionStatus::Active => failures.push(json!({
                "arn": arn,
                "reason": "TASK_DEFINITION_STILL_ACTIVE",
                "detail": "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            })),
            Some(definition) => {
                definition.status = TaskDefinitionStatus::DeleteInProgress;
                deleted.push(view(definition));
            }
        }
    }
    Ok(json!({ "taskDefinitions": deleted, "failures": failures }))
}

/// `ListTaskDefinitions`: by family (the whole name, in spite of `familyPrefix`) and revision number.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    let status = status(input.text("status"));
    let wanted = input.text("familyPrefix");
    let descending = input.text("sort") == Some("DESC");
    let mut items = Vec::new();
    for (name, family) in world.ecs.families.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)) {
        let revisions = family.revisions.iter().filter(|(_, definition)| definition.status == status);
        // Padded, so that revision 10 comes after 9; U+0020 sorts before every character that a family may have.
        items.extend(
            revisions.map(|(number, definition)| (format!("{name} {number:020}"), Value::from(definition.arn.clone()))),
        );
    }
    paging::page(world, input, Listing { name: "taskDefinitionArns", default: 100, descending }, items)
}

fn status(word: Option<&str>) -> TaskDefinitionStatus {
    match word {
        Some("INACTIVE") => TaskDefinitionStatus::Inactive,
        Some("DELETE_IN_PROGRESS") => TaskDefinitionStatus::DeleteInProgress,
        _ => TaskDefinitionStatus::Active,
    }
}

/// `ListTaskDefinitionFamilies`: families by the beginning of their name; ACTIVE means with an ACTIVE revision.
pub(super) fn list_families(world: &mut World, input: &Input) -> Outcome {
    let prefix = input.text("familyPrefix").unwrap_or_default();
    let wanted = input.text("status").unwrap_or("ACTIVE");
    let items: Vec<_> = world
        .ecs
        .families
        .iter()
        .filter(|(name, family)| {
            name.starts_with(prefix) && (wanted == "ALL" || (wanted == "ACTIVE") == has_active(&family.revisions))
        })
        .map(|(name, _)| (name.clone(), Value::from(name.clone())))
        .collect();
    paging::page(world, input, Listing { name: "families", default: 100, descending: false }, items)
}

fn has_active(revisions: &BTreeMap<u64, TaskDefinition>) -> bool {
    revisions.values().any(|definition| definition.status == TaskDefinitionStatus::Active)
}

/// `taskDefinition` as the API shows it.
fn view(definition: &TaskDefinition) -> Value {
    let mut view = definition.description.clone();
    let status = match definition.status {
        TaskDefinitionStatus::Active => "ACTIVE",
        TaskDefinitionStatus::Inactive => "INACTIVE",
        TaskDefinitionStatus::DeleteInProgress => "DELETE_IN_PROGRESS",
    };
    view.insert("status".to_owned(), Value::from(status));
    view.insert("registeredAt".to_owned(), definition.registered_at.epoch_seconds());
    view.insert("registeredBy".to_owned(), Value::from(definition.registered_by.clone()));
    if let Some(at) = definition.deregistered_at {
        view.insert("deregisteredAt".to_owned(), at.epoch_seconds());
    }
    Value::Object(view)
}
