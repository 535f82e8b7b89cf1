//! The metrics store, CloudWatch, behind a trait.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::CallError;

/// A store of metrics.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// Puts data into a namespace, in one call.
    ///
    /// # Errors
    /// When they were refused, or when it is unknown whether they arrived.
    async fn put(&self, namespace: &str, data: &[Datum]) -> Result<(), CallError>;
}

/// A datum of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// Its dimensions, such as `Environment`.
    pub dimensions: BTreeMap<&'static str, String>,
    /// When it was measured.
    pub time: Timestamp,
    /// The unit of its numbers.
    pub unit: Unit,
    /// Its numbers.
    pub sample: Sample,
}

/// The unit of a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count, or 0 and 1 for no and yes.
    Count,
    /// Seconds.
    Seconds,
}

/// One number, or the statistics of many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// One number.
    One(f64),
    /// Statistics of many.
    Many {
        /// Their count; never 0.
        count: f64,
        /// Their sum.
        sum: f64,
        /// The smallest.
        minimum: f64,
        /// The largest.
        maximum: f64,
    },
}

impl Sample {
    /// The statistics with one more number.
    #[must_use]
    pub fn and(self, value: f64) -> Self {
        let (count, sum, minimum, maximum) = match self {
            Self::One(one) => (1.0, one, one, one),
            Self::Many { count, sum, minimum, maximum } => (count, sum, minimum, maximum),
        };
        Self::Many { count: count + 1.0, sum: sum + value, minimum: minimum.min(value), maximum: maximum.max(value) }
    }
}
