//! AddTags, RemoveTags, DescribeTags: on load balancers, listeners, rules and target groups.

use serde_json::{Value, json};

use super::errors::{listeners_not_found, load_balancer_not_found, rules_not_found, target_groups_not_found};
use crate::elb::model::{Elb, Tags};
use crate::input::{invalid, list, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Tags of a resource.
const TAGS_MAX: usize = 50;

/// Resources that one DescribeTags takes.
const RESOURCES_MAX: usize = 20;

/// The tags that an input brings.
///
/// # Errors
/// `DuplicateTagKeys`, `TooManyTags`, and `ValidationError` for a key that is AWS's own.
pub(super) fn given(input: &Value) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in list(input, "Tags").unwrap_or_default() {
        let key = text(tag, "Key").ok_or_else(|| invalid("A tag key must be specified"))?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("aws: prefixed tag key names are not allowed for external use"));
        }
        if tags.insert(key.to_owned(), text(tag, "Value").unwrap_or_default().to_owned()).is_some() {
            return Err(ApiError::client("DuplicateTagKeys", format!("Tag key was specified more than once: {key}")));
        }
    }
    check_number(&tags)?;
    Ok(tags)
}

fn check_number(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(ApiError::client("TooManyTags", "The maximum number of tags has been reached on the resource"))
}

/// `AddTags`: to all resources or, when one does not exist, to none.
pub(super) fn add(world: &mut World, input: &Value) -> Outcome {
    let new = given(input)?;
    let arns = resources(input)?;
    let mut changed = Vec::new();
    for arn in arns {
        let mut tags = tags_mut(&mut world.elb, arn)?.clone();
        tags.extend(new.clone());
        check_number(&tags)?;
        changed.push((arn, tags));
    }
    for (arn, tags) in changed {
        *tags_mut(&mut world.elb, arn)? = tags;
    }
    Ok(json!({}))
}

/// `RemoveTags`. A key that is not there is no error.
pub(super) fn remove(world: &mut World, input: &Value) -> Outcome {
    let keys = texts(input, "TagKeys");
    let arns = resources(input)?;
    for arn in &arns {
        tags_mut(&mut world.elb, arn)?;
    }
    for arn in arns {
        tags_mut(&mut world.elb, arn)?.retain(|key, _| !keys.contains(&key.as_str()));
    }
    Ok(json!({}))
}

/// `DescribeTags`, of at most twenty resources.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let arns = resources(input)?;
    if arns.len() > RESOURCES_MAX {
        return Err(invalid(format!("Up to '{RESOURCES_MAX}' resources can be described at a time")));
    }
    let mut descriptions = Vec::new();
    for arn in arns {
        let tags: Vec<Value> =
            tags_mut(&mut world.elb, arn)?.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        descriptions.push(json!({"ResourceArn": arn, "Tags": tags}));
    }
    Ok(json!({"TagDescriptions": descriptions}))
}

fn resources(input: &Value) -> Result<Vec<&str>, ApiError> {
    let arns = texts(input, "ResourceArns");
    if arns.is_empty() { Err(invalid("At least one resource ARN must be specified")) } else { Ok(arns) }
}

fn tags_mut<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.split('/').next() {
        Some("loadbalancer") => {
            elb.load_balancers.get_mut(arn).map(|found| &mut found.tags).ok_or_else(|| load_balancer_not_found(arn))
        }
        Some("listener") => elb.listeners.get_mut(arn).map(|found| &mut found.tags).ok_or_else(listeners_not_found),
        Some("listener-rule") => elb.rules.get_mut(arn).map(|found| &mut found.tags).ok_or_else(rules_not_found),
        Some("targetgroup") => {
            elb.target_groups.get_mut(arn).map(|found| &mut found.tags).ok_or_else(target_groups_not_found)
        }
        _ => Err(invalid(format!("'{arn}' is not a valid resource ARN"))),
    }
}
