//! Resources and outputs of CloudFormation stacks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed, ReadFailure};

use super::found::{Found, all, present_or_absent, unknown};
use crate::api::operations::{DESCRIBE_STACKS, LIST_STACK_RESOURCES};
use crate::failure;
use crate::session::Session;

/// How many pages of a stack's resources are followed. A page has 100, a stack 500 at most.
const PAGES_MAX: usize = 10;

/// Resolves what is wanted of one stack: one call for its state and outputs, one more when resources are wanted.
pub(super) async fn resolve(session: &Session, stack: &str, lookups: Vec<&Lookup>) -> Found {
    let outputs = match outputs(session, stack).await {
        Observed::Present(outputs) => outputs,
        Observed::Absent => return all(lookups, &Observed::Absent),
        Observed::Unknown(failure) => return all(lookups, &Observed::Unknown(failure)),
    };
    let wants_resources = lookups.iter().any(|lookup| matches!(lookup, Lookup::StackResource { .. }));
    let resources = if wants_resources { resources(session, stack).await } else { Ok(BTreeMap::new()) };
    lookups
        .into_iter()
        .map(|lookup| {
            let value = match (lookup, &resources) {
                (Lookup::StackResource { .. }, Err(failure)) => Observed::Unknown(failure.clone()),
                (Lookup::StackResource { logical_id, .. }, Ok(resources)) => {
                    present_or_absent(resources.get(logical_id).map(String::as_str))
                }
                (Lookup::StackOutput { key, .. }, _) => present_or_absent(outputs.get(key).map(String::as_str)),
                (other, _) => unreachable!("{other:?} is not a stack's"),
            };
            (lookup.clone(), value)
        })
        .collect()
}

/// A stack's outputs, when it is in a state in which they can be relied on.
///
/// Source: CloudFormation API reference, `DescribeStacks`: a stack that does not exist is a `ValidationError`.
async fn outputs(session: &Session, stack: &str) -> Observed<BTreeMap<String, String>> {
    let answer = match session.api.read(&session.caller, &DESCRIBE_STACKS, &json!({"StackName": stack})).await {
        Ok(answer) => answer,
        Err(error) if error.code.as_deref() == Some("ValidationError") && error.message.contains("does not exist") => {
            return Observed::Absent;
        }
        Err(error) => return failure::unknown(error),
    };
    let Some(found) = list(&answer, "Stacks").next() else { return Observed::Absent };
    let status = text(found, "StackStatus").unwrap_or("without a status");
    match standing(status) {
        Standing::Settled => {}
        Standing::Gone => return Observed::Absent,
        Standing::Changing => {
            let message = format!("the stack `{stack}` is {status}: its values are read when that is over");
            return unknown(DESCRIBE_STACKS.action, FailureKind::Unavailable, message);
        }
        Standing::Broken => {
            let message =
                format!("the stack `{stack}` is {status}: its values cannot be relied on until it is repaired");
            return unknown(DESCRIBE_STACKS.action, FailureKind::Rejected, message);
        }
    }
    let outputs = list(found, "Outputs");
    let pairs = outputs.filter_map(|output| Some((text(output, "OutputKey")?, text(output, "OutputValue")?)));
    Observed::Present(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

async fn resources(session: &Session, stack: &str) -> Result<BTreeMap<String, String>, ReadFailure> {
    let mut input = json!({"StackName": stack});
    let mut resources = BTreeMap::new();
    for _ in 0..PAGES_MAX {
        let page =
            session.api.read(&session.caller, &LIST_STACK_RESOURCES, &input).await.map_err(failure::read_failure)?;
        for resource in list(&page, "StackResourceSummaries") {
            let is_deleted = text(resource, "ResourceStatus") == Some("DELETE_COMPLETE");
            if let (Some(logical), Some(physical), false) =
                (text(resource, "LogicalResourceId"), text(resource, "PhysicalResourceId"), is_deleted)
            {
                resources.insert(logical.to_owned(), physical.to_owned());
            }
        }
        match text(&page, "NextToken") {
            Some(next) => input["NextToken"] = Value::from(next),
            None => return Ok(resources),
        }
    }
    let message = format!("the stack `{stack}` has more than {PAGES_MAX} pages of resources");
    Err(ReadFailure { operation: LIST_STACK_RESOURCES.action.into(), kind: FailureKind::Rejected, message })
}

fn list<'a>(holder: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    holder.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(holder: &'a Value, member: &str) -> Option<&'a str> {
    holder.get(member)?.as_str()
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Settled,
    Changing,
    Broken,
    Gone,
}

/// Whether a stack's values can be relied on.
///
/// `…_COMPLETE_CLEANUP_IN_PROGRESS` counts as settled: only what the stack no longer has is still being deleted.
fn standing(status: &str) -> Standing {
    match status {
        "DELETE_COMPLETE" => Standing::Gone,
        _ if status.ends_with("_COMPLETE") || status.ends_with("_COMPLETE_CLEANUP_IN_PROGRESS") => Standing::Settled,
        _ if status.ends_with("_IN_PROGRESS") => Standing::Changing,
        _ => Standing::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, standing};

    #[test]
    fn values_are_read_of_settled_stacks_only() {
        for (status, expected) in [
            ("CREATE_COMPLETE", Standing::Settled),
            ("UPDATE_COMPLETE", Standing::Settled),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Standing::Settled),
            ("UPDATE_ROLLBACK_COMPLETE", Standing::Settled),
            ("IMPORT_COMPLETE", Standing::Settled),
            ("CREATE_IN_PROGRESS", Standing::Changing),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Standing::Changing),
            ("REVIEW_IN_PROGRESS", Standing::Changing),
            ("UPDATE_ROLLBACK_FAILED", Standing::Broken),
            ("CREATE_FAILED", Standing::Broken),
            ("DELETE_COMPLETE", Standing::Gone),
        ] {
            assert_eq!(standing(status), expected, "{status}");
        }
    }
}
