//! The actions of Elastic Load Balancing v2.

use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Answers one action. `caller` is the ARN of who calls.
pub fn answer(_world: &mut World, _caller: &str, action: &str, _input: &serde_json::Value) -> Outcome {
    Err(ApiError::client("InvalidAction", format!("{action} is not simulated")))
}
