//! What ECS does with a service after a step, as a plan carries it.

use jiff::Timestamp;
use serde::Serialize;

use crate::names::Arn;

/// What ECS does after a step, until the asked-for revision serves, or does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Rollout {
    /// ECS is replacing tasks, or waits out a bake time.
    Running {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
    /// The asked-for revision serves.
    Serving {
        /// The task definition revision that serves.
        task_definition: Arn,
    },
    /// ECS gave up and did not go back: rollback is off, or there was nothing to go back to.
    Failed {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// ECS's own words.
        reason: String,
        /// Whether the tag `trueup:failed` already records it: then it was reported before, maybe by another process.
        #[serde(skip)]
        recorded: bool,
    },
    /// ECS gave up and goes, or went, back to what served before.
    RolledBack {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that it goes back to.
        serving: Arn,
        /// ECS's own words.
        reason: String,
        /// Whether what served before serves again.
        done: bool,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// An operator stopped it (`StopServiceDeployment`).
    Stopped {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that the service runs instead; the same one if ECS restored nothing.
        serving: Arn,
        /// ECS's own words.
        reason: String,
        /// As in [`Rollout::Failed`].
        #[serde(skip)]
        recorded: bool,
    },
    /// Another deployment came before this one was done.
    Superseded {
        /// The task definition revision that was asked for.
        task_definition: Arn,
        /// The task definition revision that ECS brings into service instead.
        by: Arn,
    },
    /// It takes longer than `rollout_timeout` and the waiting times in its configuration. ECS continues it, and
    /// trueup does not interfere: without a circuit breaker ECS never gives up on its own.
    TimedOut {
        /// The task definition revision that is asked for.
        task_definition: Arn,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
}

/// How far a rollout is, by its newest deployment.
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
    /// Tasks in a row that did not come up.
    pub failed: i64,
    /// The stage of a blue/green, linear or canary deployment, such as `BAKE_TIME`, if ECS reports it.
    pub stage: Option<String>,
    /// Since when ECS is at it.
    pub since: Option<Timestamp>,
}

impl Rollout {
    /// Notes how many tasks of this revision are healthy, where it is rolled out. `DescribeServices` may lag behind: no
    /// more are healthy than it says that run.
    pub fn set_healthy(&mut self, of: &Arn, healthy: Option<i64>) {
        let (Self::Running { task_definition, progress } | Self::TimedOut { task_definition, progress }) = self else {
            return;
        };
        if task_definition == of {
            progress.healthy = healthy.map(|healthy| healthy.min(progress.running));
        }
    }
}
