//! Durations and outcomes of cycles, polls and calls, for adapters that turn them into metrics.

use std::fmt::Debug;
use std::time::Duration;

use trueup_core::names::EnvironmentName;

/// Records measurements. Must not wait and must not fail: reconciling does not depend on it.
pub trait Meter: Debug + Send + Sync {
    /// Records one.
    fn measure(&self, measurement: &Measurement<'_>);
}

/// One operation, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement<'a> {
    /// A cycle of an environment: everything due was observed and planned. Passes that write run concurrently.
    Cycle {
        /// The environment.
        environment: &'a EnvironmentName,
        /// Whether all applications were reconciled, or only those that were due before the next full cycle.
        full: bool,
        /// From its start to its end.
        took: Duration,
    },
    /// A poll of git: new commits were fetched and loaded.
    Git {
        /// The outcome.
        outcome: GitOutcome,
        /// From the poll's start until the new revision is current.
        took: Duration,
    },
    /// One attempt of a call to AWS; a retry is another one.
    Call {
        /// The environment's name.
        environment: &'a str,
        /// Service and operation, such as `ecs:DescribeServices`.
        operation: &'a str,
        /// The outcome.
        outcome: CallOutcome,
        /// From sending to the answer, without waiting for a turn.
        took: Duration,
    },
}

/// The outcome of a poll of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitOutcome {
    /// The branch did not move.
    Still,
    /// There is a new commit.
    Moved,
    /// The repository could not be read.
    Failed,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// AWS accepted it.
    Succeeded,
    /// AWS throttled it.
    Throttled,
    /// It failed in any other way.
    Failed,
}

/// Records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn measure(&self, _: &Measurement<'_>) {}
}
