//! Reads the input of an action, whatever the protocol: leaves of the query protocol are all texts, and an empty list
//! comes as an empty text.

use serde_json::Value;

use crate::wire::ApiError;

/// A text member that is there and not empty.
pub fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A list member; `None` when it was not sent.
pub fn list<'a>(input: &'a Value, member: &str) -> Option<&'a [Value]> {
    let value = input.get(member)?;
    if value.as_str() == Some("") {
        return Some(&[]);
    }
    value.as_array().map(Vec::as_slice)
}

/// A list of texts; empty when it was not sent.
pub fn texts<'a>(input: &'a Value, member: &str) -> Vec<&'a str> {
    list(input, member).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

/// A whole number, written as number or as text.
///
/// # Errors
/// `ValidationError` when it is something else.
pub fn number(input: &Value, member: &str) -> Result<Option<u64>, ApiError> {
    let found = match input.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    found.map(Some).ok_or_else(|| malformed(member))
}

/// A boolean, or its text.
///
/// # Errors
/// `ValidationError` when it is something else.
pub fn truth(input: &Value, member: &str) -> Result<Option<bool>, ApiError> {
    match input.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(malformed(member)),
    }
}

/// `ValidationError`, the code with which most services of the query protocol refuse an input.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

fn malformed(member: &str) -> ApiError {
    invalid(format!("The value of parameter {member} has the wrong type"))
}
