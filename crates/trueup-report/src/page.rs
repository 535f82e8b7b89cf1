//! A page: the content of an HTTP answer, before there is a socket.

use serde::Serialize;
use trueup_core::report::json;

/// What JSON is called in HTTP.
pub(crate) const JSON: &str = "application/json";

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// What the body is, as HTTP calls it.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Page {
    /// JSON in which nothing is that could steer a terminal.
    pub(crate) fn json(status: u16, data: &impl Serialize) -> Self {
        Self::written(status, json(data))
    }

    /// JSON that was written with [`json`] before.
    pub(crate) fn written(status: u16, mut body: String) -> Self {
        body.push('\n');
        Self { status, content_type: JSON, body }
    }

    /// A refusal, in one sentence.
    pub(crate) fn error(status: u16, error: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": error }))
    }
}
