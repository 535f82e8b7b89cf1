//! Members that several actions take: what is required, and which names are allowed.

use serde_json::Value;

use crate::input::{invalid, text};
use crate::wire::ApiError;

/// A required text member.
pub(super) fn required<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    text(input, member).ok_or_else(|| {
        let mut chars = member.chars();
        let spelt: String = chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect();
        invalid(format!(
            "1 validation error detected: Value null at '{spelt}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// Whether the name of a load balancer or target group is allowed.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    if name.chars().count() > 32 {
        return Err(invalid(format!("{what} name '{name}' cannot be longer than '32' characters")));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(invalid(format!(
            "{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{what} name '{name}' cannot begin or end with '-'")));
    }
    Ok(())
}
