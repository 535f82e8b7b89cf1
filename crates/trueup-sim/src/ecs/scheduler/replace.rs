//! Starts and stops of a rolling update, and replacements of what is unwell.

use super::configuration::Configuration;
use super::find::{deployment_id, known};
use super::health::Unwell;
use super::memory::Failure;
use super::rolling::{self, Move, Tasks};
use super::seen::{Presence, Seen};
use super::wake::wake;
use super::{events, failure, stop, task, timing, traffic};
use crate::ecs::model::{RolloutState, ServiceKey};
use crate::world::World;

/// ECS starts at most so many tasks of a service in one go.
const STARTS_AT_ONCE_MAX: u64 = 10;

/// Starts and stops tasks. Whether it did any.
pub(super) fn act(world: &mut World, service: &ServiceKey, seen: &[Seen]) -> bool {
    let Some(found) = known(world, service) else { return false };
    let Some(primary) = found.deployments.first() else { return false };
    let (id, stalled, eager) = (primary.id, primary.rollout_state == RolloutState::Failed, found.memory.eager);
    let desired = found.desired_count;
    let configuration = Configuration::of(&found.settings);
    let floor = rolling::floor(desired, configuration.minimum_healthy_percent);
    let ceiling = rolling::ceiling(desired, configuration.maximum_percent).max(u64::from(desired > 0));
    let is_new = |task: &&Seen| task.up() && task.deployment == id;
    let is_old = |task: &&Seen| task.up() && task.deployment != id;
    let tasks = Tasks {
        desired,
        floor,
        ceiling,
        new: count(seen.iter().filter(is_new).filter(|task| task.unwell.is_none())),
        new_healthy: count(seen.iter().filter(is_new).filter(|task| task.healthy && task.unwell.is_none())),
        old: count(seen.iter().filter(is_old)),
        old_healthy: count(seen.iter().filter(is_old).filter(|task| task.healthy)),
        occupied: count(seen.iter().filter(|task| task.occupies())),
        eager,
    };
    let step = if stalled { Move::default() } else { rolling::next(tasks) };
    if !stalled && tasks.old > 0 && tasks.new < desired && rolling::deadlocked(desired, floor, ceiling) {
        let text = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
        events::tell_once(world, service, text);
    }
    let mut stops = old_to_stop(world, service, seen, id, step.stop);
    stops.extend(surplus(seen, id, tasks, stalled));
    scale_in(world, service, &stops);
    let mut room = ceiling.saturating_sub(tasks.occupied);
    let started = start(world, service, id, step.start.min(room));
    room -= started.min(room);
    let replaced = replace_old(world, service, seen, id, &stops, room);
    room -= replaced.min(room);
    let tasks = Tasks { new: tasks.new + started, ..tasks };
    let unwell = stop_unwell(world, service, seen, id, tasks, room, &stops);
    started + replaced + unwell + stops.len() as u64 > 0
}

fn count<'a>(tasks: impl Iterator<Item = &'a Seen>) -> u64 {
    tasks.count() as u64
}

/// Old tasks that stop now: unhealthy ones first, then the oldest.
fn old_to_stop(world: &mut World, service: &ServiceKey, seen: &[Seen], primary: u64, stop: u64) -> Vec<String> {
    let mut old: Vec<&Seen> = seen.iter().filter(|task| task.up() && task.deployment != primary).collect();
    old.sort_by(|a, b| (a.healthy, a.created_at, &a.arn).cmp(&(b.healthy, b.created_at, &b.arn)));
    old.truncate(usize::try_from(stop).unwrap_or(usize::MAX));
    let Some(found) = world.ecs.services.get_mut(service) else { return Vec::new() };
    for task in &old {
        if let Some(deployment) = found.deployments.iter_mut().find(|known| known.id == task.deployment) {
            deployment.desired_count = deployment.desired_count.saturating_sub(1);
        }
    }
    old.into_iter().map(|task| task.arn.clone()).collect()
}

/// Tasks of the PRIMARY beyond the desired count: those that are not healthy first, then the newest.
fn surplus(seen: &[Seen], primary: u64, tasks: Tasks, stalled: bool) -> Vec<String> {
    let mut new: Vec<&Seen> =
        seen.iter().filter(|task| task.up() && task.deployment == primary && task.unwell.is_none()).collect();
    new.sort_by(|a, b| (a.healthy, b.created_at, &a.arn).cmp(&(b.healthy, a.created_at, &b.arn)));
    let surplus = if stalled { 0 } else { tasks.new.saturating_sub(tasks.desired) };
    new.into_iter().take(usize::try_from(surplus).unwrap_or(usize::MAX)).map(|task| task.arn.clone()).collect()
}

