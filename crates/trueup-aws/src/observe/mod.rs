//! Observes one environment, with as few reads as it takes: one file per kind of resource, and what is read besides.
//!
//! A steady cycle of n services with one target group each makes at most ⌈n/10⌉ + ⌈n/100⌉ + 5 reads, as long as their
//! rules are on ⌈n/100⌉ listeners (a load balancer takes 100 rules): services ten a call, target groups 400 a call,
//! rules one call per listener, task definitions none, because they are remembered. The rest of that number goes
//! to attributes and tags ([`sweep`]); reads since the last observation (lookups, the account) count too.

mod inventory;
mod listener_rule;
mod pages;
mod parts;
mod scaling;
mod service;
mod service_deployments;
mod sweep;
pub(crate) mod target_group;
mod task_definition;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use trueup_core::digest::Digest;
use trueup_core::live::{Live, Observed, ReadFailure};
use trueup_core::names::{Arn, ServiceId};
use trueup_ports::ObserveRequest;

use self::parts::Parts;
use self::scaling::Scalable;
use self::service::{DescribedService, Services};
use self::service_deployments::ServiceDeployments;
use self::task_definition::TaskDefinitions;
use crate::reading::at_once;
use crate::session::Session;

/// The tag that carries the digest of the document that a task definition revision was registered from.
const DIGEST_TAG: &str = "trueup:digest";

/// Observes one environment, and remembers what need not be read again.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    services: Services,
    task_definitions: TaskDefinitions,
    service_deployments: ServiceDeployments,
    scalable: Scalable,
    parts: Parts,
    /// The number of reads when the last observation ended.
    reads_before: AtomicU64,
}

impl Observer {
    /// Observes everything that is requested.
    pub(crate) async fn observe(&self, session: &Session, request: &ObserveRequest) -> Live {
        // All members are named: a new one is either read below or excused here.
        let ObserveRequest {
            services,
            families,
            target_groups,
            listeners,
            scaling,
            refresh,
            service_deployments: recorded,
            inventory,
            priority: _,
        } = request;
        for resource in refresh {
            self.task_definitions.forget(resource);
        }
        let (tasks, record, mut groups, (rules, unlisted), autoscaled) = futures::join!(
            self.services_and_task_definitions(session, services, families),
            service_deployments::read(session, &self.service_deployments, &self.task_definitions, recorded),
            target_group::find(session, target_groups, inventory.is_some()),
            rules(session, listeners, inventory.is_some()),
            scaling::autoscaled(session, &self.scalable, scaling, refresh),
        );

        let mut keys = target_group::keys(&groups);
        keys.extend(listener_rule::keys(&rules));
        if inventory.is_some() {
            keys.extend(target_group::keys_of_all(&groups));
        }
        // Another observation may have ended in between.
        let reads = session.caller.reads().saturating_sub(self.reads_before.load(Ordering::Relaxed));
        let budget = reads_max(services.len().max(target_groups.len())).saturating_sub(reads).max(1);
        let budget = usize::try_from(budget).unwrap_or(usize::MAX);
        let batches = self.parts.sweep().begin(&keys, refresh, budget);
        parts::read_batches(session, &self.parts, batches).await;

        let mut live = Live {
            target_groups: target_group::live(&self.parts, std::mem::take(&mut groups.wanted)),
            rules: listener_rule::live(&self.parts, rules),
            autoscaled,
            ..tasks
        };
        live.service_deployments = record.services;
        live.task_definitions.extend(record.task_definitions);
        if let Some((instance, clusters)) = inventory {
            let (services, parts) = (&self.services, &self.parts);
            let sources = inventory::Sources { session, services, parts, instance, clusters };
            live.inventory = Some(match unlisted {
                Some(failure) => Observed::Unknown(failure),
                None => inventory::inventory(&sources, &groups, &live).await,
            });
        }
        self.reads_before.store(session.caller.reads(), Ordering::Relaxed);
        live
    }

    /// Has everything of a resource read again, next time.
    pub(crate) fn forget(&self, resource: &str) {
        self.task_definitions.forget(resource);
        self.parts.sweep().forget(resource);
    }

    async fn services_and_task_definitions(
        &self,
        session: &Session,
        services: &BTreeSet<ServiceId>,
        families: &BTreeMap<String, Digest>,
    ) -> Live {
        let services = service::describe(session, &self.services, services).await;
        let named: BTreeSet<String> = services
            .values()
            .filter_map(Observed::present)
            .flat_map(|described| described.task_definitions.iter().cloned())
            .collect();
        let described = at_once(named.into_iter().map(|text| async move {
            let described = task_definition::describe(session, &self.task_definitions, &text).await;
            (text, described)
        }))
        .await;
        let mut by_arn = BTreeMap::new();
        for (text, described) in described {
            // A caller may look a revision up by the text that the service shows, or by its ARN.
            if !text.starts_with("arn:")
                && let Some(arn) = described.present().and_then(task_definition::arn)
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
        let families = at_once(families.iter().filter(|(family, digest)| !is_running(family, digest)).map(
            |(family, _)| async move {
                (family.clone(), task_definition::newest(session, &self.task_definitions, family).await)
            },
        ))
        .await
        .into_iter()
        .collect();
        let services = services.into_iter().map(|(id, described)| (id, described.map(|d| d.service))).collect();
        Live { services, task_definitions: by_arn, families, ..Live::default() }
    }
}

/// The rules of the requested listeners; for an inventory, of all listeners: once nothing in git refers to a
/// listener any more, only listing finds what is left on it. With the failure, if those could not be listed.
async fn rules(
    session: &Session,
    requested: &BTreeSet<Arn>,
    lists_all: bool,
) -> (BTreeMap<Arn, Observed<Vec<Value>>>, Option<ReadFailure>) {
    let mut listeners = requested.clone();
    let mut unlisted = None;
    if lists_all {
        match listener_rule::listeners(session).await {
            Ok(listed) => listeners.extend(listed),
            Err(failure) => unlisted = Some(failure),
        }
    }
    (listener_rule::rules(session, &listeners).await, unlisted)
}

/// How many reads a steady cycle may make for this many services or target groups: the bound that the design promises.
fn reads_max(resources: usize) -> u64 {
    (resources.div_ceil(10) + resources.div_ceil(100) + 5) as u64
}

/// The task definitions that services are asked to run, by family.
fn running(services: &BTreeMap<ServiceId, Observed<DescribedService>>) -> BTreeMap<&str, Vec<&str>> {
    let mut running: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in
        services.values().filter_map(Observed::present).filter_map(|described| described.task_definitions.first())
    {
        running.entry(task_definition::family(text)).or_default().push(text);
    }
    running
}
