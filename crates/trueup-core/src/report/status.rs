//! The status of an application as data.

use serde_json::{Value, json};

use crate::plan::Plan;

/// The status of one application: its plan without the steps, which `trueup plan` prints.
pub fn application_status(plan: &Plan) -> Value {
    json!({
        "environment": plan.environment,
        "application": plan.application,
        "revision": plan.revision,
        "sync": plan.sync,
        "health": plan.health,
        "rollout": plan.rollout,
        "finding": plan.finding,
        "held": plan.held,
    })
}
