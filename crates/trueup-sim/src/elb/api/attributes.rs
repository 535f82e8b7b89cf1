//! DescribeTargetGroupAttributes and ModifyTargetGroupAttributes: a group has the attributes that apply to its protocol
//! and target type, each with a default, and refuses others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arns::target_group_arn;
use super::errors::target_groups_not_found;
use super::health_checks::is_http;
use super::members::required;
use crate::input::{invalid, list, text};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// The attributes of a new target group with these settings.
pub(super) fn defaults(settings: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |member: &str| settings.get(member).and_then(Value::as_str).unwrap_or_default();
    let (protocol, target_type) = (text("Protocol"), text("TargetType"));
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    if target_type == "lambda" {
        pairs.push(("lambda.multi_value_headers.enabled", "false"));
    } else {
        pairs.extend([("deregistration_delay.timeout_seconds", "300"), ("stickiness.enabled", "false")]);
        let health = [
            ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
            ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
            ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
            ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
            ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
        ];
        match protocol {
            "GENEVE" => pairs.extend([
                ("stickiness.type", "source_ip_dest_ip_proto"),
                ("target_failover.on_deregistration", "no_rebalance"),
                ("target_failover.on_unhealthy", "no_rebalance"),
            ]),
            _ if is_http(protocol) => {
                pairs.extend(health);
                pairs.extend([
                    ("stickiness.type", "lb_cookie"),
                    ("stickiness.lb_cookie.duration_seconds", "86400"),
                    ("stickiness.app_cookie.duration_seconds", "86400"),
                    ("stickiness.app_cookie.cookie_name", ""),
                    ("load_balancing.algorithm.type", "round_robin"),
                    ("load_balancing.algorithm.anomaly_mitigation", "off"),
                    ("slow_start.duration_seconds", "0"),
                ]);
            }
            _ => {
                pairs.extend(health);
                let datagrams = matches!(protocol, "UDP" | "TCP_UDP");
                let client_ip = !(target_type == "ip" && matches!(protocol, "TCP" | "TLS"));
                pairs.extend([
                    ("stickiness.type", "source_ip"),
                    ("deregistration_delay.connection_termination.enabled", if datagrams { "true" } else { "false" }),
                    ("preserve_client_ip.enabled", if client_ip { "true" } else { "false" }),
                    ("proxy_protocol_v2.enabled", "false"),
                ]);
                if target_type != "alb" {
                    pairs.extend([
                        ("target_health_state.unhealthy.connection_termination.enabled", "true"),
                        ("target_health_state.unhealthy.draining_interval_seconds", "0"),
                    ]);
                }
            }
        }
    }
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// `DescribeTargetGroupAttributes`: every attribute that applies, in no order.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let group = world.elb.target_groups.get(arn).ok_or_else(target_groups_not_found)?;
    let mut shown: Vec<Value> =
        group.attributes.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let first = world.chance.of("elb: order of attributes").between(0, shown.len() as u64);
    shown.rotate_left(usize::try_from(first).unwrap_or_default());
    Ok(json!({"Attributes": shown}))
}

/// `ModifyTargetGroupAttributes`: the keys that are sent, all or none.
pub(super) fn modify(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let sent = list(input, "Attributes").filter(|sent| !sent.is_empty());
    let sent = sent.ok_or_else(|| invalid("At least one attribute must be specified"))?;
    let group = world.elb.target_groups.get_mut(arn).ok_or_else(target_groups_not_found)?;
    let mut attributes = group.attributes.clone();
    let mut keys = Vec::new();
    for attribute in sent {
        let key = text(attribute, "Key").ok_or_else(|| invalid("An attribute key must be specified"))?;
        let value = text(attribute, "Value").unwrap_or_default();
        if keys.contains(&key) {
            return Err(invalid(format!("Target group attribute key '{key}' was specified more than once")));
        }
        keys.push(key);
        check(&attributes, key, value)?;
        attributes.insert(key.to_owned(), value.to_owned());
    }
    check_together(&attributes)?;
    group.attributes.clone_from(&attributes);
    // The answer lists what was sent, and not the rest.
    let shown: Vec<Value> = keys.iter().map(|key| json!({"Key": key, "Value": attributes[*key]})).collect();
    Ok(json!({"Attributes": shown}))
}

fn check(attributes: &BTreeMap<String, String>, key: &str, value: &str) -> Result<(), ApiError> {
    if !attributes.contains_key(key) {
        return Err(refused(format!("Target group attribute key '{key}' is not recognized")));
    }
    let within = |min: u64, max: u64| value.parse::<u64>().is_ok_and(|number| (min..=max).contains(&number));
    let valid = match key {
        "deregistration_delay.timeout_seconds" => within(0, 3600),
        "stickiness.lb_cookie.duration_seconds" | "stickiness.app_cookie.duration_seconds" => within(1, 604_800),
        "slow_start.duration_seconds" => value == "0" || within(30, 900),
        "target_health_state.unhealthy.draining_interval_seconds" => within(0, 360_000),
        "stickiness.app_cookie.cookie_name" => !value.starts_with("AWSALB"),
        "stickiness.type" => match attributes.get(key).map(String::as_str) {
            Some("lb_cookie" | "app_cookie") => ["lb_cookie", "app_cookie"].contains(&value),
            Some("source_ip") => value == "source_ip",
            _ => ["source_ip_dest_ip", "source_ip_dest_ip_proto"].contains(&value),
        },
        "load_balancing.algorithm.type" => {
            ["round_robin", "least_outstanding_requests", "weighted_random"].contains(&value)
        }
        "load_balancing.algorithm.anomaly_mitigation" => ["on", "off"].contains(&value),
        "load_balancing.cross_zone.enabled" => ["true", "false", "use_load_balancer_configuration"].contains(&value),
        "target_failover.on_deregistration" | "target_failover.on_unhealthy" => {
            ["rebalance", "no_rebalance"].contains(&value)
        }
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count" => within(1, 1_000),
        _ if key.ends_with("_targets.count") => value == "off" || within(1, 1_000),
        _ if key.ends_with("_targets.percentage") => value == "off" || within(1, 100),
        _ => ["true", "false"].contains(&value),
    };
    if valid {
        Ok(())
    } else {
        Err(invalid(format!("'{value}' is not a valid value for target group attribute '{key}'")))
    }
}

/// What single values cannot show.
fn check_together(attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let get = |key: &str| attributes.get(key).map(String::as_str).unwrap_or_default();
    let algorithm = get("load_balancing.algorithm.type");
    if !["", "0"].contains(&get("slow_start.duration_seconds"))
        && ["least_outstanding_requests", "weighted_random"].contains(&algorithm)
    {
        return Err(refused(format!("Slow start is not supported with the load balancing algorithm '{algorithm}'")));
    }
    if get("load_balancing.algorithm.anomaly_mitigation") == "on" && algorithm != "weighted_random" {
        return Err(refused(format!(
            "Anomaly mitigation is not supported with the load balancing algorithm '{algorithm}'"
        )));
    }
    if get("stickiness.enabled") == "true"
        && get("stickiness.type") == "app_cookie"
        && get("stickiness.app_cookie.cookie_name").is_empty()
    {
        return Err(refused("A cookie name must be specified for stickiness type 'app_cookie'"));
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidConfigurationRequest", message)
}
