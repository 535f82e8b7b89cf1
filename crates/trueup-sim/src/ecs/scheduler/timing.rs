//! How long things take, as operators have measured them on Fargate with a small image.

use std::time::Duration;

use crate::world::World;

/// A time that differs from one occasion to the next: milliseconds from and to, and the stream of chance it is drawn from.
pub(super) struct Span(&'static str, u64, u64);

impl Span {
    /// Draws from it.
    pub fn draw(&self, world: &mut World) -> Duration {
        Duration::from_millis(world.chance.of(self.0).between(self.1, self.2 + 1))
    }
}

/// From something that happened to the scheduler's next pass over the service.
pub(super) const REACTION: Span = Span("scheduler: reaction", 1_000, 4_000);
/// From `CreateService` or `UpdateService` to the first pass.
pub(super) const FIRST_LOOK: Span = Span("scheduler: first look", 1_000, 3_000);
/// Network interface and capacity.
pub(super) const PROVISIONING: Span = Span("task: provisioning", 10_000, 15_000);
/// Pulling a small image.
pub(super) const PULLING: Span = Span("task: pulling", 16_000, 22_000);
/// All retries of a pull that cannot succeed: with provisioning and deprovisioning about two and a half minutes.
pub(super) const PULL_RETRIES: Span = Span("task: pull retries", 105_000, 120_000);
/// Reading a secret that cannot be read.
pub(super) const SECRET_RETRIES: Span = Span("task: secret retries", 3_000, 12_000);
/// Registering targets.
pub(super) const ACTIVATING: Span = Span("task: activating", 4_000, 8_000);
/// The same when there is none.
pub(super) const ACTIVATING_ALONE: Span = Span("task: activating alone", 1_500, 3_000);
/// From `has stopped N running tasks` to `deregistered N targets`.
pub(super) const DEREGISTERING: Span = Span("task: deregistering", 8_000, 12_000);
/// A container that obeys SIGTERM.
pub(super) const OBEYING: Span = Span("task: obeying", 300, 3_000);
/// Taking down the network.
pub(super) const DEPROVISIONING: Span = Span("task: deprovisioning", 15_000, 22_000);
/// Before a task that failed is replaced.
pub(super) const REPLACEMENT: Span = Span("scheduler: replacement", 6_000, 12_000);
/// From the last counted failure until the circuit breaker acts.
pub(super) const TRIP: Span = Span("scheduler: trip", 2_000, 12_000);
/// While a failed deployment still reads `IN_PROGRESS`.
pub(super) const STILL_IN_PROGRESS: Span = Span("scheduler: still in progress", 2_000, 20_000);
/// From the beginning of a rollback until it is complete, when the old tasks still run: operators have measured 60 to 106
/// seconds.
pub(super) const SETTLING: Span = Span("scheduler: settling", 50_000, 100_000);
/// A stage of a deployment that shifts traffic, apart from what it waits for.
pub(super) const STAGE: Span = Span("scheduler: stage", 4_000, 15_000);
/// The least time that any stage lasts.
pub(super) const STAGE_LEAST: Duration = Duration::from_secs(1);
/// Between two attempts to place a task without capacity, or to register a target with a group that is not there.
pub(super) const ATTEMPT: Span = Span("scheduler: attempt", 25_000, 40_000);

/// A task without load balancer and container health check counts as healthy so long after RUNNING (ECS API reference,
/// `DeploymentConfiguration.minimumHealthyPercent`).
pub(super) const HEALTHY_AFTER: Duration = Duration::from_secs(40);
/// A stopped task can be described for at least an hour (ECS API reference, `DescribeTasks`).
pub(super) const STOPPED_TASK_KEPT: Duration = Duration::from_mins(65);
/// An INACTIVE service can be described for a while; how long is not documented.
pub(super) const INACTIVE_SERVICE_KEPT: Duration = Duration::from_hours(1);
/// A message is repeated after six hours at the earliest (ECS developer guide, "service event messages").
pub(super) const MESSAGE_REPEATED_AFTER: Duration = Duration::from_hours(6);
/// While something may change that notifies nothing, such as a target group that is deleted under a draining target.
pub(super) const POLL: Duration = Duration::from_secs(30);
