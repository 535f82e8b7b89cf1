//! Rollouts, as a plan carries them: ECS's progress with a service after a step.

use jiff::Timestamp;
use serde::Serialize;

use crate::names::Arn;

/// ECS's progress after a step, until the requested revision serves or has failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Rollout {
    /// ECS is replacing tasks, or waits for a bake time to pass.
    Running {
        /// The requested task definition revision.
        task_definition: Arn,
        /// Its progress.
        #[serde(flatten)]
        progress: Progress,
    },
    /// The requested revision serves.
    Serving {
        /// The task definition revision that serves.
        task_definition: Arn,
    },
    /// ECS gave up without a rollback: rollback is off, or there was no earlier deployment.
    Failed {
        /// The requested task definition revision.
        task_definition: Arn,
        /// ECS's reason.
        reason: String,
        /// Whether the tag `trueup:failed` already records it: then it was reported before, maybe by another process.
        #[serde(skip)]
        recorded: bool,
    },
    /// ECS gave up, and is rolling back or rolled back to the previous revision.
    RolledBack {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The task definition revision that it rolls back to.
        serving: Arn,
        /// ECS's reason.
        reason: String,
        /// Whether the previous revision serves again.
        done: bool,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// An operator stopped it (`StopServiceDeployment`).
    Stopped {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The task definition revision that the service runs instead; the same one if ECS restored nothing.
        serving: Arn,
        /// ECS's reason.
        reason: String,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// Another deployment started before this one was done.
    Superseded {
        /// The requested task definition revision.
        task_definition: Arn,
        /// The task definition revision that ECS brings into service instead.
        by: Arn,
    },
    /// It takes longer than `rollout_timeout` and the waiting times in its configuration. ECS continues it, and
    /// trueup does not interfere: without a circuit breaker ECS never gives up on its own.
    TimedOut {
        /// The requested task definition revision.
        task_definition: Arn,
        /// Its progress.
        #[serde(flatten)]
        progress: Progress,
    },
}

/// The progress of a rollout, by its newest deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Tasks wanted.
    pub desired: i64,
    /// Tasks that run.
    pub running: i64,
    /// Tasks that are healthy. A plan does not count them; `None` if they were not counted.
    pub healthy: Option<i64>,
    /// Tasks that are being started.
    pub pending: i64,
    /// Consecutive tasks that failed to start.
    pub failed: i64,
    /// The stage of a blue/green, linear or canary deployment, such as `BAKE_TIME`, if ECS reports it.
    pub stage: Option<String>,
    /// Since when ECS has been working on it.
    pub since: Option<Timestamp>,
}

impl Rollout {
    /// Records how many tasks of this revision are healthy, if it is being rolled out. `DescribeServices` may lag
    /// behind: the number is limited to the running tasks that it shows.
    pub fn set_healthy(&mut self, of: &Arn, healthy: Option<i64>) {
        let (Self::Running { task_definition, progress } | Self::TimedOut { task_definition, progress }) = self else {
            return;
        };
        if task_definition == of {
            progress.healthy = healthy.map(|healthy| healthy.min(progress.running));
        }
    }
}
