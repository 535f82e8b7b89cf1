//! Executes one call: waits for a token, counts it, traces it, retries it, and classifies its failure.
//!
//! The SDK's retries are off: two layers of retries would multiply the load just when AWS asks for less.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};
use trueup_core::live::FailureKind;
use trueup_ports::{CallError, CallOutcome, Effect, Measurement, Meter};

use crate::buckets::{Buckets, Sign};
use crate::calls::Calls;
use crate::rate::Bucket;
use crate::stop::Stop;
use crate::{failure, priority};

/// How often a call is attempted. A write is retried only after an attempt that certainly had no effect.
const ATTEMPTS_MAX: u32 = 3;

/// The longest wait before the first retry; it doubles with each. Longer outages are left to the reconcile loop.
const BACKOFF: Duration = Duration::from_secs(1);

/// How long after its start a read is still retried: an endpoint that lets every attempt time out is left to the loop.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(20);

/// Executes calls on behalf of one environment.
#[derive(Debug)]
pub(crate) struct Caller {
    environment: String,
    buckets: Arc<Buckets>,
    calls: Arc<Calls>,
    meter: Arc<dyn Meter>,
    stop: Stop,
    reads: AtomicU64,
    credential_failures: AtomicU64,
}

impl Caller {
    pub(crate) fn new(
        environment: String,
        buckets: Arc<Buckets>,
        calls: Arc<Calls>,
        meter: Arc<dyn Meter>,
        stop: Stop,
    ) -> Self {
        let (reads, credential_failures) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { environment, buckets, calls, meter, stop, reads, credential_failures }
    }

    /// The number of reads so far.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// The number of calls so far that failed because of their credentials.
    pub(crate) fn credential_failures(&self) -> u64 {
        self.credential_failures.load(Ordering::Relaxed)
    }

    /// Executes a read, and retries it after a transient failure.
    pub(crate) async fn read<T, E, F>(
        &self,
        bucket: Bucket,
        operation: &str,
        send: impl Fn() -> F,
    ) -> Result<T, CallError>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        let start = Instant::now();
        let mut backoff = BACKOFF;
        for _ in 1..ATTEMPTS_MAX {
            self.turn(bucket, operation).await?;
            self.reads.fetch_add(1, Ordering::Relaxed);
            match self.attempt(bucket, operation, &send).await {
                Err(error) if may_pass(&error) && start.elapsed() < READ_AGAIN_WITHIN => {
                    sleep(backoff.mul_f64(fastrand::f64())).await;
                    backoff *= 2;
                }
                done => return done,
            }
        }
        self.turn(bucket, operation).await?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.attempt(bucket, operation, &send).await
    }

    /// Executes a write. It is retried only when it certainly had no effect: it was throttled, or no connection was
    /// established. Nothing is sent once the process stops.
    pub(crate) async fn write<T, E, F>(
        &self,
        bucket: Bucket,
        operation: &str,
        send: impl Fn() -> F,
    ) -> Result<T, CallError>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        let mut backoff = BACKOFF;
        for _ in 1..ATTEMPTS_MAX {
            self.unless_stopping(operation, self.turn(bucket, operation)).await?;
            match self.attempt(bucket, operation, &send).await {
                Err(error) if may_pass(&error) && error.effect == Effect::None => {
                    let pause = async {
                        sleep(backoff.mul_f64(fastrand::f64())).await;
                        Ok(())
                    };
                    self.unless_stopping(operation, pause).await?;
                    backoff *= 2;
                }
                done => return done,
            }
        }
        self.unless_stopping(operation, self.turn(bucket, operation)).await?;
        self.attempt(bucket, operation, &send).await
    }

    /// Runs the work that precedes sending a write, and cancels it when the process stops.
    ///
    /// # Errors
    /// When the process stops, or when the work fails.
    pub(crate) async fn unless_stopping<T>(
        &self,
        operation: &str,
        work: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        tokio::select! {
            biased;
            () = self.stop.raised() => {
                let message = "trueup is stopping, the call was not sent";
                Err(failure::failure(operation, FailureKind::Rejected, Effect::None, message))
            }
            done = work => done,
        }
    }

    /// Waits for a token of a bucket: every attempt takes one, so that retries do not multiply the load.
    async fn turn(&self, bucket: Bucket, operation: &str) -> Result<(), CallError> {
        self.buckets.turn(bucket, priority::current()).await.map_err(|waited| {
            let message =
                format!("trueup's own limit below AWS's rate: no turn came within {} seconds", waited.as_secs());
            failure::failure(operation, FailureKind::Throttled, Effect::None, message)
        })
    }

    /// Executes one attempt.
    async fn attempt<T, E, F>(&self, bucket: Bucket, operation: &str, send: impl FnOnce() -> F) -> Result<T, CallError>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        self.calls.made(operation);
        let start = Instant::now();
        // The future of an SDK call is large; boxed, it does not weigh on everything that awaits it.
        let outcome = Box::pin(send()).await.map_err(|error| failure::classify(operation, &error));
        let environment = self.environment.as_str();
        let took = start.elapsed();
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let sign = match &outcome {
            Ok(answer) => {
                let request_id = answer.request_id();
                tracing::debug!(environment, operation, duration_ms, request_id, "Called AWS.");
                Sign::Works
            }
            Err(error) => {
                let request_id = error.request_id.as_deref();
                // Without AWS's message, which may quote the request: the handler reports it without those values.
                let (kind, code) = (error.kind, error.code.as_deref());
                tracing::debug!(environment, operation, duration_ms, request_id, %kind, code, "Called AWS, which failed.");
                match error.kind {
                    FailureKind::Throttled => {
                        self.calls.throttled(operation);
                        Sign::Throttles
                    }
                    FailureKind::Credentials => {
                        self.credential_failures.fetch_add(1, Ordering::Relaxed);
                        Sign::Works
                    }
                    FailureKind::TimedOut | FailureKind::Unavailable => Sign::Fails,
                    FailureKind::AccessDenied | FailureKind::Rejected => Sign::Works,
                }
            }
        };
        let came = match sign {
            Sign::Throttles => CallOutcome::Throttled,
            _ if outcome.is_ok() => CallOutcome::Succeeded,
            Sign::Works | Sign::Fails => CallOutcome::Failed,
        };
        self.meter.measure(&Measurement::Call { environment, operation, outcome: came, took });
        self.buckets.note(bucket, start, sign);
        outcome
    }
}

/// Whether the same call may succeed in a moment.
fn may_pass(error: &CallError) -> bool {
    matches!(error.kind, FailureKind::Throttled | FailureKind::Unavailable | FailureKind::TimedOut)
}
