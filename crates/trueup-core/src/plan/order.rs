//! Which step comes before which, and what the whole application's state follows from.
//!
//! What serves comes before what sends to it: target groups, rules, the task definition, the service.

use super::draft::Draft;
use super::task_definition::Runner;
use super::{Cause, Health, Held, Hold, Input, Plan, Rollout, Step, Sync};
use super::{contest, listener_rule, service, suspension, target_group, task_definition};
use crate::kind::Kind;

pub(super) fn plan(input: &Input<'_>) -> Plan {
    let desired = input.desired;
    if !desired.unresolved.is_empty() {
        let reason = Hold::Unresolved { references: desired.unresolved.clone() };
        let held = vec![Held { resource: None, changes: Vec::new(), reason }];
        return finish(input, Vec::new(), held, Health::Unknown, None);
    }
    if let Some(ahead) = input.ahead {
        // What AWS has came from a commit that is not here: it is neither drift nor something to change.
        let held = vec![Held { resource: None, changes: Vec::new(), reason: Hold::Behind(ahead.clone()) }];
        return finish(input, Vec::new(), held, Health::Unknown, None);
    }
    let mut draft = Draft::default();
    for document in desired.of(Kind::TargetGroup) {
        target_group::plan(input, document, &mut draft);
    }
    listener_rule::plan(input, &mut draft);
    let outcome = match (desired.single(Kind::Service), desired.single(Kind::TaskDefinition)) {
        (Some(document), _) => Some(service::plan(input, document, &mut draft)),
        (None, Some(document)) => {
            task_definition::plan(input, document, &Runner::Anybody, &mut draft);
            None
        }
        (None, None) => None,
    };
    let Draft { steps, mut held } = draft;
    let missing = steps.iter().any(|step| step.cause == Cause::Create)
        || held.iter().any(|held| matches!(held.reason, Hold::ReportOnly { cause: Cause::Create }));
    let note = suspension::of(input);
    let unread = suspension::unread(input);
    let steps = match (&note, unread) {
        (Some(note), _) => suspension::suspend_steps(note, steps, &mut held),
        // The mark of a suspended application may stand on what could not be read.
        (None, Some(failure)) => {
            held.extend(steps.into_iter().map(|step| {
                let reason = Hold::NotObserved { failure: failure.clone() };
                Held { resource: Some(step.resource), changes: step.changes, reason }
            }));
            Vec::new()
        }
        (None, None) => guard(input, steps, &mut held),
    };
    contest::keep_told(input, &mut held);
    let (health, rollout) = match outcome {
        Some(outcome) => (outcome.health, outcome.rollout),
        // Without a service nothing runs: what is there is fine.
        None if missing => (Health::Missing, None),
        None if sync(&steps, &held) == Sync::Unknown => (Health::Unknown, None),
        None => (Health::Healthy, None),
    };
    let health = if note.is_some() { Health::Suspended } else { health };
    finish(input, steps, held, health, rollout)
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

/// Takes out the steps that may not be taken now: all while another application is waited for, and those that this
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
        held.push(Held { resource: Some(step.resource), changes: step.changes, reason });
    }
    kept
}

/// Whether live is as git wants it, as far as steps and holds tell.
pub(super) fn sync(steps: &[Step], held: &[Held]) -> Sync {
    let implied = |sync| held.iter().any(|held| held.reason.implies() == Some(sync));
    if implied(Sync::Unknown) {
        return Sync::Unknown;
    }
    // A step without changes only writes our tags.
    let differs = steps.iter().any(|step| !step.changes.is_empty()) || held.iter().any(|held| !held.changes.is_empty());
    if differs || implied(Sync::OutOfSync) { Sync::OutOfSync } else { Sync::Synced }
}
