//! Everything that carries an installation's tag, found by listing, for pruning.
//!
//! All or nothing: when a part of it could not be read, the inventory is unknown. What is deleted because of an
//! inventory must be ours at that moment, so tags that say so are read afresh.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trueup_core::kind::Kind;
use trueup_core::live::{Live, Observed, OwnedResource, ReadFailure, Tags};
use trueup_core::names::{Arn, InstanceName};

use super::pages;
use super::parts::{self, Parts};
use super::service::{self, Services};
use super::sweep::{self, Part};
use super::target_group::TargetGroups;
use crate::session::Session;

/// The tag that says which installation owns a resource.
const INSTANCE_TAG: &str = "trueup:instance";

/// The sources of an inventory.
pub(crate) struct Sources<'a> {
    pub(crate) session: &'a Session,
    pub(crate) services: &'a Services,
    pub(crate) parts: &'a Parts,
    /// The installation whose resources are wanted.
    pub(crate) instance: &'a InstanceName,
    /// The clusters whose services are listed.
    pub(crate) clusters: &'a BTreeSet<String>,
}

/// Builds the inventory from this observation's reads, and reads the resources that are missing in them.
pub(crate) async fn inventory(
    sources: &Sources<'_>,
    groups: &TargetGroups,
    live: &Live,
) -> Observed<Vec<OwnedResource>> {
    let owned = async {
        let mut owned = owned_services(sources, live).await?;
        let groups = groups.all.clone().unwrap_or(Ok(Vec::new()))?;
        owned.extend(owned_of(sources, Kind::TargetGroup, Part::TargetGroupTags, groups).await?);
        let mut rules = Vec::new();
        for of_listener in live.rules.values() {
            match of_listener {
                Observed::Present(present) => rules.extend(present.iter().map(|rule| Value::clone(&rule.description))),
                Observed::Absent => {}
                Observed::Unknown(failure) => return Err(failure.clone()),
            }
        }
        owned.extend(owned_of(sources, Kind::ListenerRule, Part::RuleTags, rules).await?);
        Ok(owned)
    };
    match owned.await {
        Ok(owned) => Observed::Present(owned),
        Err(failure) => Observed::Unknown(failure),
    }
}

async fn owned_services(sources: &Sources<'_>, live: &Live) -> Result<Vec<OwnedResource>, ReadFailure> {
    let Sources { session, services, parts: _, instance, clusters } = sources;
    let mut others = BTreeSet::new();
    for cluster in *clusters {
        let listed = service::list(session, cluster).await?;
        others.extend(listed.into_iter().filter(|id| !live.services.contains_key(id)));
    }
    let others = service::describe(session, services, &others).await;
    let others: BTreeMap<_, _> = others.into_iter().map(|(id, other)| (id, other.map(|other| other.service))).collect();
    let mut owned = Vec::new();
    let observed = live.services.iter().filter(|(id, _)| clusters.contains(&id.cluster));
    for (_, service) in observed.chain(&others) {
        match service {
            Observed::Present(service) if is_owned(&service.tags, instance) => {
                let arn = pages::arn(&service.description, Kind::Service.facts().described.arn).unwrap_or_default();
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
    sources: &Sources<'_>,
    kind: Kind,
    part: Part,
    descriptions: Vec<Value>,
) -> Result<Vec<OwnedResource>, ReadFailure> {
    let Sources { session, services: _, parts, instance, clusters: _ } = sources;
    let member = kind.facts().described.arn;
    let mut candidates: BTreeMap<String, Value> = descriptions
        .into_iter()
        .filter_map(|description| Some((pages::arn(&description, member)?.to_owned(), description)))
        .collect();
    let tags = |arn: &String| match parts.sweep().get(&(part, arn.clone())) {
        Observed::Present(tags) => Ok(tags),
        Observed::Absent => Ok(Tags::new()),
        Observed::Unknown(failure) => Err(failure),
    };
    let mut remembered = Vec::new();
    for arn in candidates.keys() {
        if is_owned(&tags(arn)?, instance) && !parts.sweep().is_fresh(&(part, arn.clone())) {
            remembered.push(arn.clone());
        }
    }
    parts::read_batches(session, parts, sweep::batches(part, &remembered)).await;
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
