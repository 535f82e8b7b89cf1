//! CreateTargetGroup, DescribeTargetGroups, ModifyTargetGroup, DeleteTargetGroup.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::arns::{load_balancer_arn, target_group_arn};
use super::errors::{load_balancer_not_found, not_one_of, out_of_range, target_groups_not_found};
use super::members::{check_name, required};
use super::paging::page;
use super::{attributes, health_checks, tags};
use crate::elb::model::TargetGroup;
use crate::elb::queue;
use crate::input::{invalid, number, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Target groups of an account in a region.
const TARGET_GROUPS_MAX: usize = 3_000;

const PROTOCOLS: [&str; 9] = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"];
const TARGET_TYPES: [&str; 4] = ["instance", "ip", "lambda", "alb"];

/// `CreateTargetGroup`. With the settings of an existing group of that name it succeeds and changes nothing.
pub(super) fn create(world: &mut World, input: &Value) -> Outcome {
    let name = required(input, "Name")?;
    check_name("Target group", name)?;
    let settings = settings(world, name, input)?;
    let new_tags = tags::given(input)?;
    if let Some((arn, group)) = world.elb.target_groups.iter().find(|(_, group)| group.name() == name) {
        if group.settings != settings {
            return Err(ApiError::client(
                "DuplicateTargetGroupName",
                format!("A target group with the same name '{name}' exists, but with different settings"),
            ));
        }
        return Ok(json!({"TargetGroups": [shown(world, arn, group)]}));
    }
    if world.elb.target_groups.len() >= TARGET_GROUPS_MAX {
        return Err(ApiError::client(
            "TooManyTargetGroups",
            format!("The maximum number of target groups has been reached: '{TARGET_GROUPS_MAX}'"),
        ));
    }
    let id = world.chance.of("elb: ids").hex(16);
    let arn = world.arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}"));
    let group = TargetGroup {
        attributes: attributes::defaults(&settings),
        settings,
        tags: new_tags,
        targets: BTreeMap::new(),
        used_since: None,
        seen_at: world.now,
    };
    let answer = json!({"TargetGroups": [shown(world, &arn, &group)]});
    world.elb.target_groups.insert(arn, group);
    Ok(answer)
}

/// What DescribeTargetGroups will show of the group that the input asks for.
fn settings(world: &World, name: &str, input: &Value) -> Result<Map<String, Value>, ApiError> {
    let target_type = text(input, "TargetType").unwrap_or("instance");
    if !TARGET_TYPES.contains(&target_type) {
        return Err(not_one_of("targetType", target_type, &TARGET_TYPES));
    }
    let mut settings = Map::new();
    let mut set = |member: &str, value: Value| drop(settings.insert(member.to_owned(), value));
    set("TargetGroupName", json!(name));
    set("TargetType", json!(target_type));
    let protocol = text(input, "Protocol");
    if target_type == "lambda" {
        for member in ["Protocol", "Port", "VpcId"] {
            if input.get(member).is_some() {
                return Err(invalid(format!(
                    "{member} cannot be specified for target groups with target type 'lambda'"
                )));
            }
        }
        set("IpAddressType", json!("ipv4"));
    } else {
        let protocol = protocol.ok_or_else(|| invalid("A protocol must be specified"))?;
        if !PROTOCOLS.contains(&protocol) {
            return Err(not_one_of("protocol", protocol, &PROTOCOLS));
        }
        let port = number(input, "Port")?.ok_or_else(|| invalid("A port must be specified"))?;
        if !(1..=65_535).contains(&port) {
            return Err(out_of_range("port", port, 1, 65_535));
        }
        let vpc = text(input, "VpcId").ok_or_else(|| invalid("A VPC ID must be specified"))?;
        if target_type == "alb" && protocol != "TCP" {
            return Err(invalid(format!("Protocol '{protocol}' is not supported with target type 'alb'")));
        }
        if protocol == "GENEVE" && port != 6081 {
            return Err(invalid("Port must be '6081' for target groups with protocol 'GENEVE'"));
        }
        set("Protocol", json!(protocol));
        set("Port", json!(port));
        set("VpcId", json!(vpc));
        match text(input, "ProtocolVersion") {
            Some(version) if !health_checks::is_http(protocol) => {
                return Err(invalid(format!(
                    "Protocol version '{version}' is not supported with protocol '{protocol}'"
                )));
            }
            Some(version) if !["HTTP1", "HTTP2", "GRPC"].contains(&version) => {
                return Err(not_one_of("protocolVersion", version, &["HTTP1", "HTTP2", "GRPC"]));
            }
            Some(version) => set("ProtocolVersion", json!(version)),
            None if health_checks::is_http(protocol) => set("ProtocolVersion", json!("HTTP1")),
            None => {}
        }
        if protocol != "GENEVE" {
            set("IpAddressType", json!(text(input, "IpAddressType").unwrap_or("ipv4")));
        }
        if let Some(port) = number(input, "TargetControlPort")? {
            set("TargetControlPort", json!(port));
        }
    }
    health_checks::defaults(world, &mut settings, text(input, "HealthCheckProtocol"));
    health_checks::apply(world, &mut settings, input)?;
    Ok(settings)
}

