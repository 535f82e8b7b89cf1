//! The health check of a target group: defaults by protocol and target type, and what is refused.
//!
//! Defaults as captured in accounts in 2026; where the API reference says something else, the seed decides.

use serde_json::{Map, Value, json};

use super::errors::{not_one_of, out_of_range};
use crate::elb::fact;
use crate::input::{invalid, number, text, truth};
use crate::wire::ApiError;
use crate::world::World;

/// The numbers of a health check, with their ranges.
const RANGES: [(&str, u64, u64); 4] = [
    ("HealthCheckIntervalSeconds", 5, 300),
    ("HealthCheckTimeoutSeconds", 2, 120),
    ("HealthyThresholdCount", 2, 10),
    ("UnhealthyThresholdCount", 2, 10),
];

/// Whether requests of this protocol are HTTP.
pub(super) fn is_http(protocol: &str) -> bool {
    matches!(protocol, "HTTP" | "HTTPS")
}

/// The settings of a new target group that has none of its own: `settings` has protocol and target type already.
pub(super) fn defaults(world: &World, settings: &mut Map<String, Value>, check_protocol: Option<&str>) {
    let text = |member: &str| settings.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (protocol, target_type, version) = (text("Protocol"), text("TargetType"), text("ProtocolVersion"));
    let by_captures = !fact(world, "elb: http time-out by default");
    let mut set = |member: &str, value: Value| drop(settings.insert(member.to_owned(), value));
    let (interval, timeout) = match (target_type.as_str(), protocol.as_str()) {
        ("lambda", _) => (35, 30),
        ("alb", _) => (30, 6),
        (_, "GENEVE") => (10, 5),
        (_, "HTTP") => (30, if by_captures { 5 } else { 6 }),
        (_, "HTTPS") => (30, if by_captures { 5 } else { 10 }),
        _ if check_protocol.is_some_and(is_http) => (30, 6),
        _ => (30, 10),
    };
    set("HealthCheckIntervalSeconds", json!(interval));
    set("HealthCheckTimeoutSeconds", json!(timeout));
    set("HealthyThresholdCount", json!(5));
    let lambda = target_type == "lambda";
    let unhealthy = if lambda && fact(world, "elb: lambda unhealthy threshold") { 5 } else { 2 };
    set("UnhealthyThresholdCount", json!(unhealthy));
    set("HealthCheckEnabled", json!(!lambda));
    if lambda {
        set("HealthCheckPath", json!("/"));
        set("Matcher", json!({"HttpCode": "200"}));
        return;
    }
    let check = check_protocol.unwrap_or(match protocol.as_str() {
        "HTTPS" if fact(world, "elb: https groups check https") => "HTTPS",
        _ if is_http(&protocol) || target_type == "alb" => "HTTP",
        _ => "TCP",
    });
    set("HealthCheckProtocol", json!(check));
    set("HealthCheckPort", json!(if protocol == "GENEVE" { "80" } else { "traffic-port" }));
    if is_http(check) {
        let grpc = version == "GRPC";
        set("HealthCheckPath", json!(if grpc { "/AWS.ALB/healthcheck" } else { "/" }));
        set(
            "Matcher",
            match (grpc, is_http(&protocol)) {
                (true, _) => json!({"GrpcCode": "12"}),
                (false, true) => json!({"HttpCode": "200"}),
                (false, false) => json!({"HttpCode": "200-399"}),
            },
        );
    }
}

