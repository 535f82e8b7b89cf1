//! Why an application is not Synced and Healthy: every reason, each with its remedy.

use std::fmt::Write as _;

use serde::Serialize;

use super::PlannedStep;
use super::text::{family_and_revision, resource_title, step_title};
use crate::diagnosis::{Bearing, Fact};
use crate::drift::Change;
use crate::plan::{Health, Plan, Progress, Rollout, Sync};

/// The remedy where AWS no longer has the evidence.
const LOST: &str = "AWS no longer shows why, as ECS forgets stopped tasks after an hour: check the containers' logs of \
                    that time, then push a commit that fixes it";

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Its stable name: a finding's class (`docs/why.md`), a hold's reason, or a state (`Synced`, `Progressing`,
    /// `RolloutFailed`, `RollingBack`, `RolledBack`, `RolloutStopped`, `RolloutTimedOut`, `Superseded`, `Pending`,
    /// `Degraded`, `Suspended`, `Missing`, `Unknown`).
    pub reason: &'static str,
    /// Its bearing on the release; null where it is not about a release.
    pub bearing: Option<Bearing>,
    /// The cause, one sentence.
    pub cause: String,
    /// The facts, newest first.
    pub evidence: Vec<Fact>,
    /// The differences, if any.
    pub changes: Vec<Change>,
    /// The remedy: one sentence.
    pub cure: String,
}

/// Explains the status of an application: the finding of a failure, every hold, the rollout, pending steps. Never empty:
/// an application that is Synced and Healthy has the single explanation that nothing is wrong.
pub fn why(plan: &Plan) -> Vec<Explanation> {
    let mut all = Vec::new();
    if let Some(finding) = &plan.finding {
        let mut found = state(finding.class.name(), finding.cause.clone(), &finding.cure);
        found.bearing = Some(finding.bearing);
        found.evidence.clone_from(&finding.evidence);
        all.push(found);
    }
    for held in &plan.held {
        let resource = held.subject.resource().map(|resource| format!("{}: ", resource_title(resource)));
        let cause = format!("{}{}", resource.unwrap_or_default(), held.reason.message());
        let mut hold = state(held.reason.reason(), cause, held.reason.remedy());
        hold.changes.clone_from(&held.changes);
        all.push(hold);
    }
    all.extend(plan.rollout.as_ref().and_then(|rollout| of_rollout(rollout, plan.finding.is_some())));
    all.extend(pending(plan));
    if all.is_empty() {
        all.push(of_status(plan));
    }
    all
}

/// The current or last rollout, where it explains the status. `is_explained`: a finding explains its failure already.
fn of_rollout(rollout: &Rollout, is_explained: bool) -> Option<Explanation> {
    match rollout {
        Rollout::Running { task_definition, progress } => {
            let cause = format!("{} is rolling out{}", family_and_revision(task_definition), how_far(progress));
            Some(state("Progressing", cause, "wait; `trueup status` shows how far it is"))
        }
        Rollout::TimedOut { task_definition, progress } => {
            let revision = family_and_revision(task_definition);
            let cause = format!("{revision} exceeded `rollout_timeout`, rolling out{}", how_far(progress));
            let remedy = "ECS continues: check the service's events and the containers' logs; ECS gives up on its own only \
                          with a circuit breaker, and `rollout_timeout` may be too short";
            Some(state("RolloutTimedOut", cause, remedy))
        }
        Rollout::Superseded { task_definition, by } => {
            let (revision, by) = (family_and_revision(task_definition), family_and_revision(by));
            let cause = format!("another writer's deployment of {by} replaced {revision} before it was in service");
            Some(state("Superseded", cause, "find out who deployed it; differences from git are drift"))
        }
        Rollout::RolledBack { task_definition, serving, reason, done: false, .. } => {
            let (from, to) = (family_and_revision(task_definition), family_and_revision(serving));
            let cause = format!("ECS failed {from} and is rolling back to {to}: {reason}");
            Some(state("RollingBack", cause, "wait until it is done, then push a commit that fixes it"))
        }
        Rollout::RolledBack { task_definition, serving, reason, done: true, .. } if !is_explained => {
            let (from, to) = (family_and_revision(task_definition), family_and_revision(serving));
            let cause = format!("ECS failed {from} and rolled back to {to}: {reason}");
            Some(state("RolledBack", cause, LOST))
        }
        Rollout::Failed { task_definition, reason, .. } if !is_explained => {
            let cause = format!("ECS failed {}: {reason}", family_and_revision(task_definition));
            Some(state("RolloutFailed", cause, LOST))
        }
        Rollout::Stopped { task_definition, reason, .. } => {
            let cause =
                format!("an operator stopped the rollout of {}: {reason}", family_and_revision(task_definition));
            Some(state("RolloutStopped", cause, "run `trueup retry` to deploy it again, or push another commit"))
        }
        Rollout::Failed { .. } | Rollout::RolledBack { .. } | Rollout::Serving { .. } => None,
    }
}

