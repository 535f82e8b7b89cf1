//! Services: ten a call, each known, absent or unknown by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::iter;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use trueup_core::broken::{self, Broken};
use trueup_core::description::Description;
use trueup_core::live::{FailureKind, LiveService, Observed, ReadFailure};
use trueup_core::names::ServiceId;
use trueup_ports::{CallError, Effect};

use crate::answer::{self, DescribedServices};
use crate::ecs::{self, Read};
use crate::failure;
use crate::reading::{at_once, json_tags, not_mentioned, rejected, too_many_pages};
use crate::session::Session;

/// The call that most of this is about.
const OPERATION: &str = "ecs:DescribeServices";

/// How many services one `DescribeServices` takes. Source: ECS API reference, `DescribeServices`.
const SERVICES_MAX: usize = 10;

/// How many names one page of `ListServices` holds at most. Source: ECS API reference, `ListServices`.
const LISTED_MAX: usize = 100;

/// How many pages of `ListServices` are followed: twice AWS's quota of 5,000 services in a cluster.
const PAGES_MAX: usize = 100;

/// How many services are remembered: ECS allows 5,000 in a cluster.
const REMEMBERED_MAX: usize = 8_192;

/// A service, and the task definitions that it runs or was asked to run.
#[derive(Clone, Debug)]
pub(crate) struct DescribedService {
    pub(crate) service: LiveService,
    /// As the service names them: its own first, then its deployments'.
    pub(crate) task_definitions: Arc<[String]>,
}

/// The services that were described last, so that what did not change need not be read again.
#[derive(Debug, Default)]
pub(crate) struct Services(Mutex<BTreeMap<ServiceId, Known>>);

/// A service, and the text that it was read from.
#[derive(Clone, Debug)]
struct Known {
    /// A hash of the text, which is five times as long with all its events.
    hash: u64,
    described: DescribedService,
}

impl Services {
    /// Those of these services that are known.
    fn recall(&self, ids: &[&ServiceId]) -> Vec<(ServiceId, Known)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().filter_map(|&id| Some((id.clone(), known.get(id)?.clone()))).collect()
    }

    /// Remembers one, or that there is none.
    fn remember(&self, id: &ServiceId, now: Option<Known>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        match now {
            Some(now) => drop(known.insert(id.clone(), now)),
            None => drop(known.remove(id)),
        }
    }
}

/// Describes services. All that were asked for are in the answer.
pub(crate) async fn describe(
    session: &Session,
    known: &Services,
    ids: &BTreeSet<ServiceId>,
) -> BTreeMap<ServiceId, Observed<DescribedService>> {
    let mut clusters: BTreeMap<&str, Vec<&ServiceId>> = BTreeMap::new();
    for id in ids {
        clusters.entry(&id.cluster).or_default().push(id);
    }
    let batches = clusters.iter().flat_map(|(cluster, ids)| ids.chunks(SERVICES_MAX).map(move |ids| (*cluster, ids)));
    let described = at_once(batches.map(|(cluster, ids)| describe_batch(session, known, cluster, ids))).await;
    described.into_iter().flatten().collect()
}

/// The names of all services in a cluster that are not being deleted.
///
/// # Errors
/// When a page could not be read: a part of a list is no list.
pub(crate) async fn list(session: &Session, cluster: &str) -> Result<BTreeSet<ServiceId>, ReadFailure> {
    let mut names = BTreeSet::new();
    let mut input = json!({"cluster": cluster, "maxResults": LISTED_MAX});
    for _ in 0..PAGES_MAX {
        let answer =
            session.ecs.read(&session.caller, Read::ListServices, &input).await.map_err(failure::read_failure)?;
        let arns = answer.get("serviceArns").and_then(Value::as_array).into_iter().flatten();
        names.extend(
            arns.filter_map(Value::as_str)
                .map(|arn| ServiceId { cluster: cluster.to_owned(), name: last_segment(arn).to_owned() }),
        );
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(token) if !broken::is(Broken::FirstPageOnly) => input["nextToken"] = Value::from(token),
            Some(_) | None => return Ok(names),
        }
    }
    Err(too_many_pages("ecs:ListServices", PAGES_MAX))
}