/// `DescribeTargetGroups`: by load balancer, by ARNs, by names, or all.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let (arns, names) = (texts(input, "TargetGroupArns"), texts(input, "Names"));
    let load_balancer = text(input, "LoadBalancerArn");
    let selections =
        usize::from(load_balancer.is_some()) + usize::from(!arns.is_empty()) + usize::from(!names.is_empty());
    if selections > 1 {
        return Err(invalid(
            "Only one of load balancer ARN, target group names, and target group ARNs can be specified",
        ));
    }
    if let Some(load_balancer) = load_balancer
        && !world.elb.load_balancers.contains_key(load_balancer_arn(load_balancer)?)
    {
        return Err(load_balancer_not_found(load_balancer));
    }
    for arn in &arns {
        if !world.elb.target_groups.contains_key(target_group_arn(arn)?) {
            return Err(target_groups_not_found());
        }
    }
    let groups = &world.elb.target_groups;
    if names.iter().any(|name| !groups.values().any(|group| group.name() == *name)) {
        return Err(target_groups_not_found());
    }
    let by_group = world.elb.load_balancers_by_group();
    let selected = groups.iter().filter(|(arn, group)| match load_balancer {
        Some(load_balancer) => by_group.get(arn.as_str()).is_some_and(|found| found.contains(load_balancer)),
        None if !arns.is_empty() => arns.contains(&arn.as_str()),
        None => names.is_empty() || names.contains(&group.name()),
    });
    let all = selected.map(|(arn, group)| (arn.clone(), shown_with(by_group.get(arn.as_str()), arn, group)));
    page(input, "TargetGroups", all.collect())
}

/// `ModifyTargetGroup`: the health check; what is not sent stays.
pub(super) fn modify(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    let group = world.elb.target_groups.get(arn).ok_or_else(target_groups_not_found)?;
    let mut settings = group.settings.clone();
    health_checks::apply(world, &mut settings, input)?;
    if let Some(group) = world.elb.target_groups.get_mut(arn) {
        group.settings = settings;
    }
    queue::wake(world, arn);
    Ok(json!({"TargetGroups": [shown(world, arn, &world.elb.target_groups[arn])]}))
}

/// `DeleteTargetGroup`. One that does not exist is no error.
pub(super) fn delete(world: &mut World, input: &Value) -> Outcome {
    let arn = target_group_arn(required(input, "TargetGroupArn")?)?;
    if world.elb.rules.values().any(|rule| rule.forwards_to().any(|(group, _)| group == arn)) {
        return Err(ApiError::client(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    world.elb.target_groups.remove(arn);
    Ok(json!({}))
}

fn shown(world: &World, arn: &str, group: &TargetGroup) -> Value {
    let by_group = world.elb.load_balancers_by_group();
    shown_with(by_group.get(arn), arn, group)
}

fn shown_with(load_balancers: Option<&BTreeSet<&str>>, arn: &str, group: &TargetGroup) -> Value {
    let mut shown = group.settings.clone();
    shown.insert("TargetGroupArn".to_owned(), json!(arn));
    shown.insert("LoadBalancerArns".to_owned(), json!(load_balancers.into_iter().flatten().collect::<Vec<_>>()));
    Value::Object(shown)
}
