//! JSON that is safe to print, and events as one flat object per line.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::{Event, What, steers};
use crate::names::{ApplicationName, EnvironmentName, Revision};

/// An event's members, in the order in which they are written.
#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    event: &'static str,
    environment: Option<&'a EnvironmentName>,
    application: Option<&'a ApplicationName>,
    revision: Option<&'a Revision>,
    #[serde(flatten)]
    what: &'a What,
}

/// Writes an event as one line of JSON, without the line's end: `time`, `event`, `environment`, `application`,
/// `revision` (null where it has none), then the event's own members.
///
/// Characters that could control a terminal are escaped, so that the line is safe to print and loses nothing.
pub fn json_line(event: &Event) -> String {
    let line = Line {
        time: event.time,
        event: event.what.name(),
        environment: event.environment.as_ref(),
        application: event.application.as_ref(),
        revision: event.revision.as_ref(),
        what: &event.what,
    };
    json(&line)
}

/// Writes trueup's own data as JSON, without a line's end. Characters that could control a terminal are escaped, so that
/// it is safe to print and loses nothing.
///
/// # Panics
/// When the data has keys that are not strings: none of trueup's data has.
pub fn json(data: &impl Serialize) -> String {
    let json = serde_json::to_string(data).expect("reported data has string keys only and no value that can fail");
    match escaped(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(safe) => safe,
    }
}

/// Escapes the characters of JSON that could control a terminal, so that it is safe to print and means the same. Line
/// ends between values stay.
pub fn escaped(json: &str) -> Cow<'_, str> {
    // Outside strings JSON is ASCII, and inside them the ASCII control characters are already escaped: any of these
    // characters, except for line ends, is in a string.
    let is_raw = |c: char| steers(c) && c != '\n';
    if !json.chars().any(is_raw) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.chars().fold(String::with_capacity(json.len() + 16), |mut safe, c| {
        if is_raw(c) {
            // All of them are in the basic plane. Writing to a `String` cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
        safe
    }))
}
