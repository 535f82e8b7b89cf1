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

use crate::chance::Stream;
use crate::world::World;

/// Which of two ways this world has, with a probability in percent for `true`: the same whenever it is asked.
pub(super) fn fact(world: &World, question: &str, percent: u64) -> bool {
    Stream::named(world.chance.seed(), question).percent(percent)
}