/// Writes what the input says of the health check over `settings`, checked.
///
/// # Errors
/// `ValidationError` and `InvalidConfigurationRequest`, as AWS.
pub(super) fn apply(world: &World, settings: &mut Map<String, Value>, input: &Value) -> Result<(), ApiError> {
    let of = |settings: &Map<String, Value>, member: &str| {
        settings.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let protocol = of(settings, "Protocol");
    let lambda = of(settings, "TargetType") == "lambda";
    if let Some(check) = text(input, "HealthCheckProtocol") {
        if !["HTTP", "HTTPS", "TCP"].contains(&check) {
            return Err(not_one_of("healthCheckProtocol", check, &["HTTP", "HTTPS", "TCP"]));
        }
        if check == "TCP" && is_http(&protocol) {
            return Err(invalid(format!(
                "Health check protocol 'TCP' is not supported for target groups with protocol '{protocol}'"
            )));
        }
        settings.insert("HealthCheckProtocol".to_owned(), json!(check));
        if is_http(check) {
            settings.entry("HealthCheckPath").or_insert_with(|| json!("/"));
            settings.entry("Matcher").or_insert_with(|| json!({"HttpCode": "200-399"}));
        } else {
            settings.remove("HealthCheckPath");
            settings.remove("Matcher");
        }
    }
    if let Some(port) = text(input, "HealthCheckPort") {
        if port != "traffic-port" && !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(invalid(format!(
                "Health check port '{port}' must be 'traffic-port' or a number from 1 to 65535"
            )));
        }
        settings.insert("HealthCheckPort".to_owned(), json!(port));
    }
    if let Some(enabled) = truth(input, "HealthCheckEnabled")? {
        if !enabled && !lambda {
            let target_type = of(settings, "TargetType");
            return Err(ApiError::client(
                "InvalidConfigurationRequest",
                format!("Health check enabled must be true for target groups with target type '{target_type}'"),
            ));
        }
        settings.insert("HealthCheckEnabled".to_owned(), json!(enabled));
    }
    for (member, min, max) in RANGES {
        if let Some(value) = number(input, member)? {
            if !(min..=max).contains(&value) {
                let spelt = format!("{}{}", member[..1].to_lowercase(), &member[1..]);
                return Err(out_of_range(&spelt, value, min, max));
            }
            settings.insert(member.to_owned(), json!(value));
        }
    }
    let checked_by_http = lambda || is_http(&of(settings, "HealthCheckProtocol"));
    if let Some(path) = text(input, "HealthCheckPath") {
        if !checked_by_http {
            return Err(invalid("Health check path is not supported for health checks with protocol 'TCP'"));
        }
        if !path.starts_with('/') {
            return Err(invalid(format!("Health check path '{path}' must begin with a '/' character")));
        }
        if path.chars().count() > 1024 {
            return Err(invalid(format!("Health check path '{path}' cannot be longer than '1024' characters")));
        }
        settings.insert("HealthCheckPath".to_owned(), json!(path));
    }
    if let Some(matcher) = input.get("Matcher").filter(|matcher| matcher.as_object().is_some_and(|m| !m.is_empty())) {
        check_matcher(matcher, of(settings, "ProtocolVersion") == "GRPC", checked_by_http, &protocol)?;
        settings.insert("Matcher".to_owned(), matcher.clone());
    }
    check_timeout(world, settings)
}

/// The time-out must be below the interval; both texts have been seen.
fn check_timeout(world: &World, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let number = |member: &str| settings.get(member).and_then(Value::as_u64).unwrap_or_default();
    let (timeout, interval) = (number("HealthCheckTimeoutSeconds"), number("HealthCheckIntervalSeconds"));
    if timeout < interval {
        Ok(())
    } else if fact(world, "elb: text of a long time-out") {
        Err(invalid(format!("Health check timeout '{timeout}' must be smaller than the interval '{interval}'")))
    } else {
        Err(invalid("Health check interval must be greater than the timeout."))
    }
}

fn check_matcher(matcher: &Value, grpc: bool, by_http: bool, protocol: &str) -> Result<(), ApiError> {
    if !by_http {
        return Err(invalid("Health check matcher is not supported for health checks with protocol 'TCP'"));
    }
    let (member, max) = match (grpc, is_http(protocol)) {
        (true, _) => ("GrpcCode", (0, 99)),
        (false, true) => ("HttpCode", (200, 499)),
        (false, false) => ("HttpCode", (200, 599)),
    };
    let Some(codes) = text(matcher, member) else {
        let protocol = if grpc { "GRPC" } else { "HTTP" };
        return Err(invalid(format!("Health check matcher must have a {member} for protocol version '{protocol}'")));
    };
    let well_formed = codes.split(',').all(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
            (Ok(from), Ok(to)) => max.0 <= from && from <= to && to <= max.1,
            _ => false,
        }
    });
    if well_formed {
        Ok(())
    } else {
        let (kind, (min, max)) = (if grpc { "GRPC" } else { "HTTP" }, max);
        Err(invalid(format!("Health check matcher {kind} code '{codes}' must be within '{min}-{max}' inclusive")))
    }
}
