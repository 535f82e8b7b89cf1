//! The other services, as far as clients of ECS read them.
//!
//! | file | service |
//! |---|---|
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
pub mod ecr;
pub mod parameters;
pub mod secrets;
pub mod sts;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::input::number;
use crate::wire::{ApiError, Outcome, Service};
use crate::world::World;

/// Answers one action of a service that is neither ECS nor Elastic Load Balancing. `caller` is the ARN of who calls.
///
/// # Errors
/// As the service; `InvalidAction` (query protocol) or `UnknownOperationException` (JSON) for an action, or a service,
/// that is not simulated here.
pub fn answer(world: &mut World, service: Service, caller: &str, action: &str, input: &Value) -> Outcome {
    match service {
        Service::CloudFormation => cloudformation::answer(world, action, input),
        Service::Sts => sts::answer(world, caller, action, input),
        Service::Ecr => ecr::answer(world, action, input),
        Service::SecretsManager => secrets::answer(world, action, input),
        Service::Ssm => parameters::answer(world, action, input),
        Service::CloudWatch => cloudwatch::answer(world, action, input),
        Service::ApplicationAutoScaling => autoscaling::answer(world, action, input),
        Service::CloudTrail => cloudtrail::answer(world, action, input),
        Service::Ecs | Service::ElasticLoadBalancing => Err(unknown_operation(action)),
    }
}

/// An action of the JSON protocols that is not simulated.
fn unknown_operation(action: &str) -> ApiError {
    ApiError::client("UnknownOperationException", format!("{action} is not simulated"))
}

/// An action of the query protocol that is not simulated.
fn invalid_action(action: &str, version: &str) -> ApiError {
    ApiError::client("InvalidAction", format!("Could not find operation {action} for version {version}"))
}

/// The items of one page, and the token of the next.
///
/// A token names the item after which the page begins, so that what comes and goes moves no other.
fn page<T>(items: Vec<(String, T)>, token: Option<&str>, size: usize) -> (Vec<T>, Option<String>) {
    let mut rest = items.into_iter().skip_while(|(key, _)| token.is_some_and(|token| key.as_str() <= token)).peekable();
    let mut shown = Vec::new();
    let mut last = String::new();
    while shown.len() < size
        && let Some((key, item)) = rest.next()
    {
        last = key;
        shown.push(item);
    }
    (shown, rest.peek().is_some().then_some(last))
}

/// How many items a page has: what the input asks for, or the service's maximum.
fn page_size(input: &Value, member: &str, max: usize) -> Result<usize, ApiError> {
    let asked = number(input, member)?.and_then(|asked| usize::try_from(asked).ok());
    Ok(asked.filter(|asked| *asked > 0).map_or(max, |asked| asked.min(max)))
}
