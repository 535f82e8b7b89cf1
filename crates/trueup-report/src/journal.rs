//! The journal: the most recent events, kept in memory with limits.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::json;
use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::report::{self, Event, What};
use trueup_engine::Sink;

/// How many events are kept.
const EVENTS_MAX: usize = 2_000;

/// How many bytes of events are kept.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// A larger event is kept without what belongs to it: a plan of hundreds of changes would push out all others.
const EVENT_BYTES_MAX: usize = 128 * 1024;

/// Keeps the last events: 2,000 of them and 2 MiB, whichever is less. Each has a number, counted from 1 since the process
/// began; with the time of that beginning it is a cursor, which no other process takes for its own.
#[derive(Debug)]
pub struct Journal {
    process: i64,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<Told>,
    bytes: usize,
    /// The number of the newest event; 0 before there is one.
    newest: u64,
}

/// An emitted event.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Its number.
    pub number: u64,
    /// When it was seen.
    pub time: Timestamp,
    /// Its stable name.
    pub name: &'static str,
    /// Where.
    pub environment: Option<EnvironmentName>,
    /// Whose; more than one where one cause concerns several.
    pub applications: BTreeSet<ApplicationName>,
    /// The event as one line of JSON.
    pub line: Arc<str>,
}

/// Where in the journal of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    process: i64,
    number: u64,
}

impl Cursor {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (process, number) = text.split_once('-')?;
        Some(Self { process: i64::from_str_radix(process, 16).ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.process, self.number)
    }
}

/// In which direction events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The newest first, from the one before this number; from the newest of all where there is none.
    Newest(Option<u64>),
    /// The oldest first, from the one behind this number.
    After(u64),
}

/// A part of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The events, in the order in which they were asked for.
    pub events: Vec<Told>,
    /// There are more that fit.
    pub more: bool,
    /// The number of the newest event of all; 0 before there is one.
    pub newest: u64,
    /// The number of the oldest event that is kept, or of the next one where none is.
    pub oldest: u64,
}

impl Journal {
    /// An empty journal of the process that began then.
    pub fn new(began: Timestamp) -> Self {
        // What is shown as hexadecimal digits has no sign.
        Self { process: began.as_millisecond().max(0), ring: Mutex::default() }
    }

    /// Where an event is.
    pub(crate) fn cursor(&self, number: u64) -> Cursor {
        Cursor { process: self.process, number }
    }

    /// The number that a cursor of this process stands for.
    pub(crate) fn number(&self, cursor: Cursor) -> Option<u64> {
        (cursor.process == self.process).then_some(cursor.number)
    }

    /// Reads events that are as `wanted`: at most so many, and no more when they have so many bytes together.
    pub(crate) fn read(&self, from: From, wanted: impl Fn(&Told) -> bool, count_max: usize, bytes_max: usize) -> Part {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring.events.front().map_or(ring.newest + 1, |event| event.number);
        let mut part = Part { events: Vec::new(), more: false, newest: ring.newest, oldest };
        let mut bytes = 0;
        let mut take = |event: &Told| {
            if wanted(event) {
                if part.events.len() == count_max || bytes >= bytes_max {
                    part.more = true;
                    return false;
                }
                bytes += event.line.len();
                part.events.push(event.clone());
            }
            true
        };
        match from {
            From::Newest(before) => {
                let is_before = |event: &&Told| before.is_none_or(|before| event.number < before);
                let _ = ring.events.iter().rev().filter(is_before).all(&mut take);
            }
            From::After(after) => {
                let _ = ring.events.iter().filter(|event| event.number > after).all(&mut take);
            }
        }
        part
    }
}

impl Sink for Journal {
    fn emit(&self, event: &Event) {
        let line: Arc<str> = line(event).into();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.newest += 1;
        ring.bytes += line.len();
        let told = Told {
            number: ring.newest,
            time: event.time,
            name: event.what.name(),
            environment: event.environment.clone(),
            applications: concerned(event),
            line,
        };
        ring.events.push_back(told);
        while ring.events.len() > EVENTS_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.events.pop_front() else { break };
            ring.bytes -= oldest.line.len();
        }
    }
}

