//! Secrets Manager: which secrets there are. Values are not kept, so none can be shown.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::{page, page_size, unknown_operation};
use super::model::Secret;
use crate::chance::Stream;
use crate::input::{list, text, texts, truth};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "DescribeSecret" => describe(world, input),
        "ListSecrets" => list_all(world, input),
        _ => Err(unknown_operation(action)),
    }
}

/// A new secret; its ARN. One of that name that is there already stays.
pub fn create(world: &mut World, name: &str) -> String {
    if let Some(found) = world.secrets.get(name) {
        return found.arn.clone();
    }
    let id = world.chance.of("secrets: ids").hex(6);
    let arn = world.arn("secretsmanager", &format!("secret:{name}-{id}"));
    let secret = Secret { arn: arn.clone(), created_at: world.now, deleted_at: None };
    world.secrets.insert(name.to_owned(), secret);
    arn
}

/// Marks a secret for deletion.
pub fn delete(world: &mut World, name: &str) {
    let now = world.now;
    if let Some(secret) = world.secrets.get_mut(name) {
        secret.deleted_at.get_or_insert(now);
    }
}

/// By name, by ARN, or by an ARN without the random end.
fn describe(world: &World, input: &Value) -> Outcome {
    let id = text(input, "SecretId").ok_or_else(|| {
        ApiError::client("InvalidParameterException", "You must provide a value for the SecretId parameter.")
    })?;
    let found = world.secrets.iter().find(|(name, secret)| {
        let without_end = secret.arn.rsplit_once('-').map(|(arn, _)| arn);
        id == name.as_str() || id == secret.arn || Some(id) == without_end
    });
    let (name, secret) = found.ok_or_else(|| {
        ApiError::client("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    })?;
    let mut shown = shown(name, secret);
    shown["VersionIdsToStages"] = stages(secret);
    Ok(shown)
}

fn list_all(world: &World, input: &Value) -> Outcome {
    let with_deleted = truth(input, "IncludePlannedDeletion")?.unwrap_or(false);
    let filters = list(input, "Filters").unwrap_or_default();
    let selected = world.secrets.iter().filter(|(name, secret)| {
        let named = filters.iter().filter(|filter| text(filter, "Key") == Some("name"));
        (with_deleted || secret.deleted_at.is_none())
            && named.into_iter().all(|filter| texts(filter, "Values").iter().any(|value| name.starts_with(value)))
    });
    let all = selected.map(|(name, secret)| {
        let mut shown = shown(name, secret);
        shown["SecretVersionsToStages"] = stages(secret);
        (name.clone(), shown)
    });
    let all = all.collect();
    let (secrets, next) = page(all, text(input, "NextToken"), page_size(input, "MaxResults", 100)?);
    let mut answer = json!({"SecretList": secrets});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// The only version, whose id is a UUID made of the ARN: there is no value to derive it from, and none follows.
fn stages(secret: &Secret) -> Value {
    let mut chance = Stream::named(0, &secret.arn);
    let parts = [chance.hex(8), chance.hex(4), chance.hex(3), chance.hex(3), chance.hex(12)];
    let version = format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4]);
    json!({version: ["AWSCURRENT"]})
}

fn shown(name: &str, secret: &Secret) -> Value {
    let mut shown = json!({
        "ARN": secret.arn, "Name": name, "CreatedDate": secret.created_at.epoch_seconds(),
        "LastChangedDate": secret.created_at.epoch_seconds(),
    });
    if let Some(at) = secret.deleted_at {
        shown["DeletedDate"] = (at + Duration::from_hours(30 * 24)).epoch_seconds();
    }
    shown
}
