//! What the services have in common: pages, and the answer to an action that is not simulated.

use serde_json::Value;

use crate::input::number;
use crate::wire::ApiError;

/// An action of the JSON protocols that is not simulated.
pub(super) fn unknown_operation(action: &str) -> ApiError {
    ApiError::client("UnknownOperationException", format!("{action} is not simulated"))
}

/// An action of the query protocol that is not simulated.
pub(super) fn invalid_action(action: &str, version: &str) -> ApiError {
    ApiError::client("InvalidAction", format!("Could not find operation {action} for version {version}"))
}

/// The items of one page, and the token of the next.
///
/// A token names the item after which the page begins, so that what comes and goes moves no other.
pub(super) fn page<T>(items: Vec<(String, T)>, token: Option<&str>, size: usize) -> (Vec<T>, Option<String>) {
    let mut rest = items.into_iter().skip_while(|(key, _)| token.is_some_and(|token| key.as_str() <= token)).peekable();
    let mut shown = Vec::new();
    let mut last = String::new();
    while shown.len() < size
        && let Some((key, item)) = rest.next()
    {
        last = key;
        shown.push(item);
    }
    (shown, rest.peek().is_some().then_some(last))
}

/// How many items a page has: what the input asks for, or the service's maximum.
pub(super) fn page_size(input: &Value, member: &str, max: usize) -> Result<usize, ApiError> {
    let asked = number(input, member)?.and_then(|asked| usize::try_from(asked).ok());
    Ok(asked.filter(|asked| *asked > 0).map_or(max, |asked| asked.min(max)))
}
