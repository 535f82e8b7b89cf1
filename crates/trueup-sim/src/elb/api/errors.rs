//! Errors that several actions answer, in ELB's words.

use crate::input::invalid;
use crate::wire::ApiError;

pub(super) fn target_groups_not_found() -> ApiError {
    ApiError::client("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn listeners_not_found() -> ApiError {
    ApiError::client("ListenerNotFound", "One or more listeners not found")
}

pub(super) fn rules_not_found() -> ApiError {
    ApiError::client("RuleNotFound", "One or more rules not found")
}

pub(super) fn load_balancer_not_found(arn: &str) -> ApiError {
    ApiError::client("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"))
}

pub(super) fn out_of_range(member: &str, value: u64, min: u64, max: u64) -> ApiError {
    let constraint =
        if value < min { format!("greater than or equal to {min}") } else { format!("less than or equal to {max}") };
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
         value {constraint}"
    ))
}

pub(super) fn not_one_of(member: &str, value: &str, values: &[&str]) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         enum value set: [{}]",
        values.join(", ")
    ))
}
