//! What is measured on the way: durations and outcomes, for whoever makes metrics of them.

use std::fmt::Debug;
use std::time::Duration;

use trueup_core::names::EnvironmentName;

/// Takes measurements. Must not wait and must not fail: reconciling goes on whatever becomes of a number.
pub trait Meter: Debug + Send + Sync {
    /// Takes one.
    fn measure(&self, measurement: &Measurement<'_>);
}

/// One thing that was done, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement<'a> {
    /// A cycle of an environment: everything due was observed and planned. What is written goes on beside it.
    Cycle {
        /// The environment.
        environment: &'a EnvironmentName,
        /// Whether all applications were looked at, or those alone that something goes on with.
        full: bool,
        /// From its begin to its end.
        took: Duration,
    },
    /// The repository was asked for the branch's head, and what is new was fetched and loaded.
    Git {
        /// What came of it.
        outcome: GitOutcome,
        /// From the question to the revision in force.
        took: Duration,
    },
    /// One attempt of a call to AWS; a repetition is another one.
    Call {
        /// The environment's name.
        environment: &'a str,
        /// Service and operation, such as `ecs:DescribeServices`.
        operation: &'a str,
        /// What came of it.
        outcome: CallOutcome,
        /// From sending to the answer; waiting for a turn is not in it.
        took: Duration,
    },
}

/// What came of asking git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitOutcome {
    /// The branch is where it was.
    Still,
    /// There is a new commit.
    Moved,
    /// It could not be read.
    Failed,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// AWS did it.
    Succeeded,
    /// AWS asked for fewer calls.
    Throttled,
    /// Anything else.
    Failed,
}

/// Takes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn measure(&self, _: &Measurement<'_>) {}
}
