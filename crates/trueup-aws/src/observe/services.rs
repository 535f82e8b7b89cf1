//! Services: ten a call, each known, absent or unknown by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trueup_core::live::{LiveService, Observed, ReadFailure};
use trueup_core::names::ServiceId;

use super::{at_once, json_tags, not_mentioned};
use crate::cloud::AwsCloud;
use crate::ecs::Read;
use crate::failure;

/// How many services one `DescribeServices` takes. Source: ECS API reference, `DescribeServices`.
const SERVICES_MAX: usize = 10;

/// How many names one page of `ListServices` holds at most. Source: ECS API reference, `ListServices`.
const LISTED_MAX: usize = 100;

/// How many pages of `ListServices` are followed: twice AWS's quota of 5,000 services in a cluster.
const PAGES_MAX: usize = 100;

/// Describes services. All that were asked for are in the answer.
pub(crate) async fn describe(
    cloud: &AwsCloud,
    ids: &BTreeSet<ServiceId>,
) -> BTreeMap<ServiceId, Observed<LiveService>> {
    let mut clusters: BTreeMap<&str, Vec<&ServiceId>> = BTreeMap::new();
    for id in ids {
        clusters.entry(&id.cluster).or_default().push(id);
    }
    let batches = clusters.iter().flat_map(|(cluster, ids)| ids.chunks(SERVICES_MAX).map(move |ids| (*cluster, ids)));
    let described = at_once(batches.map(|(cluster, ids)| describe_batch(cloud, cluster, ids))).await;
    described.into_iter().flatten().collect()
}

/// The names of all services in a cluster that are not being deleted.
///
/// # Errors
/// When a page could not be read: a part of a list is no list.
pub(crate) async fn list(cloud: &AwsCloud, cluster: &str) -> Result<BTreeSet<ServiceId>, ReadFailure> {
    let mut names = BTreeSet::new();
    let mut input = json!({"cluster": cluster, "maxResults": LISTED_MAX});
    for _ in 0..PAGES_MAX {
        let answer = cloud.ecs.read(&cloud.caller, Read::ListServices, &input).await.map_err(failure::read_failure)?;
        let arns = answer.get("serviceArns").and_then(Value::as_array).into_iter().flatten();
        names.extend(
            arns.filter_map(Value::as_str)
                .map(|arn| ServiceId { cluster: cluster.to_owned(), name: last_segment(arn).to_owned() }),
        );
        match answer.get("nextToken").and_then(Value::as_str) {
            Some(token) => input["nextToken"] = Value::from(token),
            None => return Ok(names),
        }
    }
    Err(super::too_many_pages("ecs:ListServices", PAGES_MAX))
}

async fn describe_batch(
    cloud: &AwsCloud,
    cluster: &str,
    ids: &[&ServiceId],
) -> Vec<(ServiceId, Observed<LiveService>)> {
    let names: Vec<&str> = ids.iter().map(|id| id.name.as_str()).collect();
    let input = json!({"cluster": cluster, "services": names, "include": ["TAGS"]});
    let mut found = match cloud.ecs.read(&cloud.caller, Read::DescribeServices, &input).await {
        Ok(answer) => read_answer(answer),
        Err(mut error) => {
            // A missing cluster is no missing service: creating one there would fail as well.
            if error.code.as_deref() == Some("ClusterNotFoundException") {
                error.message = format!("cluster `{cluster}` does not exist: {}", error.message);
            }
            let unknown: Observed<LiveService> = failure::unknown(error);
            return ids.iter().map(|&id| (id.clone(), unknown.clone())).collect();
        }
    };
    ids.iter()
        .map(|&id| {
            let service = found.remove(&id.name);
            (id.clone(), service.unwrap_or_else(|| not_mentioned("ecs:DescribeServices", &id.name)))
        })
        .collect()
}

/// What an answer says, by service name.
///
/// Source: ECS API reference, `DescribeServices`: `failures` with reason `MISSING` for services that do not exist.
fn read_answer(mut answer: Value) -> BTreeMap<String, Observed<LiveService>> {
    let mut found = BTreeMap::new();
    for failure in answer.get("failures").and_then(Value::as_array).into_iter().flatten() {
        let text = |name| failure.get(name).and_then(Value::as_str);
        let reason = text("reason").unwrap_or("without a reason");
        let observed = if reason == "MISSING" {
            Observed::Absent
        } else {
            let detail = text("detail").map(|detail| format!(": {detail}")).unwrap_or_default();
            super::rejected("ecs:DescribeServices", format!("{reason}{detail}"))
        };
        found.insert(last_segment(text("arn").unwrap_or_default()).to_owned(), observed);
    }
    let services = answer.get_mut("services").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    for description in services {
        let text = |name| description.get(name).and_then(Value::as_str);
        let Some(name) = text("serviceName").map(str::to_owned) else { continue };
        let observed = if text("status") == Some("INACTIVE") {
            Observed::Absent
        } else {
            Observed::Present(LiveService { tags: json_tags(&description), description })
        };
        found.insert(name, observed);
    }
    found
}

fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
