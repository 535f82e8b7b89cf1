//! Pruning: resources that trueup created and git no longer has.
//!
//! Never because something is missing, unreadable or empty: only resources with trueup's tags and a commit of this
//! repository, only while the environment's whole desired state is known, and only up to a limit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::broken::{self, Broken};
use crate::desired::{DesiredApplication, Document, Mode, Policy};
use crate::drift::{Change, Shown};
use crate::kind::Kind;
use crate::live::{Live, Observed, OwnedResource};
use crate::names::{ApplicationName, Arn, EnvironmentName, InstanceName, Revision};
use crate::plan::{Awaited, Call, Cause, Held, Hold, Resource, Step, tags};
use crate::pointer::Pointer;
use crate::resources::{self, Pruning};

/// The input of pruning.
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
    /// The commits in the resources' tags that this repository contains.
    pub known: &'a BTreeSet<Revision>,
    /// The live state, with the inventory.
    pub live: &'a Live,
}

/// The resources of one application to be pruned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prune {
    /// What will be deleted, in this order: services, rules, target groups.
    pub steps: Vec<Step>,
    /// The resources that are not pruned, with the reason.
    pub held: Vec<Held>,
}

/// Plans the deletions, by the application that once had the resources.
///
/// Pure, total and deterministic, as [`super::plan()`]. Task definition revisions are never deleted: an earlier
/// revision may be needed for a rollback.
pub fn plan_prune(input: &PruneInput<'_>) -> BTreeMap<ApplicationName, Prune> {
    let Some(Observed::Present(inventory)) = &input.live.inventory else { return BTreeMap::new() };
    if !input.complete || input.desired.is_empty() {
        return BTreeMap::new();
    }
    // One mark on any of its resources suspends the whole application.
    let suspended: BTreeMap<&str, &str> = inventory
        .iter()
        .filter(|resource| is_ours(input, resource))
        .filter_map(|resource| Some((tag(resource, tags::APPLICATION), resource.tags.get(tags::SUSPENDED)?.as_str())))
        .collect();
    let mut prunes: BTreeMap<ApplicationName, Prune> = BTreeMap::new();
    let mut batch: Vec<(ApplicationName, Removal<'_>, u32)> = Vec::new();
    for candidate in candidates(input, inventory) {
        let resource = candidate.resource;
        let application = ApplicationName::new(tag(resource, tags::APPLICATION));
        let policy = input.desired.iter().find(|d| tags::legal(d.name.as_str()) == application.as_str());
        let policy = policy.map_or(input.policy, |desired| &desired.policy);
        if policy.prune == Mode::Off && !broken::is(Broken::DeletedUnasked) {
            continue;
        }
        let hold = suspended.get(application.as_str());
        let hold = hold.map(|note| Hold::Suspended { note: (*note).to_owned(), cause: Some(Cause::Prune) });
        let Some(hold) = hold.or_else(|| own_hold(input, resource, policy)) else {
            batch.push((application, candidate, policy.prune_limit));
            continue;
        };
        prunes.entry(application).or_default().held.push(held(resource, hold));
    }
    // The limit applies to the whole environment: applications must not exceed it together while each is below it.
    let count = batch.len();
    let going: BTreeSet<&Arn> = batch.iter().map(|(_, one, _)| &one.resource.arn).collect();
    for (application, candidate, limit) in &batch {
        let resource = candidate.resource;
        let prune = prunes.entry(application.clone()).or_default();
        let is_above = count > usize::try_from(*limit).unwrap_or(usize::MAX);
        if is_above && !broken::is(Broken::PruneLimitIgnored) {
            prune.held.push(held(resource, Hold::PruneLimit { count, limit: *limit }));
            continue;
        }
        match users(input, candidate, inventory, &going) {
            Users::None => prune.steps.push(step(candidate, Vec::new())),
            Users::Going(awaits) => prune.steps.push(step(candidate, awaits)),
            Users::Staying(by) => prune.held.push(held(resource, Hold::TargetGroupInUse { by })),
        }
    }
    prunes
}

/// The resources that git still has: by tag, and by name in AWS. A resource whose tags are out of date is still wanted
/// when a document names it.
struct InGit {
    documents: BTreeSet<(String, String)>,
    names: BTreeSet<(Kind, String)>,
}

impl InGit {
    fn of(desired: &[&DesiredApplication]) -> Self {
        let all =
            || desired.iter().flat_map(|application| application.documents.iter().map(move |d| (*application, d)));
        let document = |(application, document): (&DesiredApplication, &Document)| {
            (tags::legal(application.name.as_str()), tags::document_tag(document.kind, &document.name))
        };
        let name = |(application, document): (&DesiredApplication, &Document)| {
            let pruning = resources::pruning(document.kind)?;
            Some((document.kind, (pruning.name_in_git)(application, document)))
        };
        Self { documents: all().map(document).collect(), names: all().filter_map(name).collect() }
    }

    fn has(&self, resource: &OwnedResource, pruning: &Pruning) -> bool {
        let document = (tag(resource, tags::APPLICATION).to_owned(), tag(resource, tags::DOCUMENT).to_owned());
        let name = (pruning.name_in_aws)(resource);
        name.is_none_or(|name| self.names.contains(&(resource.kind, name)))
            || (pruning.kept_by_document && self.documents.contains(&document))
    }
}

/// A resource that git no longer has, and how its kind is deleted.
#[derive(Clone, Copy)]
struct Removal<'a> {
    resource: &'a OwnedResource,
    pruning: &'static Pruning,
    rank: u8,
}

