//! CreateListener, DescribeListeners, ModifyListener, DeleteListener, DescribeListenerAttributes.

use serde_json::{Map, Value, json};

use super::arns::{listener_arn, load_balancer_arn};
use super::errors::{listeners_not_found, load_balancer_not_found, not_one_of, out_of_range};
use super::members::required;
use super::paging::page;
use super::{actions, rules, tags};
use crate::elb::health;
use crate::elb::model::{Listener, Rule};
use crate::input::{invalid, list, number, text, texts};
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// Listeners of a load balancer.
const LISTENERS_MAX: usize = 50;

/// The policy of an HTTPS or TLS listener that names none.
const SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// `CreateListener`. With the settings of an existing one it succeeds and changes nothing (API reference, CreateListener).
pub(super) fn create(world: &mut World, input: &Value) -> Outcome {
    let load_balancer = load_balancer_arn(required(input, "LoadBalancerArn")?)?;
    let found = world.elb.load_balancers.get(load_balancer).ok_or_else(|| load_balancer_not_found(load_balancer))?;
    let mut settings = Map::new();
    apply(&mut settings, &found.kind, input)?;
    if !settings.contains_key("Protocol") {
        return Err(invalid("A listener protocol must be specified"));
    }
    let Some(port) = settings.get("Port").and_then(Value::as_u64) else {
        return Err(invalid("A listener port must be specified"));
    };
    let actions = actions::completed(world, load_balancer, list(input, "DefaultActions").unwrap_or_default(), None)?;
    let same = world.elb.listeners.iter().find(|(arn, listener)| {
        listener.load_balancer == load_balancer
            && listener.settings == settings
            && world.elb.default_rule(arn).is_some_and(|(_, rule)| rule.actions == actions)
    });
    if let Some((arn, _)) = same {
        return Ok(json!({"Listeners": [shown(world, arn)]}));
    }
    check_port(world, load_balancer, port, None)?;
    let of_load_balancer = world.elb.listeners.values().filter(|listener| listener.load_balancer == load_balancer);
    if of_load_balancer.count() >= LISTENERS_MAX {
        return Err(ApiError::client(
            "TooManyListeners",
            format!("The maximum number of listeners has been reached: '{LISTENERS_MAX}'"),
        ));
    }
    let new_tags = tags::given(input)?;
    let id = world.chance.of("elb: ids").hex(16);
    let arn = format!("{}/{id}", load_balancer.replacen(":loadbalancer/", ":listener/", 1));
    world
        .elb
        .listeners
        .insert(arn.clone(), Listener { load_balancer: load_balancer.to_owned(), settings, tags: new_tags });
    let default = Rule {
        listener: arn.clone(),
        priority: None,
        conditions: Vec::new(),
        actions,
        transforms: Vec::new(),
        tags: tags::given(&json!({}))?,
    };
    rules::add(world, default);
    health::rules_changed(world);
    Ok(json!({"Listeners": [shown(world, &arn)]}))
}

/// `DescribeListeners`: of a load balancer, or by ARNs.
pub(super) fn describe(world: &mut World, input: &Value) -> Outcome {
    let arns = texts(input, "ListenerArns");
    let selected: Vec<&String> = match (text(input, "LoadBalancerArn"), arns.is_empty()) {
        (Some(load_balancer), true) => {
            if !world.elb.load_balancers.contains_key(load_balancer_arn(load_balancer)?) {
                return Err(load_balancer_not_found(load_balancer));
            }
            let all = world.elb.listeners.iter();
            all.filter(|(_, listener)| listener.load_balancer == load_balancer).map(|(arn, _)| arn).collect()
        }
        (None, false) => {
            for arn in &arns {
                if !world.elb.listeners.contains_key(listener_arn(arn)?) {
                    return Err(listeners_not_found());
                }
            }
            world.elb.listeners.keys().filter(|arn| arns.contains(&arn.as_str())).collect()
        }
        _ => return Err(invalid("You must specify either listener ARNs or a load balancer ARN")),
    };
    page(input, "Listeners", selected.into_iter().map(|arn| (arn.clone(), shown(world, arn))).collect())
}

