//! Tags of clusters, services, task definitions and tasks.

use serde_json::{Value, json};

use super::errors::{cluster_not_found, invalid};
use super::input::{self, Input};
use super::names;
use crate::ecs::model::{ServiceStatus, Tags};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// At most so many tags on one resource.
const TAGS_MAX: usize = 50;

/// The `tags` of a request that makes something.
///
/// # Errors
/// `InvalidParameterException`.
pub(super) fn given(input: &Input) -> Result<Tags, ApiError> {
    match input.0.get("tags") {
        Some(Value::Array(tags)) => checked(tags),
        _ => Ok(Tags::new()),
    }
}

fn checked(tags: &[Value]) -> Result<Tags, ApiError> {
    let mut checked = Tags::new();
    for tag in tags {
        let (key, value) = (input::text(tag, "key"), input::text(tag, "value"));
        if key.is_empty() || key.chars().count() > 128 || !key.chars().all(is_legal) {
            return Err(invalid(
                "Invalid tag key. Tag keys must be between 1 and 128 letters, digits, spaces or _ . : / = + - @.",
            ));
        }
        if value.chars().count() > 256 || !value.chars().all(is_legal) {
            return Err(invalid(
                "Invalid tag value. Tag values must be at most 256 letters, digits, spaces or _ . : / = + - @.",
            ));
        }
        refuse_reserved(key)?;
        if checked.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!(
                "Duplicate tag keys found: {key}. Please note that tag keys are case insensitive."
            )));
        }
    }
    limited(checked.len())?;
    Ok(checked)
}

fn is_legal(character: char) -> bool {
    character.is_alphanumeric() || " _.:/=+-@".contains(character)
}

fn refuse_reserved(key: &str) -> Result<(), ApiError> {
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    Ok(())
}

fn limited(count: usize) -> Result<(), ApiError> {
    if count > TAGS_MAX { Err(invalid(format!("The maximum number of tags is {TAGS_MAX}."))) } else { Ok(()) }
}

/// `TagResource`: adds and replaces by key, takes nothing away.
pub(super) fn tag(world: &mut World, input: &Input) -> Outcome {
    let added = checked(input.list("tags"))?;
    let tags = of(world, input)?;
    // The tags that AWS itself set do not count.
    let own = tags.keys().chain(added.keys()).filter(|key| !key.starts_with("aws:"));
    limited(own.collect::<std::collections::BTreeSet<_>>().len())?;
    tags.extend(added);
    Ok(json!({}))
}

/// `UntagResource`: a key that is not there is no error.
pub(super) fn untag(world: &mut World, input: &Input) -> Outcome {
    for key in input.texts("tagKeys") {
        refuse_reserved(key)?;
    }
    let tags = of(world, input)?;
    for key in input.texts("tagKeys") {
        tags.remove(key);
    }
    Ok(json!({}))
}

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, input: &Input) -> Outcome {
    Ok(json!({ "tags": input::tag_list(of(world, input)?) }))
}

/// The tags of the resource that `resourceArn` names.
fn of<'a>(world: &'a mut World, input: &Input) -> Result<&'a mut Tags, ApiError> {
    let arn = input.required("resourceArn");
    let prefix = world.arn("ecs", "");
    let Some(resource) = arn.strip_prefix(&prefix) else {
        return Err(invalid(format!("Invalid identifier: {arn}")));
    };
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let not_found = || {
        ApiError::client(
            "ResourceNotFoundException",
            "The specified resource could not be found. Check the ARN and try again.",
        )
    };
    let ecs = &mut world.ecs;
    match kind {
        "cluster" => ecs
            .clusters
            .get_mut(name)
            .filter(|cluster| cluster.active)
            .map(|cluster| &mut cluster.tags)
            .ok_or_else(cluster_not_found),
        "service" => {
            let service = ecs.services.get_mut(&names::service_key("", arn));
            service
                .filter(|service| service.status != ServiceStatus::Inactive)
                .map(|service| &mut service.tags)
                .ok_or_else(not_found)
        }
        "task-definition" => {
            let (family, revision) = names::family_and_revision(arn);
            let revision = revision.ok_or_else(not_found)??;
            let definition = ecs.families.get_mut(family).and_then(|family| family.revisions.get_mut(&revision));
            definition.map(|definition| &mut definition.tags).ok_or_else(not_found)
        }
        "task" => ecs.tasks.get_mut(arn).map(|task| &mut task.tags).ok_or_else(not_found),
        _ => Err(invalid(format!("Invalid identifier: {arn}"))),
    }
}
