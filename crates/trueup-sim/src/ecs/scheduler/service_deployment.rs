//! The record of a deployment that outlives it: its statuses and ECS's words on them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::breaker::Threshold;
use super::configuration::Configuration;
use super::find::{counts, known};
use crate::ecs::model::{Rollback, ServiceDeployment, ServiceKey};
use crate::world::World;

/// Service deployments are kept for 90 days (ECS developer guide, "View service history").
const KEPT: Duration = Duration::from_hours(90 * 24);

/// The record of a new deployment; its ARN.
pub(super) fn begin(world: &mut World, service: &ServiceKey, revision: u64) -> String {
    let id = id(world);
    let arn = world.arn("ecs", &format!("service-deployment/{}/{}/{id}", service.cluster, service.name));
    let now = world.now;
    let Some(found) = known(world, service) else { return arn };
    let serving = |id: &u64| counts(world, service, Some(*id)).running > 0;
    let sources: Vec<u64> =
        found.deployments.iter().filter(|known| serving(&known.id)).map(|known| known.revision).collect();
    let configuration = Configuration::of(&found.settings);
    let (breaker, threshold) = match &configuration.breaker {
        Some(breaker) => ("MONITORING", breaker.threshold.of(found.desired_count)),
        None => ("DISABLED", Threshold::BoundedPercent(50).of(found.desired_count)),
    };
    let alarms = match configuration.alarms {
        Some(alarms) => ("MONITORING".to_owned(), alarms.names, Vec::new()),
        None => ("DISABLED".to_owned(), Vec::new(), Vec::new()),
    };
    let record = ServiceDeployment {
        arn: arn.clone(),
        status: "PENDING".to_owned(),
        status_reason: None,
        created_at: now,
        started_at: None,
        finished_at: None,
        stopped_at: None,
        updated_at: now,
        target_revision: revision,
        source_revisions: sources,
        rollback: None,
        lifecycle_stage: None,
        circuit_breaker: (breaker.to_owned(), 0, threshold),
        alarms,
        configuration: found.settings.get("deploymentConfiguration").cloned().unwrap_or(Value::Null),
        final_counts: BTreeMap::new(),
    };
    if let Some(found) = world.ecs.services.get_mut(service) {
        found.service_deployments.retain(|known| known.finished_at.is_none_or(|at| now.since(at) < KEPT));
        found.service_deployments.insert(0, record);
    }
    arn
}

fn id(world: &mut World) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let chance = world.chance.of("service deployment ids");
    (0..22).map(|_| char::from(*chance.one_of(LETTERS).unwrap_or(&b'0'))).collect()
}

/// Whether a service deployment in this status is over.
pub(super) fn is_over(status: &str) -> bool {
    matches!(status, "SUCCESSFUL" | "STOPPED" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED")
}

/// Changes the record of this ARN.
pub(super) fn change(world: &mut World, service: &ServiceKey, arn: &str, change: impl FnOnce(&mut ServiceDeployment)) {
    let now = world.now;
    let Some(found) = world.ecs.services.get_mut(service) else { return };
    if let Some(record) = found.service_deployments.iter_mut().find(|known| known.arn == arn) {
        change(record);
        record.updated_at = now;
    }
}

/// A pending one begins.
pub(super) fn start(world: &mut World, service: &ServiceKey, arn: &str) {
    let now = world.now;
    change(world, service, arn, |record| {
        if record.status == "PENDING" {
            "IN_PROGRESS".clone_into(&mut record.status);
            record.started_at = Some(now);
        }
    });
}

/// It is over, in this status.
pub(super) fn finish(world: &mut World, service: &ServiceKey, arn: &str, status: &str, reason: Option<String>) {
    let now = world.now;
    let Some(found) = known(world, service) else { return };
    let ends = found.deployments.iter().map(|known| {
        let counts = counts(world, service, Some(known.id));
        (known.revision, (known.desired_count, counts.running, counts.pending))
    });
    let ends: BTreeMap<u64, (u64, u64, u64)> = ends.collect();
    change(world, service, arn, |record| {
        status.clone_into(&mut record.status);
        record.status_reason = reason;
        record.finished_at = Some(now);
        record.started_at.get_or_insert(now);
        if status == "STOPPED" {
            record.stopped_at = Some(now);
        }
        record.lifecycle_stage = None;
        for monitor in [&mut record.circuit_breaker.0, &mut record.alarms.0] {
            if monitor == "MONITORING" {
                "MONITORING_COMPLETE".clone_into(monitor);
            }
        }
        record.final_counts = ends;
    });
}

/// A rollback to this service revision begins.
pub(super) fn roll_back(world: &mut World, service: &ServiceKey, arn: &str, reason: &str, revision: u64) {
    let now = world.now;
    change(world, service, arn, |record| {
        "ROLLBACK_IN_PROGRESS".clone_into(&mut record.status);
        record.status_reason = Some(reason.to_owned());
        record.started_at.get_or_insert(now);
        record.rollback = Some(Rollback { reason: reason.to_owned(), started_at: now, revision });
    });
}

/// A newer deployment takes the place of those that are not over. ECS adds no event for that.
pub(super) fn supersede(world: &mut World, service: &ServiceKey) {
    let Some(found) = known(world, service) else { return };
    let open = found.service_deployments.iter().filter(|known| !is_over(&known.status));
    let open: Vec<String> = open.map(|known| known.arn.clone()).collect();
    for arn in open {
        let reason = "Service deployment stopped because a new service deployment was started.";
        finish(world, service, &arn, "STOPPED", Some(reason.to_owned()));
    }
}

/// The counters of the circuit breaker as they are now.
pub(super) fn count(world: &mut World, service: &ServiceKey) {
    let Some(found) = known(world, service) else { return };
    let Some(primary) = found.deployments.first() else { return };
    let Some(breaker) = Configuration::of(&found.settings).breaker else { return };
    let (arn, failures, threshold) =
        (primary.service_deployment.clone(), primary.failed_tasks, breaker.threshold.of(found.desired_count));
    let record = found.service_deployments.iter().find(|known| known.arn == arn);
    // The record of a finished deployment shows what was at its end.
    if record.is_none_or(|record| record.circuit_breaker.0 != "MONITORING") {
        return;
    }
    if record.is_some_and(|record| (record.circuit_breaker.1, record.circuit_breaker.2) != (failures, threshold)) {
        change(world, service, &arn, |record| record.circuit_breaker = ("MONITORING".to_owned(), failures, threshold));
    }
}
