//! The status of a rollout.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::failure::{BEFORE_DEPLOYMENT_SECONDS_MAX, Ending, FailureEvidence};
use super::{UNREGISTERED, deployments, is_rollback, primary, same_revision, text};
use crate::broken::{self, Broken};
use crate::names::Arn;
use crate::plan::Health;
use crate::plan::{Progress, Rollout};
use crate::service_deployment::{ServiceDeployment, Status, time};

/// The input of a rollout's status.
pub(in crate::resources::service) struct RolloutFacts<'a> {
    /// The description by `DescribeServices`.
    pub service: &'a Value,
    /// The record of its service deployments, newest first; empty where it was not read.
    pub record: &'a [ServiceDeployment],
    /// Whether the service was asked to run something other than git wants.
    pub differs: bool,
    /// The task definition revision that git wants, where one is registered.
    pub wanted: Option<&'a str>,
    /// The evidence that ECS failed or rolled back the desired deployment, if it did.
    pub failure: Option<&'a FailureEvidence>,
    /// Whether the tag on the service already records it.
    pub recorded: bool,
    /// How long a rollout may take.
    pub limit: SignedDuration,
    pub now: Timestamp,
}

/// ECS's current progress, by the revision that serves. `None` if ECS is not deploying what git wants, and for services
/// that another controller deploys.
pub(in crate::resources::service) fn status(facts: &RolloutFacts<'_>) -> Option<Rollout> {
    let primary = primary(facts.service)?;
    let runs = text(primary, "taskDefinition").or_else(|| text(facts.service, "taskDefinition"))?;
    if broken::is(Broken::StableIsSuccess) {
        let (task_definition, progress) = (Arn::new(runs), progress(facts, primary));
        let is_stable = text(primary, "rolloutState") == Some("COMPLETED");
        return Some(if is_stable {
            Rollout::Serving { task_definition }
        } else {
            Rollout::Running { task_definition, progress }
        });
    }
    if let Some(failure) = facts.failure.filter(|failure| failure.current) {
        return Some(ended(facts, failure, runs));
    }
    let reason = text(primary, "rolloutStateReason").unwrap_or_default();
    let state = text(primary, "rolloutState");
    let task_definition = Arn::new(runs);
    let recorded = facts.recorded;
    if state == Some("FAILED") {
        return Some(Rollout::Failed { task_definition, reason: reason.to_owned(), recorded });
    }
    if !is_completed(facts, primary) {
        let others = || deployments(facts.service).iter().filter(|other| text(other, "status") != Some("PRIMARY"));
        if facts.differs && is_rollback(reason) {
            // A rollback to what git wants is progress; this is a rollback from something else.
            let from = others().max_by_key(|other| other.get("createdAt").and_then(time));
            let from = Arn::new(from.and_then(|from| text(from, "taskDefinition")).unwrap_or(runs));
            let reason = reason.to_owned();
            return Some(Rollout::RolledBack {
                task_definition: from,
                serving: task_definition,
                reason,
                done: false,
                recorded,
            });
        }
        let wanted = facts.wanted.filter(|wanted| *wanted != UNREGISTERED && facts.differs);
        let is = |other: &&Value, wanted: &str| text(other, "taskDefinition").is_some_and(|d| same_revision(d, wanted));
        if let Some(wanted) =
            wanted.filter(|wanted| !same_revision(wanted, runs) && others().any(|other| is(&other, wanted)))
        {
            return Some(Rollout::Superseded { task_definition: Arn::new(wanted), by: task_definition });
        }
        let progress = progress(facts, primary);
        let is_late = progress.since.is_some_and(|since| facts.now.duration_since(since) > facts.limit);
        return Some(if is_late && !facts.differs {
            Rollout::TimedOut { task_definition, progress }
        } else {
            Rollout::Running { task_definition, progress }
        });
    }
    // If the completed deployment is not what git wants, ECS has nothing to do at the moment.
    (!facts.differs).then_some(Rollout::Serving { task_definition })
}

