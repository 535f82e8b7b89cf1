//! One look at a service, in order: what is healthy, what failed, what starts and stops, what is complete.

use std::time::Duration;

use super::blue_green::Shift;
use super::configuration::Configuration;
use super::health::{self, Unwell, Verdict};
use super::{
    blue_green, complete, deletion, deploy, events, failure, known, replace, rollback, service_deployment, task,
    timing, wake,
};
use crate::ecs::model::{ServiceKey, ServiceStatus, Task, TaskStatus};
use crate::time::Time;
use crate::world::World;

/// What the scheduler sees of a task that is not STOPPED.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub arn: String,
    pub deployment: u64,
    pub presence: Presence,
    pub healthy: bool,
    /// Why it is to be replaced.
    pub unwell: Option<Unwell>,
    pub created_at: Time,
}

/// How much of a task is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Not stopping.
    Up,
    /// Stopping for a failure of its own: until its containers have ended it takes a place below the maximum.
    Failing,
    /// Stopping.
    Stopping,
    /// Its containers have ended.
    Gone,
}

impl Seen {
    pub fn up(&self) -> bool {
        self.presence == Presence::Up
    }

    /// It takes a place below the maximum.
    pub fn occupies(&self) -> bool {
        matches!(self.presence, Presence::Up | Presence::Failing)
    }

    pub fn there(&self) -> bool {
        self.presence != Presence::Gone
    }
}

/// A tick of the service came.
pub(super) fn due(world: &mut World, service: &ServiceKey) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    // A tick that a nearer one has replaced, or of a service of this name that is no more.
    if found.memory.wake_at.is_none_or(|at| at > now) {
        return;
    }
    found.memory.wake_at = None;
    match found.status {
        ServiceStatus::Active => active(world, service),
        ServiceStatus::Draining => deletion::drain(world, service),
        ServiceStatus::Inactive => deletion::forget(world, service),
    }
}

fn active(world: &mut World, service: &ServiceKey) {
    let Some(primary) = known(world, service).and_then(|found| found.deployments.first()) else { return };
    let record = primary.service_deployment.clone();
    service_deployment::start(world, service, &record);
    let mut next = None;
    let mut seen = look(world, service, &mut next);
    if rollback::watch(world, service) {
        seen = look(world, service, &mut next);
    }
    service_deployment::count(world, service);
    let shifts = known(world, service).is_some_and(|found| found.memory.shift.is_some());
    let acted = if shifts { blue_green::act(world, service, &seen) } else { replace::act(world, service, &seen) };
    if acted {
        seen = look(world, service, &mut next);
    }
    complete::check(world, service, &seen);
    wake_again(world, service, next);
}

/// Looks at all tasks: those that became healthy are marked so. `next` becomes the time after which to look again.
pub(super) fn look(world: &mut World, service: &ServiceKey, next: &mut Option<Duration>) -> Vec<Seen> {
    let Some(found) = known(world, service) else { return Vec::new() };
    let grace = Configuration::of(&found.settings).grace;
    let tasks: Vec<(Seen, Verdict)> =
        task::of_service(world, service).map(|task| see(world, task, grace, next)).collect();
    for (seen, verdict) in &tasks {
        mark(world, service, seen, verdict);
    }
    tasks.into_iter().map(|(seen, _)| seen).collect()
}

fn see(world: &World, task: &Task, grace: Duration, next: &mut Option<Duration>) -> (Seen, Verdict) {
    let mut soonest = |wait: Duration| *next = Some(next.map_or(wait, |known| known.min(wait)));
    let verdict = health::verdict(world, task);
    let ran = task.started_at.map(|started| world.now.since(started)).unwrap_or_default();
    let life = world.ecs.scheduler.lives.get(&task.arn);
    let mut unwell = life.is_some_and(|life| life.retiring).then_some(Unwell::Retiring);
    match &verdict {
        Verdict::Undecided(Some(wait)) => soonest(*wait),
        Verdict::Unhealthy(why) => match grace.checked_sub(ran) {
            Some(left) if !left.is_zero() => soonest(left),
            _ => unwell = Some(why.clone()),
        },
        Verdict::Healthy | Verdict::Undecided(None) => {}
    }
    let presence = match (task.to_stop, task.last_status < TaskStatus::Deprovisioning) {
        (false, _) => Presence::Up,
        (true, true) if life.is_some_and(|life| life.failure.is_some()) => Presence::Failing,
        (true, true) => Presence::Stopping,
        (true, false) => Presence::Gone,
    };
    let up = presence == Presence::Up;
    let seen = Seen {
        arn: task.arn.clone(),
        deployment: deploy::of_task(task).unwrap_or_default(),
        presence,
        healthy: up && verdict == Verdict::Healthy,
        unwell: unwell.filter(|_| up),
        created_at: task.created_at,
    };
    (seen, verdict)
}

fn mark(world: &mut World, service: &ServiceKey, seen: &Seen, verdict: &Verdict) {
    let now = world.now;
    let Some(task) = world.ecs.tasks.get_mut(&seen.arn) else { return };
    let was = task.healthy_since.is_some();
    if seen.healthy && !was {
        task.healthy_since = Some(now);
        failure::healthy(world, service, seen.deployment);
    } else if !seen.healthy && was {
        task.healthy_since = None;
    }
    if let Verdict::Unhealthy(Unwell::Target(group, port, why)) = verdict {
        let id = events::task_id(&seen.arn);
        let text = format!("(task {id}) (port {port}) is unhealthy in (target-group {group}) due to (reason {why})");
        events::tell_once(world, service, &text);
    }
}

/// Looks again when time alone changes something.
fn wake_again(world: &mut World, service: &ServiceKey, next: Option<Duration>) {
    let now = world.now;
    let Some(found) = known(world, service) else { return };
    let memory = &found.memory;
    let bake = Configuration::of(&found.settings).bake;
    let times = [
        memory.slow_down.until,
        memory.trips_at.map(|(_, at)| at),
        memory.failing.iter().map(|(_, at, _)| *at).min(),
        memory.steady_again_at,
        memory.settles_at,
        memory.shift.as_ref().map(|shift| shift.ready_at),
        memory.shift.as_ref().and_then(|shift| shift.pause.as_ref()).map(|pause| pause.expires_at),
        memory.shift.as_ref().map(Shift::too_long_at),
        memory.baking_since.zip(bake).map(|(since, bake)| since + bake),
    ];
    let times = times.into_iter().flatten().filter(|at| *at > now).map(|at| at.since(now));
    if let Some(soonest) = times.chain(next).min() {
        wake(world, service, soonest.max(Duration::from_millis(1)));
    }
    // Nobody tells when a target of a stopping task has drained.
    let waits = task::of_service(world, service).any(|task| !task.targets.is_empty() && task.healthy_since.is_none());
    if waits {
        wake(world, service, timing::POLL);
    }
}
