//! CPU time and memory of this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Counts the CPU time of work that is not to be measured.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Does such work.
    pub fn count<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = cpu(ClockId::ThreadCPUTime);
        let done = work();
        let took = cpu(ClockId::ThreadCPUTime).saturating_sub(before);
        self.0.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        done
    }

    /// The CPU time of the process so far, all threads together, without what was counted here.
    pub fn cpu(&self) -> Duration {
        cpu(ClockId::ProcessCPUTime).saturating_sub(Duration::from_nanos(self.0.load(Ordering::Relaxed)))
    }
}

fn cpu(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().expect("time that was used is not negative")
}

/// Resident memory of this process in MiB: now, and the most there ever was. Linux only; nothing elsewhere.
pub fn resident() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mebibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kibibytes| kibibytes / 1024.0)
    };
    Some((mebibytes("VmRSS")?, mebibytes("VmHWM")?))
}
