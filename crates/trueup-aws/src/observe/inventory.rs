//! Everything that carries an installation's tag, found by listing, for pruning.
//!
//! All or nothing: when a part of it could not be read, the inventory is unknown. What is deleted because of an
//! inventory must be ours at that moment, so tags that say so are read afresh.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_core::kind::Kind;
use trueup_core::live::{Live, Observed, OwnedResource, ReadFailure, Tags};
use trueup_core::names::{Arn, InstanceName};

use super::load_balancing::{self, TargetGroups};
use super::services;
use super::sweep::{self, Key, Part};
use crate::cloud::AwsCloud;

/// The tag that says which installation owns a resource.
const INSTANCE_TAG: &str = "trueup:instance";

/// The target groups that nobody asked for by name: the sweep looks after their tags too.
pub(crate) fn keys(groups: &TargetGroups) -> BTreeSet<Key> {
    let all = groups.all.iter().flatten().flatten();
    all.filter_map(|group| load_balancing::arn(group, "TargetGroupArn"))
        .map(|arn| (Part::TargetGroupTags, arn.to_owned()))
        .collect()
}

/// Makes the inventory from what this observation has read already, and what is missing to it.
pub(crate) async fn inventory(
    cloud: &AwsCloud,
    instance: &InstanceName,
    clusters: &BTreeSet<String>,
    groups: &TargetGroups,
    live: &Live,
) -> Observed<Vec<OwnedResource>> {
    let owned = async {
        let mut owned = owned_services(cloud, instance, clusters, live).await?;
        let groups = groups.all.clone().unwrap_or(Ok(Vec::new()))?;
        owned.extend(
            owned_of(cloud, instance, Kind::TargetGroup, Part::TargetGroupTags, "TargetGroupArn", groups).await?,
        );
        let mut rules = Vec::new();
        for of_listener in live.rules.values() {
            match of_listener {
                Observed::Present(present) => rules.extend(present.iter().map(|rule| Value::clone(&rule.description))),
                Observed::Absent => {}
                Observed::Unknown(failure) => return Err(failure.clone()),
            }
        }
        owned.extend(owned_of(cloud, instance, Kind::ListenerRule, Part::RuleTags, "RuleArn", rules).await?);
        Ok(owned)
    };
    match owned.await {
        Ok(owned) => Observed::Present(owned),
        Err(failure) => Observed::Unknown(failure),
    }
}

async fn owned_services(
    cloud: &AwsCloud,
    instance: &InstanceName,
    clusters: &BTreeSet<String>,
    live: &Live,
) -> Result<Vec<OwnedResource>, ReadFailure> {
    let mut others = BTreeSet::new();
    for cluster in clusters {
        let listed = services::list(cloud, cluster).await?;
        others.extend(listed.into_iter().filter(|id| !live.services.contains_key(id)));
    }
    let others = services::describe(cloud, &others).await;
    let others: BTreeMap<_, _> = others.into_iter().map(|(id, other)| (id, other.map(|other| other.service))).collect();
    let mut owned = Vec::new();
    let observed = live.services.iter().filter(|(id, _)| clusters.contains(&id.cluster));
    for (_, service) in observed.chain(&others) {
        match service {
            Observed::Present(service) if is_owned(&service.tags, instance) => {
                let arn = service.description.get("serviceArn").and_then(Value::as_str).unwrap_or_default();
                owned.push(OwnedResource {
                    arn: Arn::new(arn),
                    kind: Kind::Service,
                    tags: service.tags.clone(),
                    description: Value::clone(&service.description),
                });
            }
            Observed::Present(_) | Observed::Absent => {}
            Observed::Unknown(failure) => return Err(failure.clone()),
        }
    }
    Ok(owned)
}

async fn owned_of(
    cloud: &AwsCloud,
    instance: &InstanceName,
    kind: Kind,
    part: Part,
    member: &str,
    descriptions: Vec<Value>,
) -> Result<Vec<OwnedResource>, ReadFailure> {
    let mut candidates: BTreeMap<String, Value> = descriptions
        .into_iter()
        .filter_map(|description| Some((load_balancing::arn(&description, member)?.to_owned(), description)))
        .collect();
    let tags = |arn: &String| match cloud.sweep().get(&(part, arn.clone())) {
        Observed::Present(tags) => Ok(tags),
        Observed::Absent => Ok(Tags::new()),
        Observed::Unknown(failure) => Err(failure),
    };
    let mut remembered = Vec::new();
    for arn in candidates.keys() {
        if is_owned(&tags(arn)?, instance) && !cloud.sweep().is_fresh(&(part, arn.clone())) {
            remembered.push(arn.clone());
        }
    }
    load_balancing::read_batches(cloud, sweep::batches(part, &remembered)).await;
    let mut owned = Vec::new();
    while let Some((arn, description)) = candidates.pop_first() {
        let tags = tags(&arn)?;
        if is_owned(&tags, instance) {
            owned.push(OwnedResource { arn: Arn::new(arn), kind, tags, description });
        }
    }
    Ok(owned)
}

fn is_owned(tags: &Tags, instance: &InstanceName) -> bool {
    tags.get(INSTANCE_TAG).map(String::as_str) == Some(instance.as_str())
}
