//! How an application stands, as data.

use serde_json::{Value, json};

use crate::plan::Plan;

/// One application as data: its plan without the steps, which are `trueup plan`'s to tell.
pub fn standing(plan: &Plan) -> Value {
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
