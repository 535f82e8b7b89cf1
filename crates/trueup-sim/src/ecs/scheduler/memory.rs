//! What the scheduler remembers besides the model.

use std::collections::{BTreeMap, BTreeSet};

use super::blue_green::Shift;
use super::failure::SlowDown;
use super::task::Life;
use crate::ecs::model::ServiceKey;
use crate::time::Time;

/// What the scheduler remembers of all of ECS.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What is coming for a task, by ARN.
    pub(super) lives: BTreeMap<String, Life>,
    /// Tasks of a service that are not STOPPED.
    pub(super) tasks_of: BTreeMap<ServiceKey, BTreeSet<String>>,
    /// Alarms in `ALARM`.
    pub(super) alarms: BTreeSet<String>,
    /// Lambda functions of lifecycle hooks that fail.
    pub(super) failing_hooks: BTreeSet<String>,
    /// Fargate has no room.
    pub(super) no_capacity: bool,
    /// How often workloads had been scripted when container checks at rest were last woken.
    pub(super) scripted: u64,
    /// Addresses given so far.
    pub(super) addresses: u32,
}

/// What the scheduler remembers of a service besides the model.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When it is looked at next.
    pub(super) wake_at: Option<Time>,
    /// The deployment that a rollback would go back to: id and service revision. None while one rolls back to it.
    pub(super) completed: Option<(u64, u64)>,
    /// Failed deployments that still read `IN_PROGRESS`: id, until when, and the reason then.
    pub(super) failing: Vec<(u64, Time, String)>,
    /// When the circuit breaker acts on the deployment that reached its threshold.
    pub(super) trips_at: Option<(u64, Time)>,
    /// `StopServiceDeployment` was called for the PRIMARY.
    pub(super) stop_requested: bool,
    /// The pause between launches.
    pub(super) slow_down: SlowDown,
    /// When the steady state event comes next; none while the service is not steady.
    pub(super) steady_again_at: Option<Time>,
    /// When a message was told last that is not repeated soon.
    pub(super) told: BTreeMap<String, Time>,
    /// Since when all of the PRIMARY is there, but time has to pass yet.
    pub(super) baking_since: Option<Time>,
    /// A rollback is not complete before.
    pub(super) settles_at: Option<Time>,
    /// The traffic shift that is under way.
    pub(super) shift: Option<Shift>,
    /// Whether old tasks stop down to the minimum at once in this deployment.
    pub(super) eager: bool,
    /// Alarms that were in `ALARM` when the deployment began: they are ignored.
    pub(super) alarms_ignored: BTreeSet<String>,
}
