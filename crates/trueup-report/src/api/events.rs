//! `/api/v1/events`: the last events, the newest first, or behind a cursor for those who follow.

use jiff::Timestamp;
use trueup_core::names::EnvironmentName;
use trueup_core::report;

use super::query::{BYTES_MAX, Query};
use crate::journal::{Cursor, From, Journal, Told};
use crate::page::Page;

const PARAMETERS: [&str; 7] = ["environment", "application", "event", "since", "limit", "before", "after"];

/// What `event` may be.
#[derive(Clone, Copy)]
enum Name<'q> {
    /// This name.
    Is(&'q str),
    /// All names that begin so.
    Begins(&'q str),
}

impl<'q> Name<'q> {
    fn parse(text: &'q str) -> Option<Self> {
        let is_name = |text: &str| {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.';
            !text.is_empty() && text.bytes().all(is_letter)
        };
        match text.strip_suffix('*') {
            Some(begin) => (begin.ends_with('.') && is_name(begin)).then_some(Self::Begins(begin)),
            None => is_name(text).then_some(Self::Is(text)),
        }
    }

    fn takes(self, name: &str) -> bool {
        match self {
            Self::Is(text) => name == text,
            Self::Begins(begin) => name.starts_with(begin),
        }
    }
}

/// Which events are asked for.
struct EventFilter<'q> {
    environment: Option<&'q str>,
    application: Option<&'q str>,
    event: Option<Name<'q>>,
    since: Option<Timestamp>,
}

impl EventFilter<'_> {
    fn takes(&self, told: &Told) -> bool {
        let environment = told.environment.as_ref().map(EnvironmentName::as_str);
        self.environment.is_none_or(|wanted| environment == Some(wanted))
            && self.application.is_none_or(|wanted| told.applications.iter().any(|name| name.as_str() == wanted))
            && self.event.is_none_or(|event| event.takes(told.name))
            && self.since.is_none_or(|since| told.time >= since)
    }
}

/// The events that the query asks for.
///
/// # Errors
/// With the page that says what is wrong with the query.
pub(super) fn list(query: Option<&str>, journal: &Journal) -> Result<Page, Page> {
    let query = Query::parse(query, &PARAMETERS)?;
    let event = query.text("event").map(|text| {
        let instead = "write a name such as rollout.failed, or a prefix such as rollout.*";
        Name::parse(text).ok_or_else(|| Page::error(400, &format!("`{text}` is not a valid `event`: {instead}")))
    });
    let filter = EventFilter {
        environment: query.text("environment"),
        application: query.text("application"),
        event: event.transpose()?,
        since: query.time("since")?,
    };
    let limit = query.limit()?;
    let (from, missed) = from(&query, journal)?;

    let part = journal.read(from, |told| filter.takes(told), limit, BYTES_MAX);
    let missed = missed || matches!(from, From::After(number) if number + 1 < part.oldest);
    let last = part.events.last().map(|told| told.number);
    let next = match from {
        From::Newest(_) => last.filter(|_| part.more),
        // Whoever follows goes on behind what was looked at, also where nothing of it was wanted.
        From::After(_) => Some(last.filter(|_| part.more).unwrap_or(part.newest)),
    };
    let text = |number: Option<u64>| report::json(&number.map(|number| journal.cursor(number).to_string()));
    // An event is one flat object: the cursor comes before its first member. All was written as JSON before.
    let with_cursor = |told: &Told| {
        let rest = told.line.strip_prefix('{').unwrap_or(&told.line);
        format!(r#"{{"cursor":{},{rest}"#, text(Some(told.number)))
    };
    let events: Vec<String> = part.events.iter().map(with_cursor).collect();
    let (events, next, newest) = (events.join(","), text(next), text(Some(part.newest)));
    Ok(Page::written(200, format!(r#"{{"events":[{events}],"next":{next},"newest":{newest},"missed":{missed}}}"#)))
}

/// The position at which reading begins, and whether events of an earlier process were missed.
fn from(query: &Query, journal: &Journal) -> Result<(From, bool), Page> {
    let instead = "a cursor that a page before had";
    let (before, after) = (query.read("before", instead, Cursor::parse)?, query.read("after", instead, Cursor::parse)?);
    match (before, after) {
        (Some(_), Some(_)) => {
            Err(Page::error(400, "give `before` for older events or `after` for newer ones, not both"))
        }
        (None, None) => Ok((From::Newest(None), false)),
        (None, Some(after)) => Ok(match journal.number(after) {
            Some(number) => (From::After(number), false),
            None => (From::After(0), true),
        }),
        (Some(before), None) => {
            let number = journal.number(before).ok_or_else(|| {
                Page::error(400, "`before` is from an earlier process (trueup restarted); retry without it")
            })?;
            Ok((From::Newest(Some(number)), false))
        }
    }
}
