//! What happens by itself in ECS.
//!
//! `api/` changes the model and calls one of the functions here; everything after that happens in [`tick`].
//!
//! ```text
//!   deploy ──> deployment, service deployment, service revision
//!                  │
//!               pass  <── wake ── a task went on · a target's health changed · a count changed · a time came
//!                  │
//!                  ├── what is healthy, what failed        health.rs  failure.rs
//!                  ├── circuit breaker, alarms             breaker.rs  rollback.rs
//!                  ├── starts and stops                    rolling.rs  replace.rs  (or the stages of blue_green.rs)
//!                  └── completion, steady state            complete.rs
//! ```
//!
//! A service at rest is not checked: only the repetition of its steady state event is queued.
//!
//! | file | idea |
//! |---|---|
//! | `memory.rs` | what the scheduler remembers in addition to the model |
//! | `find.rs`, `wake.rs`, `uncertain.rs` | where things are; when a service is checked; what goes by seed |
//! | `timing.rs` | how long things take |
//! | `configuration.rs` | a service's settings, read |
//! | `deploy.rs`, `revision.rs` | a deployment begins, and what its service revision records |
//! | `task.rs`, `stop.rs`, `start_failure.rs`, `agenda.rs` | a task's life, its end, why it never began, and what is planned |
//! | `image.rs` | a container's image: digest, platform, behaviour |
//! | `health.rs` | when a task counts as healthy or unhealthy |
//! | `failure.rs` | failed tasks: counting, slowing down |
//! | `rolling.rs` | the arithmetic of a rolling update |
//! | `replace.rs` | starts and stops by that arithmetic |
//! | `breaker.rs` | thresholds of the circuit breaker |
//! | `watch.rs`, `rollback.rs` | whether a deployment has to fail, and what happens then |
//! | `complete.rs` | when a deployment is complete and a service steady |
//! | `blue_green.rs` | the stages of a deployment that shifts traffic |
//! | `traffic.rs` | target groups and weights of such a deployment |
//! | `hooks.rs` | its lifecycle hooks |
//! | `service_deployment.rs` | the record of it |
//! | `pass.rs`, `seen.rs` | one pass over a service, in order; what is seen of its tasks |
//! | `deletion.rs` | from DRAINING to forgotten |
//! | `events.rs` | ECS's words |

mod agenda;
mod blue_green;
mod breaker;
mod complete;
mod configuration;
mod deletion;
mod deploy;
mod events;
mod failure;
mod find;
mod health;
mod hooks;
mod image;
mod memory;
mod pass;
mod replace;
mod revision;
mod rollback;
mod rolling;
mod seen;
mod service_deployment;
mod start_failure;
mod stop;
mod task;
mod timing;
mod traffic;
mod uncertain;
mod wake;
mod watch;

#[cfg(test)]
mod tests;

pub use find::{Counts, counts};
pub use health::CheckAnswer;
pub use memory::{Memory, Pause, State};

use super::tick::Tick;
use crate::ecs::model::{Container, Service, ServiceKey};
use crate::wire::ApiError;
use crate::workload::Behaviour;
use crate::world::World;
use memory::SlowDown;
use uncertain::fact;
use wake::wake_soon;

/// Something is due.
pub fn tick(world: &mut World, tick: Tick) {
    match tick {
        Tick::Service(service) => pass::due(world, &service),
        Tick::Task(task) => task::due(world, &task),
    }
}

/// The service was created or its task definition or another setting that needs a deployment changed (or
/// `forceNewDeployment` was sent): a new deployment begins from what the service says now.
pub fn deploy(world: &mut World, service: &ServiceKey) {
    deploy::begin(world, service);
}

/// `desiredCount` or another setting changed without a new deployment: what runs continues with the new settings.
pub fn settings_changed(world: &mut World, service: &ServiceKey) {
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    // Any update resets the slow-down of launches.
    known.memory.slow_down = SlowDown::default();
    let desired = known.desired_count;
    if let Some(primary) = known.deployments.first_mut() {
        primary.desired_count = desired;
        primary.updated_at = world.now;
    }
    wake_soon(world, service);
}

/// The service is DRAINING: its tasks stop, then it is INACTIVE, then forgotten.
pub fn deleted(world: &mut World, service: &ServiceKey) {
    deletion::begin(world, service);
}

