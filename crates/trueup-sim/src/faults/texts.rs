//! What faults make of a call and of its answer, in each protocol's words.

use serde_json::{Value, json};

use crate::time::Time;
use crate::wire::{Api, ApiError, Call, Protocol};

/// How far a signature may be off the server's clock: five minutes.
const SKEW_MILLISECONDS_MAX: u64 = 300_000;

/// A 5xx. ECS and other JSON services say `ServerException`, the query services `InternalFailure`.
pub fn server_error(protocol: Protocol, status: u16) -> ApiError {
    let code = match (protocol, status) {
        (Protocol::Query | Protocol::Cbor, 503) => "ServiceUnavailable",
        (Protocol::Query | Protocol::Cbor, _) => "InternalFailure",
        (Protocol::Json11 | Protocol::Json10, 503) => "ServiceUnavailableException",
        (Protocol::Json11 | Protocol::Json10, _) => "ServerException",
    };
    ApiError::with_status(status, code, "Service Unavailable. Please try again later.")
}

/// Temporary credentials that are over.
pub fn expired(protocol: Protocol) -> ApiError {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Query => ApiError::with_status(403, "ExpiredToken", message),
        Protocol::Json11 | Protocol::Json10 | Protocol::Cbor => ApiError::client("ExpiredTokenException", message),
    }
}

/// IAM's words when no policy allows what is asked for.
pub fn denied(protocol: Protocol, call: &Call, caller: &str, resource: Option<&str>) -> ApiError {
    let action = format!("{}:{}", call.service.iam_name(), call.action);
    let message = format!(
        "User: {caller} is not authorized to perform: {action} on resource: {} because no identity-based policy allows the \
         {action} action",
        resource.unwrap_or("*")
    );
    match protocol {
        Protocol::Query => ApiError::with_status(403, "AccessDenied", message),
        Protocol::Json11 | Protocol::Json10 | Protocol::Cbor => ApiError::client("AccessDeniedException", message),
    }
}

/// The refusal of a signature whose time is too far from the server's clock; `None` when it is near enough.
pub fn skewed(protocol: Protocol, signed_at: Time, server: Time) -> Option<ApiError> {
    let text = |time: Time| {
        let milliseconds = i64::try_from(time.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(milliseconds)
            .map_or_else(|_| String::new(), |at| at.strftime("%Y%m%dT%H%M%SZ").to_string())
    };
    let message = if server.0.saturating_sub(signed_at.0) > SKEW_MILLISECONDS_MAX {
        let limit = Time(server.0 - SKEW_MILLISECONDS_MAX);
        format!(
            "Signature expired: {} is now earlier than {} ({} - 5 min.)",
            text(signed_at),
            text(limit),
            text(server)
        )
    } else if signed_at.0.saturating_sub(server.0) > SKEW_MILLISECONDS_MAX {
        let limit = Time(server.0 + SKEW_MILLISECONDS_MAX);
        format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            text(signed_at),
            text(limit),
            text(server)
        )
    } else {
        return None;
    };
    Some(match protocol {
        Protocol::Query if signed_at < server => ApiError::client("RequestExpired", message),
        Protocol::Query => ApiError::with_status(403, "SignatureDoesNotMatch", message),
        Protocol::Json11 | Protocol::Json10 | Protocol::Cbor => ApiError::client("InvalidSignatureException", message),
    })
}

/// The call with pages of at most so many entries, as AWS may shorten them; unchanged when it has no pages.
pub fn shortened(call: &Call, size: u64) -> Call {
    let mut call = call.clone();
    let names_things = ["Names", "TargetGroupArns", "RuleArns", "ListenerArns", "LoadBalancerArns"];
    match call.service {
        Api::Ecs if call.action.starts_with("List") && call.action != "ListTagsForResource" => {
            let asked = call.input.get("maxResults").and_then(Value::as_u64);
            call.input["maxResults"] = Value::from(asked.map_or(size, |asked| asked.min(size)));
        }
        Api::ElasticLoadBalancing
            if ["DescribeTargetGroups", "DescribeRules", "DescribeListeners", "DescribeLoadBalancers"]
                .contains(&call.action.as_str())
                && names_things.iter().all(|member| call.input.get(member).is_none()) =>
        {
            let asked = call.input.get("PageSize").and_then(Value::as_str).and_then(|asked| asked.parse::<u64>().ok());
            call.input["PageSize"] = Value::from(asked.map_or(size, |asked| asked.min(size)).to_string());
        }
        Api::Ecs
        | Api::ElasticLoadBalancing
        | Api::CloudFormation
        | Api::Sts
        | Api::Ecr
        | Api::SecretsManager
        | Api::Ssm
        | Api::CloudWatch
        | Api::ApplicationAutoScaling
        | Api::CloudTrail => {}
    }
    call
}

/// Removes entries from a batch answer. `goes` decides for each entry in turn; with `told`, `failures[]` reports the
/// removed ones.
pub fn thin(action: &str, output: &mut Value, told: bool, mut goes: impl FnMut() -> bool) {
    let (entries, name) = match action {
        "DescribeServices" => ("services", "serviceArn"),
        "DescribeTasks" => ("tasks", "taskArn"),
        "DescribeClusters" => ("clusters", "clusterArn"),
        "DescribeServiceDeployments" => ("serviceDeployments", "serviceDeploymentArn"),
        "DescribeServiceRevisions" => ("serviceRevisions", "serviceRevisionArn"),
        _ => return,
    };
    let mut failures = Vec::new();
    if let Some(entries) = output.get_mut(entries).and_then(Value::as_array_mut) {
        entries.retain(|entry| {
            let lost = goes();
            if lost && told {
                failures.push(json!({"arn": entry[name], "reason": "MISSING"}));
            }
            !lost
        });
    }
    match output.get_mut("failures").and_then(Value::as_array_mut) {
        Some(known) => known.extend(failures),
        None if !failures.is_empty() => output["failures"] = Value::Array(failures),
        None => {}
    }
}
