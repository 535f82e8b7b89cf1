//! CreateLoadBalancer, DescribeLoadBalancers, DeleteLoadBalancer, their attributes, DescribeAccountLimits.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::arns::load_balancer_arn;
use super::errors::{load_balancer_not_found, not_one_of};
use super::members::{check_name, required};
use super::paging::page;
use super::tags;
use crate::elb::health;
use crate::elb::model::LoadBalancer;
use crate::input::{invalid, list, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Load balancers of one kind of an account in a region.
const LOAD_BALANCERS_MAX: usize = 50;

/// Load balancers that one DescribeLoadBalancers takes by ARN or name.
const SELECTED_MAX: usize = 20;

/// How long a new load balancer is `provisioning`: seconds, from and to.
const PROVISIONING: (u64, u64) = (60, 180);

/// `CreateLoadBalancer`. With the settings of an existing one of that name it succeeds and changes nothing.
pub(super) fn create(world: &mut World, input: &Value) -> Outcome {
    let name = required(input, "Name")?;
    check_name("Load balancer", name)?;
    if name.starts_with("internal-") {
        return Err(invalid("Load balancer name cannot begin with 'internal-'"));
    }
    let kind = text(input, "Type").unwrap_or("application");
    let letters = match kind {
        "application" => "app",
        "network" => "net",
        "gateway" => "gwy",
        _ => return Err(not_one_of("type", kind, &["application", "network", "gateway"])),
    };
    let mapped: Vec<&str> = list(input, "SubnetMappings")
        .unwrap_or_default()
        .iter()
        .filter_map(|mapping| text(mapping, "SubnetId"))
        .collect();
    let mut subnets = texts(input, "Subnets");
    subnets.extend(mapped);
    if subnets.len() < if kind == "application" { 2 } else { 1 } {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified"));
    }
    let settings = settings(world, kind, &subnets, input)?;
    let new_tags = tags::given(input)?;
    if let Some((arn, found)) = world.elb.load_balancers.iter().find(|(_, found)| found.name == name) {
        let same = |member: &str| found.settings.get(member) == settings.get(member);
        if found.kind != kind || !["AvailabilityZones", "SecurityGroups", "Scheme"].into_iter().all(same) {
            return Err(ApiError::client(
                "DuplicateLoadBalancerName",
                format!("A load balancer with the same name '{name}' exists, but with different settings"),
            ));
        }
        return Ok(json!({"LoadBalancers": [shown(world, arn, found)]}));
    }
    if world.elb.load_balancers.values().filter(|found| found.kind == kind).count() >= LOAD_BALANCERS_MAX {
        return Err(ApiError::client(
            "TooManyLoadBalancers",
            format!("The maximum number of load balancers has been reached: '{LOAD_BALANCERS_MAX}'"),
        ));
    }
    let id = world.chance.of("elb: ids").hex(16);
    let (from, to) = PROVISIONING;
    let provisioning = Duration::from_secs(world.chance.of("elb: provisioning").between(from, to));
    let arn = world.arn("elasticloadbalancing", &format!("loadbalancer/{letters}/{name}/{id}"));
    let mut settings = settings;
    let number = world.chance.of("elb: dns names").between(100_000_000, 2_000_000_000);
    settings.insert("DNSName".to_owned(), json!(format!("{name}-{number}.{}.elb.amazonaws.com", world.region)));
    settings.insert("CreatedTime".to_owned(), json!(world.now.iso()));
    let balancer = LoadBalancer {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings,
        attributes: default_attributes(kind),
        tags: new_tags,
        active_at: world.now + provisioning,
    };
    let answer = json!({"LoadBalancers": [shown(world, &arn, &balancer)]});
    world.elb.load_balancers.insert(arn, balancer);
    Ok(answer)
}

fn settings(world: &World, kind: &str, subnets: &[&str], input: &Value) -> Result<Map<String, Value>, ApiError> {
    let scheme = text(input, "Scheme").unwrap_or("internet-facing");
    if !["internet-facing", "internal"].contains(&scheme) {
        return Err(not_one_of("scheme", scheme, &["internet-facing", "internal"]));
    }
    let zone = |(index, subnet): (usize, &&str)| {
        let letter = char::from(b'a' + u8::try_from(index % 6).unwrap_or_default());
        json!({"ZoneName": format!("{}{letter}", world.region), "SubnetId": subnet, "LoadBalancerAddresses": []})
    };
    let zones: Vec<Value> = subnets.iter().enumerate().map(zone).collect();
    let mut settings = Map::new();
    let mut set = |member: &str, value: Value| drop(settings.insert(member.to_owned(), value));
    set("Scheme", json!(scheme));
    set("AvailabilityZones", json!(zones));
    set("CanonicalHostedZoneId", json!("Z14GRHDCWA56QT"));
    set("IpAddressType", json!(text(input, "IpAddressType").unwrap_or("ipv4")));
    set("VpcId", json!("vpc-0123456789abcdef0"));
    if kind != "gateway" {
        set("SecurityGroups", json!(texts(input, "SecurityGroups")));
    }
    Ok(settings)
}

/// `DescribeLoadBalancers`: by ARNs, by names, or all.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let (arns, names) = (texts(input, "LoadBalancerArns"), texts(input, "Names"));
    if !arns.is_empty() && !names.is_empty() {
        return Err(invalid("Load balancer names and load balancer ARNs cannot be specified at the same time"));
    }
    if arns.len() + names.len() > SELECTED_MAX {
        return Err(invalid(format!("Up to '{SELECTED_MAX}' load balancers can be described at a time")));
    }
    let all = &world.elb.load_balancers;
    for arn in &arns {
        if !all.contains_key(load_balancer_arn(arn)?) {
            return Err(load_balancer_not_found(arn));
        }
    }
    let missing: Vec<&str> =
        names.iter().filter(|name| !all.values().any(|found| found.name == **name)).copied().collect();
    if !missing.is_empty() {
        return Err(ApiError::client(
            "LoadBalancerNotFound",
            format!("Load balancers '[{}]' not found", missing.join(", ")),
        ));
    }
    let selected = all.iter().filter(|(arn, found)| {
        (arns.is_empty() || arns.contains(&arn.as_str())) && (names.is_empty() || names.contains(&found.name.as_str()))
    });
    page(input, "LoadBalancers", selected.map(|(arn, found)| (arn.clone(), shown(world, arn, found))).collect())
}

