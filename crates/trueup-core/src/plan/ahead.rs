//! Copies that are behind: AWS carries a commit that this process has not got.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::tags;
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, Observed, Tags};
use crate::names::{EnvironmentName, InstanceName, Revision};

/// A commit that another copy of this installation applied, and that is, or may be, newer than what this one would apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// The commit, as a tag in AWS has it.
    #[serde(rename = "commit")]
    pub revision: Revision,
    /// Whether git was asked since it was seen: then it is known to be newer, and this process lacks valid documents of
    /// it.
    pub answered: bool,
    /// Since when the repository cannot be asked; none when it could be the last time.
    pub unreachable_since: Option<Timestamp>,
}

/// The commits that this installation applied to what an application names, as far as AWS's tags tell: those on its
/// service and on the task definition revisions that the service runs, on its family's newest revision, on its target groups
/// and on its rules.
pub fn applied_revisions(desired: &DesiredApplication, live: &Live, instance: &InstanceName) -> BTreeSet<Revision> {
    let mut all: Vec<&Tags> = Vec::new();
    if let Some(service) = desired.service_id().and_then(|id| live.services.get(&id)?.present()) {
        all.push(&service.tags);
        let deployments = service.description.get("deployments").and_then(serde_json::Value::as_array);
        let runs = deployments.into_iter().flatten().filter_map(|deployment| deployment.get("taskDefinition"));
        let runs = runs.chain(service.description.get("taskDefinition")).filter_map(serde_json::Value::as_str);
        let found = runs.filter_map(|arn| live.task_definitions.get(&crate::names::Arn::new(arn))?.present());
        all.extend(found.map(|revision| &revision.tags));
    }
    let text = |body: &serde_json::Value, member: &str| body.get(member)?.as_str().map(str::to_owned);
    let family = desired.single(Kind::TaskDefinition).and_then(|document| text(&document.body, "family"));
    let newest = family.and_then(|family| live.families.get(&family)?.present()?.first());
    all.extend(newest.map(|revision| &revision.tags));
    for document in desired.of(Kind::TargetGroup) {
        let group = text(&document.body, "Name").and_then(|name| live.target_groups.get(&name)?.present());
        all.extend(group.and_then(|group| group.tags.present()));
    }
    // A rule has no name: only our tags tell that it is this application's.
    let listeners: BTreeSet<String> =
        desired.of(Kind::ListenerRule).filter_map(|document| text(&document.body, "ListenerArn")).collect();
    let rules = listeners.iter().filter_map(|arn| live.rules.get(&crate::names::Arn::new(arn)));
    let rules = rules.filter_map(Observed::present).flatten().filter_map(|rule| rule.tags.present());
    all.extend(rules.filter(|tags| is(tags, tags::APPLICATION, desired.name.as_str())));
    revisions(all, &desired.environment, instance)
}

/// The commits that this installation applied to anything that was observed of an environment, whichever application it
/// belongs to: a copy that lacks a commit of one application lacks it for all, also for one whose resources that commit
/// took away.
pub fn applied_revisions_of_environment(
    environment: &EnvironmentName,
    live: &Live,
    instance: &InstanceName,
) -> BTreeSet<Revision> {
    let services = live.services.values().filter_map(|service| Some(&service.present()?.tags));
    let families = live.families.values().filter_map(|family| Some(&family.present()?.first()?.tags));
    let groups = live.target_groups.values().filter_map(|group| group.present()?.tags.present());
    let rules = live.rules.values().filter_map(Observed::present).flatten().filter_map(|rule| rule.tags.present());
    revisions(services.chain(families).chain(groups).chain(rules).collect(), environment, instance)
}

/// Those in the tags that are this installation's, of this environment.
fn revisions(all: Vec<&Tags>, environment: &EnvironmentName, instance: &InstanceName) -> BTreeSet<Revision> {
    let ours =
        |tags: &&Tags| is(tags, tags::INSTANCE, instance.as_str()) && is(tags, tags::ENVIRONMENT, environment.as_str());
    all.into_iter().filter(ours).filter_map(|tags| tags.get(tags::REVISION)).map(Revision::new).collect()
}

fn is(tags: &Tags, key: &str, value: &str) -> bool {
    tags.get(key).is_some_and(|tag| *tag == tags::legal(value))
}
