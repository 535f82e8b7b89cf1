//! Task definitions: which revision the service should run, and what is registered.

mod absorb;
mod plan;

use serde_json::Value;

pub(super) use self::absorb::{absorb, retag};
pub(super) use self::plan::{Decision, Runner, WantedRevision, has_content, plan};
use super::Carrier;
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, LiveTaskDefinition, Tags};
use crate::names::Arn;
use crate::plan::builder::PlanBuilder;
use crate::plan::{Awaited, Input};

/// Plans the task definition of an application without a service. With one, the service's plan decides which revision runs.
pub(super) fn plan_alone(input: &Input<'_>, builder: &mut PlanBuilder) {
    if input.desired.single(Kind::Service).is_none()
        && let Some(document) = input.desired.single(Kind::TaskDefinition)
    {
        plan(input, document, &Runner::Anybody, builder);
    }
}

/// What a step awaits until the application's task definition is registered.
pub(super) fn registration() -> Awaited {
    Awaited::Created(Kind::TaskDefinition, Kind::TaskDefinition.as_str().to_owned())
}

/// Whether two names are one task definition revision: an ARN, or `family:revision`.
pub(super) fn same_revision(a: &str, b: &str) -> bool {
    let short = |name: &str| name.rsplit_once("task-definition/").map_or(name, |(_, short)| short).to_owned();
    if a.starts_with("arn:") && b.starts_with("arn:") { a == b } else { short(a) == short(b) }
}

/// The revisions that the application's service runs, and the newest one of its family.
pub(super) fn carriers<'a>(desired: &DesiredApplication, live: &'a Live) -> Vec<Carrier<'a>> {
    let service = desired.service_id().and_then(|id| live.services.get(&id)?.present());
    let deployments = |service: &'a Value| service.get("deployments").and_then(Value::as_array).into_iter().flatten();
    let named = service.into_iter().flat_map(|service| {
        let runs = deployments(&service.description).filter_map(|deployment| deployment.get("taskDefinition"));
        runs.chain(service.description.get("taskDefinition")).filter_map(Value::as_str)
    });
    let running = named.filter_map(|name| live.task_definitions.get(&Arn::new(name))?.present());
    let family = desired.single(Kind::TaskDefinition).and_then(|document| document.body.get("family")?.as_str());
    let newest = family.and_then(|family| live.families.get(family)?.present()?.first());
    let carrier =
        |revision: &'a LiveTaskDefinition| Carrier { description: &revision.description, tags: &revision.tags };
    running.chain(newest).map(carrier).collect()
}

pub(super) fn all_tags(live: &Live) -> Vec<&Tags> {
    live.families.values().filter_map(|family| Some(&family.present()?.first()?.tags)).collect()
}
