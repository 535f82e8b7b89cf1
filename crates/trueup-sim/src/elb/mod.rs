//! Elastic Load Balancing v2, as far as ECS behind an Application (or Network) Load Balancer needs it.
//!
//! | file | idea |
//! |---|---|
//! | `model.rs` | load balancers, listeners, rules, target groups, targets |
//! | `api/` | the actions |
//! | `health.rs` | target registration and health by the check's timings; what ECS calls |

pub mod api;
pub mod health;
pub mod model;

use crate::world::World;

/// Something due in load balancing.
#[derive(Clone, Debug)]
pub enum Tick {
    /// A target is checked.
    Check {
        /// The target group's ARN.
        target_group: String,
        /// Address and port.
        target: (String, u16),
    },
    /// The deregistration delay of a target is over.
    Drained {
        /// The target group's ARN.
        target_group: String,
        /// Address and port.
        target: (String, u16),
    },
}

/// Something is due.
pub fn tick(_world: &mut World, _tick: Tick) {}
