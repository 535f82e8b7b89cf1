//! Elastic Load Balancing v2, as far as ECS behind an Application (or Network) Load Balancer needs it.
//!
//! | file | idea |
//! |---|---|
//! | `model.rs` | load balancers, listeners, rules, target groups, targets |
//! | `api/` | the actions |
//! | `health.rs` | target registration and health by the check's timings; what ECS calls |
//! | `queue.rs`, `tick.rs` | when a target is checked; what comes due |
//! | `checks.rs` | what the answer to a health check, and the end of draining, do to a target |
//!
//! Facts about which sources disagree, or which no source describes: each is decided by the seed, with a stream of
//! chance of its own, so that over many seeds a client meets every answer.
//!
//! | question (and the stream's name) | answers |
//! |---|---|
//! | `elb: http time-out by default` | 5 s (as captured in accounts) or 6 s for HTTP and 10 s for HTTPS (API reference) |
//! | `elb: lambda unhealthy threshold` | 2 (as captured) or 5 (API reference) |
//! | `elb: https groups check https` | the default `HealthCheckProtocol` of an HTTPS group is `HTTPS` (as captured) or `HTTP` (API reference) |
//! | `elb: text of a long time-out` | `Health check interval must be greater than the timeout.` or `Health check timeout '10' must be smaller than the interval '10'`; both were seen |
//! | `elb: host names in lower case` | values of a host-header condition come back in lower case or as sent |
//! | `elb: order of conditions` | conditions and their values come back in the order sent, or in another |
//! | `elb: order of attributes` | attributes come back in an order that differs from call to call |
//! | `elb: visible to ecs` | from the moment a rule forwards to a group until ECS sees that: 0 to 5 s |
//! | `elb: registration` | `Elb.RegistrationInProgress` lasts 1 to 10 s |
//! | `elb: silence` | no answer is `Target.Timeout` or, as with a refused connection, `Target.FailedHealthChecks` |

pub mod api;
mod checks;
pub mod health;
pub mod model;
mod queue;
#[cfg(test)]
mod tests;
pub mod tick;

use crate::chance::Stream;
use crate::world::World;
use tick::Tick;

/// Something is due.
pub fn tick(world: &mut World, tick: Tick) {
    match tick {
        Tick::Check { target_group, target } => checks::check(world, &target_group, &target),
        Tick::Drained { target_group, target } => checks::drained(world, &target_group, &target),
    }
}

/// Whether images were scripted again since targets at rest were woken; if so, wakes them.
pub fn wake_if_scripted(world: &mut World) {
    if world.elb.scripted != world.workloads.scripted() {
        world.elb.scripted = world.workloads.scripted();
        queue::wake_all(world);
    }
}

/// Which of two answers to an uncertain question is true in this world: always the same for one seed.
fn fact(world: &World, question: &str) -> bool {
    Stream::named(world.chance.seed(), question).percent(50)
}