/// `DeleteLoadBalancer`, with its listeners. One that does not exist is no error.
pub(super) fn delete(world: &mut World, input: &Value) -> Outcome {
    let arn = load_balancer_arn(required(input, "LoadBalancerArn")?)?;
    if let Some(found) = world.elb.load_balancers.get(arn)
        && found.attributes.get("deletion_protection.enabled").is_some_and(|enabled| enabled == "true")
    {
        return Err(ApiError::client(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        ));
    }
    world.elb.load_balancers.remove(arn);
    let listeners = &mut world.elb.listeners;
    listeners.retain(|_, listener| listener.load_balancer != arn);
    world.elb.rules.retain(|_, rule| listeners.contains_key(&rule.listener));
    health::rules_changed(world);
    Ok(json!({}))
}

/// `DescribeLoadBalancerAttributes`.
pub(super) fn attributes(world: &mut World, input: &Value) -> Outcome {
    let arn = load_balancer_arn(required(input, "LoadBalancerArn")?)?;
    let found = world.elb.load_balancers.get(arn).ok_or_else(|| load_balancer_not_found(arn))?;
    let attributes: Vec<Value> =
        found.attributes.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Attributes": attributes}))
}

/// `ModifyLoadBalancerAttributes`.
pub(super) fn modify_attributes(world: &mut World, input: &Value) -> Outcome {
    let arn = load_balancer_arn(required(input, "LoadBalancerArn")?)?;
    let found = world.elb.load_balancers.get_mut(arn).ok_or_else(|| load_balancer_not_found(arn))?;
    let sent = list(input, "Attributes").unwrap_or_default();
    for attribute in sent {
        let key = text(attribute, "Key").unwrap_or_default();
        if !found.attributes.contains_key(key) {
            return Err(ApiError::client(
                "InvalidConfigurationRequest",
                format!("Load balancer attribute key '{key}' is not recognized"),
            ));
        }
    }
    for attribute in sent {
        let (key, value) = (text(attribute, "Key").unwrap_or_default(), text(attribute, "Value").unwrap_or_default());
        found.attributes.insert(key.to_owned(), value.to_owned());
    }
    Ok(json!({"Attributes": sent}))
}

/// The attributes that matter for services behind it; AWS has more.
fn default_attributes(kind: &str) -> BTreeMap<String, String> {
    let mut pairs = vec![("deletion_protection.enabled", "false"), ("access_logs.s3.enabled", "false")];
    if kind == "application" {
        pairs.extend([
            ("load_balancing.cross_zone.enabled", "true"),
            ("idle_timeout.timeout_seconds", "60"),
            ("routing.http2.enabled", "true"),
            ("routing.http.drop_invalid_header_fields.enabled", "false"),
        ]);
    } else {
        pairs.push(("load_balancing.cross_zone.enabled", "false"));
    }
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// `DescribeAccountLimits`: those that are enforced here.
pub(super) fn limits() -> Value {
    let limits = [
        ("application-load-balancers", "50"),
        ("listeners-per-application-load-balancer", "50"),
        ("rules-per-application-load-balancer", "100"),
        ("target-groups", "3000"),
        ("target-groups-per-action-on-application-load-balancer", "5"),
        ("target-groups-per-application-load-balancer", "100"),
        ("targets-per-application-load-balancer", "1000"),
    ];
    let limits: Vec<Value> = limits.iter().map(|(name, max)| json!({"Name": name, "Max": max})).collect();
    json!({"Limits": limits})
}

fn shown(world: &World, arn: &str, balancer: &LoadBalancer) -> Value {
    let mut shown = balancer.settings.clone();
    shown.insert("LoadBalancerArn".to_owned(), json!(arn));
    shown.insert("LoadBalancerName".to_owned(), json!(balancer.name));
    shown.insert("Type".to_owned(), json!(balancer.kind));
    let state = if world.now >= balancer.active_at { "active" } else { "provisioning" };
    shown.insert("State".to_owned(), json!({"Code": state}));
    Value::Object(shown)
}
