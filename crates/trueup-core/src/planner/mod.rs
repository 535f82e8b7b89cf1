//! The planner: the order of the steps, and the state of the application as a whole.
//!
//! [`plan()`] is pure, total and deterministic. It lists every step in order; the engine takes the first one whose
//! [`Step::awaits`] is empty, merges the answer in with [`crate::live::Live::absorb`], and plans again. Resources that
//! serve come before those that send traffic to them: target groups, rules, the task definition, the service.

mod applied;
pub mod check;
#[cfg(test)]
pub(crate) mod fixture;
mod prune;
mod suspension;
#[cfg(test)]
mod tests;

pub use self::applied::{applied_revisions, applied_revisions_of_environment};
pub use self::prune::{Prune, PruneInput, plan_prune};
pub use self::suspension::{NothingToMark, note, resume, suspend};
use crate::kind::Kind;
use crate::live::ReadFailure;
use crate::plan::builder::PlanBuilder;
use crate::plan::sync::sync;
use crate::plan::{Cause, Health, Held, Hold, Input, Plan, Rollout, Step, Subject, Sync, keep_contested};
use crate::resources;

/// Works out every step from live to desired, and every hold.
///
/// Total and deterministic: equal arguments give equal plans. It does not fail, wait or log; whatever may not be done
/// yet is in [`Plan::held`] with the reason.
pub fn plan(input: &Input<'_>) -> Plan {
    if let Some(reason) = nothing_may_be_concluded(input) {
        let held = vec![Held { subject: Subject::Application, changes: Vec::new(), reason }];
        return finish(input, Vec::new(), held, Health::Unknown, None);
    }
    let mut builder = PlanBuilder::default();
    // Resources that serve are created before those that send traffic to them.
    let outcomes = Kind::ALL.map(|kind| resources::plan(kind, input, &mut builder));
    let outcome = outcomes.into_iter().flatten().next();
    let PlanBuilder { steps, mut held } = builder;
    let missing = steps.iter().any(|step| step.cause == Cause::Create)
        || held.iter().any(|held| matches!(held.reason, Hold::ReportOnly { cause: Cause::Create }));
    let note = suspension::of(input);
    let steps = match (&note, suspension::unread(input)) {
        (Some(note), _) => suspension::suspend_steps(note, steps, &mut held),
        // An unread resource may carry the tag that suspends the application.
        (None, Some(failure)) => hold_all(steps, &failure, &mut held),
        (None, None) => guard(input, steps, &mut held),
    };
    keep_contested(input, &mut held);
    let (health, rollout) = match outcome {
        Some(outcome) => (outcome.health, outcome.rollout),
        // Without a service nothing runs, so nothing can be unhealthy.
        None if missing => (Health::Missing, None),
        None if sync(&steps, &held) == Sync::Unknown => (Health::Unknown, None),
        None => (Health::Healthy, None),
    };
    let health = if note.is_some() { Health::Suspended } else { health };
    finish(input, steps, held, health, rollout)
}

/// Why nothing may be concluded from the observed state.
fn nothing_may_be_concluded(input: &Input<'_>) -> Option<Hold> {
    let desired = input.desired;
    if !desired.unresolved.is_empty() {
        return Some(Hold::Unresolved { references: desired.unresolved.clone() });
    }
    // The live state comes from a commit that this process lacks: it is neither drift nor to be changed.
    input.ahead.map(|ahead| Hold::Behind(ahead.clone()))
}

/// Holds all steps because of a failed read.
fn hold_all(steps: Vec<Step>, failure: &ReadFailure, held: &mut Vec<Held>) -> Vec<Step> {
    held.extend(steps.into_iter().map(|step| {
        let reason = Hold::NotObserved { failure: failure.clone() };
        Held { subject: step.subject, changes: step.changes, reason }
    }));
    Vec::new()
}

fn finish(input: &Input<'_>, steps: Vec<Step>, held: Vec<Held>, health: Health, rollout: Option<Rollout>) -> Plan {
    Plan {
        environment: input.desired.environment.clone(),
        application: input.desired.name.clone(),
        revision: input.desired.revision.clone(),
        sync: sync(&steps, &held),
        steps,
        held,
        health,
        rollout,
        finding: None,
    }
}

/// Holds the steps that may not be taken now: all while the application waits for another one, and those that this
/// process has just taken and whose effect AWS does not show yet.
fn guard(input: &Input<'_>, steps: Vec<Step>, held: &mut Vec<Held>) -> Vec<Step> {
    let mut kept = Vec::with_capacity(steps.len());
    for step in steps {
        let reason = if !input.waits_for.is_empty() {
            Hold::WaitsFor { applications: input.waits_for.iter().cloned().collect() }
        } else if let Some(seconds) = input.memory.unsettled(&step, input.now).filter(|_| step.awaits.is_empty()) {
            Hold::NotSettled { seconds }
        } else {
            kept.push(step);
            continue;
        };
        held.push(Held { subject: step.subject, changes: step.changes, reason });
    }
    kept
}
