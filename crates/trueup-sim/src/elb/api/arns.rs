//! Checks that the ARNs in a request name the right kind of resource.

use crate::input::invalid;
use crate::wire::ApiError;

/// Refuses anything but the ARN of a target group.
pub(super) fn target_group_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "targetgroup/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid target group ARN")))
}

/// Refuses anything but the ARN of a load balancer.
pub(super) fn load_balancer_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "loadbalancer/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid load balancer ARN")))
}

/// Refuses anything but the ARN of a listener.
pub(super) fn listener_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "listener/").then_some(arn).ok_or_else(|| invalid(format!("'{arn}' is not a valid listener ARN")))
}

/// Refuses anything but the ARN of a rule.
pub(super) fn rule_arn(arn: &str) -> Result<&str, ApiError> {
    is_arn(arn, "listener-rule/")
        .then_some(arn)
        .ok_or_else(|| invalid(format!("'{arn}' is not a valid listener rule ARN")))
}

fn is_arn(arn: &str, resource: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, "elasticloadbalancing", _, _, rest] if rest.starts_with(resource))
}
