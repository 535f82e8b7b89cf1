//! The JSON Schema of events, for programs that read them.

use serde_json::Value;

/// The version of the schema: it changes when a member is renamed or removed.
pub const EVENT_SCHEMA_VERSION: u32 = 1;

const EVENT_SCHEMA: &str = include_str!("event.schema.json");

/// The JSON Schema (draft 2020-12) of [`super::json_line`].
pub fn event_schema() -> Value {
    serde_json::from_str(EVENT_SCHEMA).expect("the tests read it")
}

#[cfg(test)]
mod tests;
