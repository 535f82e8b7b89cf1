//! STS: who calls, and roles to assume. Any role can be assumed, unless the world says otherwise.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::invalid_action;
use crate::input::{invalid, number, text};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

pub(super) fn answer(world: &mut World, caller: &str, action: &str, input: &Value) -> Outcome {
    match action {
        "GetCallerIdentity" => Ok(json!({"UserId": user_id(caller), "Account": account(world, caller), "Arn": caller})),
        "AssumeRole" => assume(world, caller, input),
        _ => Err(invalid_action(action, "2011-06-15")),
    }
}

fn account(world: &World, arn: &str) -> String {
    arn.split(':').nth(4).filter(|account| !account.is_empty()).unwrap_or(&world.account).to_owned()
}

/// `AIDA…` for a user, `AROA…:session` for an assumed role; the same for the same ARN.
fn user_id(arn: &str) -> String {
    match arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split_once('/')) {
        Some((role, session)) => format!("{}:{session}", unique_id("AROA", role)),
        None => unique_id("AIDA", arn),
    }
}

/// An id of IAM, twenty-one characters, made of what it names.
fn unique_id(prefix: &str, name: &str) -> String {
    let mut chance = crate::chance::Stream::named(0, name);
    let letters = (0..17).map(|_| letter(chance.between(0, 32)));
    format!("{prefix}{}", letters.collect::<String>())
}

fn letter(index: u64) -> char {
    let index = usize::try_from(index).unwrap_or_default();
    char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[index % 32])
}

fn assume(world: &mut World, caller: &str, input: &Value) -> Outcome {
    let role = text(input, "RoleArn").ok_or_else(|| invalid("1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"))?;
    let session = text(input, "RoleSessionName").ok_or_else(|| invalid("1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null"))?;
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let (Some(account), Some(name)) = (parts.get(4), parts.get(5).and_then(|rest| rest.strip_prefix("role/"))) else {
        return Err(invalid(format!("{role} is invalid")));
    };
    if world.refused_roles.contains(role) {
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        return Err(ApiError { status: 403, ..ApiError::client("AccessDenied", message) });
    }
    // The path of a role is no part of its sessions' ARNs.
    let name = name.rsplit('/').next().unwrap_or(name);
    let seconds = number(input, "DurationSeconds")?.unwrap_or(3_600);
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member \
             must have value between 900 and 43200"
        )));
    }
    let expiration = world.now + Duration::from_secs(seconds);
    let chance = world.chance.of("sts: keys");
    let mut letters = |count: usize| (0..count).map(|_| letter(chance.between(0, 32))).collect::<String>();
    let credentials = json!({
        "AccessKeyId": format!("ASIA{}", letters(16)), "SecretAccessKey": letters(40), "SessionToken": letters(120),
        "Expiration": expiration.iso(),
    });
    Ok(json!({
        "Credentials": credentials,
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{}:{session}", unique_id("AROA", name)),
            "Arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        },
    }))
}
