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
//! A service at rest is not looked at: only the repetition of its steady state event is queued.
//!
//! | file | idea |
//! |---|---|
//! | `memory.rs` | what the scheduler remembers besides the model |
//! | `timing.rs` | how long things take |
//! | `configuration.rs` | a service's settings, read |
//! | `deploy.rs` | a deployment begins |
//! | `task.rs`, `stop.rs`, `start_failure.rs` | a task's life, its end, and why it never began |
//! | `image.rs` | a container's image: digest, platform, behaviour |
//! | `health.rs` | when a task counts as healthy or unhealthy |
//! | `failure.rs` | failed tasks: counting, slowing down |
//! | `rolling.rs` | the arithmetic of a rolling update |
//! | `replace.rs` | starts and stops by that arithmetic |
//! | `breaker.rs` | thresholds of the circuit breaker |
//! | `rollback.rs` | what happens when a deployment has failed or is stopped |
//! | `complete.rs` | when a deployment is complete and a service steady |
//! | `blue_green.rs` | the stages of a deployment that shifts traffic |
//! | `traffic.rs` | target groups and weights of such a deployment |
//! | `hooks.rs` | its lifecycle hooks |
//! | `service_deployment.rs` | the record of it |
//! | `pass.rs` | one look at a service, in order |
//! | `deletion.rs` | from DRAINING to forgotten |
//! | `events.rs` | ECS's words |
//!
//! Where AWS's behaviour is not known for sure, each world (or deployment) does one or the other, by its seed:
//!
//! | question | one way | the other way |
//! |---|---|---|
//! | id of the deployment that performs a rollback | a new one | that of the old deployment |
//! | how long a failed deployment still reads `IN_PROGRESS` | at once `FAILED` | some seconds later |
//! | `rolling back to deploymentId ecs-svc/N` in a reason | ends in a full stop | does not |
//! | `circuit breaker: tasks failed to start.` in a reason | plural | singular |
//! | service events begin with | `(service NAME)` | `service NAME` |
//! | a minimum below 100 % with room for a start | start first | stop down to the minimum at once |
//! | the circuit breaker in a blue/green, linear or canary deployment | works | does not |
//! | `stopCode` of a Spot interruption | `TerminationNotice` | `SpotInterruption` |
//! | a container's end on SIGTERM | exit 0, exit 143 | ignored until SIGKILL, exit 137 |

mod blue_green;
mod breaker;
mod complete;
mod configuration;
mod deletion;
mod deploy;
mod events;
mod failure;
mod health;
mod hooks;
mod image;
mod memory;
mod pass;
mod replace;
mod rollback;
mod rolling;
mod service_deployment;
mod start_failure;
mod stop;
mod task;
mod timing;
mod traffic;

#[cfg(test)]
mod tests;

pub use hooks::Pause;
pub use memory::{Memory, State};

use std::time::Duration;

use crate::chance::Stream;
use crate::ecs::model::{Container, Service, ServiceKey, TaskStatus};
use crate::wire::ApiError;
use crate::workload::Behaviour;
use crate::world::{Happening, World};

/// Something due in ECS.
#[derive(Clone, Debug)]
pub enum Tick {
    /// The scheduler looks at a service.
    Service(ServiceKey),
    /// A task goes on in its life; the ARN.
    Task(String),
}

/// What a task answers to a health check of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckAnswer {
    /// An HTTP status.
    Status(u16),
    /// Nothing within the time-out, or no connection.
    Nothing,
}

/// How many tasks there are, as `DescribeServices` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `runningCount`: `lastStatus` is RUNNING.
    pub running: u64,
    /// `pendingCount`: on the way to RUNNING.
    pub pending: u64,
}

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

/// `desiredCount` or another setting changed without a new deployment: what runs goes on by the new settings.
pub fn settings_changed(world: &mut World, service: &ServiceKey) {
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    // Any update resets the slow-down of launches.
    known.memory.slow_down = failure::SlowDown::default();
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
    rollback::stop_requested(world, arn, stop_type)
}

/// `ContinueServiceDeployment`: a pause hook is told to go on, or to roll back.
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

/// Whether images were scripted anew since containers at rest were last checked; if so, their own checks go on.
pub fn wake_if_scripted(world: &mut World) {
    if world.ecs.scheduler.scripted != world.workloads.scripted() {
        world.ecs.scheduler.scripted = world.workloads.scripted();
        health::check_again(world);
    }
}

/// How many tasks a service has: those of one deployment, or of all.
pub fn counts(world: &World, service: &ServiceKey, deployment: Option<u64>) -> Counts {
    let mut counts = Counts::default();
    let started_by = deployment.map(deployment_id);
    for task in task::of_service(world, service) {
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

/// `ecs-svc/N`.
fn deployment_id(id: u64) -> String {
    format!("ecs-svc/{id}")
}

/// Which of two ways this world has, with a probability in percent for `true`: the same whenever it is asked.
fn fact(world: &World, question: &str, percent: u64) -> bool {
    Stream::named(world.chance.seed(), question).percent(percent)
}

/// The scheduler looks at the service after the seconds that it takes it to notice something.
fn wake_soon(world: &mut World, service: &ServiceKey) {
    let after = timing::REACTION.draw(world);
    wake(world, service, after);
}

/// The scheduler looks at the service after this time, unless it does so before anyway.
fn wake(world: &mut World, service: &ServiceKey, after: Duration) {
    let at = world.now + after;
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    if known.memory.wake_at.is_some_and(|planned| planned <= at && planned >= world.now) {
        return;
    }
    known.memory.wake_at = Some(at);
    world.at(at, Happening::Ecs(Tick::Service(service.clone())));
}

fn known<'a>(world: &'a World, service: &ServiceKey) -> Option<&'a Service> {
    world.ecs.services.get(service)
}
