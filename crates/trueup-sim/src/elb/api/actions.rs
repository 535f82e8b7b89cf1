//! The actions of a rule or listener: what AWS refuses, and how it writes them down.
//!
//! A forward action to one group is shown in both its forms; one to several has no `TargetGroupArn`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::arns::target_group_arn;
use super::errors::{not_one_of, target_groups_not_found};
use crate::elb::model::{Elb, Rule};
use crate::input::{invalid, list, number, text, truth};
use crate::wire::ApiError;
use crate::world::World;

const TYPES: [&str; 6] =
    ["forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation"];

/// Target groups of one forward action.
const GROUPS_PER_ACTION_MAX: usize = 5;

/// Target groups of a load balancer.
const GROUPS_PER_LOAD_BALANCER_MAX: usize = 100;

/// What the four settings are that both ways to authenticate share.
const AUTHENTICATION: [(&str, &str); 3] = [
    ("Scope", "openid"),
    ("SessionCookieName", "AWSELBAuthSessionCookie"),
    ("OnUnauthenticatedRequest", "authenticate"),
];

/// The actions of an input as DescribeRules will show them, for a rule or listener of this load balancer.
///
/// `replaced` are the actions that they take the place of.
///
/// # Errors
/// As AWS: `TargetGroupNotFound`, `InvalidLoadBalancerAction`, `TooManyActions`, limits of target groups, and
/// `ValidationError`.
pub(super) fn completed(
    world: &World,
    load_balancer: &str,
    sent: &[Value],
    replaced: Option<&str>,
) -> Result<Vec<Value>, ApiError> {
    if sent.is_empty() {
        return Err(invalid("At least one action must be specified"));
    }
    let mut actions = Vec::new();
    for (index, action) in sent.iter().enumerate() {
        actions.push(one(&world.elb, load_balancer, action, index + 1)?);
    }
    actions.sort_by_key(|action| action.get("Order").and_then(Value::as_u64).unwrap_or_default());
    let is_final = |action: &Value| {
        ["forward", "redirect", "fixed-response"].contains(&action["Type"].as_str().unwrap_or_default())
    };
    match actions.iter().filter(|action| is_final(action)).count() {
        1 if actions.last().is_some_and(is_final) => {}
        1 => return Err(invalid_action("The last action must be a forward, fixed-response, or redirect action")),
        0 => return Err(invalid_action("A forward, fixed-response, or redirect action must be specified")),
        _ => return Err(ApiError::client("TooManyActions", "A rule can only have one routing action")),
    }
    check_associations(&world.elb, load_balancer, &actions, replaced)?;
    Ok(actions)
}

fn one(elb: &Elb, load_balancer: &str, sent: &Value, position: usize) -> Result<Value, ApiError> {
    let kind = text(sent, "Type").unwrap_or_default();
    if !TYPES.contains(&kind) {
        return Err(not_one_of(&format!("actions.{position}.member.type"), kind, &TYPES));
    }
    let network = elb.load_balancers.get(load_balancer).is_some_and(|found| found.kind == "network");
    if network && kind != "forward" {
        return Err(invalid_action(format!("Action type '{kind}' is not supported with network load balancers")));
    }
    let mut action = Map::new();
    action.insert("Type".to_owned(), json!(kind));
    if let Some(order) = number(sent, "Order")? {
        action.insert("Order".to_owned(), json!(order));
    }
    match kind {
        "forward" => forward(elb, &mut action, sent)?,
        "redirect" => {
            let config = sent.get("RedirectConfig").filter(|config| config.is_object());
            let config =
                config.ok_or_else(|| invalid("A redirect config must be specified for action type 'redirect'"))?;
            let status = text(config, "StatusCode").unwrap_or_default();
            if !["HTTP_301", "HTTP_302"].contains(&status) {
                let member = format!("actions.{position}.member.redirectConfig.statusCode");
                return Err(not_one_of(&member, status, &["HTTP_301", "HTTP_302"]));
            }
            let mut redirect = json!({
                "Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}",
            });
            over(&mut redirect, config);
            action.insert("RedirectConfig".to_owned(), redirect);
        }
        "fixed-response" => {
            let config = sent.get("FixedResponseConfig").filter(|config| config.is_object());
            let config = config
                .ok_or_else(|| invalid("A fixed response config must be specified for action type 'fixed-response'"))?;
            let status = text(config, "StatusCode").unwrap_or_default();
            if !(status.len() == 3 && status.parse::<u16>().is_ok() && status.starts_with(['2', '4', '5'])) {
                return Err(invalid(format!(
                    "1 validation error detected: Value '{status}' at \
                     'actions.{position}.member.fixedResponseConfig.statusCode' failed to satisfy constraint: Member \
                     must satisfy regular expression pattern: ^(2|4|5)\\d\\d$"
                )));
            }
            let mut response = json!({});
            over(&mut response, config);
            if let Some(members) = response.as_object_mut() {
                members.retain(|_, value| value != "");
            }
            action.insert("FixedResponseConfig".to_owned(), response);
        }
        "authenticate-oidc" => {
            action.insert("AuthenticateOidcConfig".to_owned(), authentication(sent, "AuthenticateOidcConfig")?);
        }
        "authenticate-cognito" => {
            action.insert("AuthenticateCognitoConfig".to_owned(), authentication(sent, "AuthenticateCognitoConfig")?);
        }
        _ => {
            let config = sent.get("JwtValidationConfig").cloned().unwrap_or_else(|| json!({}));
            action.insert("JwtValidationConfig".to_owned(), config);
        }
    }
    Ok(Value::Object(action))
}

