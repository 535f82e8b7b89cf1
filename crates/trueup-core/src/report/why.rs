//! Why an application is not Synced and Healthy: every reason there is, each with what ends it.

use std::fmt::Write as _;

use serde::Serialize;

use super::PlannedStep;
use super::text::{family_and_revision, resource_title, step_title};
use crate::diagnosis::{Bearing, Fact};
use crate::drift::Change;
use crate::plan::{Health, Plan, Progress, Rollout, Sync};

/// What to do where nothing is left to find out.
const LOST: &str = "AWS no longer shows why: ECS forgets stopped tasks after an hour; look at the containers' logs of \
                    that time, then push a commit that corrects it";

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Its stable name: a finding's class (`docs/why.md`), a hold's reason, or a state (`Synced`, `Progressing`,
    /// `RolloutFailed`, `RollingBack`, `RolledBack`, `RolloutStopped`, `RolloutTimedOut`, `Superseded`, `Pending`,
    /// `Degraded`, `Suspended`, `Missing`, `Unknown`).
    pub reason: &'static str,
    /// How it bears on the release; null where it is about no release.
    pub bearing: Option<Bearing>,
    /// The cause, one sentence.
    pub cause: String,
    /// The facts, newest first.
    pub evidence: Vec<Fact>,
    /// What differs, where something does.
    pub changes: Vec<Change>,
    /// What a person does about it.
    pub cure: String,
}

/// Explains how an application stands: what was found out of a failure, everything that is held, what goes on, what is
/// still to be done. Never empty: one that is as it should be has the one explanation that nothing is wrong.
pub fn why(plan: &Plan) -> Vec<Explanation> {
    let mut all = Vec::new();
    if let Some(finding) = &plan.finding {
        let mut found = state(finding.class.name(), finding.cause.clone(), &finding.cure);
        found.bearing = Some(finding.bearing);
        found.evidence.clone_from(&finding.evidence);
        all.push(found);
    }
    for held in &plan.held {
        let resource = held.resource.as_ref().map(|resource| format!("{}: ", resource_title(resource)));
        let cause = format!("{}{}", resource.unwrap_or_default(), held.reason.message());
        let mut hold = state(held.reason.reason(), cause, held.reason.remedy());
        hold.changes.clone_from(&held.changes);
        all.push(hold);
    }
    all.extend(plan.rollout.as_ref().and_then(|rollout| going_on(rollout, plan.finding.is_some())));
    all.extend(pending(plan));
    if all.is_empty() {
        all.push(standing(plan));
    }
    all
}

/// What ECS does, or did last, where that explains something.
fn going_on(rollout: &Rollout, is_explained: bool) -> Option<Explanation> {
    match rollout {
        Rollout::Running { task_definition, progress } => {
            let cause = format!("{} is rolling out{}", family_and_revision(task_definition), how_far(progress));
            Some(state("Progressing", cause, "wait; `trueup status` shows how far it is"))
        }
        Rollout::TimedOut { task_definition, progress } => {
            let revision = family_and_revision(task_definition);
            let cause = format!("{revision} does not get done in time, and ECS goes on{}", how_far(progress));
            let cure = "look at the service's events and the containers' logs; ECS gives up by itself only with a circuit \
                        breaker, and `rollout_timeout` may be too short";
            Some(state("RolloutTimedOut", cause, cure))
        }
        Rollout::Superseded { task_definition, by } => {
            let (revision, by) = (family_and_revision(task_definition), family_and_revision(by));
            let cause = format!("somebody else's deployment of {by} came before {revision} was in service");
            Some(state("Superseded", cause, "find out who deployed it; what differs from git is drift"))
        }
        Rollout::RolledBack { task_definition, serving, reason, done: false, .. } => {
            let (from, to) = (family_and_revision(task_definition), family_and_revision(serving));
            let cause = format!("ECS gave {from} up and goes back to {to}: {reason}");
            Some(state("RollingBack", cause, "wait until it is done, then push a commit that corrects it"))
        }
        Rollout::RolledBack { task_definition, serving, reason, done: true, .. } if !is_explained => {
            let (from, to) = (family_and_revision(task_definition), family_and_revision(serving));
            let cause = format!("ECS gave {from} up and went back to {to}: {reason}");
            Some(state("RolledBack", cause, LOST))
        }
        Rollout::Failed { task_definition, reason, .. } if !is_explained => {
            let cause = format!("ECS gave {} up: {reason}", family_and_revision(task_definition));
            Some(state("RolloutFailed", cause, LOST))
        }
        Rollout::Stopped { task_definition, reason, .. } => {
            let cause = format!("a person stopped the rollout of {}: {reason}", family_and_revision(task_definition));
            Some(state("RolloutStopped", cause, "`trueup retry` deploys it once more, or push another commit"))
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

/// What is known to be done and not done yet.
fn pending(plan: &Plan) -> Option<Explanation> {
    if plan.steps.is_empty() {
        return None;
    }
    let steps: Vec<String> = plan.steps.iter().map(|step| step_title(&PlannedStep::from(step))).collect();
    let cause = format!("there is something to do: {}", steps.join(", "));
    let mut pending = state("Pending", cause, "the daemon does it at its next look, `trueup apply` does it now");
    pending.changes = plan.steps.iter().flat_map(|step| step.changes.clone()).collect();
    Some(pending)
}

/// What sync and health say by themselves.
fn standing(plan: &Plan) -> Explanation {
    let serves = match &plan.rollout {
        Some(Rollout::Serving { task_definition }) => format!(", {} serves", family_and_revision(task_definition)),
        _ => String::new(),
    };
    match (plan.health, plan.sync) {
        (Health::Healthy, Sync::Synced) => {
            state("Synced", format!("nothing is wrong: Synced and Healthy{serves}"), "nothing to do")
        }
        (Health::Suspended, _) => state(
            "Suspended",
            "following and healing are stopped by a person".to_owned(),
            "`trueup resume` starts them again",
        ),
        (Health::Progressing, _) => {
            state("Progressing", "ECS is at work".to_owned(), "wait; `trueup status` shows how far it is")
        }
        (Health::Degraded, _) => state(
            "Degraded",
            "fewer tasks run than are wanted, and AWS shows no failed task that says why".to_owned(),
            "ECS starts what is missing; look at the service's events when it lasts",
        ),
        (Health::Missing, _) => state(
            "Missing",
            "git wants it and AWS does not have it".to_owned(),
            "`trueup plan` shows what is to be made",
        ),
        (Health::Unknown | Health::Healthy, Sync::Unknown | Sync::OutOfSync) | (Health::Unknown, Sync::Synced) => {
            state("Unknown", "nobody knows how it stands".to_owned(), "ask again; `trueup plan` shows what is known")
        }
    }
}

fn state(reason: &'static str, cause: String, cure: &str) -> Explanation {
    let (evidence, changes) = (Vec::new(), Vec::new());
    Explanation { reason, bearing: None, cause, evidence, changes, cure: cure.to_owned() }
}

#[cfg(test)]
mod tests;
