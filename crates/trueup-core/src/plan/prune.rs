//! Pruning: what trueup made and git no longer has.
//!
//! Never because something is missing, unreadable or empty: only what carries our tags and a commit of this
//! repository, only while all of the environment's desired state is known, and only so many at a time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Awaited, Call, Cause, Held, Hold, Operation, Resource, Step, tags};
use crate::broken::{self, Broken};
use crate::desired::{DesiredApplication, Mode, Policy};
use crate::drift::{Change, Shown};
use crate::kind::Kind;
use crate::live::{Live, Observed, OwnedResource};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::pointer::Pointer;

/// All that pruning depends on.
#[derive(Clone, Copy, Debug)]
pub struct PruneInput<'a> {
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// This installation.
    pub instance: &'a InstanceName,
    /// Every application that git has in this environment.
    pub desired: &'a [&'a DesiredApplication],
    /// Whether `desired` is complete: the configuration and every application of the environment loaded from the
    /// newest commit, and all references resolved. Otherwise nothing is pruned.
    pub complete: bool,
    /// The policy for applications that git no longer has: the one of `trueup.toml`.
    pub policy: &'a Policy,
    /// The commits among the resources' tags that are this repository's.
    pub known: &'a BTreeSet<Revision>,
    /// What AWS has, with the inventory.
    pub live: &'a Live,
}

/// What is to be pruned of one application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prune {
    /// What will be deleted, in this order: services, rules, target groups.
    pub steps: Vec<Step>,
    /// What is not, and why.
    pub held: Vec<Held>,
}

/// Works out what is to be deleted, by the application that once had it.
///
/// Pure, total and deterministic, as [`super::plan()`]. Task definition revisions are never deleted: what ran before
/// may be needed to go back to.
pub fn plan_prune(input: &PruneInput<'_>) -> BTreeMap<ApplicationName, Prune> {
    let Some(Observed::Present(inventory)) = &input.live.inventory else { return BTreeMap::new() };
    if !input.complete || input.desired.is_empty() {
        return BTreeMap::new();
    }
    let is_missing = |desired: &DesiredApplication| {
        desired.service_id().is_some_and(|id| matches!(input.live.services.get(&id), Some(Observed::Absent)))
    };
    let there = input.desired.iter().filter(|desired| !(broken::is(Broken::MissingIsDeleted) && is_missing(desired)));
    let wanted = Wanted::of(&there.copied().collect::<Vec<_>>());
    let mut candidates: Vec<&OwnedResource> =
        inventory.iter().filter(|resource| is_ours(input, resource) && !wanted.has(resource)).collect();
    candidates.sort_by(|a, b| (rank(a.kind), &a.arn).cmp(&(rank(b.kind), &b.arn)));
    // One mark on any of its resources suspends the whole application.
    let suspended: BTreeMap<&str, &str> = inventory
        .iter()
        .filter(|resource| is_ours(input, resource))
        .filter_map(|resource| Some((tag(resource, tags::APPLICATION), resource.tags.get(tags::SUSPENDED)?.as_str())))
        .collect();
    let mut prunes: BTreeMap<ApplicationName, Prune> = BTreeMap::new();
    let mut batch: Vec<(ApplicationName, &OwnedResource, u32)> = Vec::new();
    for resource in candidates {
        let application = ApplicationName::new(tag(resource, tags::APPLICATION));
        let policy = input.desired.iter().find(|d| tags::legal(d.name.as_str()) == application.as_str());
        let policy = policy.map_or(input.policy, |desired| &desired.policy);
        if policy.prune == Mode::Off && !broken::is(Broken::DeletedUnasked) {
            continue;
        }
        let hold = suspended.get(application.as_str());
        let hold = hold.map(|note| Hold::Suspended { note: (*note).to_owned(), cause: Some(Cause::Prune) });
        let Some(hold) = hold.or_else(|| own_hold(input, resource, policy)) else {
            batch.push((application, resource, policy.prune_limit));
            continue;
        };
        prunes.entry(application).or_default().held.push(held(resource, hold));
    }
    // One commit's worth is all that the environment would lose: an application more must not slip through because
    // each application by itself is below the limit.
    let count = batch.len();
    let going: BTreeSet<&Arn> = batch.iter().map(|(_, resource, _)| &resource.arn).collect();
    for (application, resource, limit) in &batch {
        let prune = prunes.entry(application.clone()).or_default();
        let is_above = count > usize::try_from(*limit).unwrap_or(usize::MAX);
        if is_above && !broken::is(Broken::PruneLimitIgnored) {
            prune.held.push(held(resource, Hold::PruneLimit { count, limit: *limit }));
            continue;
        }
        match users(input, resource, inventory, &going) {
            Users::None => prune.steps.push(step(resource, Vec::new())),
            Users::Going(awaits) => prune.steps.push(step(resource, awaits)),
            Users::Staying(by) => prune.held.push(held(resource, Hold::TargetGroupInUse { by })),
        }
    }
    prunes
}