/// Both ways to authenticate; the secret is never shown again.
fn authentication(sent: &Value, member: &str) -> Result<Value, ApiError> {
    let config = sent.get(member).filter(|config| config.is_object());
    let config = config.ok_or_else(|| invalid(format!("{member} must be specified")))?;
    let mut shown = json!({"SessionTimeout": 604_800});
    for (name, default) in AUTHENTICATION {
        shown[name] = json!(default);
    }
    over(&mut shown, config);
    if let Some(timeout) = number(config, "SessionTimeout")? {
        shown["SessionTimeout"] = json!(timeout);
    }
    if let Some(members) = shown.as_object_mut() {
        members.remove("ClientSecret");
        members.remove("UseExistingClientSecret");
    }
    Ok(shown)
}

fn over(shown: &mut Value, sent: &Value) {
    for (name, value) in sent.as_object().into_iter().flatten() {
        shown[name] = value.clone();
    }
}

fn forward(elb: &Elb, action: &mut Map<String, Value>, sent: &Value) -> Result<(), ApiError> {
    let short = text(sent, "TargetGroupArn");
    let config = sent.get("ForwardConfig").filter(|config| config.is_object());
    let mut groups: Vec<(String, u64)> = Vec::new();
    for group in config.and_then(|config| list(config, "TargetGroups")).unwrap_or_default() {
        let arn = text(group, "TargetGroupArn").ok_or_else(|| invalid("A target group ARN must be specified"))?;
        let weight = number(group, "Weight")?.unwrap_or(1);
        if weight > 999 {
            return Err(invalid(format!("Weight '{weight}' must be between 0 and 999")));
        }
        if groups.iter().any(|(known, _)| known == arn) {
            return Err(invalid(format!("Target group '{arn}' was specified more than once")));
        }
        groups.push((arn.to_owned(), weight));
    }
    match short {
        Some(arn) if groups.is_empty() => groups.push((arn.to_owned(), 1)),
        Some(arn) if groups.len() > 1 || groups[0].0 != arn => {
            return Err(invalid(
                "You cannot specify both a target group ARN and a forward config with different target groups in an action",
            ));
        }
        _ => {}
    }
    if groups.is_empty() {
        return Err(invalid("A target group ARN must be specified for action type 'forward'"));
    }
    if groups.len() > GROUPS_PER_ACTION_MAX {
        return Err(invalid(format!("An action can only have '{GROUPS_PER_ACTION_MAX}' target groups")));
    }
    for (arn, _) in &groups {
        if !elb.target_groups.contains_key(target_group_arn(arn)?) {
            return Err(target_groups_not_found());
        }
    }
    let stickiness = config.and_then(|config| config.get("TargetGroupStickinessConfig"));
    let enabled = stickiness.map_or(Ok(None), |sent| truth(sent, "Enabled"))?.unwrap_or(false);
    let mut shown = json!({"Enabled": enabled});
    if let Some(duration) = stickiness.map_or(Ok(None), |sent| number(sent, "DurationSeconds"))? {
        if !(1..=604_800).contains(&duration) {
            return Err(invalid(format!("Target group stickiness duration '{duration}' must be between 1 and 604800")));
        }
        shown["DurationSeconds"] = json!(duration);
    } else if enabled {
        return Err(invalid("Target group stickiness duration must be between 1 and 604800"));
    }
    if let [(arn, _)] = &groups[..] {
        action.insert("TargetGroupArn".to_owned(), json!(arn));
    }
    let groups: Vec<Value> =
        groups.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    action.insert("ForwardConfig".to_owned(), json!({"TargetGroups": groups, "TargetGroupStickinessConfig": shown}));
    Ok(())
}

/// A target group belongs to one load balancer, and a load balancer has so many groups and not more.
fn check_associations(
    elb: &Elb,
    load_balancer: &str,
    actions: &[Value],
    replaced: Option<&str>,
) -> Result<(), ApiError> {
    let elsewhere =
        |rule: &Rule| elb.listeners.get(&rule.listener).is_some_and(|listener| listener.load_balancer != load_balancer);
    let new: BTreeSet<&str> = actions
        .iter()
        .filter_map(|action| action.pointer("/ForwardConfig/TargetGroups")?.as_array())
        .flatten()
        .filter_map(|group| group["TargetGroupArn"].as_str())
        .collect();
    let mut used = new.clone();
    for (arn, rule) in &elb.rules {
        if elsewhere(rule) {
            if let Some((group, _)) = rule.forwards_to().find(|(group, _)| new.contains(group)) {
                return Err(ApiError::client(
                    "TargetGroupAssociationLimit",
                    format!(
                        "The following target groups cannot be associated with more than one load balancer: {group}"
                    ),
                ));
            }
        } else if replaced != Some(arn.as_str()) {
            used.extend(rule.forwards_to().map(|(group, _)| group));
        }
    }
    if used.len() > GROUPS_PER_LOAD_BALANCER_MAX {
        return Err(ApiError::client(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            format!(
                "You have reached the maximum number of unique target groups that you can associate with a load \
                 balancer of type 'application': [{GROUPS_PER_LOAD_BALANCER_MAX}]"
            ),
        ));
    }
    let kind = elb.load_balancers.get(load_balancer).map_or("application", |found| found.kind.as_str());
    for arn in new {
        let protocol = elb.target_groups.get(arn).and_then(|group| group.text("Protocol")).unwrap_or("HTTP");
        let supported = match kind {
            "application" => super::health_checks::is_http(protocol),
            "gateway" => protocol == "GENEVE",
            _ => !super::health_checks::is_http(protocol) && protocol != "GENEVE",
        };
        if !supported {
            return Err(ApiError::client(
                "IncompatibleProtocols",
                format!("The target group '{arn}' has protocol '{protocol}', which the load balancer does not support"),
            ));
        }
    }
    Ok(())
}

fn invalid_action(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidLoadBalancerAction", message)
}
