//! How long an application waits after a call failed, so that a call that AWS refuses is not repeated over and over.

use std::time::Duration;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::live::FailureKind;

use crate::schedule::Jitter;

/// The longest wait. An operator who fixes a policy sees trueup continue within this time.
const WAIT_MAX: Duration = Duration::from_mins(5);
/// The first wait after a failure that clears on its own.
const FIRST_WAIT_TRANSIENT: Duration = Duration::from_secs(5);
/// The first wait after AWS refused: the same call will be refused again until an operator acts.
const FIRST_WAIT_REFUSED: Duration = Duration::from_secs(30);
/// `FIRST_WAIT_TRANSIENT` doubled this often is beyond `WAIT_MAX`.
const DOUBLINGS_MAX: u32 = 6;

/// Counts the failures in a row, and says when to retry.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// Records a failure: each wait is twice the one before, up to five minutes, spread by a tenth.
    pub fn failed(&mut self, kind: FailureKind, now: Instant, jitter: &mut Jitter) {
        let first = if kind.is_transient() { FIRST_WAIT_TRANSIENT } else { FIRST_WAIT_REFUSED };
        let failures = if broken::is(Broken::RefusedWithoutBackoff) { 0 } else { self.failures };
        let wait = (first * 2_u32.pow(failures.min(DOUBLINGS_MAX))).min(WAIT_MAX);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + jitter.spread(wait));
    }

    /// Forgets the failures: the next one is a first one.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The number of failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When to retry; `None` when at once.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_five_minutes_and_begin_longer_when_refused() {
        let table = [
            (FailureKind::Throttled, [5, 10, 20, 40, 80, 160, 300, 300]),
            (FailureKind::AccessDenied, [30, 60, 120, 240, 300, 300, 300, 300]),
        ];
        for (kind, waits) in table {
            let mut backoff = Backoff::default();
            let mut jitter = Jitter::of("test");
            let now = Instant::now();
            for seconds in waits {
                backoff.failed(kind, now, &mut jitter);
                let wait = backoff.until(now).expect("it waits") - now;
                let nominal = Duration::from_secs(seconds);
                assert!(wait >= nominal * 9 / 10 && wait <= nominal * 11 / 10, "{kind:?} {seconds} s: {wait:?}");
            }
            backoff.reset();
            assert_eq!(backoff.until(now), None);
        }
    }
}