/// What git still has: by tag, and by what the resources are called in AWS. A resource whose tags tell an old tale is
/// still wanted when a document names it.
#[derive(Default)]
struct Wanted {
    documents: BTreeSet<(String, String)>,
    services: BTreeSet<(String, String)>,
    target_groups: BTreeSet<String>,
    rules: BTreeSet<(String, String)>,
}

impl Wanted {
    fn of(desired: &[&DesiredApplication]) -> Self {
        let mut wanted = Self::default();
        for application in desired {
            for document in &application.documents {
                let text = |name: &str| scalar(&document.body, name);
                let name = tags::document_tag(document.kind, &document.name);
                wanted.documents.insert((tags::legal(application.name.as_str()), name));
                match document.kind {
                    Kind::Service => {
                        wanted.services.insert((application.cluster.clone(), text("serviceName")));
                    }
                    Kind::TargetGroup => {
                        wanted.target_groups.insert(text("Name"));
                    }
                    Kind::ListenerRule => {
                        wanted.rules.insert((text("ListenerArn"), text("Priority")));
                    }
                    Kind::TaskDefinition => {}
                }
            }
        }
        wanted
    }

    fn has(&self, resource: &OwnedResource) -> bool {
        let document = (tag(resource, tags::APPLICATION).to_owned(), tag(resource, tags::DOCUMENT).to_owned());
        let by_name = match resource.kind {
            Kind::Service => service_name(resource).is_none_or(|name| self.services.contains(&name)),
            Kind::TargetGroup => self.target_groups.contains(&scalar(&resource.description, "TargetGroupName")),
            Kind::ListenerRule => {
                self.rules.contains(&(listener(&resource.arn), scalar(&resource.description, "Priority")))
            }
            Kind::TaskDefinition => true,
        };
        // The tag alone does not keep it: a target group whose document now has another name is the old one.
        by_name || (resource.kind == Kind::ListenerRule && self.documents.contains(&document))
    }
}

fn is_ours(input: &PruneInput<'_>, resource: &OwnedResource) -> bool {
    let is = |key, value: &str| resource.tags.get(key).is_some_and(|tag| *tag == tags::legal(value));
    is(tags::INSTANCE, input.instance.as_str())
        && is(tags::ENVIRONMENT, input.environment.as_str())
        && resource.tags.contains_key(tags::APPLICATION)
        && resource.tags.contains_key(tags::DOCUMENT)
}

/// Why a resource by itself is not deleted.
fn own_hold(input: &PruneInput<'_>, resource: &OwnedResource, policy: &Policy) -> Option<Hold> {
    if let Some(stack) = tags::stack(&resource.tags).filter(|_| !policy.manage_stack_resources) {
        return Some(Hold::OwnedByStack { stack: stack.clone() });
    }
    if resource.description.get("resourceManagementType").and_then(Value::as_str) == Some("ECS") {
        return Some(Hold::ManagedByEcs);
    }
    let revision = resource.tags.get(tags::REVISION).map(|revision| Revision::new(revision.as_str()));
    if revision.as_ref().is_none_or(|revision| !input.known.contains(revision)) {
        return Some(Hold::UnknownRevision { revision });
    }
    (policy.prune == Mode::Report).then_some(Hold::ReportOnly { cause: Cause::Prune })
}

/// Who uses a target group.
enum Users {
    None,
    /// Only what is deleted with it, and before it.
    Going(Vec<Awaited>),
    Staying(Vec<String>),
}

