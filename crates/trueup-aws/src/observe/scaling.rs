//! Which services Application Auto Scaling governs: read in rotation, fifty services per call, and cached.
//!
//! A steady cycle makes one call, for the fifty services with the oldest answers. Services that were never read, or are
//! about to be written, are read at once. A failed read is cached for a minute, so that an endpoint without this API
//! does not slow down every cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::live::Observed;
use trueup_core::names::ServiceId;

use crate::api::operations::DESCRIBE_SCALABLE_TARGETS;
use crate::failure;
use crate::reading::{at_once, too_many_pages};
use crate::session::Session;

/// How many resource ids one call takes, and how many targets a page holds.
///
/// Source: Application Auto Scaling API reference, `DescribeScalableTargets`.
const IDS_MAX: usize = 50;

/// How many pages are followed: each of the ids has one target of this dimension at most.
const PAGES_MAX: usize = 4;

/// How long an answer is fresh: until then the rotation does not read it again.
const FRESH: Duration = Duration::from_mins(5);

/// How long after a failed read it is not retried.
const FAILED_FOR: Duration = Duration::from_mins(1);

/// Cached answers, by service.
#[derive(Debug, Default)]
pub(crate) struct Scalable(Mutex<BTreeMap<ServiceId, (Observed<()>, Instant)>>);

/// Whether an autoscaler governs each of these services. Every requested service is in the answer.
pub(crate) async fn autoscaled(
    session: &Session,
    scalable: &Scalable,
    services: &BTreeSet<ServiceId>,
    refresh: &BTreeSet<String>,
) -> BTreeMap<ServiceId, Observed<()>> {
    let asked = at_once(scalable.due(services, refresh).into_iter().map(|ids| describe(session, ids))).await;
    let mut remembered = scalable.0.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    remembered.extend(asked.into_iter().flatten().map(|(id, answer)| (id, (answer, now))));
    let answers = services.iter().filter_map(|id| Some((id.clone(), remembered.get(id)?.0.clone())));
    answers.collect()
}

impl Scalable {
    /// The calls to make, each with its services.
    fn due(&self, services: &BTreeSet<ServiceId>, refresh: &BTreeSet<String>) -> Vec<Vec<ServiceId>> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let must = |id: &&ServiceId| match remembered.get(id) {
            None => true,
            Some(_) if refresh.contains(&resource_id(id)) => true,
            Some((Observed::Unknown(_), at)) => at.elapsed() >= FAILED_FOR,
            Some((Observed::Present(()) | Observed::Absent, _)) => false,
        };
        let (mut due, others): (Vec<&ServiceId>, Vec<&ServiceId>) = services.iter().partition(must);
        let mut stale: Vec<(Instant, &ServiceId)> =
            others.into_iter().filter_map(|id| Some((remembered.get(id)?.1, id))).collect();
        stale
            .retain(|(at, id)| at.elapsed() >= FRESH && !matches!(remembered.get(id), Some((Observed::Unknown(_), _))));
        stale.sort_unstable();
        // What is stale fills up the last call, or has one of its own.
        let room = match due.len() % IDS_MAX {
            0 if due.is_empty() => IDS_MAX,
            0 => 0,
            used => IDS_MAX - used,
        };
        due.extend(stale.into_iter().take(room).map(|(_, id)| id));
        due.chunks(IDS_MAX).map(|ids| ids.iter().map(|&id| id.clone()).collect()).collect()
    }
}

async fn describe(session: &Session, ids: Vec<ServiceId>) -> Vec<(ServiceId, Observed<()>)> {
    let names: Vec<String> = ids.iter().map(resource_id).collect();
    let found = match targets(session, &names).await {
        Ok(found) => found,
        Err(unknown) => return ids.into_iter().map(|id| (id, unknown.clone())).collect(),
    };
    let is_found = |id: &ServiceId| found.contains(&resource_id(id)) && !broken::is(Broken::AutoscalerUnseen);
    let answer = |id: &ServiceId| if is_found(id) { Observed::Present(()) } else { Observed::Absent };
    ids.into_iter().map(|id| (id.clone(), answer(&id))).collect()
}

/// The resource ids of the scalable targets among `names`.
async fn targets(session: &Session, names: &[String]) -> Result<BTreeSet<String>, Observed<()>> {
    let mut input = json!({
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceIds": names,
    });
    let mut found = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        let page =
            session.api.read(&session.caller, &DESCRIBE_SCALABLE_TARGETS, &input).await.map_err(failure::unknown)?;
        let targets = page.get("ScalableTargets").and_then(Value::as_array).into_iter().flatten();
        found.extend(targets.filter_map(|target| Some(target.get("ResourceId")?.as_str()?.to_owned())));
        match page.get("NextToken").and_then(Value::as_str).filter(|token| !token.is_empty()) {
            Some(next) => input["NextToken"] = Value::from(next),
            None => return Ok(found),
        }
    }
    Err(Observed::Unknown(too_many_pages(DESCRIBE_SCALABLE_TARGETS.action, PAGES_MAX)))
}

/// How Application Auto Scaling names a service: `service/CLUSTER/NAME`.
fn resource_id(id: &ServiceId) -> String {
    format!("service/{id}")
}
