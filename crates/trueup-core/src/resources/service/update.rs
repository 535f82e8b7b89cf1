//! `UpdateService`: the members to send, those that it cannot change, and how it removes what git no longer has.

use serde_json::{Map, Value, json};

use super::plan::{FIRST_DESIRED_COUNT, PresentService};
use super::rollout::UNREGISTERED;
use crate::broken::{self, Broken};
use crate::desired::Document;
use crate::drift::{Change, Shown};
use crate::kind::Kind;
use crate::model::{Api, Model};
use crate::operation::Operation;
use crate::plan::builder::PlanBuilder;
use crate::plan::keep_live::keep_live;
use crate::plan::three_way::{is_declared, only, top};
use crate::plan::{Call, Cause, Hold};
use crate::pointer::Pointer;
use crate::resources::task_definition::registration;

impl PresentService<'_> {
    /// Plans `UpdateService`. Returns whether there is anything to update.
    ///
    /// `again`: the service was asked to run what git wants already, and it failed; an operator wants it deployed once
    /// more.
    pub(super) fn update(&mut self, again: bool, builder: &mut PlanBuilder) -> bool {
        let immutable = only(self.sorted.take(|change| is_immutable(top(&change.path))));
        let changes = self.sorted.take(|change| top(&change.path) != "tags");
        let effective = self.effective(&changes);
        let (sayable, unsayable): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|(_, change)| effective.get(top(&change.path)).is_some());
        let refused: Vec<Change> = immutable.into_iter().chain(only(unsayable)).collect();
        if !refused.is_empty() {
            self.complete = false;
            let fields = refused.iter().map(|change| top(&change.path).to_owned()).collect();
            builder.hold(&self.work.resource, refused, Hold::Immutable { kind: Kind::Service, fields });
        }
        let task_definition = self.task_definition.take();
        if sayable.is_empty() && task_definition.is_none() && !again {
            return false;
        }
        let mut awaits = if sayable.is_empty() { Vec::new() } else { self.work.awaits() };
        let mut input = self.request(&sayable, &effective);
        if let Some((_, change)) = &task_definition {
            let name = change.desired.to_json();
            if name == UNREGISTERED {
                awaits.push(registration());
            } else {
                input.insert("taskDefinition".to_owned(), name);
            }
        }
        let mut all: Vec<(Cause, Change)> = task_definition.into_iter().chain(sayable).collect();
        if again {
            let path = Pointer::from_iter(["forceNewDeployment"]);
            let desired = Shown::at(&path, &json!(true));
            all.push((Cause::Pending, Change { path, live: Shown::absent(), desired }));
            input.insert("forceNewDeployment".to_owned(), json!(true));
        }
        let call = Call::new(Operation::UpdateService, Value::Object(input));
        builder.sorted_step(&self.work.resource, all, call, awaits);
        true
    }

    /// The document to be sent: with live values where the policy keeps them, and with explicit defaults for fields
    /// that git no longer has.
    fn effective(&self, changes: &[(Cause, Change)]) -> Value {
        let live = Kind::Service.facts().described.as_request(&self.live.description);
        let mut effective = self.work.document.body.clone();
        for pointer in self.sorted.kept().chain(&self.context.ignore) {
            keep_live(Kind::Service, &mut effective, &live, pointer);
        }
        for (_, change) in changes {
            say_removal(&mut effective, self.work.document, change);
        }
        effective
    }

    /// The request with the members that change.
    fn request(&self, changes: &[(Cause, Change)], effective: &Value) -> Map<String, Value> {
        let (cluster, service) = (json!(self.id.cluster), json!(self.id.name));
        let mut input = Map::from_iter([("cluster".to_owned(), cluster), ("service".to_owned(), service)]);
        for (_, change) in changes {
            let name = top(&change.path);
            input.insert(name.to_owned(), effective.get(name).cloned().unwrap_or_default());
        }
        // AWS refuses another strategy otherwise: "you must force a new deployment". Tag options and ECS Exec also reach
        // running tasks by force alone, but they reach new ones by themselves and are not worth a deployment.
        if input.contains_key("capacityProviderStrategy") {
            input.insert("forceNewDeployment".to_owned(), json!(true));
        }
        if broken::is(Broken::CountAlwaysSent) {
            let declared = self.work.document.body.get("desiredCount").cloned();
            input.insert("desiredCount".to_owned(), declared.unwrap_or_else(|| json!(FIRST_DESIRED_COUNT)));
        }
        input
    }
}

/// Whether no call can change a member: `CreateService` has it and `UpdateService` does not.
///
/// `deploymentController` is newly accepted there; a change of it moves a service from one way of deploying to another,
/// which needs an operator.
fn is_immutable(name: &str) -> bool {
    let has = |operation| Model::aws().input(Api::Ecs, operation).members.contains_key(name);
    name == "deploymentController" || (name != "tags" && has("CreateService") && !has("UpdateService"))
}

/// Sends defaults for members that git no longer declares: `UpdateService` treats a missing member as unchanged.
fn say_removal(effective: &mut Value, document: &Document, change: &Change) {
    if is_declared(document, &change.path) {
        return;
    }
    // More may be gone than the member that differs: git may no longer declare the member around it.
    let outer = (1..=change.path.segments().len()).find_map(|length| {
        let path: Pointer = change.path.segments()[..length].iter().cloned().collect();
        let value = removal(&path).filter(|_| !is_declared(document, &path))?;
        Some((path, value))
    });
    let (path, value) = match outer {
        Some(outer) => outer,
        None if !change.desired.is_absent() => (change.path.clone(), change.desired.to_json()),
        None => return,
    };
    let mut place = effective;
    for segment in path.segments() {
        match place {
            Value::Object(members) => place = members.entry(segment.clone()).or_insert_with(|| json!({})),
            // A list is sent as a whole, so it already lacks what git lacks.
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        }
    }
    *place = value;
}

/// The value that removes a member. Source: ECS API reference, `UpdateService`, member by member.
fn removal(path: &Pointer) -> Option<Value> {
    let segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
    Some(match segments[..] {
        [
            "loadBalancers"
            | "serviceRegistries"
            | "placementConstraints"
            | "placementStrategy"
            | "capacityProviderStrategy"
            | "vpcLatticeConfigurations"
            | "volumeConfigurations",
        ]
        | ["deploymentConfiguration", "lifecycleHooks"]
        | ["networkConfiguration", "awsvpcConfiguration", "securityGroups"] => json!([]),
        ["serviceConnectConfiguration"] => json!({"enabled": false}),
        ["deploymentConfiguration", "deploymentCircuitBreaker"] => json!({"enable": false, "rollback": false}),
        ["deploymentConfiguration", "alarms"] => json!({"alarmNames": [], "enable": false, "rollback": false}),
        ["healthCheckGracePeriodSeconds"] => json!(0),
        ["enableExecuteCommand" | "enableECSManagedTags"]
        | ["deploymentConfiguration", "earlySuccessCriteria", "enable"] => json!(false),
        ["propagateTags"] => json!("NONE"),
        ["platformVersion"] => json!("LATEST"),
        ["networkConfiguration", "awsvpcConfiguration", "assignPublicIp"] => json!("DISABLED"),
        _ => return None,
    })
}
