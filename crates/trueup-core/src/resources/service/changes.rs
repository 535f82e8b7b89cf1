//! The differences between a service and its document, without what belongs to another owner.

use serde_json::Value;

use super::rollout::UNREGISTERED;
use crate::drift::{Change, Context, Shown};
use crate::live::{LiveService, Observed};
use crate::plan::builder::{PlanBuilder, Work, not_asked};
use crate::plan::three_way::{is_declared, top};
use crate::plan::{Cause, Hold};
use crate::pointer::Pointer;
use crate::resources::task_definition::{WantedRevision, same_revision};

/// The members of `UpdateService` for a service that `CodeDeploy` deploys. Source: ECS API reference, `UpdateService`.
const CODE_DEPLOY_FIELDS: [&str; 8] = [
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
];

/// The members of `UpdateService` for a service whose task sets another controller creates. Source: as above.
const EXTERNAL_FIELDS: [&str; 4] =
    ["desiredCount", "healthCheckGracePeriodSeconds", "enableECSManagedTags", "propagateTags"];

/// The differences between the service and its document, without fields of other owners.
pub(super) fn changes(work: &Work<'_>, live: &LiveService, context: &Context) -> Vec<Change> {
    let mut changes = work.changes(&work.document.body, &live.description, &live.tags, context);
    let controller = controller(&live.description);
    changes.retain(|change| match top(&change.path) {
        // Decided by the task definition's document, and by where the service was found.
        "taskDefinition" | "cluster" => false,
        "desiredCount" => !context.autoscaled && is_declared(work.document, &change.path),
        "tags" | "deploymentController" => true,
        name => match controller {
            "CODE_DEPLOY" => CODE_DEPLOY_FIELDS.contains(&name),
            "EXTERNAL" => EXTERNAL_FIELDS.contains(&name),
            _ => true,
        },
    });
    changes
}

/// Withholds the number of tasks while it is unknown whether an autoscaler owns it: sending a number may undo a scaling
/// step. Returns whether it was withheld.
pub(super) fn withhold_count(
    work: &Work<'_>,
    scaling: Option<&Observed<()>>,
    changes: &mut Vec<Change>,
    builder: &mut PlanBuilder,
) -> bool {
    let failure = match scaling {
        Some(Observed::Present(()) | Observed::Absent) => return false,
        Some(Observed::Unknown(failure)) => failure.clone(),
        None => not_asked("application-autoscaling:DescribeScalableTargets"),
    };
    let (counts, rest): (Vec<_>, Vec<_>) =
        std::mem::take(changes).into_iter().partition(|change| top(&change.path) == "desiredCount");
    *changes = rest;
    if counts.is_empty() {
        return false;
    }
    builder.hold(&work.resource, counts, Hold::NotObserved { failure });
    true
}

pub(super) fn task_definition_change(wanted: &WantedRevision, runs: &str) -> Option<(Cause, Change)> {
    let (name, cause) = match wanted {
        WantedRevision::Revision(arn, cause) if !same_revision(arn.as_str(), runs) => (arn.as_str(), *cause),
        WantedRevision::Unregistered(cause) => (UNREGISTERED, *cause),
        WantedRevision::Revision(..) | WantedRevision::Unchanged | WantedRevision::Undecided => return None,
    };
    let path = Pointer::from_iter(["taskDefinition"]);
    let shown = |name: &str| Shown::at(&path, &Value::from(name));
    let (live, desired) = (shown(runs), shown(name));
    Some((cause, Change { path, live, desired }))
}

/// Who deploys the service: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
pub(super) fn controller(service: &Value) -> &str {
    service.pointer("/deploymentController/type").and_then(Value::as_str).unwrap_or("ECS")
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
