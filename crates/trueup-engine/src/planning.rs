//! Planning with a second opinion: whatever the checker finds wrong is not done.

use std::collections::BTreeMap;

use trueup_core::broken;
use trueup_core::names::ApplicationName;
use trueup_core::plan::{Held, Hold, Input, Plan};
use trueup_core::planner::{self, Prune, PruneInput, check};

/// Plans, and has the checker judge the plan. An unsound one has no steps left, and says why.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    let mut plan = planner::plan(input);
    // With a bug in, it is to be seen whether others than the checker notice.
    if plan.steps.is_empty() || broken::any() {
        return plan;
    }
    let defects = check::check(input, &plan);
    if defects.is_empty() {
        return plan;
    }
    tracing::error!(
        environment = %plan.environment,
        application = %plan.application,
        defects = %defects.join("; "),
        "The plan is unsound and is not carried out. This is a defect of trueup."
    );
    let changes = plan.steps.drain(..).flat_map(|step| step.changes).collect();
    plan.hold(Held { resource: None, changes, reason: Hold::Unsound { defects } });
    plan
}

/// Works out what is to be pruned, and has the checker judge it. Nothing of what is unsound is pruned.
pub(crate) fn plan_prune(input: &PruneInput<'_>) -> BTreeMap<ApplicationName, Prune> {
    let prunes = planner::plan_prune(input);
    let limits = input.desired.iter().map(|desired| desired.policy.prune_limit);
    let limit = limits.chain([input.policy.prune_limit]).max().unwrap_or_default();
    let defects = check::check_prune(input.instance.as_str(), limit, &prunes);
    if defects.is_empty() || broken::any() {
        return prunes;
    }
    tracing::error!(
        environment = %input.environment,
        defects = %defects.join("; "),
        "The pruning is unsound and is not carried out. This is a defect of trueup."
    );
    BTreeMap::new()
}