fn users(
    input: &PruneInput<'_>,
    resource: &OwnedResource,
    inventory: &[OwnedResource],
    going: &BTreeSet<&Arn>,
) -> Users {
    if resource.kind != Kind::TargetGroup {
        return Users::None;
    }
    let names_it = |description: &Value| mentions(description, resource.arn.as_str());
    let mut awaits = Vec::new();
    let mut by = BTreeSet::new();
    for other in inventory.iter().filter(|other| other.arn != resource.arn) {
        let draining = other.description.get("status").and_then(Value::as_str) == Some("DRAINING");
        if matches!(other.kind, Kind::Service | Kind::ListenerRule) && !draining && names_it(&other.description) {
            if going.contains(&other.arn) {
                awaits.push(Awaited::Deleted(other.arn.clone()));
            } else {
                by.insert(other.arn.to_string());
            }
        }
    }
    let services = input.live.services.values().filter_map(Observed::present).map(|s| (&s.description, "serviceArn"));
    let rules = input.live.rules.values().filter_map(Observed::present).flatten().map(|r| (&r.description, "RuleArn"));
    for (description, name) in services.chain(rules) {
        let arn = Arn::new(scalar(description, name));
        let draining = description.get("status").and_then(Value::as_str) == Some("DRAINING");
        if !draining && names_it(description) && !going.contains(&arn) {
            by.insert(arn.to_string());
        }
    }
    if by.is_empty() && awaits.is_empty() {
        // A rule or a default action that we do not know may still forward to it.
        let balancers = resource.description.get("LoadBalancerArns").and_then(Value::as_array);
        by.extend(balancers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    match (by.is_empty(), awaits.is_empty()) {
        (false, _) => Users::Staying(by.into_iter().collect()),
        (true, false) => Users::Going(awaits),
        (true, true) => Users::None,
    }
}

fn step(resource: &OwnedResource, awaits: Vec<Awaited>) -> Step {
    let (operation, request) = match resource.kind {
        Kind::Service => {
            let (cluster, name) = service_name(resource).unwrap_or_default();
            // `force` deletes a service that still runs tasks in one call. Scaling it down first would end as many
            // tasks, and leave a service at zero behind whenever we stop in between.
            (Operation::DeleteService, json!({"cluster": cluster, "service": name, "force": true}))
        }
        Kind::ListenerRule => (Operation::DeleteRule, json!({"RuleArn": resource.arn})),
        Kind::TargetGroup | Kind::TaskDefinition => {
            (Operation::DeleteTargetGroup, json!({"TargetGroupArn": resource.arn}))
        }
    };
    Step {
        resource: named(resource),
        cause: Cause::Prune,
        changes: gone(resource),
        drift: Vec::new(),
        awaits,
        call: Call::new(operation, request),
    }
}

fn held(resource: &OwnedResource, reason: Hold) -> Held {
    Held { resource: Some(named(resource)), changes: gone(resource), reason }
}

fn named(resource: &OwnedResource) -> Resource {
    let document = tag(resource, tags::DOCUMENT);
    let name = document.rsplit_once('/').map_or(document, |(_, name)| name).to_owned();
    Resource { kind: resource.kind, name, arn: Some(resource.arn.clone()) }
}

fn gone(resource: &OwnedResource) -> Vec<Change> {
    let path = Pointer::root();
    let live = Shown::at(&path, &Value::from(resource.arn.as_str()));
    vec![Change { path, live, desired: Shown::absent() }]
}

/// What sends to others goes last: services, rules, target groups.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Service => 0,
        Kind::ListenerRule => 1,
        Kind::TargetGroup => 2,
        Kind::TaskDefinition => 3,
    }
}

fn tag<'a>(resource: &'a OwnedResource, key: &str) -> &'a str {
    resource.tags.get(key).map_or("", String::as_str)
}

/// Cluster and name of a service, from its ARN; the older form of ARNs does not have the cluster.
fn service_name(resource: &OwnedResource) -> Option<(String, String)> {
    let (_, path) = resource.arn.as_str().split_once(":service/")?;
    if let Some((cluster, name)) = path.split_once('/') {
        return Some((cluster.to_owned(), name.to_owned()));
    }
    let cluster = resource.description.get("clusterArn")?.as_str()?;
    Some((cluster.rsplit('/').next()?.to_owned(), path.to_owned()))
}

/// The listener of a rule: `…:listener-rule/app/LB/ID/LISTENER/RULE` belongs to `…:listener/app/LB/ID/LISTENER`.
fn listener(rule: &Arn) -> String {
    let listener = rule.as_str().rsplit_once('/').map_or(rule.as_str(), |(listener, _)| listener);
    listener.replacen(":listener-rule/", ":listener/", 1)
}

fn scalar(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

/// Whether a string stands anywhere in a value.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
