//! Virtual time: tokio's paused clock, and the clocks that follow it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::time::Instant;
use trueup_ports::Clock;
use trueup_sim::Time;

/// Runs a history: on this thread alone, on a clock that jumps to what is due next, with chance from `seed`.
///
/// # Panics
/// When the system gives no runtime.
pub fn run<T>(seed: u64, history: impl Future<Output = T>) -> T {
    // The SDK's retries take their jitter from here; it is per thread.
    fastrand::seed(seed);
    let runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime on one thread");
    runtime.block_on(history)
}

/// When a history began: on tokio's clock, and in virtual time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    real: Instant,
    time: Time,
}

impl Began {
    /// Now, which is `time`.
    pub fn at(time: Time) -> Self {
        Self { real: Instant::now(), time }
    }

    /// The virtual time now.
    pub fn time(self) -> Time {
        self.time + self.real.elapsed()
    }
}

impl Clock for Began {
    fn now(&self) -> Timestamp {
        let milliseconds = i64::try_from(self.time().0).expect("histories are short");
        Timestamp::from_millisecond(milliseconds).expect("histories are short")
    }
}

impl TimeSource for Began {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.time().0)
    }
}
