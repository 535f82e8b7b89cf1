//! Checks a history against what a controller must never do, from ground truth alone.
//!
//! It knows nothing of the product: what it sees are the calls, what they really changed ([`crate::truth`]), and what the
//! harness says about its own doings ([`Facts`]).
//!
//! | file | never |
//! |---|---|
//! | `needless.rs` | a write without a difference |
//! | `deployments.rs` | more than one deployment for one change |
//! | `ancestry.rs` | back to an older commit |
//! | `known_bad.rs` | again what ECS failed or rolled back |
//! | `foreign.rs` | a field that another writer owns |
//! | `deletions.rs` | a deletion that was not allowed |
//! | `canaries.rs` | a secret where it does not belong |
//! | `rest.rs` | a write when all is done |
//!
//! They work on `history.rs`.

mod ancestry;
mod canaries;
mod deletions;
mod deployments;
mod foreign;
mod history;
mod known_bad;
mod needless;
mod rest;
#[cfg(test)]
mod tests;

pub use canaries::leaks;
pub use history::{Canary, Commit, Facts, Violation};

use crate::recorder::Recorder;
use history::History;

/// Everything that the product did and must not do, in the order of the rules and then of calls.
pub fn judge(recorder: &Recorder, facts: &Facts) -> Vec<Violation> {
    let history = History { records: recorder.records(), facts };
    let rules: [fn(&History) -> Vec<Violation>; 8] = [
        needless::check,
        deployments::check,
        ancestry::check,
        known_bad::check,
        foreign::check,
        deletions::check,
        canaries::check,
        rest::check,
    ];
    rules.iter().flat_map(|rule| rule(&history)).collect()
}
