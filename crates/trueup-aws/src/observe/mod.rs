//! Observes what is wanted of one environment, with as few reads as it takes.
//!
//! A steady cycle of n services with one target group each makes at most ⌈n/10⌉ + ⌈n/100⌉ + 5 reads, as long as their
//! rules stand on ⌈n/100⌉ listeners (a load balancer takes 100 rules): services ten a call, target groups 400 a call,
//! rules one call per listener, task definitions none, because they are remembered. What is left of that number goes
//! to attributes and tags ([`sweep`]); whatever was read since the last observation (lookups, the account) counts too.

pub(crate) mod inventory;
pub(crate) mod load_balancing;
pub(crate) mod scaling;
pub(crate) mod service_deployments;
pub(crate) mod services;
pub(crate) mod sweep;
pub(crate) mod task_definitions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use futures::StreamExt as _;
use serde_json::Value;
use trueup_core::digest::Digest;
use trueup_core::live::{FailureKind, Live, Observed, ReadFailure, Tags};
use trueup_core::names::{Arn, ServiceId};
use trueup_ports::ObserveRequest;

use self::services::Described;
use crate::cloud::AwsCloud;

/// How many calls of one kind are under way at once.
const CALLS_AT_ONCE: usize = 16;

/// The tag that carries the digest of the document that a task definition revision was registered from.
const DIGEST_TAG: &str = "trueup:digest";

/// Observes what is wanted.
pub(crate) async fn observe(cloud: &AwsCloud, wanted: &ObserveRequest) -> Live {
    for resource in &wanted.refresh {
        cloud.task_definitions.forget(resource);
    }
    let (tasks, record, mut groups, (rules, unlisted), autoscaled) = futures::join!(
        services_and_task_definitions(cloud, wanted),
        service_deployments::read(cloud, &wanted.service_deployments),
        load_balancing::target_groups(cloud, &wanted.target_groups, wanted.inventory.is_some()),
        rules(cloud, wanted),
        scaling::autoscaled(cloud, &wanted.scaling, &wanted.refresh),
    );

    let mut keys = load_balancing::keys(&groups, &rules);
    if wanted.inventory.is_some() {
        keys.extend(inventory::keys(&groups));
    }
    // Another observation may have ended in between.
    let reads = cloud.caller.reads().saturating_sub(cloud.reads_before.load(Ordering::Relaxed));
    let budget = reads_max(wanted).saturating_sub(reads).max(1);
    let batches = cloud.sweep().begin(&keys, &wanted.refresh, usize::try_from(budget).unwrap_or(usize::MAX));
    load_balancing::read_batches(cloud, batches).await;

    let mut live = Live {
        target_groups: load_balancing::live_target_groups(cloud, std::mem::take(&mut groups.wanted)),
        rules: load_balancing::live_rules(cloud, rules),
        autoscaled,
        ..tasks
    };
    live.service_deployments = record.services;
    live.task_definitions.extend(record.task_definitions);
    if let Some((instance, clusters)) = &wanted.inventory {
        live.inventory = Some(match unlisted {
            Some(failure) => Observed::Unknown(failure),
            None => inventory::inventory(cloud, instance, clusters, &groups, &live).await,
        });
    }
    cloud.reads_before.store(cloud.caller.reads(), Ordering::Relaxed);
    live
}

/// The rules of the listeners that are wanted; for an inventory, of all listeners: once nothing in git refers to a
/// listener any more, only listing finds what is left on it. And why those could not be listed, when they could not.
async fn rules(
    cloud: &AwsCloud,
    wanted: &ObserveRequest,
) -> (BTreeMap<Arn, Observed<Vec<Value>>>, Option<ReadFailure>) {
    let mut listeners = wanted.listeners.clone();
    let mut unlisted = None;
    if wanted.inventory.is_some() {
        match load_balancing::listeners(cloud).await {
            Ok(listed) => listeners.extend(listed),
            Err(failure) => unlisted = Some(failure),
        }
    }
    (load_balancing::rules(cloud, &listeners).await, unlisted)
}

