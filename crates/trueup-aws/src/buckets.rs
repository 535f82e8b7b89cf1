//! Token buckets below AWS's published rates, one for each of AWS's own buckets.
//!
//! AWS counts calls per account and region, everybody's together: consoles, pipelines and other tools too. We stay at
//! [`SHARE`] of what is published, so that they are left something.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The part of AWS's rate that we use.
const SHARE: f64 = 0.8;

/// How long a read waits for its turn at most. A fleet of 5,000 services needs 500 `DescribeServices`, about 26 s.
const READ_WAIT_MAX: Duration = Duration::from_mins(1);

/// How long a write waits for its turn at most. Short, because a process that is told to stop waits for it.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(10);

/// One of AWS's buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    ServiceModify,
    ServiceRead,
    TaskDefinitionModify,
    TaskDefinitionRead,
    TagModify,
    ClusterRead,
    ServiceDeploymentRead,
    ElbModify,
    ElbRead,
    CloudFormation,
    Ecr,
    Parameters,
    Secrets,
    Identity,
    Scaling,
    Trail,
}

/// How many calls a bucket holds, and how many come back per second.
struct Rate {
    burst: f64,
    per_second: f64,
    wait_max: Duration,
}

impl Bucket {
    /// AWS's rates.
    ///
    /// Source: Amazon ECS developer guide, "Request throttling for the Amazon ECS API"; Elastic Load Balancing,
    /// "Request throttling for the API" for its non-mutating calls. For the others AWS publishes either far more than
    /// we use or nothing at all: those numbers are our own caution.
    fn rate(self) -> Rate {
        let (burst, per_second, wait_max) = match self {
            Self::ServiceModify => (50.0, 5.0, WRITE_WAIT_MAX),
            Self::ServiceRead | Self::ClusterRead => (100.0, 20.0, READ_WAIT_MAX),
            Self::TaskDefinitionModify => (20.0, 1.0, WRITE_WAIT_MAX),
            Self::TaskDefinitionRead | Self::ServiceDeploymentRead | Self::Secrets => (50.0, 20.0, READ_WAIT_MAX),
            Self::TagModify => (20.0, 10.0, WRITE_WAIT_MAX),
            Self::ElbModify => (10.0, 3.0, WRITE_WAIT_MAX),
            Self::ElbRead => (40.0, 10.0, READ_WAIT_MAX),
            Self::CloudFormation | Self::Parameters | Self::Scaling => (10.0, 3.0, READ_WAIT_MAX),
            Self::Ecr => (100.0, 50.0, READ_WAIT_MAX),
            Self::Identity => (20.0, 10.0, READ_WAIT_MAX),
            // CloudTrail API reference, `LookupEvents`: two a second.
            Self::Trail => (2.0, 2.0, READ_WAIT_MAX),
        };
        Rate { burst: burst * SHARE, per_second: per_second * SHARE, wait_max }
    }
}

/// Whether calls wait for their turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Below AWS's published rates.
    #[default]
    Published,
    /// Not at all: for measuring, against an AWS that has no rates.
    Unlimited,
}

/// The buckets of one account in one region, shared by everything in this process.
#[derive(Debug)]
pub(crate) struct Buckets {
    pace: Pace,
    levels: Mutex<BTreeMap<Bucket, Level>>,
}

/// How full a bucket was at a time. Below zero when calls have reserved tokens that are still to come.
#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, levels: Mutex::default() }
    }

    /// Waits for a turn. Turns are given in the order of asking; one that is given up (the future dropped) is lost.
    ///
    /// # Errors
    /// When the turn would come later than the bucket's bound: how long it would have taken. Nothing is taken then.
    pub(crate) async fn turn(&self, bucket: Bucket) -> Result<(), Duration> {
        if self.pace == Pace::Unlimited {
            return Ok(());
        }
        let wait = self.reserve(bucket, Instant::now())?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn reserve(&self, bucket: Bucket, now: Instant) -> Result<Duration, Duration> {
        let rate = bucket.rate();
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.entry(bucket).or_insert(Level { tokens: rate.burst, at: now });
        let refilled = now.saturating_duration_since(level.at).as_secs_f64() * rate.per_second;
        level.tokens = (level.tokens + refilled).min(rate.burst);
        level.at = now;
        let missing = (1.0 - level.tokens).max(0.0);
        let wait = Duration::from_secs_f64(missing / rate.per_second);
        if wait > rate.wait_max {
            return Err(wait);
        }
        level.tokens -= 1.0;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_four_fifths_of_the_rate() {
        let buckets = Buckets::new(Pace::Published);
        let start = Instant::now();
        let mut seconds = Vec::new();
        for _ in 0..20 {
            buckets.turn(Bucket::TaskDefinitionModify).await.unwrap();
            seconds.push(start.elapsed().as_secs_f64());
        }
        assert!(seconds[15] < 0.01, "16 of AWS's 20 at once: {seconds:?}");
        assert!((seconds[19] - 5.0).abs() < 0.02, "then 0.8 per second: {seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_beyond_the_bound_is_refused_and_takes_nothing() {
        let buckets = Buckets::new(Pace::Published);
        let now = Instant::now();
        // 16 at once, and then 8 within the 10 seconds that a write may wait.
        for _ in 0..24 {
            buckets.reserve(Bucket::TaskDefinitionModify, now).unwrap();
        }
        assert!(buckets.reserve(Bucket::TaskDefinitionModify, now).unwrap_err() > WRITE_WAIT_MAX);
        assert!(buckets.reserve(Bucket::TaskDefinitionModify, now + Duration::from_secs(2)).is_ok());
        assert!(buckets.reserve(Bucket::ServiceModify, now).is_ok(), "another bucket is not concerned");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_pace_nothing_waits() {
        let buckets = Buckets::new(Pace::Unlimited);
        let start = Instant::now();
        for _ in 0..1_000 {
            buckets.turn(Bucket::TaskDefinitionModify).await.unwrap();
        }
        assert!(start.elapsed().is_zero());
    }
}
