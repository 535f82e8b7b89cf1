//! Merges AWS's answers about services into live state.

use serde_json::Value;

use super::rollout::REVISION_FIELDS;
use crate::kind::Kind;
use crate::live::{Live, LiveService, Observed, Tags};
use crate::names::ServiceId;
use crate::resources::answer::{forget_if, text};

pub(in crate::resources) fn absorb(live: &mut Live, input: &Value, answer: &Value) {
    let Some(description) = answer.get("service") else { return };
    let Some(id) = service_id(input) else { return };
    let kept = live.services.get(&id).and_then(Observed::present).map(|service| service.tags.clone());
    // Responses to an update do not repeat the tags.
    let mut tags = kept.unwrap_or_default();
    tags.extend(Kind::Service.facts().tagging.read(input));
    let service = LiveService { description: description.clone().into(), tags };
    // The record of service deployments is older than a deployment that was just requested.
    let deploys = |name: &str| REVISION_FIELDS.contains(&name) || name == "forceNewDeployment";
    if input.as_object().is_some_and(|input| input.keys().any(|name| deploys(name))) {
        live.service_deployments.remove(&id);
    }
    live.services.insert(id, Observed::Present(service));
}

pub(in crate::resources) fn absorb_deletion(live: &mut Live, input: &Value) {
    if let Some(id) = service_id(input) {
        if let Some(Observed::Present(service)) = live.services.get_mut(&id)
            && let Value::Object(members) = &mut *service.description
        {
            members.insert("status".to_owned(), Value::from("DRAINING"));
        }
        let name = format!("service/{}/{}", id.cluster, id.name);
        forget_if(live, |arn| arn.ends_with(&name));
    }
}

/// Changes the tags of the service with this ARN.
pub(in crate::resources) fn retag(live: &mut Live, arn: &str, change: &dyn Fn(&mut Tags)) {
    for service in live.services.values_mut() {
        if let Observed::Present(service) = service
            && text(&service.description, "serviceArn") == Some(arn)
        {
            change(&mut service.tags);
        }
    }
}

fn service_id(input: &Value) -> Option<ServiceId> {
    let name = text(input, "serviceName").or_else(|| text(input, "service"))?;
    Some(ServiceId { cluster: text(input, "cluster")?.to_owned(), name: name.to_owned() })
}
