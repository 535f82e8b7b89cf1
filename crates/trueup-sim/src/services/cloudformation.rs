//! CloudFormation: stacks with their outputs, exports and resources, to be read.

use serde_json::{Map, Value, json};

use super::common::{invalid_action, page};
use super::model::{Resource, Stack};
use crate::input::{invalid, text};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Resources or exports of a page.
const PAGE: usize = 100;

pub(super) fn answer(world: &mut World, action: &str, input: &Value) -> Outcome {
    match action {
        "DescribeStacks" => describe(world, input),
        "ListStackResources" => list_resources(world, input),
        "DescribeStackResources" => describe_resources(world, input),
        "ListExports" => Ok(exports(world, input)),
        _ => Err(invalid_action(action, "2010-05-15")),
    }
}

/// A stack by name or id, with its name.
fn find<'a>(world: &'a World, wanted: &str) -> Result<(&'a String, &'a Stack), ApiError> {
    let found = world
        .stacks
        .iter()
        .find(|(name, stack)| stack.id == wanted || (*name == wanted && stack.status != "DELETE_COMPLETE"));
    found.ok_or_else(|| invalid(format!("Stack with id {wanted} does not exist")))
}

fn describe(world: &World, input: &Value) -> Outcome {
    if let Some(wanted) = text(input, "StackName") {
        let (name, stack) = find(world, wanted)?;
        return Ok(json!({"Stacks": [shown(name, stack)]}));
    }
    let all = world.stacks.iter().filter(|(_, stack)| stack.status != "DELETE_COMPLETE");
    let all = all.map(|(name, stack)| (name.clone(), shown(name, stack))).collect();
    let (stacks, next) = page(all, text(input, "NextToken"), PAGE);
    Ok(with_next(json!({"Stacks": stacks}), next))
}

fn shown(name: &str, stack: &Stack) -> Value {
    let outputs: Vec<Value> = stack
        .outputs
        .iter()
        .map(|(key, output)| {
            let mut shown = json!({"OutputKey": key, "OutputValue": output.value});
            if let Some(export) = &output.export {
                shown["ExportName"] = json!(export);
            }
            shown
        })
        .collect();
    let tags: Vec<Value> = stack.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut shown = json!({
        "StackId": stack.id, "StackName": name, "CreationTime": stack.created_at.iso(), "StackStatus": stack.status,
        "DisableRollback": false, "EnableTerminationProtection": false,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"}, "NotificationARNs": [], "Outputs": outputs, "Tags": tags,
    });
    if let Some(reason) = &stack.status_reason {
        shown["StackStatusReason"] = json!(reason);
    }
    shown
}

fn list_resources(world: &World, input: &Value) -> Outcome {
    let wanted = text(input, "StackName").ok_or_else(|| invalid("Stack name must be specified"))?;
    let (_, stack) = find(world, wanted)?;
    let all =
        stack.resources.iter().map(|(id, found)| (id.clone(), resource(id, found, "LastUpdatedTimestamp", stack)));
    let (resources, next) = page(all.collect(), text(input, "NextToken"), PAGE);
    Ok(with_next(json!({"StackResourceSummaries": resources}), next))
}

fn describe_resources(world: &World, input: &Value) -> Outcome {
    let physical = text(input, "PhysicalResourceId");
    let (name, stack) = match (text(input, "StackName"), physical) {
        (Some(wanted), _) => find(world, wanted)?,
        (None, Some(physical)) => {
            let has = |stack: &Stack| stack.resources.values().any(|found| found.physical_id == physical);
            let found = world.stacks.iter().find(|(_, stack)| has(stack));
            found.ok_or_else(|| invalid(format!("Stack for {physical} does not exist")))?
        }
        (None, None) => return Err(invalid("Either StackName or PhysicalResourceId must be specified")),
    };
    let logical = text(input, "LogicalResourceId");
    let selected = stack.resources.iter().filter(|(id, _)| logical.is_none_or(|logical| logical == id.as_str()));
    // At most the first hundred: the action has no pages.
    let resources: Vec<Value> = selected
        .take(PAGE)
        .map(|(id, found)| {
            let mut shown = resource(id, found, "Timestamp", stack);
            shown["StackName"] = json!(name);
            shown["StackId"] = json!(stack.id);
            shown
        })
        .collect();
    Ok(json!({"StackResources": resources}))
}

fn resource(id: &str, found: &Resource, time: &str, stack: &Stack) -> Value {
    json!({
        "LogicalResourceId": id, "PhysicalResourceId": found.physical_id, "ResourceType": found.kind,
        "ResourceStatus": found.status, time: stack.created_at.iso(),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    })
}

fn exports(world: &World, input: &Value) -> Value {
    let mut all = Vec::new();
    for stack in world.stacks.values().filter(|stack| stack.status != "DELETE_COMPLETE") {
        for output in stack.outputs.values() {
            if let Some(name) = &output.export {
                let shown = json!({"ExportingStackId": stack.id, "Name": name, "Value": output.value});
                all.push((name.clone(), shown));
            }
        }
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    let (exports, next) = page(all, text(input, "NextToken"), PAGE);
    with_next(json!({"Exports": exports}), next)
}

fn with_next(mut answer: Value, next: Option<String>) -> Value {
    if let (Some(next), Some(members)) = (next, answer.as_object_mut().map(|members: &mut Map<String, Value>| members))
    {
        members.insert("NextToken".to_owned(), json!(next));
    }
    answer
}
