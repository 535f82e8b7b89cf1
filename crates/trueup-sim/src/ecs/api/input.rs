//! Typed access to what an action was given, after [`super::shapes`] has seen to it that every member has its type.

use serde_json::{Map, Value};

use super::shapes;
use crate::ecs::model::Tags;
use crate::wire::ApiError;

/// The input of an action.
pub(super) struct Input(pub(super) Map<String, Value>);

impl Input {
    /// The input, reduced to the members that the action knows.
    ///
    /// # Errors
    /// As [`shapes::accept`].
    pub(super) fn of(action: &str, input: &Value) -> Result<Self, ApiError> {
        shapes::accept(action, input).map(Self)
    }

    /// A text member.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A text member that the shape requires.
    pub(super) fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// A flag; false when absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A list; empty when absent.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        list(self.0.get(name))
    }

    /// A list of texts; empty when absent.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Value::as_str).collect()
    }

    /// Whether `include` (or another list of words) has this word.
    pub(super) fn includes(&self, name: &str, word: &str) -> bool {
        self.texts(name).contains(&word)
    }
}

/// The elements of a list; none when it is absent.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text member of a document; empty when absent.
pub(super) fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a value says nothing: `null`, `[]` or `{}`.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Tags as the API lists them.
pub(super) fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| serde_json::json!({ "key": key, "value": value })).collect()
}
