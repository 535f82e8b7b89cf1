//! What the scheduler sees of a service's tasks in one pass.

use std::time::Duration;

use super::configuration::Configuration;
use super::find::{known, of_service, of_task};
use super::health::{self, Unwell, Verdict};
use super::{events, failure};
use crate::ecs::model::{ServiceKey, Task, TaskStatus};
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

/// Reads all tasks: those that became healthy are marked so. `next` becomes the time after which to check again.
pub(super) fn look(world: &mut World, service: &ServiceKey, next: &mut Option<Duration>) -> Vec<Seen> {
    let Some(found) = known(world, service) else { return Vec::new() };
    let grace = Configuration::of(&found.settings).grace;
    let tasks: Vec<(Seen, Verdict)> = of_service(world, service).map(|task| see(world, task, grace, next)).collect();
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
        deployment: of_task(task).unwrap_or_default(),
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
