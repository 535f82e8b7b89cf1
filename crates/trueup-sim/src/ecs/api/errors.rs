//! The errors of ECS that more than one action answers, with AWS's texts.

use crate::wire::ApiError;

/// `InvalidParameterException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

/// `ClientException`.
pub(super) fn client(message: impl Into<String>) -> ApiError {
    ApiError::client("ClientException", message)
}

/// `SerializationException`: the body is not what the API's model says.
pub(super) fn serialization(message: &str) -> ApiError {
    ApiError::client("SerializationException", message)
}

/// There is no such cluster, or it is INACTIVE.
pub(super) fn cluster_not_found() -> ApiError {
    ApiError::client("ClusterNotFoundException", "Cluster not found.")
}

/// There is no such service.
pub(super) fn service_not_found() -> ApiError {
    ApiError::client("ServiceNotFoundException", "Service not found.")
}

/// The service is DRAINING or INACTIVE.
pub(super) fn service_not_active() -> ApiError {
    ApiError::client("ServiceNotActiveException", "Service was not ACTIVE.")
}

/// No service deployment has that ARN.
pub(super) fn service_deployment_not_found() -> ApiError {
    ApiError::client("ServiceDeploymentNotFoundException", "Service deployment not found.")
}

/// An element of `failures`: what was asked for is not there.
pub(super) fn missing(arn: &str) -> serde_json::Value {
    serde_json::json!({ "arn": arn, "reason": "MISSING" })
}
