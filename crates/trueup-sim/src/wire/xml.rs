//! The query protocol's answers.

use std::fmt::Write;

use serde_json::Value;

use super::{Api, ApiError};

/// The members that are maps, which JSON cannot distinguish from structures.
const MAPS: [&str; 1] = ["AuthenticationRequestExtraParams"];

/// `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>…`.
pub fn output(service: Api, action: &str, output: &Value, request_id: &str) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{}\">", service.namespace());
    // CloudWatch's actions without output have no result element at all; everywhere else it is there, if empty.
    if service != Api::CloudWatch || !is_empty(output) {
        let _ = write!(xml, "<{action}Result>");
        content(&mut xml, output);
        let _ = write!(xml, "</{action}Result>");
    }
    let _ = write!(xml, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>");
    xml
}

/// `<ErrorResponse><Error><Type>Sender</Type>…`.
pub fn error(service: Option<Api>, error: &ApiError, request_id: &str) -> String {
    let mut xml = String::from("<ErrorResponse");
    if let Some(service) = service {
        let _ = write!(xml, " xmlns=\"{}\"", service.namespace());
    }
    let _ = write!(xml, "><Error><Type>{}</Type><Code>", fault(error));
    escape(&mut xml, &error.code);
    xml.push_str("</Code><Message>");
    escape(&mut xml, &error.message);
    let _ = write!(xml, "</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>");
    xml
}

/// Whose fault an error is, in the query protocol's words.
pub fn fault(error: &ApiError) -> &'static str {
    if error.status < 500 { "Sender" } else { "Receiver" }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn content(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            let _ = write!(xml, "{value}");
        }
        Value::String(text) => escape(xml, text),
        Value::Array(items) => items.iter().for_each(|item| element(xml, "member", item)),
        Value::Object(members) => {
            for (name, member) in members {
                element(xml, name, member);
            }
        }
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    let _ = write!(xml, "<{name}>");
    match value.as_object().filter(|_| MAPS.contains(&name)) {
        Some(entries) => {
            for (key, value) in entries {
                xml.push_str("<entry>");
                element(xml, "key", &Value::String(key.clone()));
                element(xml, "value", value);
                xml.push_str("</entry>");
            }
        }
        None => content(xml, value),
    }
    let _ = write!(xml, "</{name}>");
}

fn escape(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // A bare carriage return would be read as a line feed.
            '\r' => xml.push_str("&#xD;"),
            '\t' | '\n' => xml.push(character),
            // XML 1.0 cannot say other control characters.
            control if control.is_control() => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
}
