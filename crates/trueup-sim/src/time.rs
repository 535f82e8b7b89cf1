//! Virtual time: milliseconds since 1970, moved only by the code that mounts the simulator.

use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// Where histories begin by default: 2026-01-01T00:00:00Z.
    pub const START: Self = Self(1_767_225_600_000);

    /// The moment `seconds` after 1970.
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// As AWS's JSON protocols write it: seconds since 1970 with milliseconds as fraction.
    pub fn epoch_seconds(self) -> serde_json::Value {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        serde_json::from_str(&text).expect("digits and one dot are a JSON number")
    }

    /// As AWS's query protocol writes it, such as `2026-01-01T00:00:00.000Z`.
    pub fn iso(self) -> String {
        let milliseconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
    }

    /// From what [`Time::iso`] writes; `None` when it is no such time, or before 1970.
    pub fn from_iso(text: &str) -> Option<Self> {
        let at: Timestamp = text.parse().ok()?;
        u64::try_from(at.as_millisecond()).ok().map(Self)
    }

    /// How long after `earlier` this is; zero when it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, back: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(back.as_millis()).unwrap_or(u64::MAX)))
    }
}
