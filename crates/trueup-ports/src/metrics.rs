//! Metrics for whoever keeps them: CloudWatch, behind a trait.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::CallError;

/// Keeps metrics.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// Puts data into a namespace, in one call.
    ///
    /// # Errors
    /// When they were refused, or nobody knows whether they arrived.
    async fn put(&self, namespace: &str, data: &[Datum]) -> Result<(), CallError>;
}

/// What was measured of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// What tells it from others of that name, such as `Environment`.
    pub dimensions: BTreeMap<&'static str, String>,
    /// When.
    pub time: Timestamp,
    /// What its numbers count.
    pub unit: Unit,
    /// Its numbers.
    pub sample: Sample,
}

/// What numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things, or 0 and 1 for no and yes.
    Count,
    /// Time.
    Seconds,
}

/// One number, or what many come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A number.
    One(f64),
    /// Many.
    Many {
        /// How many; never 0.
        count: f64,
        /// Their sum.
        sum: f64,
        /// The least.
        minimum: f64,
        /// The greatest.
        maximum: f64,
    },
}

impl Sample {
    /// This with one more number.
    #[must_use]
    pub fn and(self, value: f64) -> Self {
        let (count, sum, minimum, maximum) = match self {
            Self::One(one) => (1.0, one, one, one),
            Self::Many { count, sum, minimum, maximum } => (count, sum, minimum, maximum),
        };
        Self::Many { count: count + 1.0, sum: sum + value, minimum: minimum.min(value), maximum: maximum.max(value) }
    }
}
