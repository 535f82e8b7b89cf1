//! The other services, as far as clients of ECS read them.
//!
//! | file | service |
//! |---|---|
//! | `model.rs` | what all of them keep |
//! | `cloudformation.rs` | stacks with their outputs, exports and resources |
//! | `sts.rs` | who calls, and roles to assume |
//! | `ecr.rs` | repositories, images, tags, manifests with platforms |
//! | `secrets.rs` | which secrets there are; never their values |
//! | `parameters.rs` | which parameters of Systems Manager there are; never their values |
//! | `cloudwatch.rs` | metrics that were put, and alarms |
//! | `autoscaling.rs` | Application Auto Scaling's targets |
//! | `cloudtrail.rs` | who did what, some minutes later |

pub mod autoscaling;
pub mod cloudformation;
pub mod cloudtrail;
pub mod cloudwatch;
mod common;
pub mod ecr;
pub mod model;
pub mod parameters;
pub mod secrets;
pub mod sts;
#[cfg(test)]
mod tests;

use serde_json::Value;

use common::unknown_operation;

use crate::wire::{Api, Outcome};
use crate::world::World;

/// Answers one action of a service that is neither ECS nor Elastic Load Balancing. `caller` is the ARN of who calls.
///
/// # Errors
/// As the service; `InvalidAction` (query protocol) or `UnknownOperationException` (JSON) for an action, or a service,
/// that is not simulated here.
pub fn answer(world: &mut World, service: Api, caller: &str, action: &str, input: &Value) -> Outcome {
    match service {
        Api::CloudFormation => cloudformation::answer(world, action, input),
        Api::Sts => sts::answer(world, caller, action, input),
        Api::Ecr => ecr::answer(world, action, input),
        Api::SecretsManager => secrets::answer(world, action, input),
        Api::Ssm => parameters::answer(world, action, input),
        Api::CloudWatch => cloudwatch::answer(world, action, input),
        Api::ApplicationAutoScaling => autoscaling::answer(world, action, input),
        Api::CloudTrail => cloudtrail::answer(world, action, input),
        Api::Ecs | Api::ElasticLoadBalancing => Err(unknown_operation(action)),
    }
}
