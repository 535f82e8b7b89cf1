//! Planning with a second opinion: what the checker rejects is not carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trueup_core::broken;
use trueup_core::desired::DesiredApplication;
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, InstanceName};
use trueup_core::plan::{Ahead, Held, Hold, Input, Memory, Plan, Subject};
use trueup_core::planner::{self, Prune, PruneInput, check};

/// All that an application is planned from, except live state: members of [`Input`].
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub desired: &'a DesiredApplication,
    pub last_applied: Option<&'a DesiredApplication>,
    pub instance: &'a InstanceName,
    pub applications: &'a BTreeSet<ApplicationName>,
    pub waits_for: &'a BTreeSet<ApplicationName>,
    pub ahead: Option<&'a Ahead>,
    pub memory: &'a Memory,
    pub now: Timestamp,
}

impl Basis<'_> {
    /// The whole input, with this live state.
    pub fn with<'b>(&'b self, live: &'b Live) -> Input<'b> {
        let Self { desired, last_applied, instance, applications, waits_for, ahead, memory, now } = *self;
        Input { desired, last_applied, live, instance, applications, waits_for, ahead, memory, now }
    }
}

/// Plans, and has the checker evaluate the plan. An unsound one has no steps left, and says why.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    let mut plan = planner::plan(input);
    // A planted bug is to be found by others than the checker.
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
    plan.hold(Held { subject: Subject::Application, changes, reason: Hold::Unsound { defects } });
    plan
}

/// Plans what is to be pruned, and has the checker evaluate it. Nothing is pruned by an unsound plan.
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
        "The prune plan is unsound and is not carried out. This is a defect of trueup."
    );
    BTreeMap::new()
}