/// The health of the service, by its rollout and how many tasks run.
pub(in crate::resources::service) fn health(service: &Value, rollout: Option<&Rollout>) -> Health {
    match rollout {
        Some(
            Rollout::Failed { .. } | Rollout::RolledBack { .. } | Rollout::Stopped { .. } | Rollout::TimedOut { .. },
        ) => return Health::Degraded,
        Some(Rollout::Running { .. } | Rollout::Superseded { .. }) => return Health::Progressing,
        Some(Rollout::Serving { .. }) | None => {}
    }
    let count = |name: &str| service.get(name).and_then(Value::as_i64).unwrap_or_default();
    if count("runningCount") < count("desiredCount") { Health::Degraded } else { Health::Healthy }
}

/// The desired deployment failed or was rolled back, and nothing else was deployed since.
fn ended(facts: &RolloutFacts<'_>, failure: &FailureEvidence, runs: &str) -> Rollout {
    let registered = facts.wanted.filter(|wanted| *wanted != UNREGISTERED);
    let asked = Arn::new(failure.task_definition.as_deref().or(registered).unwrap_or(runs));
    let (serving, reason, recorded) = (Arn::new(runs), failure.reason.clone(), facts.recorded);
    match failure.ending {
        Ending::Failed => Rollout::Failed { task_definition: asked, reason, recorded },
        Ending::Stopped => Rollout::Stopped { task_definition: asked, serving, reason, recorded },
        Ending::RolledBack => {
            Rollout::RolledBack { task_definition: asked, serving, reason, done: failure.done, recorded }
        }
    }
}

/// Whether the PRIMARY deployment is over. With early success old tasks may still be there; with blue/green, linear and
/// canary it is not over before the service deployment is, because until then the bake time may end in a rollback.
fn is_completed(facts: &RolloutFacts<'_>, primary: &Value) -> bool {
    let count = |name: &str| primary.get(name).and_then(Value::as_i64).unwrap_or_default();
    // Behind a Classic Load Balancer there is no `rolloutState`.
    let completed = text(primary, "rolloutState").map_or_else(
        || deployments(facts.service).len() == 1 && count("runningCount") == count("desiredCount"),
        |state| state == "COMPLETED",
    );
    let strategy = facts.service.pointer("/deploymentConfiguration/strategy").and_then(Value::as_str);
    let is_rolling = strategy.is_none_or(|strategy| strategy == "ROLLING");
    completed && (is_rolling || facts.differs || current(facts).is_none())
}

/// The service deployment of the PRIMARY deployment. The record is read less often than the service: an entry older
/// than the PRIMARY deployment is about the one before.
fn current<'a>(facts: &RolloutFacts<'a>) -> Option<&'a ServiceDeployment> {
    let made = primary(facts.service).and_then(|primary| primary.get("createdAt")).and_then(time);
    let is_older = |newest: &ServiceDeployment| {
        let times = made.zip(newest.created);
        times.is_some_and(|(made, asked)| made.duration_since(asked).as_secs() > BEFORE_DEPLOYMENT_SECONDS_MAX)
    };
    let newest = facts.record.first().filter(|newest| matches!(newest.status, Status::Pending | Status::InProgress));
    newest.filter(|newest| !is_older(newest))
}

fn progress(facts: &RolloutFacts<'_>, primary: &Value) -> Progress {
    let count = |name: &str| primary.get(name).and_then(Value::as_i64).unwrap_or_default();
    let current = current(facts);
    Progress {
        desired: count("desiredCount"),
        running: count("runningCount"),
        healthy: None,
        pending: count("pendingCount"),
        failed: count("failedTasks"),
        stage: current.and_then(|current| current.stage.clone()),
        since: current.and_then(|current| current.created).or_else(|| primary.get("createdAt").and_then(time)),
    }
}