/// ` since 2026-01-02T03:04:05Z: 1 of 2 tasks run, 0 are healthy, 1 are starting`.
fn how_far(progress: &Progress) -> String {
    let Progress { desired, running, healthy, pending, failed, stage, since } = progress;
    let mut words = since.map(|since| since.strftime(" since %Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    let _ = write!(words, ": {running} of {desired} tasks run");
    if let Some(healthy) = healthy {
        let _ = write!(words, ", {healthy} are healthy");
    }
    for (count, what) in [(*pending, "are starting"), (*failed, "failed in a row")] {
        if count > 0 {
            let _ = write!(words, ", {count} {what}");
        }
    }
    if let Some(stage) = stage {
        let _ = write!(words, ", at the stage {stage}");
    }
    words
}

/// The steps that are planned and not applied yet.
fn pending(plan: &Plan) -> Option<Explanation> {
    if plan.steps.is_empty() {
        return None;
    }
    let steps: Vec<String> = plan.steps.iter().map(|step| step_title(&PlannedStep::from(step))).collect();
    let cause = format!("changes to make: {}", steps.join(", "));
    let mut pending =
        state("Pending", cause, "the daemon applies them in its next cycle, `trueup apply` applies them now");
    pending.changes = plan.steps.iter().flat_map(|step| step.changes.clone()).collect();
    Some(pending)
}

/// The explanation of sync and health alone.
fn of_status(plan: &Plan) -> Explanation {
    let mut serves = String::new();
    if let Some(Rollout::Serving { task_definition }) = &plan.rollout {
        let _ = write!(serves, ", {} serves", family_and_revision(task_definition));
    }
    match (plan.health, plan.sync) {
        (Health::Healthy, Sync::Synced) => {
            state("Synced", format!("nothing is wrong: Synced and Healthy{serves}"), "nothing to do")
        }
        (Health::Suspended, _) => {
            state("Suspended", "following and healing are suspended".to_owned(), "run `trueup resume` to continue")
        }
        (Health::Progressing, _) => {
            state("Progressing", "ECS is replacing tasks".to_owned(), "wait; `trueup status` shows how far it is")
        }
        (Health::Degraded, _) => state(
            "Degraded",
            "fewer tasks run than desired, and no failed task shows why".to_owned(),
            "ECS starts the missing tasks; check the service's events if it persists",
        ),
        (Health::Missing, _) => {
            state("Missing", "it is in git and not in AWS".to_owned(), "`trueup plan` shows what would be created")
        }
        (Health::Unknown | Health::Healthy, Sync::Unknown | Sync::OutOfSync) | (Health::Unknown, Sync::Synced) => {
            state("Unknown", "its status is unknown".to_owned(), "retry; `trueup plan` shows what is known")
        }
    }
}

fn state(reason: &'static str, cause: String, remedy: &str) -> Explanation {
    let (evidence, changes) = (Vec::new(), Vec::new());
    Explanation { reason, bearing: None, cause, evidence, changes, cure: remedy.to_owned() }
}

#[cfg(test)]
mod tests;