async fn describe_batch(
    session: &Session,
    known: &Services,
    cluster: &str,
    ids: &[&ServiceId],
) -> Vec<(ServiceId, Observed<DescribedService>)> {
    let names: Vec<&str> = ids.iter().map(|id| id.name.as_str()).collect();
    let input = json!({"cluster": cluster, "services": names, "include": ["TAGS"]});
    let answer = session.ecs.read_body(&session.caller, Read::DescribeServices, &input).await;
    let found = answer.and_then(|body| read_answer(known, ids, &body));
    let mut found = match found {
        Ok(found) => found,
        Err(mut error) => {
            // A missing cluster is no missing service: creating one there would fail as well.
            if error.code.as_deref() == Some("ClusterNotFoundException") {
                error.message = format!("cluster `{cluster}` does not exist: {}", error.message);
            }
            let is_absent = broken::is(Broken::UnreadIsAbsent);
            let unknown: Observed<DescribedService> =
                if is_absent { Observed::Absent } else { failure::unknown(error) };
            return ids.iter().map(|&id| (id.clone(), unknown.clone())).collect();
        }
    };
    ids.iter()
        .map(|&id| {
            let absent = broken::is(Broken::FailuresIgnored).then_some(Observed::Absent);
            let service = found.remove(&id.name).or(absent);
            (id.clone(), service.unwrap_or_else(|| not_mentioned(OPERATION, &id.name)))
        })
        .collect()
}

/// What an answer says, by service name. Services whose text is the same as last time are not read again.
///
/// Source: ECS API reference, `DescribeServices`: `failures` with reason `MISSING` for services that do not exist.
fn read_answer(
    services: &Services,
    ids: &[&ServiceId],
    body: &[u8],
) -> Result<BTreeMap<String, Observed<DescribedService>>, CallError> {
    let answer: DescribedServices<'_> = ecs::parsed(OPERATION, body)?;
    let known = services.recall(ids);
    let mut found = BTreeMap::new();
    for failure in &answer.failures {
        let text = |name| failure.get(name).and_then(Value::as_str);
        let reason = text("reason").unwrap_or("without a reason");
        let observed = if reason == "MISSING" {
            Observed::Absent
        } else {
            let detail = text("detail").map(|detail| format!(": {detail}")).unwrap_or_default();
            rejected(OPERATION, format!("{reason}{detail}"))
        };
        found.insert(last_segment(text("arn").unwrap_or_default()).to_owned(), observed);
    }
    for text in answer.services {
        let hash = hash(text.get());
        if let Some((id, known)) = known.iter().find(|(_, known)| known.hash == hash) {
            found.insert(id.name.clone(), Observed::Present(known.described.clone()));
            continue;
        }
        let description = answer::service(text.get()).map_err(|error| {
            let message = format!("the answer is not a service: {error}");
            failure::failure(OPERATION, FailureKind::Unavailable, Effect::None, message)
        })?;
        let member = |name| description.get(name).and_then(Value::as_str);
        let Some(name) = member("serviceName").map(str::to_owned) else { continue };
        let described = (member("status") != Some("INACTIVE")).then(|| DescribedService::of(description));
        if let Some(id) = ids.iter().find(|id| id.name == name) {
            services.remember(id, described.clone().map(|described| Known { hash, described }));
        }
        found.insert(name, described.map_or(Observed::Absent, Observed::Present));
    }
    Ok(found)
}

impl DescribedService {
    fn of(description: Value) -> Self {
        let deployments = description.get("deployments").and_then(Value::as_array).into_iter().flatten();
        let holders = iter::once(&description).chain(deployments);
        let task_definitions =
            holders.filter_map(|holder| Some(holder.get("taskDefinition")?.as_str()?.to_owned())).collect();
        let service =
            LiveService { tags: json_tags(&description), description: Description::from(description).to_text() };
        Self { service, task_definitions }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
