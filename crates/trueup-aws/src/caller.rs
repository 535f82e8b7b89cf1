//! Makes one call: waits for its turn, counts it, traces it, and says what its failure means.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::Instant;
use trueup_core::live::FailureKind;
use trueup_ports::{CallError, Effect};

use crate::buckets::{Bucket, Buckets};
use crate::calls::Calls;
use crate::failure;

/// How often a write is tried. Only tries that are certain not to have had an effect are repeated.
const WRITE_ATTEMPTS_MAX: u32 = 3;

/// The longest wait before the first repetition of a write; it doubles with each. The long patience is the loop's.
const WRITE_BACKOFF: Duration = Duration::from_secs(1);

/// Makes calls on behalf of one environment.
#[derive(Debug)]
pub(crate) struct Caller {
    environment: String,
    buckets: Arc<Buckets>,
    calls: Arc<Calls>,
    /// The process stops: no write is sent any more.
    stopping: Arc<AtomicBool>,
    reads: AtomicU64,
    credential_failures: AtomicU64,
}

impl Caller {
    pub(crate) fn new(
        environment: String,
        buckets: Arc<Buckets>,
        calls: Arc<Calls>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        Self { environment, buckets, calls, stopping, reads: AtomicU64::new(0), credential_failures: AtomicU64::new(0) }
    }

    /// How many reads were made so far.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How many calls failed for their credentials so far.
    pub(crate) fn credential_failures(&self) -> u64 {
        self.credential_failures.load(Ordering::Relaxed)
    }

    /// Makes a read. The SDK itself repeats it when it fails for a passing reason.
    pub(crate) async fn read<T, E, F>(
        &self,
        bucket: Bucket,
        operation: &str,
        send: impl FnOnce() -> F,
    ) -> Result<T, CallError>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.once(bucket, operation, || true, send).await
    }

    /// Makes a write. It is repeated only when it is certain that it had no effect: throttled, or never connected.
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
        let may_send = || !self.stopping.load(Ordering::Relaxed);
        let mut backoff = WRITE_BACKOFF;
        for _ in 1..WRITE_ATTEMPTS_MAX {
            match self.once(bucket, operation, may_send, &send).await {
                Err(error) if is_worth_repeating(&error) => {
                    tokio::time::sleep(backoff.mul_f64(fastrand::f64())).await;
                    backoff *= 2;
                }
                done => return done,
            }
        }
        self.once(bucket, operation, may_send, &send).await
    }

    /// Makes one attempt, if it still may be sent when its turn has come.
    async fn once<T, E, F>(
        &self,
        bucket: Bucket,
        operation: &str,
        may_send: impl FnOnce() -> bool,
        send: impl FnOnce() -> F,
    ) -> Result<T, CallError>
    where
        T: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
    {
        if let Err(wait) = self.buckets.turn(bucket).await {
            let message = format!(
                "trueup's own limit below AWS's rate: the turn would have come in {} seconds only",
                wait.as_secs()
            );
            return Err(failure::failure(operation, FailureKind::Throttled, Effect::None, message));
        }
        if !may_send() {
            let message = "trueup is stopping, the call was not sent";
            return Err(failure::failure(operation, FailureKind::Rejected, Effect::None, message));
        }
        self.calls.made(operation);
        let start = Instant::now();
        // The future of an SDK call is large; boxed, it does not weigh on everything that awaits it.
        let outcome = Box::pin(send()).await.map_err(|error| failure::classify(operation, &error));
        let environment = self.environment.as_str();
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(answer) => {
                let request_id = answer.request_id();
                tracing::debug!(environment, operation, duration_ms, request_id, "Called AWS.");
            }
            Err(error) => {
                let request_id = error.request_id.as_deref();
                tracing::debug!(environment, operation, duration_ms, request_id, %error, "Called AWS, which failed.");
                match error.kind {
                    FailureKind::Throttled => self.calls.throttled(operation),
                    FailureKind::Credentials => drop(self.credential_failures.fetch_add(1, Ordering::Relaxed)),
                    FailureKind::TimedOut
                    | FailureKind::Unavailable
                    | FailureKind::AccessDenied
                    | FailureKind::Rejected => {}
                }
            }
        }
        outcome
    }
}

fn is_worth_repeating(error: &CallError) -> bool {
    error.effect == Effect::None
        && matches!(error.kind, FailureKind::Throttled | FailureKind::Unavailable | FailureKind::TimedOut)
}
