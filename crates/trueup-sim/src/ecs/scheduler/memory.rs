//! The state that the scheduler keeps in addition to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ecs::key::ServiceKey;
use crate::time::Time;

/// The scheduler's state for all of ECS.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The scheduled life of every task, by ARN.
    pub(super) lives: BTreeMap<String, Life>,
    /// Tasks of a service that are not STOPPED.
    pub(super) tasks_of: BTreeMap<ServiceKey, BTreeSet<String>>,
    /// Alarms in `ALARM`.
    pub(super) alarms: BTreeSet<String>,
    /// Lambda functions of lifecycle hooks that fail.
    pub(super) failing_hooks: BTreeSet<String>,
    /// Whether Fargate is out of capacity.
    pub(super) no_capacity: bool,
    /// The count of scripted workloads when idle container checks were last woken.
    pub(super) scripted: u64,
    /// The number of addresses assigned so far.
    pub(super) addresses: u32,
}

/// The state that the scheduler keeps of a service in addition to the model.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When it is checked next.
    pub(super) wake_at: Option<Time>,
    /// The deployment that a rollback would restore: id and service revision. `None` while one rolls back to it.
    pub(super) completed: Option<(u64, u64)>,
    /// Failed deployments that still show `IN_PROGRESS`: id, until when, and the reason shown afterwards.
    pub(super) failing: Vec<(u64, Time, String)>,
    /// When the circuit breaker acts on the deployment that reached its threshold.
    pub(super) trips_at: Option<(u64, Time)>,
    /// Whether `StopServiceDeployment` was called for the PRIMARY.
    pub(super) stop_requested: bool,
    /// The pause between launches.
    pub(super) slow_down: SlowDown,
    /// When the next steady state event is due; `None` while the service is not steady.
    pub(super) steady_again_at: Option<Time>,
    /// When each message that is not repeated soon was last added.
    pub(super) told: BTreeMap<String, Time>,
    /// Since when the PRIMARY has been complete and its bake time has been running.
    pub(super) baking_since: Option<Time>,
    /// The earliest time at which a rollback is complete.
    pub(super) settles_at: Option<Time>,
    /// The running traffic shift.
    pub(super) shift: Option<Shift>,
    /// Whether this deployment stops old tasks down to the minimum at once.
    pub(super) eager: bool,
    /// Alarms that were in `ALARM` when the deployment began: they are ignored.
    pub(super) alarms_ignored: BTreeSet<String>,
}

/// The scheduled life of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Its scheduled steps, unordered.
    pub agenda: Vec<(Time, Step)>,
    /// Target groups and ports that it is to be registered with.
    pub groups: Vec<(String, u16)>,
    /// Why it counts as failed, once it does.
    pub failure: Option<Failure>,
    /// Consecutive failures of a container's own check, by container.
    pub failed_checks: Vec<u64>,
    /// Whether its infrastructure is being retired.
    pub retiring: bool,
}

/// A step in a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The network is ready.
    Provisioned,
    /// Images and secrets were pulled.
    Pulled,
    /// Targets are registered with ELB.
    Register,
    /// The containers run.
    Run,
    /// A container cannot start, for this reason.
    FailToStart,
    /// A container exits on its own.
    Exit(usize),
    /// A container's own health check runs.
    CheckContainer(usize),
    /// Targets are deregistered.
    Deregister,
    /// The scheduler checks whether the targets have drained.
    LookAtDraining,
    /// A container exits on SIGTERM or SIGKILL, with this exit code.
    Obey(i32),
    /// The network is released.
    Deprovisioned,
    /// The task is removed: it can no longer be described.
    Forget,
}

/// Why a task counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It did not reach RUNNING.
    NeverRan,
    /// An essential container exited.
    Exited,
    /// It failed its health checks.
    Unhealthy,
}

/// The pause between launches of a service. Tasks that stop before RUNNING extend it, up to 15 minutes; tasks that stop
/// after RUNNING do not (ECS developer guide, "Amazon ECS service throttle logic").
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SlowDown {
    pub failures: u32,
    /// The earliest time of the next launch.
    pub until: Option<Time>,
}

/// A deployment that shifts traffic.
#[derive(Clone, Debug)]
pub(super) struct Shift {
    /// The new deployment.
    pub deployment: u64,
    /// The deployment that serves, and keeps its tasks until the end.
    pub blue: Option<u64>,
    pub stage: Stage,
    /// When the stage began.
    pub since: Time,
    /// The stage does not end before.
    pub ready_at: Time,
    pub routes: Vec<Route>,
    /// Shares of production traffic, in tenths of a percent, one after the other.
    pub steps: Vec<u64>,
    /// How long each but the last of them lasts.
    pub step_bake: Duration,
    /// Which of them is next.
    pub step: usize,
    /// A hook that waits for an answer.
    pub pause: Option<Pause>,
}

/// The stages, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    ReconcileService,
    PreScaleUp,
    ScaleUp,
    PostScaleUp,
    TestTrafficShift,
    PostTestTrafficShift,
    PreProductionTrafficShift,
    ProductionTrafficShift,
    PostProductionTrafficShift,
    BakeTime,
    CleanUp,
}

impl Stage {
    /// As `lifecycleStage` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::PreProductionTrafficShift => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }
}

/// Where the traffic of one load balancer goes during a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The group of the revision that serves; none when there is none.
    pub blue: Option<String>,
    /// The group of the new revision.
    pub green: String,
    /// The other one of the pair when there is no blue revision.
    pub idle: String,
    pub production: String,
    pub test: Option<String>,
}

/// A hook that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// `ecs-pause-…`.
    pub hook_id: String,
    /// The lifecycle stage that it holds.
    pub stage: String,
    /// When it gives up.
    pub expires_at: Time,
    /// Whether the deployment continues when it gives up, rather than rolls back.
    pub continues: bool,
    /// The answer: whether to continue.
    pub(super) answer: Option<bool>,
}