/// `StopServiceDeployment`.
///
/// # Errors
/// As AWS: `ServiceDeploymentNotFoundException`, `ConflictException` when it is over, `InvalidParameterException` for `ABORT`.
/// Without a deployment to go back to it is accepted, and ends in `ROLLBACK_FAILED`.
pub fn stop_service_deployment(world: &mut World, arn: &str, stop_type: &str) -> Result<(), ApiError> {
    watch::stop_requested(world, arn, stop_type)
}

/// `ContinueServiceDeployment`: a pause hook continues, or rolls back.
///
/// # Errors
/// As AWS: `ServiceDeploymentNotFoundException`, or `InvalidParameterException` with ECS's words.
pub fn continue_service_deployment(world: &mut World, arn: &str, hook_id: &str, goes_on: bool) -> Result<(), ApiError> {
    hooks::answer(world, arn, hook_id, goes_on)
}

/// The pause hook that a service's deployment waits for.
pub fn waiting_hook(service: &Service) -> Option<&Pause> {
    hooks::waiting(service)
}

/// Scripts the Lambda function of a lifecycle hook: it returns `FAILED`, or `SUCCEEDED` again.
pub fn set_hook_fails(world: &mut World, function: &str, fails: bool) {
    let failing = &mut world.ecs.scheduler.failing_hooks;
    if fails {
        failing.insert(function.to_owned())
    } else {
        failing.remove(function)
    };
}

/// A task of `RunTask`, already in the model, begins its life.
pub fn task_started(world: &mut World, task: &str) {
    task::begin(world, task, Vec::new());
}

/// A task is to stop (`StopTask`, or by the scheduler), with its `stopCode` and `stoppedReason`.
pub fn stop_task(world: &mut World, task: &str, stop_code: &str, reason: &str) {
    stop::begin(world, task, stop_code, reason);
}

/// What a task answers at this moment to a check of `path` on `port`.
pub fn check(world: &World, task: &str, port: u16, path: &str) -> CheckAnswer {
    health::answer(world, task, port, path)
}

/// How a container behaves: as its image, of the digest that its deployment resolved.
pub fn behaviour(world: &World, container: &Container) -> Behaviour {
    image::behaviour(world, container)
}

/// The health of a task's target changed, or it is draining no longer.
pub fn target_changed(world: &mut World, task: &str) {
    let service = world.ecs.tasks.get(task).and_then(|task| task.service.clone());
    stop::look(world, task);
    if let Some(service) = service {
        wake_soon(world, &service);
    }
}

/// Whether images were scripted again since containers at rest were last checked; if so, their own checks continue.
pub fn wake_if_scripted(world: &mut World) {
    if world.ecs.scheduler.scripted != world.workloads.scripted() {
        world.ecs.scheduler.scripted = world.workloads.scripted();
        health::check_again(world);
    }
}

/// An alarm goes to `ALARM`, or out of it.
pub fn set_alarm(world: &mut World, alarm: &str, in_alarm: bool) {
    let changed = if in_alarm {
        world.ecs.scheduler.alarms.insert(alarm.to_owned())
    } else {
        world.ecs.scheduler.alarms.remove(alarm)
    };
    if changed {
        let services: Vec<ServiceKey> = world.ecs.services.keys().cloned().collect();
        for service in services {
            wake_soon(world, &service);
        }
    }
}

/// Whether Fargate has room for new tasks.
pub fn set_capacity(world: &mut World, available: bool) {
    world.ecs.scheduler.no_capacity = !available;
}

/// Fargate retires the infrastructure under a task of a service: it is replaced, the replacement first where the maximum
/// allows (ECS developer guide, "Task retirement and maintenance").
pub fn retire(world: &mut World, task: &str) {
    let Some(life) = world.ecs.scheduler.lives.get_mut(task) else { return };
    life.retiring = true;
    if let Some(service) = world.ecs.tasks.get(task).and_then(|task| task.service.clone()) {
        wake_soon(world, &service);
    }
}

/// Fargate Spot takes a task's capacity back.
pub fn interrupt(world: &mut World, task: &str) {
    let code =
        if fact(world, "stop code of a spot interruption", 50) { "TerminationNotice" } else { "SpotInterruption" };
    stop::begin(world, task, code, "Your Spot Task was interrupted.");
}
