//! Token buckets below AWS's published rates, one for each of AWS's own buckets.
//!
//! AWS counts calls per account and region, those of consoles, pipelines and other tools too, so trueup stays below what
//! is published ([`crate::rate`]). A [`Line`] decides who goes first, and how the rate changes when AWS throttles all the
//! same or does not answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use trueup_ports::Priority;

use crate::line::{Asked, Line};
use crate::rate::Bucket;

/// By how much a wait is longer than it must be, at most: several copies of trueup that wait for the same bucket should
/// not ask at the same moment.
const JITTER: f64 = 0.1;

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
    lines: Mutex<BTreeMap<Bucket, Line>>,
}

/// What an answer says about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It works, whatever it said.
    Works,
    /// It asks for fewer calls.
    Throttles,
    /// It did not answer, or answered that it cannot.
    Fails,
}

impl Buckets {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, lines: Mutex::default() }
    }

    /// Waits for a turn. One that is given up (the future dropped) goes to the next.
    ///
    /// # Errors
    /// When the turn did not come within the bucket's bound: how long that is. Nothing was taken then.
    pub(crate) async fn turn(&self, bucket: Bucket, priority: Priority) -> Result<(), Duration> {
        if self.pace == Pace::Unlimited {
            return Ok(());
        }
        let place = QueuePlace::take(self, bucket, priority);
        let turn = async {
            loop {
                match self.line(bucket, |line| line.ask(priority, place.number, Instant::now())) {
                    Asked::Granted => return,
                    Asked::Behind => place.wake.notified().await,
                    Asked::In(wait) => {
                        tokio::select! {
                            () = sleep(wait.mul_f64(1.0 + JITTER * fastrand::f64())) => {}
                            () = place.wake.notified() => {}
                        }
                    }
                }
            }
        };
        let wait_max = bucket.rate().wait_max;
        timeout(wait_max, turn).await.map_err(|_| wait_max)
    }

    /// Records the outcome of a call that was sent at `sent`.
    pub(crate) fn note(&self, bucket: Bucket, sent: Instant, sign: Sign) {
        if self.pace == Pace::Unlimited {
            return;
        }
        self.line(bucket, |line| match sign {
            Sign::Works => line.works(),
            Sign::Throttles => line.throttled(sent, Instant::now()),
            Sign::Fails => line.fails(),
        });
    }

    fn line<T>(&self, bucket: Bucket, look: impl FnOnce(&mut Line) -> T) -> T {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        look(lines.entry(bucket).or_insert_with(|| Line::new(bucket.rate(), Instant::now())))
    }
}

/// A place in a line, given up when dropped.
struct QueuePlace<'a> {
    buckets: &'a Buckets,
    bucket: Bucket,
    priority: Priority,
    number: u64,
    wake: Arc<Notify>,
}

impl<'a> QueuePlace<'a> {
    fn take(buckets: &'a Buckets, bucket: Bucket, priority: Priority) -> Self {
        let wake = Arc::new(Notify::new());
        let number = buckets.line(bucket, |line| line.enter(priority, wake.clone()));
        Self { buckets, bucket, priority, number, wake }
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.buckets.line(self.bucket, |line| line.leave(self.priority, self.number));
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;

    use trueup_core::operation::WriteBucket;

    use super::*;

    const TASK_DEFINITION_MODIFY: Bucket = Bucket::Write(WriteBucket::TaskDefinitionModify);

    /// Empties a bucket.
    async fn exhaust(buckets: &Buckets, bucket: Bucket) {
        let burst = bucket.rate().burst;
        let mut taken = 0.0;
        while taken < burst {
            buckets.turn(bucket, Priority::Rest).await.unwrap();
            taken += 1.0;
        }
    }

    /// Asks for turns in this order, and returns the order in which they came.
    async fn order(buckets: &Buckets, bucket: Bucket, asking: &[Priority]) -> Vec<usize> {
        let turns: FuturesUnordered<_> = asking
            .iter()
            .enumerate()
            .map(|(n, &priority)| async move {
                buckets.turn(bucket, priority).await.unwrap();
                n
            })
            .collect();
        turns.collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_four_fifths_of_the_rate() {
        let buckets = Buckets::new(Pace::Published);
        let start = Instant::now();
        let mut seconds = Vec::new();
        for _ in 0..20 {
            buckets.turn(TASK_DEFINITION_MODIFY, Priority::Deploy).await.unwrap();
            seconds.push(start.elapsed().as_secs_f64());
        }
        assert!(seconds[15] < 0.01, "16 of AWS's 20 at once: {seconds:?}");
        assert!((5.0..5.6).contains(&seconds[19]), "then 0.8 per second: {seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_more_urgent_goes_first_and_equals_in_the_order_of_asking() {
        use Priority::{Deploy, Rest, Rollout, Safety};
        let buckets = Buckets::new(Pace::Published);
        exhaust(&buckets, Bucket::ServiceRead).await;
        let asking = [Rest, Rest, Deploy, Rollout, Safety, Rollout, Safety];
        assert_eq!(order(&buckets, Bucket::ServiceRead, &asking).await, [4, 6, 3, 5, 2, 0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn urgent_calls_without_end_leave_the_others_one_turn_in_eight() {
        let buckets = Buckets::new(Pace::Published);
        exhaust(&buckets, Bucket::ServiceRead).await;
        let asking: Vec<Priority> =
            (0..400).map(|n| if n % 2 == 0 { Priority::Rest } else { Priority::Safety }).collect();
        let order = order(&buckets, Bucket::ServiceRead, &asking).await;
        let first: Vec<usize> = order.iter().take(80).filter(|n| **n % 2 == 0).copied().collect();
        assert_eq!(first, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18], "those that wait longest first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_beyond_the_bound_is_refused_and_takes_nothing() {
        let buckets = Buckets::new(Pace::Published);
        exhaust(&buckets, TASK_DEFINITION_MODIFY).await;
        let turns = |count: usize| {
            let turn = |_| buckets.turn(TASK_DEFINITION_MODIFY, Priority::Deploy);
            futures::future::join_all((0..count).map(turn))
        };
        // 24 come within the 30 seconds that a write may wait at 0.8 per second, less what the jitter takes.
        let refused = turns(40).await.into_iter().filter(Result::is_err).count();
        assert!((16..20).contains(&refused), "{refused}");
        assert!(
            buckets.turn(Bucket::Write(WriteBucket::ServiceModify), Priority::Deploy).await.is_ok(),
            "another is not concerned"
        );
        let start = Instant::now();
        assert!(buckets.turn(TASK_DEFINITION_MODIFY, Priority::Deploy).await.is_ok());
        assert!(start.elapsed() < Duration::from_secs(2), "no other call is before it: {:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_given_up_goes_to_the_next() {
        let buckets = Buckets::new(Pace::Published);
        exhaust(&buckets, TASK_DEFINITION_MODIFY).await;
        let start = Instant::now();
        let turn = || buckets.turn(TASK_DEFINITION_MODIFY, Priority::Deploy);
        let (given_up, next) = tokio::join!(timeout(Duration::from_secs(1), turn()), turn());
        assert!(given_up.is_err() && next.is_ok());
        assert!(start.elapsed().as_secs_f64() < 1.6, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_pace_nothing_waits() {
        let buckets = Buckets::new(Pace::Unlimited);
        let start = Instant::now();
        for _ in 0..1_000 {
            buckets.turn(TASK_DEFINITION_MODIFY, Priority::Deploy).await.unwrap();
        }
        assert!(start.elapsed().is_zero());
    }
}
