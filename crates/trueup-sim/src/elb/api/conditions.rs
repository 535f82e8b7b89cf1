//! The conditions of a rule: what AWS refuses, and how it writes them down.
//!
//! Values of `host-header` and `path-pattern` are shown in the old form and the new; other conditions have an empty old
//! form. A condition is a set of values, and a rule a set of conditions: what comes back may be in another order.

use serde_json::{Map, Value, json};

use crate::chance::Stream;
use crate::elb::fact;
use crate::input::{invalid, list, text};
use crate::wire::ApiError;
use crate::world::World;

/// The fields, and the member that has the field's values.
const FIELDS: [(&str, &str); 6] = [
    ("host-header", "HostHeaderConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("http-header", "HttpHeaderConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("query-string", "QueryStringConfig"),
    ("source-ip", "SourceIpConfig"),
];

/// Values of all conditions of a rule, and wildcards in them.
const VALUES_MAX: usize = 5;

/// The conditions of an input as DescribeRules will show them.
///
/// # Errors
/// `ValidationError`.
pub(super) fn completed(world: &mut World, sent: &[Value]) -> Result<Vec<Value>, ApiError> {
    if sent.is_empty() {
        return Err(invalid("At least one condition must be specified"));
    }
    let lower_case = fact(world, "elb: host names in lower case");
    let reorders = fact(world, "elb: order of conditions");
    let order = world.chance.of("elb: order of conditions");
    let mut fields = Vec::new();
    let mut values = 0;
    let mut wildcards = 0;
    let mut conditions = Vec::new();
    for condition in sent {
        let (field, member) = field(condition)?;
        if !["http-header", "query-string"].contains(&field) && fields.contains(&field) {
            return Err(invalid(format!("A rule can only have one '{field}' condition")));
        }
        fields.push(field);
        let mut config = config(condition, field, member)?;
        let plain = list(&config, "Values").map(<[Value]>::to_vec).unwrap_or_default();
        let regular = list(&config, "RegexValues").map(<[Value]>::to_vec).unwrap_or_default();
        if plain.is_empty() && regular.is_empty() {
            return Err(invalid("A condition value must be specified"));
        }
        values += plain.len() + regular.len();
        wildcards += plain.iter().filter_map(Value::as_str).flat_map(str::chars).filter(|c| "*?".contains(*c)).count();
        check_values(field, &config, &plain)?;
        let mut plain = plain;
        if field == "host-header" && lower_case {
            plain = plain.iter().map(|value| json!(value.as_str().unwrap_or_default().to_lowercase())).collect();
        } else if field != "host-header" && reorders {
            shuffle(order, &mut plain);
        }
        if !plain.is_empty() {
            config["Values"] = json!(plain);
        }
        let old_form = if ["host-header", "path-pattern"].contains(&field) { json!(plain) } else { json!([]) };
        conditions.push(json!({"Field": field, "Values": old_form, member: config}));
    }
    if values > VALUES_MAX {
        return Err(invalid(format!("A rule can only have '{VALUES_MAX}' condition values")));
    }
    if wildcards > VALUES_MAX {
        return Err(invalid(format!("A rule can only have '{VALUES_MAX}' condition wildcards")));
    }
    if reorders {
        shuffle(order, &mut conditions);
    }
    Ok(conditions)
}

/// Which field; a condition may leave it out when it has the field's own member.
fn field(condition: &Value) -> Result<(&'static str, &'static str), ApiError> {
    let named = text(condition, "Field");
    let found = FIELDS.iter().find(|(field, member)| match named {
        Some(named) => *field == named,
        None => condition.get(member).is_some(),
    });
    found.copied().ok_or_else(|| {
        let fields: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
        let named = named.unwrap_or_default();
        invalid(format!("Condition field '{named}' must be one of '[{}]'", fields.join(", ")))
    })
}

/// The field's own member, completed from the old form.
fn config(condition: &Value, field: &str, member: &str) -> Result<Value, ApiError> {
    let own = condition.get(member).filter(|own| own.is_object()).cloned();
    let old = list(condition, "Values").filter(|old| !old.is_empty());
    match (own, old) {
        (Some(_), Some(_)) => {
            Err(invalid("You cannot specify both condition values and a condition config for the same condition"))
        }
        (Some(own), None) => Ok(own),
        (None, Some(old)) if ["host-header", "path-pattern"].contains(&field) => Ok(json!({"Values": old})),
        (None, _) if ["host-header", "path-pattern"].contains(&field) && list(condition, "RegexValues").is_some() => {
            Ok(json!({"RegexValues": condition["RegexValues"]}))
        }
        (None, _) => Ok(Value::Object(Map::new())),
    }
}

fn check_values(field: &str, config: &Value, values: &[Value]) -> Result<(), ApiError> {
    if field == "http-header" && text(config, "HttpHeaderName").is_none() {
        return Err(invalid("An HTTP header name must be specified for condition field 'http-header'"));
    }
    for value in values {
        let Some(value) = value.as_str() else {
            if field == "query-string" && text(value, "Value").is_some() {
                continue;
            }
            return Err(invalid("A condition value must be specified"));
        };
        if value.is_empty() {
            return Err(invalid("A condition value must be specified"));
        }
        if value.chars().count() > 128 {
            return Err(invalid(format!("Condition value '{value}' cannot be longer than '128' characters")));
        }
        if field == "source-ip" && !is_cidr(value) {
            return Err(invalid(format!("Condition value '{value}' is not a valid CIDR block")));
        }
    }
    Ok(())
}

fn is_cidr(value: &str) -> bool {
    let Some((address, bits)) = value.split_once('/') else { return false };
    match (address.parse::<std::net::IpAddr>(), bits.parse::<u8>()) {
        (Ok(std::net::IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(std::net::IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

fn shuffle(chance: &mut Stream, values: &mut [Value]) {
    for last in (1..values.len()).rev() {
        let other = usize::try_from(chance.between(0, last as u64 + 1)).unwrap_or(last);
        values.swap(last, other);
    }
}
