//! Whether the PRIMARY has to fail: stopped by a caller, by its traffic shift, by alarms, by the circuit breaker.

use super::configuration::Configuration;
use super::find::known;
use super::rollback::{Cause, fail, reveal};
use super::uncertain::fact;
use super::wake::wake_soon;
use super::{blue_green, service_deployment, timing};
use crate::ecs::model::{RolloutState, ServiceKey, ServiceStatus};
use crate::wire::ApiError;
use crate::world::World;

/// Fails the PRIMARY if it has to fail now. Returns whether it did.
pub(super) fn watch(world: &mut World, service: &ServiceKey) -> bool {
    reveal(world, service);
    let now = world.now;
    let Some(found) = known(world, service) else { return false };
    let Some(primary) = found.deployments.first().filter(|known| known.rollout_state == RolloutState::InProgress)
    else {
        return false;
    };
    let id = primary.id;
    let configuration = Configuration::of(&found.settings);
    if found.memory.stop_requested {
        fail(world, service, &Cause::Stopped, true);
        return true;
    }
    if let Some(cause) = blue_green::broken(world, service) {
        fail(world, service, &cause, true);
        return true;
    }
    if let Some(alarms) = &configuration.alarms {
        let fired = alarms
            .names
            .iter()
            .filter(|name| world.ecs.scheduler.alarms.contains(*name) && !found.memory.alarms_ignored.contains(*name));
        let fired: Vec<String> = fired.cloned().collect();
        if !fired.is_empty() {
            fail(world, service, &Cause::Alarms(fired), alarms.rollback);
            return true;
        }
    }
    let Some(breaker) = configuration.breaker else { return false };
    if found.memory.shift.is_some() && fact(world, "no circuit breaker in a traffic shift", 20) {
        return false;
    }
    // The latest desired count decides, so a change of it can trip the breaker as well as a failure.
    if !breaker.threshold.reached(primary.failed_tasks, found.desired_count) {
        if let Some(found) = world.ecs.services.get_mut(service) {
            found.memory.trips_at = None;
        }
        return false;
    }
    match found.memory.trips_at {
        Some((known, at)) if known == id && at <= now => {
            fail(world, service, &Cause::CircuitBreaker, breaker.rollback);
            true
        }
        Some((known, _)) if known == id => false,
        _ => {
            let at = now + timing::TRIP.draw(world);
            if let Some(found) = world.ecs.services.get_mut(service) {
                found.memory.trips_at = Some((id, at));
            }
            false
        }
    }
}

/// `StopServiceDeployment` (ECS developer guide, "Stopping a service deployment").
pub(super) fn stop_requested(world: &mut World, arn: &str, stop_type: &str) -> Result<(), ApiError> {
    let not_found =
        || ApiError::client("ServiceDeploymentNotFoundException", "The specified service deployment is not found.");
    if !matches!(stop_type, "" | "ROLLBACK") {
        let text = format!("The stop type {stop_type} is not supported.");
        return Err(ApiError::client("InvalidParameterException", text));
    }
    let holds = |(_, found): &(&ServiceKey, &crate::ecs::model::Service)| {
        found.status == ServiceStatus::Active && found.service_deployments.iter().any(|known| known.arn == arn)
    };
    let (key, found) = world.ecs.services.iter().find(holds).ok_or_else(not_found)?;
    let key = key.clone();
    let record = found.service_deployments.iter().find(|known| known.arn == arn).ok_or_else(not_found)?;
    match record.status.as_str() {
        "PENDING" | "IN_PROGRESS" => {
            service_deployment::change(world, &key, arn, |record| "ROLLBACK_REQUESTED".clone_into(&mut record.status));
            if let Some(found) = world.ecs.services.get_mut(&key) {
                found.memory.stop_requested = true;
            }
            wake_soon(world, &key);
            Ok(())
        }
        "STOP_REQUESTED" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" => Ok(()),
        status => {
            let text = format!("The service deployment is in the {status} state and cannot be stopped.");
            Err(ApiError::client("ConflictException", text))
        }
    }
}
