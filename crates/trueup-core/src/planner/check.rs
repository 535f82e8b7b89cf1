//! Checks plans without sharing code with the planner: the properties that no plan may violate.
//!
//! Run in tests and before anything is applied. A violation is a defect of the planner; no part of a defective plan may
//! be applied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Prune;
use crate::kind::Kind;
use crate::live::Observed;
use crate::names::{ApplicationName, ServiceId};
use crate::operation::Operation;
use crate::plan::{Awaited, Cause, Hold, Input, Plan, Step};

/// The defects of a plan, one sentence each; empty for a sound one.
pub fn check(input: &Input<'_>, plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    twice(plan, &mut wrong);
    order(plan, &mut wrong);
    untouched(input, plan, &mut wrong);
    for step in &plan.steps {
        one_step(input, step, &mut wrong);
    }
    wrong
}

/// The defects of a prune; `instance` is this installation.
pub fn check_prune(instance: &str, limit: u32, prunes: &BTreeMap<ApplicationName, Prune>) -> Vec<String> {
    let mut wrong = Vec::new();
    let steps: Vec<&Step> = prunes.values().flat_map(|prune| &prune.steps).collect();
    if steps.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
        wrong.push(format!("{} deletions by `{instance}`, and {limit} are allowed", steps.len()));
    }
    for step in steps {
        if step.cause != Cause::Prune || !is_deletion(step.call.operation) {
            wrong.push(format!("pruning does {:?} because of {:?}", step.call.operation, step.cause));
        }
    }
    wrong
}

fn twice(plan: &Plan, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for step in &plan.steps {
        if !seen.insert((step.subject.kind(), step.subject.name(), step.call.operation)) {
            wrong.push(format!("{:?} twice on `{}`", step.call.operation, step.subject.name()));
        }
    }
}

fn order(plan: &Plan, wrong: &mut Vec<String>) {
    let mut registers = false;
    let mut before = 0;
    for step in &plan.steps {
        let awaits = step.awaits.iter().any(|awaited| matches!(awaited, Awaited::Created(Kind::TaskDefinition, _)));
        match step.call.operation {
            Operation::RegisterTaskDefinition => registers = true,
            Operation::CreateService | Operation::UpdateService if registers && !awaits => {
                wrong.push("the service does not await the task definition that is registered for it".to_owned());
            }
            Operation::CreateService
            | Operation::UpdateService
            | Operation::DeleteService
            | Operation::TagResource
            | Operation::UntagResource
            | Operation::CreateTargetGroup
            | Operation::ModifyTargetGroup
            | Operation::ModifyTargetGroupAttributes
            | Operation::DeleteTargetGroup
            | Operation::CreateRule
            | Operation::ModifyRule
            | Operation::SetRulePriorities
            | Operation::DeleteRule
            | Operation::AddTags
            | Operation::RemoveTags => {}
        }
        let Some(kind) = step.subject.kind() else { continue };
        let rank = kind.facts().order.created;
        if rank < before {
            wrong.push(format!("{:?} comes too late", step.call.operation));
        }
        before = rank;
    }
}

/// The resources that may not be written.
fn untouched(input: &Input<'_>, plan: &Plan, wrong: &mut Vec<String>) {
    let waits = !input.desired.unresolved.is_empty() || !input.waits_for.is_empty() || input.ahead.is_some();
    if waits && !plan.steps.is_empty() {
        wrong.push("steps although the application waits".to_owned());
    }
    for held in &plan.held {
        let foreign = matches!(
            held.reason,
            Hold::ForeignInstance { .. }
                | Hold::ForeignEnvironment { .. }
                | Hold::OwnedByStack { .. }
                | Hold::ManagedByEcs
                | Hold::ServiceDraining
        );
        if !foreign {
            continue;
        }
        for step in &plan.steps {
            if step.subject.is_same(&held.subject) {
                wrong.push(format!("{:?} on `{}`, which is held", step.call.operation, held.subject.name()));
            }
        }
    }
}

fn one_step(input: &Input<'_>, step: &Step, wrong: &mut Vec<String>) {
    let request = &step.call.input;
    let operation = step.call.operation;
    if is_deletion(operation) || step.cause == Cause::Prune {
        wrong.push(format!("{operation:?} outside pruning"));
    }
    if operation == Operation::UpdateService {
        let id = input.desired.service_id();
        let may_count = id.and_then(|id| input.live.autoscaled.get(&id)) == Some(&Observed::Absent);
        let declared = input.desired.single(Kind::Service).and_then(|service| service.body.get("desiredCount"));
        if request.get("desiredCount").is_some() && (declared.is_none() || !may_count) {
            wrong.push("UpdateService with a `desiredCount` that is not git's".to_owned());
        }
        // An operator's retry of a failed deployment is the only other reason.
        let again = step.changes.iter().any(|change| change.path.to_string() == "/forceNewDeployment");
        let forces = request.get("forceNewDeployment").is_some();
        if forces != (again || request.get("capacityProviderStrategy").is_some()) {
            wrong.push("a deployment is forced without a strategy, or a strategy sent without force".to_owned());
        }
    }
    let id = |member: &str| ServiceId {
        cluster: request["cluster"].as_str().unwrap_or_default().to_owned(),
        name: request[member].as_str().unwrap_or_default().to_owned(),
    };
    let is_absent = if operation == Operation::CreateService {
        matches!(input.live.services.get(&id("serviceName")), Some(Observed::Absent))
    } else if operation == Operation::CreateTargetGroup {
        let name = request["Name"].as_str().unwrap_or_default();
        matches!(input.live.target_groups.get(name), Some(Observed::Absent))
    } else {
        true
    };
    if !is_absent {
        wrong.push(format!("{operation:?} of something that is not known to be absent"));
    }
    if step.awaits.is_empty() {
        for document in &input.desired.documents {
            for (_, name) in &document.awaits {
                if request.to_string().contains(&format!("${{target_group.{name}}}")) {
                    wrong.push(format!("{operation:?} with the unresolved target group `{name}`"));
                }
            }
        }
    }
    tags(input, step, wrong);
}

fn tags(input: &Input<'_>, step: &Step, wrong: &mut Vec<String>) {
    let list = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| step.call.input.get(*name)).and_then(Value::as_array);
        found.map(Vec::as_slice).unwrap_or_default().to_vec()
    };
    for tag in list(["tags", "Tags"]) {
        let get = |names: [&str; 2]| names.iter().find_map(|name| tag.get(*name)).and_then(Value::as_str);
        let (key, value) = (get(["key", "Key"]).unwrap_or_default(), get(["value", "Value"]).unwrap_or_default());
        if key.starts_with("aws:") {
            wrong.push(format!("writes the tag `{key}`, which is AWS's"));
        }
        if key == "trueup:instance" && value != input.instance.as_str() {
            wrong.push(format!("claims something for the installation `{value}`"));
        }
    }
    for key in list(["tagKeys", "TagKeys"]) {
        let passing = ["trueup:failed", "trueup:retry"];
        let lasting = |key: &str| key.starts_with("aws:") || key.starts_with("trueup:") && !passing.contains(&key);
        if key.as_str().is_none_or(lasting) {
            wrong.push(format!("takes the tag {key} away"));
        }
    }
}

fn is_deletion(operation: Operation) -> bool {
    matches!(operation, Operation::DeleteService | Operation::DeleteRule | Operation::DeleteTargetGroup)
}
