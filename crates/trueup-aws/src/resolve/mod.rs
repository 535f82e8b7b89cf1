//! Resolves references to things outside the repository, each kind in as few calls as it takes.
//!
//! Values that were found are remembered for a while; what was not found or could not be read is asked for again.

mod found;
mod images;
mod load_balancing;
mod parameters;
mod stacks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;
use trueup_core::desired::Lookup;
use trueup_core::live::Observed;

use self::found::Found;
use crate::session::Session;

/// How long an image's digest is believed: a `latest` that moved must be noticed within a cycle or two.
const IMAGE_BELIEVED: Duration = Duration::from_mins(1);

/// How long stacks, listeners, secrets and parameters are believed. Their ARNs hardly ever change.
const OTHERS_BELIEVED: Duration = Duration::from_mins(5);

/// How many groups of lookups are under way at once.
const GROUPS_AT_ONCE: usize = 8;

/// Lookups that were found, and when.
#[derive(Debug, Default)]
pub(crate) struct Lookups(Mutex<BTreeMap<Lookup, (String, Instant)>>);

impl Lookups {
    fn recall(&self, lookup: &Lookup) -> Option<String> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, at) = found.get(lookup)?;
        (at.elapsed() < believed(lookup)).then(|| value.clone())
    }

    fn remember(&self, found: &Found) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|lookup, (_, at)| at.elapsed() < believed(lookup));
        for (lookup, value) in found {
            match value {
                Observed::Present(value) if !believed(lookup).is_zero() => {
                    remembered.insert(lookup.clone(), (value.clone(), Instant::now()));
                }
                Observed::Present(_) | Observed::Absent | Observed::Unknown(_) => drop(remembered.remove(lookup)),
            }
        }
    }
}

/// How long a lookup is believed. Target groups are not at all: trueup itself makes and deletes them.
fn believed(lookup: &Lookup) -> Duration {
    match lookup {
        Lookup::Image { .. } => IMAGE_BELIEVED,
        Lookup::TargetGroup(_) => Duration::ZERO,
        Lookup::Listener { .. }
        | Lookup::Secret(_)
        | Lookup::Parameter(_)
        | Lookup::StackResource { .. }
        | Lookup::StackOutput { .. } => OTHERS_BELIEVED,
    }
}

/// Resolves lookups. All that were asked for are in the answer.
pub(crate) async fn resolve(
    session: &Session,
    remembered: &Lookups,
    lookups: &BTreeSet<Lookup>,
) -> BTreeMap<Lookup, Observed<String>> {
    let mut resolved = BTreeMap::new();
    let mut missing = Vec::new();
    for lookup in lookups {
        match remembered.recall(lookup) {
            Some(value) => drop(resolved.insert(lookup.clone(), Observed::Present(value))),
            None => missing.push(lookup),
        }
    }
    let found: Found = futures::stream::iter(groups(session, missing))
        .buffer_unordered(GROUPS_AT_ONCE)
        .collect::<Vec<Found>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    remembered.remember(&found);
    resolved.extend(found);
    resolved
}

/// What can be asked for together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    Repository(&'a str),
    TargetGroups,
    LoadBalancer(&'a str),
    Secret(&'a str),
    Parameters,
    Stack(&'a str),
}

fn groups<'a>(session: &'a Session, lookups: Vec<&'a Lookup>) -> Vec<BoxFuture<'a, Found>> {
    let mut groups: BTreeMap<Group<'a>, Vec<&'a Lookup>> = BTreeMap::new();
    for lookup in lookups {
        let group = match lookup {
            Lookup::Image { repository, .. } => Group::Repository(repository),
            Lookup::TargetGroup(_) => Group::TargetGroups,
            Lookup::Listener { load_balancer, .. } => Group::LoadBalancer(load_balancer),
            Lookup::Secret(name) => Group::Secret(name),
            Lookup::Parameter(_) => Group::Parameters,
            Lookup::StackResource { stack, .. } | Lookup::StackOutput { stack, .. } => Group::Stack(stack),
        };
        groups.entry(group).or_default().push(lookup);
    }
    groups
        .into_iter()
        .map(|(group, lookups)| -> BoxFuture<'a, Found> {
            match group {
                Group::Repository(repository) => Box::pin(images::resolve(session, repository, lookups)),
                Group::TargetGroups => Box::pin(load_balancing::target_groups(session, lookups)),
                Group::LoadBalancer(name) => Box::pin(load_balancing::listeners(session, name, lookups)),
                Group::Secret(name) => Box::pin(parameters::secret(session, name, lookups)),
                Group::Parameters => Box::pin(parameters::parameters(session, lookups)),
                Group::Stack(name) => Box::pin(stacks::resolve(session, name, lookups)),
            }
        })
        .collect()
}