/// Stops tasks that are not needed any longer.
pub(super) fn scale_in(world: &mut World, service: &ServiceKey, tasks: &[String]) {
    let Some(primary) = known(world, service).and_then(|found| found.deployments.first()) else { return };
    let reason = format!("Scaling activity initiated by (deployment {})", deployment_id(primary.id));
    for arn in tasks {
        stop::begin(world, arn, "ServiceSchedulerInitiated", &reason);
    }
    tell_stopped(world, service, tasks);
}

fn tell_stopped(world: &mut World, service: &ServiceKey, tasks: &[String]) {
    if !tasks.is_empty() {
        let text = format!("has stopped {} running tasks: {}.", tasks.len(), events::task_list(tasks));
        events::tell(world, service, &text);
    }
}

/// Starts up to so many tasks of a deployment, unless launches are slowed down or there is no room in Fargate.
/// How many.
pub(super) fn start(world: &mut World, service: &ServiceKey, deployment: u64, wanted: u64) -> u64 {
    let now = world.now;
    let Some(found) = known(world, service) else { return 0 };
    if wanted == 0 || found.memory.slow_down.until.is_some_and(|until| until > now) {
        return 0;
    }
    if world.ecs.scheduler.no_capacity {
        failure::not_placed(world, service, deployment);
        return 0;
    }
    let groups = traffic::groups_of_deployment(world, service, deployment);
    let launches =
        (0..wanted.min(STARTS_AT_ONCE_MAX)).filter_map(|_| task::launch(world, service, deployment, groups.clone()));
    let started: Vec<String> = launches.collect();
    if !started.is_empty() {
        let text = format!("has started {} tasks: {}.", started.len(), events::task_list(&started));
        events::tell(world, service, &text);
    }
    if wanted > STARTS_AT_ONCE_MAX {
        let soon = timing::REACTION.draw(world);
        wake(world, service, soon);
    }
    started.len() as u64
}

/// A task of an older deployment that was complete is replaced from its own revision (ECS API reference,
/// `DeploymentConfiguration`). How many were started.
fn replace_old(
    world: &mut World,
    service: &ServiceKey,
    seen: &[Seen],
    primary: u64,
    stopped: &[String],
    mut room: u64,
) -> u64 {
    let Some(found) = known(world, service) else { return 0 };
    let older = found.deployments.iter().filter(|known| known.id != primary);
    let older: Vec<(u64, u64, bool)> =
        older.map(|known| (known.id, known.desired_count, known.rollout_state == RolloutState::Completed)).collect();
    let mut started = 0;
    for (id, wanted, was_complete) in older {
        let live = count(seen.iter().filter(|task| {
            task.up() && task.deployment == id && task.unwell.is_none() && !stopped.contains(&task.arn)
        }));
        let missing = wanted.saturating_sub(live);
        if was_complete {
            let more = start(world, service, id, missing.min(room));
            room -= more;
            started += more;
        } else if let Some(found) = world.ecs.services.get_mut(service)
            && let Some(deployment) = found.deployments.iter_mut().find(|known| known.id == id)
        {
            deployment.desired_count = live;
        }
    }
    started
}

/// Stops what is unwell: all once its replacements are healthy; without room for a replacement one at a time.
/// How many.
fn stop_unwell(
    world: &mut World,
    service: &ServiceKey,
    seen: &[Seen],
    primary: u64,
    tasks: Tasks,
    room: u64,
    stopped: &[String],
) -> u64 {
    let unwell = seen.iter().filter(|task| task.unwell.is_some() && !stopped.contains(&task.arn));
    let mut unwell: Vec<&Seen> = unwell.collect();
    let replaced = tasks.new_healthy >= tasks.desired;
    let mut at_once = u64::from(room == 0 && !seen.iter().any(|task| task.presence == Presence::Failing));
    unwell.sort_by(|a, b| (a.created_at, &a.arn).cmp(&(b.created_at, &b.arn)));
    let mut count = 0;
    for task in unwell {
        if !(replaced && task.deployment == primary) {
            let has_replacement = task.deployment == primary && tasks.new >= tasks.desired;
            if at_once == 0 || has_replacement {
                continue;
            }
            at_once -= 1;
        }
        count += u64::from(stop_for_being_unwell(world, service, task));
    }
    count
}

/// Stops a task for being unwell. Whether it was.
pub(super) fn stop_for_being_unwell(world: &mut World, service: &ServiceKey, task: &Seen) -> bool {
    let (Some(why), arn) = (&task.unwell, &task.arn) else { return false };
    let (code, reason) = why.stopped();
    if *why != Unwell::Retiring {
        if let Some(life) = world.ecs.scheduler.lives.get_mut(arn) {
            life.failure = Some(Failure::Unhealthy);
        }
        failure::noticed(world, service, Failure::Unhealthy);
    }
    stop::begin(world, arn, code, &reason);
    tell_stopped(world, service, std::slice::from_ref(arn));
    true
}