/// The applications that an event is about.
fn concerned(event: &Event) -> BTreeSet<ApplicationName> {
    if let What::HoldStarted { applications, .. } | What::HoldEnded { applications, .. } = &event.what
        && !applications.is_empty()
    {
        return applications.clone();
    }
    event.application.iter().cloned().collect()
}

/// An event as one line; one that is too large without what belongs to it, and with `cut`.
fn line(event: &Event) -> String {
    let line = report::json_line(event);
    if line.len() <= EVENT_BYTES_MAX {
        return line;
    }
    report::json(&json!({
        "time": event.time,
        "event": event.what.name(),
        "environment": event.environment,
        "application": event.application,
        "revision": event.revision,
        "cut": true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(subject: String) -> Event {
        let time = Timestamp::UNIX_EPOCH;
        let what = What::RevisionAccepted { subject, committed: time, rewritten: false };
        Event { time, environment: None, application: None, revision: None, what }
    }

    fn held(journal: &Journal) -> (usize, usize) {
        let ring = journal.ring.lock().unwrap();
        assert_eq!(ring.bytes, ring.events.iter().map(|told| told.line.len()).sum::<usize>());
        (ring.events.len(), ring.bytes)
    }

    #[test]
    fn it_has_bounds_for_number_and_bytes() {
        let journal = Journal::new(Timestamp::UNIX_EPOCH);
        for _ in 0..EVENTS_MAX + 10 {
            journal.emit(&event("short".to_owned()));
        }
        assert_eq!(held(&journal).0, EVENTS_MAX);
        for _ in 0..100 {
            journal.emit(&event("x".repeat(100_000)));
        }
        let (count, bytes) = held(&journal);
        assert!(bytes <= BYTES_MAX && bytes > BYTES_MAX - 110_000 && count < 30, "{count} {bytes}");
        journal.emit(&event("x".repeat(EVENT_BYTES_MAX)));
        let part = journal.read(From::Newest(None), |_| true, 1, 1);
        assert!(part.events[0].line.contains("\"cut\":true") && part.more, "{part:?}");
        assert_eq!(part.newest, 2_111);
    }

    #[test]
    fn both_directions_leave_nothing_out_and_tell_nothing_twice() {
        let journal = Journal::new(Timestamp::UNIX_EPOCH);
        let numbers = |part: &Part| part.events.iter().map(|told| told.number).collect::<Vec<_>>();
        let nothing = journal.read(From::After(0), |_| true, 3, 1_000);
        assert_eq!((numbers(&nothing), nothing.more, nothing.newest, nothing.oldest), (vec![], false, 0, 1));
        for _ in 0..7 {
            journal.emit(&event(String::new()));
        }
        let even = |told: &Told| told.number.is_multiple_of(2);
        let page = |from| journal.read(from, even, 2, 1_000_000);
        let table = [
            (From::Newest(None), vec![6, 4], true),
            (From::Newest(Some(4)), vec![2], false),
            (From::Newest(Some(2)), vec![], false),
            (From::After(0), vec![2, 4], true),
            (From::After(4), vec![6], false),
            (From::After(7), vec![], false),
        ];
        for (from, expected, more) in table {
            let part = page(from);
            assert_eq!((numbers(&part), part.more), (expected, more), "{from:?}");
        }
        // One at least, however large.
        assert_eq!(numbers(&journal.read(From::After(0), |_| true, 9, 1)), [1]);
    }

    #[test]
    fn a_cursor_belongs_to_its_process() {
        let journal = Journal::new(Timestamp::from_second(1_700_000_000).unwrap());
        let cursor = Cursor::parse(&journal.cursor(12).to_string()).unwrap();
        assert_eq!(journal.number(cursor), Some(12));
        assert_eq!(Journal::new(Timestamp::from_second(1_700_000_001).unwrap()).number(cursor), None);
        for wrong in ["", "-", "1", "x-1", "1-x", "1--1", "1-1-1", "99999999999999999999-1"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
