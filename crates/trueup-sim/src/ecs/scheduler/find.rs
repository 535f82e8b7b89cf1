//! Where things are in the model: services, their tasks, task definitions, and which deployment a task belongs to.

use serde_json::Value;

use crate::ecs::model::{Service, ServiceKey, Task, TaskDefinition, TaskStatus};
use crate::world::World;

/// How many tasks there are, as `DescribeServices` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `runningCount`: `lastStatus` is RUNNING.
    pub running: u64,
    /// `pendingCount`: on the way to RUNNING.
    pub pending: u64,
}

/// A service.
pub(super) fn known<'a>(world: &'a World, service: &ServiceKey) -> Option<&'a Service> {
    world.ecs.services.get(service)
}

/// The tasks of a service that are not STOPPED, in the order of their ARNs.
pub(super) fn of_service<'a>(world: &'a World, service: &ServiceKey) -> impl Iterator<Item = &'a Task> {
    let arns = world.ecs.scheduler.tasks_of.get(service);
    arns.into_iter().flatten().filter_map(|arn| world.ecs.tasks.get(arn))
}

/// The task definition of that ARN.
pub(super) fn definition<'a>(world: &'a World, arn: &str) -> Option<&'a TaskDefinition> {
    let (family, revision) = arn.rsplit('/').next()?.rsplit_once(':')?;
    world.ecs.families.get(family)?.revisions.get(&revision.parse().ok()?)
}

/// The elements of `containerDefinitions`.
pub(super) fn container_definitions<'a>(world: &'a World, task_definition: &str) -> &'a [Value] {
    let found = definition(world, task_definition).and_then(|found| found.description.get("containerDefinitions"));
    found.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The deployment that a task belongs to.
pub(super) fn of_task(task: &Task) -> Option<u64> {
    task.started_by.as_ref()?.strip_prefix("ecs-svc/")?.parse().ok()
}

/// `ecs-svc/N`.
pub(super) fn deployment_id(id: u64) -> String {
    format!("ecs-svc/{id}")
}

/// How many tasks a service has: those of one deployment, or of all.
pub fn counts(world: &World, service: &ServiceKey, deployment: Option<u64>) -> Counts {
    let mut counts = Counts::default();
    let started_by = deployment.map(deployment_id);
    for task in of_service(world, service) {
        if started_by.is_some() && task.started_by != started_by {
            continue;
        }
        match task.last_status {
            TaskStatus::Running => counts.running += 1,
            TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => counts.pending += 1,
            TaskStatus::Deactivating | TaskStatus::Stopping | TaskStatus::Deprovisioning | TaskStatus::Stopped => {}
        }
    }
    counts
}
