//! The other services as their clients see them.

mod autoscaling;
mod cloudtrail;
mod ecr;
mod existence;
mod stacks;

use serde_json::Value;

use super::answer;
use crate::time::Time;
use crate::wire::{Api, ApiError};
use crate::world::World;

const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/trueup/copy-1";

fn call(world: &mut World, service: Api, action: &str, input: impl Into<Value>) -> Value {
    let input = input.into();
    answer(world, service, CALLER, action, &input)
        .unwrap_or_else(|error| panic!("{action} {input}: {} {}", error.code, error.message))
}

fn refusal(world: &mut World, service: Api, action: &str, input: impl Into<Value>) -> ApiError {
    let input = input.into();
    answer(world, service, CALLER, action, &input).expect_err(&format!("{action} {input} should have been refused"))
}

fn world() -> World {
    World::new("123456789012", "ap-northeast-1", 1, Time::START)
}
