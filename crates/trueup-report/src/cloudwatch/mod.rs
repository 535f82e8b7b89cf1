//! Metrics for CloudWatch: one flush a minute, in the background, limited in number, size and time.

mod aggregate;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use trueup_core::live::FailureKind;
use trueup_core::report::{Event, printable};
use trueup_engine::{Sink, Status};
use trueup_ports::{Clock, Datum, Measurement, Meter, Metrics};

use self::aggregate::Aggregate;
pub use self::aggregate::METRICS;

/// How often metrics are put.
const FLUSH: Duration = Duration::from_mins(1);

/// How many data one call takes, and how many bytes; a tenth is left for what the count below does not see.
/// Source: Amazon CloudWatch API reference, `PutMetricData`.
const CALL_DATA_MAX: usize = 1_000;
const CALL_BYTES_MAX: usize = 900_000;

/// The size of a datum without its names, when encoded.
const DATUM_BYTES: usize = 400;

/// How many data wait while CloudWatch does not answer, and for how long. Older data are dropped.
const WAITING_DATA_MAX: usize = 50_000;
const WAITING_MAX: Duration = Duration::from_mins(15);

/// How long one call may take.
const PUT_MAX: Duration = Duration::from_secs(15);

/// Takes what is to be measured, from the loop; never waits.
#[derive(Clone, Default)]
pub struct CloudWatch(Arc<Mutex<Aggregate>>);

impl fmt::Debug for CloudWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudWatch(…)")
    }
}

impl CloudWatch {
    fn aggregate(&self) -> MutexGuard<'_, Aggregate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to publish metrics into a namespace. `status` reads the current status.
    pub fn start(
        &self,
        namespace: String,
        metrics: Arc<dyn Metrics>,
        clock: Arc<dyn Clock>,
        status: impl Fn() -> Status + Send + Sync + 'static,
    ) -> Flushing {
        let (closing, closed) = watch::channel(false);
        let (source, began) = (self.clone(), clock.now());
        let flush = Flush { namespace, metrics, waiting: VecDeque::new(), told: false };
        let data = move || {
            let now = clock.now();
            (source.aggregate().take(&status(), began, now), now)
        };
        Flushing { task: tokio::spawn(flush.run(data, closed)), closing }
    }
}

impl Sink for CloudWatch {
    fn emit(&self, event: &Event) {
        self.aggregate().observe(event);
    }
}

impl Meter for CloudWatch {
    fn measure(&self, measurement: &Measurement<'_>) {
        self.aggregate().measure(measurement);
    }
}

/// The task that puts metrics. When it is dropped it ends where it is.
pub struct Flushing {
    task: JoinHandle<()>,
    closing: watch::Sender<bool>,
}

impl Flushing {
    /// Puts what is left, once, for as long as it may take.
    pub async fn finish(mut self, within: Duration) {
        self.closing.send_replace(true);
        if timeout(within, &mut self.task).await.is_err() {
            tracing::warn!("The last metrics could not be sent to CloudWatch before the process stopped.");
        }
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Puts what there is, and what could not be put before.
struct Flush {
    namespace: String,
    metrics: Arc<dyn Metrics>,
    /// One call each, the oldest first.
    waiting: VecDeque<Vec<Datum>>,
    /// Whether the current failure was logged.
    told: bool,
}

impl Flush {
    async fn run(mut self, data: impl Fn() -> (Vec<Datum>, Timestamp), mut closed: watch::Receiver<bool>) {
        let mut ticks = interval_at(Instant::now() + FLUSH, FLUSH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let closing = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => true,
                _ = ticks.tick() => false,
            };
            let (data, now) = data();
            self.waiting.extend(calls(data));
            self.drop_old(now);
            self.put().await;
            if closing {
                return;
            }
        }
    }

    /// Drops what waits for too long, and the oldest of what is too much.
    fn drop_old(&mut self, now: Timestamp) {
        let mut count: usize = self.waiting.iter().map(Vec::len).sum();
        while let Some(oldest) = self.waiting.front() {
            let age = oldest.first().map_or(now, |datum| datum.time);
            if count <= WAITING_DATA_MAX && now.duration_since(age).unsigned_abs() <= WAITING_MAX {
                return;
            }
            count -= oldest.len();
            self.waiting.pop_front();
        }
    }

    /// Puts what waits, in order, until a call fails; the rest waits for the next minute.
    async fn put(&mut self) {
        while let Some(data) = self.waiting.front() {
            let error = match timeout(PUT_MAX, self.metrics.put(&self.namespace, data)).await {
                Ok(Ok(())) => {
                    self.told = false;
                    self.waiting.pop_front();
                    continue;
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    self.tell("no answer in time");
                    return;
                }
            };
            self.tell(&error.to_string());
            // The same would be refused again. What IAM refuses may be allowed meanwhile.
            if error.kind != FailureKind::Rejected {
                return;
            }
            self.waiting.pop_front();
        }
    }

    /// Logs once that publishing metrics failed, and again when it fails after a success.
    fn tell(&mut self, error: &str) {
        if !std::mem::replace(&mut self.told, true) {
            let (namespace, error) = (&self.namespace, printable(error));
            tracing::warn!(%namespace, %error, "Metrics cannot be sent to CloudWatch.");
        }
    }
}

/// Data in the portions that one call takes.
fn calls(data: Vec<Datum>) -> Vec<Vec<Datum>> {
    let mut calls: Vec<Vec<Datum>> = Vec::new();
    let mut bytes = 0;
    for datum in data {
        let dimensions: usize = datum.dimensions.iter().map(|(name, value)| name.len() + value.len()).sum();
        let size = DATUM_BYTES + datum.name.len() + dimensions;
        match calls.last_mut() {
            Some(call) if call.len() < CALL_DATA_MAX && bytes + size <= CALL_BYTES_MAX => {
                bytes += size;
                call.push(datum);
            }
            _ => {
                bytes = size;
                calls.push(vec![datum]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests;
