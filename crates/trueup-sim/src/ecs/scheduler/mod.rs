//! What happens by itself in ECS.
//!
//! `api/` changes the model and calls one of the functions here; everything after that happens in [`tick`].

use crate::ecs::model::ServiceKey;
use crate::wire::ApiError;
use crate::world::World;

/// Something due in ECS.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The scheduler looks at a service.
    Service(ServiceKey),
    /// A task goes on in its life; the ARN.
    Task(String),
}

/// What the scheduler remembers of a service besides the model.
#[derive(Clone, Debug, Default)]
pub struct Memory {}

/// What a task answers to a health check of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckAnswer {
    /// An HTTP status.
    Status(u16),
    /// Nothing within the time-out, or no connection.
    Nothing,
}

/// Something is due.
pub fn tick(_world: &mut World, _tick: Tick) {}

/// The service was created or its task definition or another setting that needs a deployment changed (or
/// `forceNewDeployment` was sent): a new deployment begins from what the service says now.
pub fn deploy(_world: &mut World, _service: &ServiceKey) {}

/// `desiredCount` changed without a new deployment.
pub fn desired_count_changed(_world: &mut World, _service: &ServiceKey) {}

/// The service is DRAINING: its tasks stop, then it is INACTIVE, then forgotten.
pub fn deleted(_world: &mut World, _service: &ServiceKey) {}

/// `StopServiceDeployment`.
///
/// # Errors
/// As AWS: not found, or in a state that cannot be stopped.
pub fn stop_service_deployment(_world: &mut World, arn: &str, _stop_type: &str) -> Result<(), ApiError> {
    Err(ApiError::client("ServiceDeploymentNotFoundException", arn))
}

/// A task of `RunTask`, already in the model, begins its life.
pub fn task_started(_world: &mut World, _task: &str) {}

/// A task is to stop (`StopTask`, or by the scheduler), with its `stopCode` and `stoppedReason`.
pub fn stop_task(_world: &mut World, _task: &str, _stop_code: &str, _reason: &str) {}

/// What a task answers at this moment to a check of `path` on `port`.
pub fn check(_world: &World, _task: &str, _port: u16, _path: &str) -> CheckAnswer {
    CheckAnswer::Nothing
}