impl AwsCloud {
    /// The sweep, for a moment. Never held while something is awaited.
    pub(crate) fn sweep(&self) -> MutexGuard<'_, sweep::Sweep> {
        self.sweep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many reads a steady cycle may make: what the design promises.
fn reads_max(wanted: &ObserveRequest) -> u64 {
    let resources = wanted.services.len().max(wanted.target_groups.len());
    (resources.div_ceil(10) + resources.div_ceil(100) + 5) as u64
}

async fn services_and_task_definitions(cloud: &AwsCloud, wanted: &ObserveRequest) -> Live {
    let services = services::describe(cloud, &wanted.services).await;
    let named: BTreeSet<String> = services
        .values()
        .filter_map(Observed::present)
        .flat_map(|described| described.task_definitions.iter().cloned())
        .collect();
    let described = at_once(named.into_iter().map(|text| async move {
        let described = task_definitions::describe(cloud, &text).await;
        (text, described)
    }))
    .await;
    let mut by_arn = BTreeMap::new();
    for (text, described) in described {
        // Whoever looks a revision up may have the text that the service shows, or its ARN.
        if !text.starts_with("arn:")
            && let Some(arn) = described.present().and_then(task_definitions::arn)
        {
            by_arn.insert(Arn::new(arn), described.clone());
        }
        by_arn.insert(Arn::new(text), described);
    }

    let carries = |text: &str, digest: &Digest| {
        let revision = by_arn.get(&Arn::new(text)).and_then(Observed::present);
        revision.and_then(|revision| revision.tags.get(DIGEST_TAG)).map(String::as_str) == Some(digest.as_str())
    };
    let running = running(&services);
    let is_running = |family: &str, digest: &Digest| {
        running.get(family).is_some_and(|revisions| revisions.iter().any(|text| carries(text, digest)))
    };
    let families = at_once(
        wanted
            .families
            .iter()
            .filter(|(family, digest)| !is_running(family, digest))
            .map(|(family, _)| async move { (family.clone(), task_definitions::newest(cloud, family).await) }),
    )
    .await
    .into_iter()
    .collect();
    let services = services.into_iter().map(|(id, described)| (id, described.map(|d| d.service))).collect();
    Live { services, task_definitions: by_arn, families, ..Live::default() }
}

/// The task definitions that services are asked to run, by family.
fn running(services: &BTreeMap<ServiceId, Observed<Described>>) -> BTreeMap<&str, Vec<&str>> {
    let mut running: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in
        services.values().filter_map(Observed::present).filter_map(|described| described.task_definitions.first())
    {
        running.entry(task_definitions::family(text)).or_default().push(text);
    }
    running
}

/// Makes calls, several at once. The outcomes come in no particular order.
pub(crate) fn at_once<F: Future>(calls: impl Iterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    // Collected here: a stream that maps as it goes would keep the closure, which no `Send` future can.
    let calls: Vec<F> = calls.collect();
    futures::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect()
}

/// Tags in the ECS spelling: `tags: [{key, value}]`.
fn json_tags(holder: &Value) -> Tags {
    holder.get("tags").and_then(Value::as_array).map(|tags| texts(tags, "key", "value")).unwrap_or_default()
}

/// A list of pairs as a map.
fn texts(pairs: &[Value], key: &str, value: &str) -> BTreeMap<String, String> {
    let text = |pair: &Value, name: &str| pair.get(name).and_then(Value::as_str).map(str::to_owned);
    pairs.iter().filter_map(|pair| Some((text(pair, key)?, text(pair, value).unwrap_or_default()))).collect()
}

pub(crate) fn take_array(answer: &mut Value, member: &str) -> Vec<Value> {
    answer.get_mut(member).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
}

/// An answer that is silent about what was asked for tells nothing about it.
fn not_mentioned<T>(operation: &str, what: &str) -> Observed<T> {
    Observed::Unknown(ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Unavailable,
        message: format!("the answer does not mention `{what}`"),
    })
}

fn rejected<T>(operation: &str, message: String) -> Observed<T> {
    Observed::Unknown(ReadFailure { operation: operation.to_owned(), kind: FailureKind::Rejected, message })
}

fn too_many_pages(operation: &str, pages: usize) -> ReadFailure {
    ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Rejected,
        message: format!("the list has more than {pages} pages"),
    }
}