/// The resources that git no longer has, in the order of deletion.
fn candidates<'a>(input: &PruneInput<'a>, inventory: &'a [OwnedResource]) -> Vec<Removal<'a>> {
    let is_missing = |desired: &DesiredApplication| {
        desired.service_id().is_some_and(|id| matches!(input.live.services.get(&id), Some(Observed::Absent)))
    };
    let there = input.desired.iter().filter(|desired| !(broken::is(Broken::MissingIsDeleted) && is_missing(desired)));
    let in_git = InGit::of(&there.copied().collect::<Vec<_>>());
    let candidate = |resource: &'a OwnedResource| {
        // A kind that is never deleted has no rank.
        let rank = resource.kind.facts().order.deleted?;
        Some(Removal { resource, pruning: resources::pruning(resource.kind)?, rank })
    };
    let ours = inventory.iter().filter(|resource| is_ours(input, resource));
    let mut candidates: Vec<_> =
        ours.filter_map(candidate).filter(|one| !in_git.has(one.resource, one.pruning)).collect();
    candidates.sort_by(|a, b| (a.rank, &a.resource.arn).cmp(&(b.rank, &b.resource.arn)));
    candidates
}

fn is_ours(input: &PruneInput<'_>, resource: &OwnedResource) -> bool {
    let is = |key, value: &str| resource.tags.get(key).is_some_and(|tag| *tag == tags::legal(value));
    is(tags::INSTANCE, input.instance.as_str())
        && is(tags::ENVIRONMENT, input.environment.as_str())
        && resource.tags.contains_key(tags::APPLICATION)
        && resource.tags.contains_key(tags::DOCUMENT)
}

/// A resource's own reason not to be deleted.
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

/// The users of a target group.
enum Users {
    None,
    /// Only resources that are deleted with it, and before it.
    Going(Vec<Awaited>),
    Staying(Vec<String>),
}

fn users(
    input: &PruneInput<'_>,
    candidate: &Removal<'_>,
    inventory: &[OwnedResource],
    going: &BTreeSet<&Arn>,
) -> Users {
    let resource = candidate.resource;
    if !candidate.pruning.waits_for_users {
        return Users::None;
    }
    let names_it = |description: &Value| mentions(description, resource.arn.as_str());
    let mut awaits = Vec::new();
    let mut by = BTreeSet::new();
    for other in inventory.iter().filter(|other| other.arn != resource.arn) {
        let draining = other.description.get("status").and_then(Value::as_str) == Some("DRAINING");
        if deleted_before(other.kind, candidate.rank) && !draining && names_it(&other.description) {
            if going.contains(&other.arn) {
                awaits.push(Awaited::Deleted(other.arn.clone()));
            } else {
                by.insert(other.arn.to_string());
            }
        }
    }
    let arn = |kind: Kind| kind.facts().described.arn;
    let (of_service, of_rule) = (arn(Kind::Service), arn(Kind::ListenerRule));
    let services = input.live.services.values().filter_map(Observed::present).map(|s| (&s.description, of_service));
    let rules = input.live.rules.values().filter_map(Observed::present).flatten().map(|r| (&r.description, of_rule));
    for (description, name) in services.chain(rules) {
        let arn = Arn::new(scalar(description, name));
        let draining = description.get("status").and_then(Value::as_str) == Some("DRAINING");
        if !draining && names_it(description) && !going.contains(&arn) {
            by.insert(arn.to_string());
        }
    }
    if by.is_empty() && awaits.is_empty() {
        // A rule or default action that was not observed may still forward to it.
        let balancers = resource.description.get("LoadBalancerArns").and_then(Value::as_array);
        by.extend(balancers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    match (by.is_empty(), awaits.is_empty()) {
        (false, _) => Users::Staying(by.into_iter().collect()),
        (true, false) => Users::Going(awaits),
        (true, true) => Users::None,
    }
}

/// Whether resources of a kind are deleted before those of a rank, because they may use them.
fn deleted_before(kind: Kind, rank: u8) -> bool {
    kind.facts().order.deleted.is_some_and(|other| other < rank)
}

fn step(candidate: &Removal<'_>, awaits: Vec<Awaited>) -> Step {
    Step {
        subject: named(candidate.resource).into(),
        cause: Cause::Prune,
        changes: gone(candidate.resource),
        drift: Vec::new(),
        awaits,
        call: Call::of((candidate.pruning.deletion)(candidate.resource)),
    }
}

fn held(resource: &OwnedResource, reason: Hold) -> Held {
    Held { subject: named(resource).into(), changes: gone(resource), reason }
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

fn tag<'a>(resource: &'a OwnedResource, key: &str) -> &'a str {
    resource.tags.get(key).map_or("", String::as_str)
}

fn scalar(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

/// Whether a value contains a string, at any depth.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
