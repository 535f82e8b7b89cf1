//! The actions of ECS.

use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Answers one action of ECS. `caller` is the ARN of who calls.
pub fn answer(_world: &mut World, _caller: &str, action: &str, _input: &serde_json::Value) -> Outcome {
    Err(ApiError::client("UnknownOperationException", format!("{action} is not simulated")))
}
