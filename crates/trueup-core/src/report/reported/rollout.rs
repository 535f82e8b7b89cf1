//! Rollouts: which event a plan's rollout is, after the one that was reported before.

use serde::{Deserialize, Serialize};

use super::ReportedState;
use crate::names::Arn;
use crate::plan::{Plan, Rollout, Sync};
use crate::report::What;

/// A rollout as far as it decides whether the next plan has news of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportedRollout {
    state: RolloutState,
    /// The task definition revision that it is about.
    task_definition: Arn,
    /// The revision that serves instead, after a rollback by ECS or by an operator.
    serving: Option<Arn>,
}

/// The state of a reported rollout, without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum RolloutState {
    Running,
    Serving,
    Failed,
    RolledBack,
    Stopped,
    Superseded,
    TimedOut,
}

impl ReportedState {
    pub(super) fn observe_rollout(&mut self, plan: &Plan, news: &mut Vec<What>) {
        let Some(rollout) = &plan.rollout else {
            // A plan without a rollout ends the reported one only when AWS was read: the service is gone, or ECS rolls
            // nothing out. With an unknown sync the rollout may still be there.
            if plan.sync != Sync::Unknown {
                self.rollout = None;
                self.rollout_read = true;
            }
            return;
        };
        let is_first = !std::mem::replace(&mut self.rollout_read, true);
        let now = ReportedRollout::from(rollout);
        let before = self.rollout.replace(now.clone());
        if !before.as_ref().is_some_and(|before| before.is_same(&now)) {
            news.extend(event(rollout, before.as_ref(), is_first));
        }
    }
}

/// The event of a rollout whose state or revision changed.
///
/// A rollout that already runs or serves at the first read was reported by the process that saw it begin. A failure that
/// is `recorded` in the tag was reported by the process that wrote the tag, unless this one saw the rollout run before.
fn event(rollout: &Rollout, before: Option<&ReportedRollout>, is_first: bool) -> Option<What> {
    let was_running =
        before.is_some_and(|before| matches!(before.state, RolloutState::Running | RolloutState::TimedOut));
    let is_reported = |recorded: bool| recorded && !was_running;
    match rollout {
        Rollout::Running { task_definition, progress } => {
            // A plan for a newer commit shows a rollout that timed out as running: that is not another start of it.
            let continues = before.is_some_and(|before| before.timed_out(task_definition));
            (!is_first && !continues)
                .then(|| What::RolloutStarted { task_definition: task_definition.clone(), desired: progress.desired })
        }
        // The end of a rollback is no completion: that the older revision serves was part of the rollback's event.
        Rollout::Serving { task_definition } => before
            .filter(|before| before.serving.as_ref() != Some(task_definition))
            .map(|_| What::RolloutCompleted { task_definition: task_definition.clone() }),
        Rollout::RolledBack { task_definition, serving, reason, recorded, .. } => {
            (!is_reported(*recorded)).then(|| rolled_back(task_definition, serving, reason))
        }
        Rollout::Stopped { task_definition, serving, reason, recorded, .. } => {
            // ECS shows a stop as a rollback when another revision serves after it.
            let stopped = if task_definition == serving {
                failed(task_definition, reason)
            } else {
                rolled_back(task_definition, serving, reason)
            };
            (!is_reported(*recorded)).then_some(stopped)
        }
        Rollout::Failed { task_definition, reason, recorded, .. } => {
            (!is_reported(*recorded)).then(|| failed(task_definition, reason))
        }
        Rollout::TimedOut { task_definition, progress } => Some(What::RolloutTimedOut {
            task_definition: task_definition.clone(),
            desired: progress.desired,
            running: progress.running,
            since: progress.since,
            finding: None,
        }),
        Rollout::Superseded { .. } => None,
    }
}

fn rolled_back(task_definition: &Arn, serving: &Arn, reason: &str) -> What {
    What::RolloutRolledBack {
        task_definition: task_definition.clone(),
        serving: serving.clone(),
        reason: reason.to_owned(),
        finding: None,
    }
}

fn failed(task_definition: &Arn, reason: &str) -> What {
    What::RolloutFailed { task_definition: task_definition.clone(), reason: reason.to_owned(), finding: None }
}

impl From<&Rollout> for ReportedRollout {
    fn from(rollout: &Rollout) -> Self {
        let (state, task_definition, serving) = match rollout {
            Rollout::Running { task_definition, .. } => (RolloutState::Running, task_definition, None),
            Rollout::Serving { task_definition } => (RolloutState::Serving, task_definition, None),
            Rollout::Failed { task_definition, .. } => (RolloutState::Failed, task_definition, None),
            Rollout::RolledBack { task_definition, serving, .. } => {
                (RolloutState::RolledBack, task_definition, Some(serving))
            }
            Rollout::Stopped { task_definition, serving, .. } => {
                (RolloutState::Stopped, task_definition, Some(serving))
            }
            Rollout::Superseded { task_definition, .. } => (RolloutState::Superseded, task_definition, None),
            Rollout::TimedOut { task_definition, .. } => (RolloutState::TimedOut, task_definition, None),
        };
        Self { state, task_definition: task_definition.clone(), serving: serving.cloned() }
    }
}

impl ReportedRollout {
    /// Whether both are one rollout in one state: a count that changed is no news, and neither is a rollback that is done.
    fn is_same(&self, other: &Self) -> bool {
        (self.state, &self.task_definition) == (other.state, &other.task_definition)
    }

    /// Whether the rollout of this revision was reported as timed out.
    fn timed_out(&self, revision: &Arn) -> bool {
        self.state == RolloutState::TimedOut && self.task_definition == *revision
    }
}
