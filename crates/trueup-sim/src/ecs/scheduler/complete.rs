//! When a deployment is complete, and when a service is steady.

use super::configuration::Configuration;
use super::find::{deployment_id, known};
use super::seen::Seen;
use super::{events, rolling, service_deployment, timing};
use crate::ecs::model::{DeploymentStatus, RolloutState, ServiceKey};
use crate::world::World;

/// Checks whether the PRIMARY is complete, which older deployments are gone, and whether the service is steady.
pub(super) fn check(world: &mut World, service: &ServiceKey, seen: &[Seen]) {
    if reached(world, service, seen) {
        finish(world, service);
    }
    forget_replaced(world, service, seen);
    steady(world, service, seen);
}

/// Whether the PRIMARY has what it needs, and has had it for the bake time.
fn reached(world: &mut World, service: &ServiceKey, seen: &[Seen]) -> bool {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return false };
    let Some(primary) = found.deployments.first().filter(|known| known.rollout_state == RolloutState::InProgress)
    else {
        return false;
    };
    // The last stage of a traffic shift ends it.
    if found.memory.shift.is_some() {
        return false;
    }
    let configuration = Configuration::of(&found.settings);
    let new = seen.iter().filter(|task| task.up() && task.deployment == primary.id);
    let healthy = new.clone().filter(|task| task.healthy).count() as u64;
    let others = seen.iter().any(|task| task.deployment != primary.id && task.there());
    let there = match &configuration.early_success {
        Some(early) => {
            healthy >= rolling::floor(found.desired_count, early.healthy_percent) && (early.deferred || !others)
        }
        None => healthy == found.desired_count && new.count() as u64 == healthy && !others,
    };
    if !there {
        found.memory.baking_since = None;
        return false;
    }
    if let Some(settles_at) = found.memory.settles_at {
        // A rollback does not bake.
        return settles_at <= now;
    }
    let since = *found.memory.baking_since.get_or_insert(now);
    // Rolling deployments bake only while alarms are watched, or for early success.
    let bakes = configuration.alarms.is_some() || configuration.early_success.is_some();
    let bake = configuration.bake.filter(|_| bakes).unwrap_or_default();
    since + bake <= now
}

/// The PRIMARY is complete.
pub(super) fn finish(world: &mut World, service: &ServiceKey) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    let Some(primary) = found.deployments.first_mut() else { return };
    primary.rollout_state = RolloutState::Completed;
    primary.rollout_state_reason = format!("ECS deployment {} completed.", deployment_id(primary.id));
    primary.failed_tasks = 0;
    primary.updated_at = now;
    let (id, arn) = (primary.id, primary.service_deployment.clone());
    found.memory.completed = Some((id, primary.revision));
    (found.memory.trips_at, found.memory.baking_since, found.memory.settles_at) = (None, None, None);
    let record = found.service_deployments.iter().find(|known| known.arn == arn);
    let rollback = record.and_then(|record| record.rollback.as_ref()).map(|rollback| rollback.reason.clone());
    let status = if rollback.is_some() { "ROLLBACK_SUCCESSFUL" } else { "SUCCESSFUL" };
    service_deployment::finish(world, service, &arn, status, rollback);
    events::tell_of_deployment(world, service, id, "deployment completed.");
}

/// Older deployments without tasks leave `deployments[]` once the PRIMARY is complete.
fn forget_replaced(world: &mut World, service: &ServiceKey, seen: &[Seen]) {
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    if found.deployments.first().is_some_and(|primary| primary.rollout_state == RolloutState::Completed) {
        let has_tasks = |id: u64| seen.iter().any(|task| task.deployment == id && task.there());
        found.deployments.retain(|known| known.status == DeploymentStatus::Primary || has_tasks(known.id));
        let left: Vec<u64> = found.deployments.iter().map(|known| known.id).collect();
        found.memory.failing.retain(|(id, _, _)| left.contains(id));
    }
}

/// Steady: healthy and exactly at the desired count. ECS says so at once, and again every six hours.
fn steady(world: &mut World, service: &ServiceKey, seen: &[Seen]) {
    let now = world.now;
    let Some(found) = known(world, service) else { return };
    let complete = found.deployments.first().is_some_and(|primary| primary.rollout_state == RolloutState::Completed);
    let up = seen.iter().filter(|task| task.up());
    let healthy = up.clone().filter(|task| task.healthy && task.unwell.is_none()).count() as u64;
    let is_steady = complete
        && found.deployments.len() == 1
        && healthy == found.desired_count
        && up.count() as u64 == found.desired_count;
    let due = found.memory.steady_again_at.is_none_or(|at| at <= now);
    if is_steady && due {
        events::tell(world, service, "has reached a steady state.");
    }
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    if !is_steady {
        found.memory.steady_again_at = None;
    } else if due {
        found.memory.steady_again_at = Some(now + timing::MESSAGE_REPEATED_AFTER);
    }
}
