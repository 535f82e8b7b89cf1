//! Listener rules, which the API's shapes alone do not describe: what a rule may be, and what AWS makes of it.

use serde_json::{Map, Value, json};

use super::documents::Chance;

const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/lb/1/2";
const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/lb/1/2/3";

/// A rule by chance: conditions and actions in all their forms and spellings.
pub(super) fn document(chance: &mut Chance) -> Value {
    let mut rule = json!({
        "ListenerArn": LISTENER, "Priority": 1 + chance.below(100), "Conditions": conditions(chance),
        "Actions": actions(chance),
    });
    if chance.one_in(3) {
        let rewrites = |chance: &mut Chance| json!({"Rewrites": [{"Regex": word(chance), "Replace": word(chance)}]});
        rule["Transforms"] = json!([
            {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": rewrites(chance)},
            {"Type": "url-rewrite", "UrlRewriteConfig": rewrites(chance)},
        ]);
    }
    if chance.one_in(3) {
        rule["Tags"] = json!([{"Key": "a", "Value": word(chance)}, {"Key": "b", "Value": word(chance)}]);
    }
    rule
}

fn word(chance: &mut Chance) -> String {
    format!("t{}", chance.below(20))
}

/// Up to three words, all different.
fn words(chance: &mut Chance) -> Value {
    let first = chance.below(20);
    (0..=chance.below(3)).map(|index| json!(format!("w{}", first + index))).collect()
}

fn conditions(chance: &mut Chance) -> Value {
    let mut conditions = Vec::new();
    for (field, config) in [("host-header", "HostHeaderConfig"), ("path-pattern", "PathPatternConfig")] {
        match chance.below(4) {
            0 => {}
            1 => conditions.push(json!({"Field": field, "Values": words(chance)})),
            2 => conditions.push(json!({"Field": field, config: {"Values": words(chance)}})),
            _ => conditions.push(json!({"Field": field, config: {"RegexValues": words(chance)}})),
        }
    }
    if chance.one_in(3) {
        let config = json!({"HttpHeaderName": word(chance), "Values": words(chance)});
        conditions.push(json!({"Field": "http-header", "HttpHeaderConfig": config}));
    }
    if chance.one_in(3) {
        let values = json!([{"Key": "k", "Value": word(chance)}, {"Value": word(chance)}]);
        conditions.push(json!({"Field": "query-string", "QueryStringConfig": {"Values": values}}));
    }
    if chance.one_in(3) {
        conditions.push(json!({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": words(chance)}}));
    }
    if conditions.is_empty() {
        conditions.push(json!({"Field": "source-ip", "SourceIpConfig": {"Values": words(chance)}}));
    }
    Value::Array(conditions)
}

fn actions(chance: &mut Chance) -> Value {
    let mut actions = Vec::new();
    match chance.below(3) {
        0 => {}
        1 => actions.push(json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig":
            some(chance, &json!({"UserPoolArn": "p", "UserPoolClientId": "c", "UserPoolDomain": "d"}), &authentication())})),
        _ => actions.push(json!({"Type": "authenticate-oidc", "AuthenticateOidcConfig":
            some(chance, &json!({"Issuer": "i", "AuthorizationEndpoint": "a", "TokenEndpoint": "t", "UserInfoEndpoint": "u",
                "ClientId": "c", "ClientSecret": "s"}), &authentication())})),
    }
    let sticky = |chance: &mut Chance| json!({"Enabled": true, "DurationSeconds": 1 + chance.below(100)});
    actions.push(match chance.below(5) {
        0 => json!({"Type": "forward", "TargetGroupArn": word(chance)}),
        1 => {
            json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": word(chance), "Weight": 1 + chance.below(9)}]}})
        }
        2 => json!({"Type": "forward", "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "a", "Weight": chance.below(9)}, {"TargetGroupArn": "b"}],
            "TargetGroupStickinessConfig": sticky(chance)}}),
        3 => json!({"Type": "redirect", "RedirectConfig": some(chance, &json!({"StatusCode": "HTTP_301"}),
            &json!({"Protocol": "HTTPS", "Port": "443", "Host": "h", "Path": "/p", "Query": "q"}))}),
        _ => json!({"Type": "fixed-response", "FixedResponseConfig": some(chance, &json!({"StatusCode": "503"}),
            &json!({"ContentType": "text/plain", "MessageBody": "m"}))}),
    });
    if chance.one_in(2) {
        for (index, action) in actions.iter_mut().enumerate() {
            action["Order"] = json!(10 * (index + 1));
        }
        if chance.one_in(2) {
            actions.reverse();
        }
    }
    Value::Array(actions)
}

/// What an authentication may say, far from the defaults.
fn authentication() -> Value {
    json!({"Scope": "email", "SessionCookieName": "n", "SessionTimeout": 60, "OnUnauthenticatedRequest": "deny"})
}

/// An object with all members of `needed` and some of `optional`.
fn some(chance: &mut Chance, needed: &Value, optional: &Value) -> Value {
    let mut object = needed.clone();
    for (name, value) in optional.as_object().into_iter().flatten() {
        if chance.one_in(2) {
            object[name] = value.clone();
        }
    }
    object
}

/// What `DescribeRules` shows of a rule.
pub(super) fn answer(desired: &Value, chance: &mut Chance) -> Value {
    let mut live = Map::new();
    live.insert("RuleArn".to_owned(), json!(RULE));
    live.insert("IsDefault".to_owned(), json!(false));
    live.insert("Priority".to_owned(), json!(desired["Priority"].to_string()));
    live.insert("Transforms".to_owned(), desired.get("Transforms").cloned().unwrap_or_else(|| json!([])));
    if let Some(tags) = desired.get("Tags").and_then(Value::as_array) {
        live.insert("Tags".to_owned(), tags.iter().rev().cloned().collect());
    }
    let mut conditions: Vec<Value> = desired["Conditions"].as_array().into_iter().flatten().map(condition).collect();
    let turn = chance.below(conditions.len());
    conditions.rotate_left(turn);
    live.insert("Conditions".to_owned(), Value::Array(conditions));
    let mut actions: Vec<Value> = desired["Actions"].as_array().into_iter().flatten().map(action).collect();
    actions.sort_by_key(|action| action["Order"].as_i64());
    let several = actions.len() > 1;
    for (index, action) in actions.iter_mut().enumerate() {
        if several || chance.one_in(2) {
            action["Order"] = json!(index + 1);
        }
    }
    live.insert("Actions".to_owned(), Value::Array(actions));
    Value::Object(live)
}

/// Both spellings of the two old fields, an empty legacy list of all others; values in another order.
fn condition(condition: &Value) -> Value {
    let mut live = condition.clone();
    let field = condition["Field"].as_str().unwrap_or_default();
    let config = match field {
        "host-header" => "HostHeaderConfig",
        "path-pattern" => "PathPatternConfig",
        "http-header" => "HttpHeaderConfig",
        "query-string" => "QueryStringConfig",
        "http-request-method" => "HttpRequestMethodConfig",
        _ => "SourceIpConfig",
    };
    let written = condition.pointer(&format!("/{config}/Values")).or_else(|| condition.get("Values"));
    let values: Value = written.and_then(Value::as_array).into_iter().flatten().rev().cloned().collect();
    let is_old = matches!(field, "host-header" | "path-pattern");
    live["Values"] = if is_old { values.clone() } else { json!([]) };
    live[config]["Values"] = values;
    live
}

fn action(action: &Value) -> Value {
    let mut live = action.clone();
    let mut complete = |pointer: &str, defaults: Value| {
        if let Some(Value::Object(config)) = live.pointer_mut(pointer) {
            for (name, value) in defaults.as_object().into_iter().flatten() {
                config.entry(name.clone()).or_insert_with(|| value.clone());
            }
            config.shift_remove("ClientSecret");
        }
    };
    let authentication = json!({"Scope": "openid", "SessionCookieName": "AWSELBAuthSessionCookie", "SessionTimeout": 604_800,
        "OnUnauthenticatedRequest": "authenticate"});
    complete("/AuthenticateOidcConfig", authentication.clone());
    complete("/AuthenticateCognitoConfig", authentication);
    complete(
        "/RedirectConfig",
        json!({"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}),
    );
    if let Some(arn) = action.get("TargetGroupArn") {
        live["ForwardConfig"] = json!({"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1}]});
    }
    if let Some(Value::Object(config)) = live.get_mut("ForwardConfig") {
        config.entry("TargetGroupStickinessConfig").or_insert_with(|| json!({"Enabled": false}));
        if let Some(Value::Array(groups)) = config.get_mut("TargetGroups") {
            groups.reverse();
            for group in groups.iter_mut().filter(|group| group.get("Weight").is_none()) {
                group["Weight"] = json!(1);
            }
            if let [group] = &groups[..] {
                live["TargetGroupArn"] = group["TargetGroupArn"].clone();
            }
        }
    }
    live
}
