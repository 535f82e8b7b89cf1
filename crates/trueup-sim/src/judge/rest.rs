//! Never a write when all is done.

use super::history::{History, Violation, named};

/// From the time on that the harness calls quiet, the product makes no mutating call, successful or not.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let Some(quiet_since) = history.facts.quiet_since else { return Vec::new() };
    let late = history.product_writes().filter(|record| record.at >= quiet_since);
    late.map(|record| Violation {
        rule: "write at rest",
        call: Some(record.index),
        text: format!("{} at {}", named(record), record.at.iso()),
    })
    .collect()
}
