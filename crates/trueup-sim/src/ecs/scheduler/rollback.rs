//! What happens when a deployment has failed, or is stopped by a caller.

use super::configuration::Configuration;
use super::find::{deployment_id, of_service};
use super::memory::SlowDown;
use super::uncertain::fact;
use super::{events, replace, revision, service_deployment, timing, traffic};
use crate::ecs::model::{DeploymentStatus, RolloutState, ServiceKey};
use crate::world::World;

/// Why a deployment ends before it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The circuit breaker reached its threshold.
    CircuitBreaker,
    /// These alarms fired.
    Alarms(Vec<String>),
    /// `StopServiceDeployment`.
    Stopped,
    /// A traffic shift failed: what comes after `because`.
    Shift(String),
}

/// What `rollback` says in a service deployment, and its `statusReason`.
fn status_reason(cause: &Cause, ending: &str) -> String {
    match cause {
        Cause::CircuitBreaker => {
            format!("Service deployment {ending} because the circuit breaker threshold was exceeded.")
        }
        Cause::Alarms(names) => {
            format!("Service deployment {ending} because the following alarms were triggered: {}.", names.join(", "))
        }
        Cause::Stopped => format!("Service deployment {ending} because of a StopServiceDeployment request."),
        Cause::Shift(why) => format!("Service deployment {ending} because {why}"),
    }
}

/// A failed deployment that read `IN_PROGRESS` for a while reads `FAILED` now.
pub(super) fn reveal(world: &mut World, service: &ServiceKey) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    let due: Vec<(u64, String)> = found
        .memory
        .failing
        .iter()
        .filter(|(_, at, _)| *at <= now)
        .map(|(id, _, reason)| (*id, reason.clone()))
        .collect();
    found.memory.failing.retain(|(_, at, _)| *at > now);
    for (id, reason) in due {
        if let Some(deployment) = found.deployments.iter_mut().find(|known| known.id == id) {
            deployment.rollout_state = RolloutState::Failed;
            deployment.rollout_state_reason = reason;
            deployment.updated_at = now;
        }
    }
}

fn rollout_state_reason(world: &World, cause: &Cause) -> String {
    match cause {
        Cause::CircuitBreaker if fact(world, "a task failed to start in reasons", 20) => {
            "ECS deployment circuit breaker: task failed to start.".to_owned()
        }
        Cause::CircuitBreaker => "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
        Cause::Alarms(_) => "ECS deployment failed: alarm detected.".to_owned(),
        Cause::Stopped => "ECS deployment stopped by a StopServiceDeployment request.".to_owned(),
        Cause::Shift(_) => status_reason(cause, "rolled back"),
    }
}

/// The PRIMARY fails: it stalls, or the service goes back to what was complete before.
pub(super) fn fail(world: &mut World, service: &ServiceKey, cause: &Cause, wants_rollback: bool) {
    let reason = rollout_state_reason(world, cause);
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    let (target, memory) = (found.memory.completed, &mut found.memory);
    (memory.trips_at, memory.stop_requested, memory.baking_since) = (None, false, None);
    let Some(failed) = found.deployments.first() else { return };
    let (id, record) = (failed.id, failed.service_deployment.clone());
    let (failures, desired) = (failed.failed_tasks, found.desired_count);
    let threshold = Configuration::of(&found.settings).breaker.map(|breaker| breaker.threshold.of(desired));
    service_deployment::change(world, service, &record, |record| match cause {
        Cause::CircuitBreaker => {
            record.circuit_breaker = ("TRIGGERED".to_owned(), failures, threshold.unwrap_or_default());
        }
        Cause::Alarms(names) => (record.alarms.0, record.alarms.2) = ("TRIGGERED".to_owned(), names.clone()),
        Cause::Stopped | Cause::Shift(_) => {}
    });
    let words = match cause {
        Cause::CircuitBreaker => "tasks failed to start.".to_owned(),
        Cause::Alarms(_) => "alarm detected.".to_owned(),
        Cause::Stopped => "stopped by a StopServiceDeployment request.".to_owned(),
        Cause::Shift(_) => status_reason(cause, "rolled back"),
    };
    events::tell_of_deployment(world, service, id, &format!("deployment failed: {words}"));
    let shift = world.ecs.services.get_mut(service).and_then(|found| found.memory.shift.take());
    if let Some(shift) = shift {
        traffic::shift_back(world, &shift.routes);
    }
    match target.filter(|(target, _)| wants_rollback && *target != id) {
        Some((target, revision)) => {
            events::tell(world, service, &format!("rolling back to deployment {}.", deployment_id(target)));
            go_back(world, service, cause, target, revision);
            show_failed(world, service, id, reason);
        }
        None => stall(world, service, &record, cause, wants_rollback, reason),
    }
}

