//! The HTTP API: from a path and a query to a page, without a socket.

mod applications;
mod events;
mod query;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::json;
use trueup_engine::Status;

use crate::health::{self, Heartbeat};
use crate::journal::Journal;
use crate::page::Page;
use crate::prometheus::{self, Measures};

/// Every path that has a page.
pub const PATHS: [&str; 6] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/applications",
    "/api/v1/applications/ENVIRONMENT/APPLICATION",
    "/api/v1/events",
];

/// What pages are made of.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'s> {
    /// The status of all applications.
    pub status: &'s Status,
    /// The last events.
    pub journal: &'s Journal,
    /// Whether the loops are alive.
    pub heartbeat: &'s Heartbeat,
    /// The measurements and counters.
    pub measures: &'s Measures,
    /// The time now.
    pub now: Timestamp,
}

/// The page for a path and its query, both as received.
///
/// Total: whatever is sent, there is a page. `/healthz`, `/readyz` and `/metrics` take any query, because scrapers add theirs.
pub fn page(path: &str, query: Option<&str>, sources: &Sources<'_>) -> Page {
    let Sources { status, journal, heartbeat, measures, now } = *sources;
    let found = match path {
        "/healthz" => Ok(health::alive(&heartbeat.stopped(status))),
        "/readyz" => Ok(health::ready(status)),
        "/metrics" => Ok(prometheus::page(measures, status, now)),
        "/api/v1/applications" => applications::list(query, status, now),
        "/api/v1/events" => events::list(query, journal),
        "/" => Ok(Page::json(200, &json!({ "paths": PATHS }))),
        _ => match application(path) {
            Some((environment, name)) => one(&environment, &name, query, status),
            None => Err(Page::json(404, &json!({ "error": "no such page", "paths": PATHS }))),
        },
    };
    found.unwrap_or_else(|wrong| wrong)
}

/// One application's page, which has no parameters.
fn one(environment: &str, name: &str, query: Option<&str>, status: &Status) -> Result<Page, Page> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(Page::error(400, "one application's page takes no parameters"));
    }
    let unknown = || {
        Page::error(
            404,
            "git has no such application in this environment, or the application has not been observed yet",
        )
    };
    applications::one(environment, name, status).ok_or_else(unknown)
}

/// The environment and the application in a path; an application in a directory of another has slashes in its name.
fn application(path: &str) -> Option<(String, String)> {
    let (environment, name) = path.strip_prefix("/api/v1/applications/")?.split_once('/')?;
    Some((decoded(environment)?, decoded(name.trim_end_matches('/'))?)).filter(|(_, name)| !name.is_empty())
}

/// Text without its percent-encoding; `None` if the encoding or the text is invalid.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