/// `ModifyListener`: what is sent replaces, the rest stays.
pub(super) fn modify(world: &mut World, input: &Value) -> Outcome {
    let arn = listener_arn(required(input, "ListenerArn")?)?;
    let listener = world.elb.listeners.get(arn).ok_or_else(listeners_not_found)?.clone();
    let kind = world.elb.load_balancers.get(&listener.load_balancer).map_or("application", |found| found.kind.as_str());
    let mut settings = listener.settings;
    apply(&mut settings, kind, input)?;
    if let Some(port) = settings.get("Port").and_then(Value::as_u64) {
        check_port(world, &listener.load_balancer, port, Some(arn))?;
    }
    let default = world.elb.default_rule(arn).map(|(arn, _)| arn.clone());
    let new = match list(input, "DefaultActions") {
        Some(sent) => Some(actions::completed(world, &listener.load_balancer, sent, default.as_deref())?),
        None => None,
    };
    if let (Some(actions), Some(rule)) = (new, default.and_then(|arn| world.elb.rules.get_mut(&arn))) {
        rule.actions = actions;
    }
    if let Some(listener) = world.elb.listeners.get_mut(arn) {
        listener.settings = settings;
    }
    health::rules_changed(world);
    Ok(json!({"Listeners": [shown(world, arn)]}))
}

/// `DeleteListener`, with its rules.
pub(super) fn delete(world: &mut World, input: &Value) -> Outcome {
    let arn = listener_arn(required(input, "ListenerArn")?)?;
    if world.elb.listeners.remove(arn).is_none() {
        return Err(listeners_not_found());
    }
    world.elb.rules.retain(|_, rule| rule.listener != arn);
    health::rules_changed(world);
    Ok(json!({}))
}

/// `DescribeListenerAttributes`: those that every listener of its kind has.
pub(super) fn attributes(world: &mut World, input: &Value) -> Outcome {
    let arn = listener_arn(required(input, "ListenerArn")?)?;
    let listener = world.elb.listeners.get(arn).ok_or_else(listeners_not_found)?;
    let application = world.elb.load_balancers.get(&listener.load_balancer).is_some_and(|lb| lb.kind == "application");
    let (key, value) = if application {
        ("routing.http.response.server.enabled", "true")
    } else {
        ("tcp.idle_timeout.seconds", "350")
    };
    Ok(json!({"Attributes": [{"Key": key, "Value": value}]}))
}

/// Writes what the input says over `settings`, checked.
fn apply(settings: &mut Map<String, Value>, kind: &str, input: &Value) -> Result<(), ApiError> {
    if let Some(protocol) = text(input, "Protocol") {
        let supported: &[&str] = match kind {
            "network" => &["TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"],
            "gateway" => &["GENEVE"],
            _ => &["HTTP", "HTTPS"],
        };
        if !["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"].contains(&protocol) {
            return Err(not_one_of("protocol", protocol, supported));
        }
        if !supported.contains(&protocol) {
            return Err(invalid(format!("Listener protocol '{protocol}' must be one of '{}'", supported.join(", "))));
        }
        settings.insert("Protocol".to_owned(), json!(protocol));
    }
    if let Some(port) = number(input, "Port")? {
        if !(1..=65_535).contains(&port) {
            return Err(out_of_range("port", port, 1, 65_535));
        }
        settings.insert("Port".to_owned(), json!(port));
    }
    for member in ["Certificates", "AlpnPolicy", "SslPolicy", "MutualAuthentication"] {
        if let Some(value) = input.get(member).filter(|value| *value != "") {
            settings.insert(member.to_owned(), value.clone());
        }
    }
    let secure = matches!(settings.get("Protocol").and_then(Value::as_str), Some("HTTPS" | "TLS"));
    if secure {
        if settings.get("Certificates").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return Err(ApiError::client("CertificateNotFound", "A certificate must be specified for HTTPS listeners"));
        }
        settings.entry("SslPolicy").or_insert_with(|| json!(SSL_POLICY));
        if kind == "application" {
            settings.entry("MutualAuthentication").or_insert_with(|| json!({"Mode": "off"}));
        }
    } else {
        settings.retain(|member, _| ["Protocol", "Port"].contains(&member.as_str()));
    }
    Ok(())
}

fn check_port(world: &World, load_balancer: &str, port: u64, except: Option<&str>) -> Result<(), ApiError> {
    let taken = world.elb.listeners.iter().any(|(arn, listener)| {
        listener.load_balancer == load_balancer && listener.port() == port && Some(arn.as_str()) != except
    });
    if !taken {
        return Ok(());
    }
    Err(ApiError::client(
        "DuplicateListener",
        format!("A listener already exists on this port for this load balancer '{load_balancer}'"),
    ))
}

fn shown(world: &World, arn: &str) -> Value {
    let Some(listener) = world.elb.listeners.get(arn) else { return json!({}) };
    let mut shown = listener.settings.clone();
    shown.insert("ListenerArn".to_owned(), json!(arn));
    shown.insert("LoadBalancerArn".to_owned(), json!(listener.load_balancer));
    let actions = world.elb.default_rule(arn).map(|(_, rule)| rule.actions.clone());
    shown.insert("DefaultActions".to_owned(), json!(actions.unwrap_or_default()));
    Value::Object(shown)
}
