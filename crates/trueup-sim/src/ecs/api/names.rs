//! From what a caller calls things (a name or an ARN) to the things.

use super::errors::{client, cluster_not_found, invalid};
use super::input::Input;
use super::uncertain;
use crate::ecs::model::{Service, ServiceKey, TaskDefinition, TaskDefinitionStatus};
use crate::wire::ApiError;
use crate::world::World;

/// The cluster that is meant when none is named.
const DEFAULT_CLUSTER: &str = "default";

/// A cluster's name from its name or ARN.
pub(super) fn cluster_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The name of the ACTIVE cluster that `cluster` names.
///
/// # Errors
/// `ClusterNotFoundException`.
pub(super) fn cluster(world: &World, input: &Input) -> Result<String, ApiError> {
    let reference = input.text("cluster").filter(|name| !name.is_empty()).unwrap_or(DEFAULT_CLUSTER);
    // An ARN of another account or region names a cluster that this endpoint does not have.
    if reference.starts_with("arn:") && !is_here(world, reference) {
        return Err(cluster_not_found());
    }
    let name = cluster_name(reference);
    world.ecs.clusters.get(name).filter(|cluster| cluster.active).map(|_| name.to_owned()).ok_or_else(cluster_not_found)
}

/// Whether an ARN of ECS is one of this account and region.
pub(super) fn is_here(world: &World, arn: &str) -> bool {
    arn.starts_with(&world.arn("ecs", ""))
}

/// Which service is meant by its name or ARN; an ARN says its cluster itself.
pub(super) fn service_key(cluster: &str, reference: &str) -> ServiceKey {
    let mut parts = reference.rsplit('/');
    let name = parts.next().unwrap_or(reference).to_owned();
    // `…:service/NAME` is the ARN's old form, without a cluster.
    let named = parts.next().filter(|part| !part.ends_with(":service")).unwrap_or(cluster);
    ServiceKey { cluster: named.to_owned(), name }
}

/// The service that is meant, if ECS still remembers it and it is in `cluster`.
pub(super) fn service<'a>(world: &'a World, cluster: &str, reference: &str) -> Option<(ServiceKey, &'a Service)> {
    if reference.starts_with("arn:") && !is_here(world, reference) {
        return None;
    }
    let key = service_key(cluster, reference);
    let service = world.ecs.services.get(&key).filter(|_| key.cluster == cluster)?;
    Some((key, service))
}

/// `family`, `family:revision` or an ARN.
pub(super) fn family_and_revision(reference: &str) -> (&str, Option<Result<u64, ApiError>>) {
    let name = reference.rsplit_once(":task-definition/").map_or(reference, |(_, name)| name);
    match name.split_once(':') {
        Some((family, revision)) => (
            family,
            Some(revision.parse().map_err(|_| invalid(format!("Invalid revision number. Number: {revision}")))),
        ),
        None => (name, None),
    }
}

/// A task definition by its reference; a family alone means the newest ACTIVE revision.
///
/// # Errors
/// `ClientException` with `not_found` as its text, `InvalidParameterException` for a revision that is no number.
pub(super) fn task_definition<'a>(
    world: &'a World,
    reference: &str,
    not_found: &str,
) -> Result<&'a TaskDefinition, ApiError> {
    if reference.starts_with("arn:") && !is_here(world, reference) {
        return Err(client(not_found));
    }
    let (family, revision) = family_and_revision(reference);
    let revisions = world.ecs.families.get(family).map(|family| &family.revisions);
    let found = match revision {
        Some(revision) => {
            let revision = revision?;
            revisions.and_then(|revisions| revisions.get(&revision))
        }
        None => revisions.and_then(|revisions| {
            revisions.values().rev().find(|definition| definition.status == TaskDefinitionStatus::Active)
        }),
    };
    found.ok_or_else(|| client(not_found))
}

/// A task definition that may be used for something new.
///
/// # Errors
/// `ClientException` when there is none, or when it is not ACTIVE (any more, for long enough).
pub(super) fn usable_task_definition<'a>(world: &'a World, reference: &str) -> Result<&'a TaskDefinition, ApiError> {
    let found = task_definition(world, reference, "TaskDefinition not found.")?;
    let still = found.deregistered_at.is_some_and(|at| {
        found.status == TaskDefinitionStatus::Inactive && world.now.since(at) < uncertain::deregistered_usable(world)
    });
    if found.status == TaskDefinitionStatus::Active || still {
        return Ok(found);
    }
    Err(client("TaskDefinition is inactive"))
}
