//! Conditions of listener rules: the two notations of their values, and which of them are case-sensitive.
//!
//! `host-header` and `path-pattern` may be written with the legacy `Values`, or with their own config; AWS returns
//! both. All other fields have their config, and AWS adds an empty legacy `Values`. Changes are reported in the
//! notation of the desired document.
//!
//! Source: Elastic Load Balancing API reference, `RuleCondition`; user guide for Application Load Balancers, listener
//! rules: which comparisons ignore case.

use std::borrow::Cow;

use serde_json::Value;

use super::CONDITIONS;
use crate::drift::coerce::{any_case, text};
use crate::drift::compare::{Comparison, Keyed};
use crate::drift::schema::Field;

/// A field that conditions can have: the member of its config, and whether its values are case-sensitive.
struct Matched {
    field: &'static str,
    config: &'static str,
    has_case: bool,
}

const FIELDS: [Matched; 6] = [
    Matched { field: "host-header", config: "HostHeaderConfig", has_case: false },
    Matched { field: "path-pattern", config: "PathPatternConfig", has_case: true },
    Matched { field: "http-header", config: "HttpHeaderConfig", has_case: false },
    Matched { field: "http-request-method", config: "HttpRequestMethodConfig", has_case: true },
    Matched { field: "query-string", config: "QueryStringConfig", has_case: false },
    Matched { field: "source-ip", config: "SourceIpConfig", has_case: true },
];

/// Compares `Conditions`: a set by `Field`.
pub(super) fn compare<'a>(
    comparison: &mut Comparison<'a>,
    _: &'static Field,
    desired: Option<&'a Value>,
    live: Option<&'a Value>,
) {
    let sides = Keyed::both(&CONDITIONS, None, desired, live);
    let Some([mut desired_conditions, mut live_conditions]) = sides else {
        if desired != live {
            comparison.report(desired, live);
        }
        return;
    };
    // Header names are case-insensitive, also as part of the key.
    let same_key = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    while let Some((key, wanted)) = desired_conditions.pop() {
        let found = live_conditions.iter().position(|(other, _)| same_key(&key, other));
        let found = found.map(|index| live_conditions.swap_remove(index).1);
        comparison.within(key, |c| match found {
            None => c.report(Some(wanted), None),
            Some(found) => condition(c, wanted, found),
        });
    }
    for (key, found) in live_conditions {
        comparison.within(key, |c| c.report(None, Some(found)));
    }
}

fn condition<'a>(c: &mut Comparison<'a>, desired: &'a Value, live: &'a Value) {
    let field = desired.get("Field").and_then(Value::as_str).unwrap_or_default();
    let Some(Matched { config, has_case, .. }) = FIELDS.iter().find(|matched| matched.field == field) else {
        // A field newer than this table: compared as plain JSON.
        if !crate::drift::coerce::same_json(desired, live) {
            c.report(Some(desired), Some(live));
        }
        return;
    };
    let in_config = |condition: &'a Value, member: &str| {
        condition.get(config).and_then(|config| config.get(member)).filter(|value| !is_empty(value))
    };
    for member in ["HttpHeaderName", "IpAddressType"] {
        let (wanted, found) = (in_config(desired, member), in_config(live, member));
        let name = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_ascii_lowercase);
        if name(wanted) != name(found) {
            c.within(*config, |c| c.within(member.to_owned(), |c| c.report(wanted, found)));
        }
    }
    for (member, is_set) in [("Values", true), ("RegexValues", false)] {
        let legacy = |condition: &'a Value| condition.get(member).filter(|value| !is_empty(value));
        let (own, found) = (in_config(desired, member), in_config(live, member).or_else(|| legacy(live)));
        let wanted = own.or_else(|| legacy(desired));
        // Regular expressions are case-sensitive, whatever they match.
        let has_case = *has_case || !is_set;
        if values(wanted, is_set, has_case) == values(found, is_set, has_case) {
            continue;
        }
        // Reported where the author wrote the values; without values, in the notation of the rest of the condition.
        let is_legacy = own.is_none() && (legacy(desired).is_some() || desired.get(config).is_none());
        let report = |c: &mut Comparison<'a>| c.within(member, |c| c.report(wanted, found));
        if is_legacy { report(c) } else { c.within(*config, report) }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty)
}

/// The canonical values of a condition: texts, or pairs of a query parameter's name and value.
fn values(list: Option<&Value>, is_set: bool, has_case: bool) -> Vec<(Option<String>, String)> {
    let canonical = |text: Cow<'_, str>| if has_case { text.into_owned() } else { any_case(&text).into_owned() };
    let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut values: Vec<_> = list
        .iter()
        .map(|value| {
            let Value::Object(pair) = value else { return (None, text(value).map(canonical).unwrap_or_default()) };
            let part = |member: &str| pair.get(member).and_then(text).filter(|text| !text.is_empty()).map(canonical);
            (part("Key"), part("Value").unwrap_or_default())
        })
        .collect();
    if is_set {
        values.sort();
        values.dedup();
    }
    values
}