/// The deployment is FAILED and starts no more tasks; older tasks keep running.
fn stall(world: &mut World, service: &ServiceKey, record: &str, cause: &Cause, wanted_rollback: bool, reason: String) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    if let Some(failed) = found.deployments.first_mut() {
        failed.rollout_state = RolloutState::Failed;
        failed.rollout_state_reason = reason;
        failed.updated_at = now;
    }
    let (status, words) = if wanted_rollback {
        let words = "No rollback candidate was found to run the rollback.";
        let id = record.rsplit('/').next().unwrap_or(record);
        events::tell(world, service, &format!("Deployment [{id}] rollback has failed. {words}"));
        ("ROLLBACK_FAILED", words.to_owned())
    } else {
        ("STOPPED", status_reason(cause, "stopped"))
    };
    service_deployment::finish(world, service, record, status, Some(words));
}

/// The service goes back to the deployment that was complete: it is the PRIMARY again, and `IN_PROGRESS`.
fn go_back(world: &mut World, service: &ServiceKey, cause: &Cause, target: u64, number: u64) {
    let new_id = revision::new_id(world);
    let id = if fact(world, "a rollback has the old deployment's id", 50) { target } else { new_id };
    let full_stop = if fact(world, "a rollback's reason has no full stop", 40) { "" } else { "." };
    revision::retire_older(world, service);
    let now = world.now;
    let alarms = world.ecs.scheduler.alarms.clone();
    let settles_at = now + timing::SETTLING.draw(world);
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    let Some(former) = found.revisions.get(&number).cloned() else { return };
    let Some(record) = found.deployments.first().map(|failed| failed.service_deployment.clone()) else { return };
    revision::restore(found, &former);
    let before =
        found.deployments.iter().position(|known| known.id == target).map(|index| found.deployments.remove(index));
    let mut primary = revision::make(found, &former, id, record.clone(), now);
    if let Some(before) = before.filter(|before| before.id == id) {
        primary.created_at = before.created_at;
    }
    primary.status = DeploymentStatus::Primary;
    let words = match cause {
        Cause::CircuitBreaker => "ECS deployment circuit breaker: rolling back",
        Cause::Alarms(_) => "ECS deployment alarms: rolling back",
        Cause::Stopped | Cause::Shift(_) => "ECS deployment rolling back",
    };
    primary.rollout_state_reason = format!("{words} to deploymentId {}{full_stop}", deployment_id(target));
    found.deployments.insert(0, primary);
    // Until it is complete again nothing can be rolled back to.
    (found.memory.completed, found.memory.settles_at) = (None, Some(settles_at));
    // What fails a deployment must not fail the way back.
    found.memory.alarms_ignored = alarms;
    found.memory.slow_down = SlowDown::default();
    adopt(world, service, target, id);
    service_deployment::roll_back(world, service, &record, &status_reason(cause, "rolled back"), number);
}

/// The tasks of the old deployment belong to the one that performs the rollback: they keep running.
fn adopt(world: &mut World, service: &ServiceKey, from: u64, to: u64) {
    let started_by = deployment_id(from);
    let tasks: Vec<String> = of_service(world, service)
        .filter(|task| task.started_by.as_ref() == Some(&started_by))
        .map(|task| task.arn.clone())
        .collect();
    for arn in tasks {
        if let Some(task) = world.ecs.tasks.get_mut(&arn) {
            task.started_by = Some(deployment_id(to));
        }
    }
}

/// The failed deployment is ACTIVE, reads FAILED now or after a while, and its tasks that never served stop.
fn show_failed(world: &mut World, service: &ServiceKey, id: u64, reason: String) {
    let delay = if fact(world, "a failed deployment reads IN_PROGRESS for a while", 50) {
        timing::STILL_IN_PROGRESS.draw(world)
    } else {
        std::time::Duration::ZERO
    };
    let at = world.now + delay;
    if let Some(found) = world.ecs.services.get_mut(service) {
        found.memory.failing.push((id, at, reason));
    }
    reveal(world, service);
    let started_by = deployment_id(id);
    let tasks: Vec<String> = of_service(world, service)
        .filter(|task| !task.to_stop && task.healthy_since.is_none() && task.started_by.as_ref() == Some(&started_by))
        .map(|task| task.arn.clone())
        .collect();
    let gone = tasks.len() as u64;
    replace::scale_in(world, service, &tasks);
    if let Some(found) = world.ecs.services.get_mut(service)
        && let Some(failed) = found.deployments.iter_mut().find(|known| known.id == id)
    {
        failed.desired_count = failed.desired_count.saturating_sub(gone);
    }
}
