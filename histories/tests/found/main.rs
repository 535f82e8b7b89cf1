//! Bugs that seeded histories found, each as a short history of its own.

mod older_commits;
mod other_writers;
mod rollouts;

use trueup_histories::Desired;
use trueup_histories::seeded::{Act, Change, History, perform};

/// A seed decides when each copy asks git and observes, so that a history is played with several.
const SEEDS: u64 = 12;

fn act(what: Change, wait: u64) -> Act {
    Act { what, wait }
}

/// Plays a history with several seeds: it keeps all promises.
fn for_some_seeds(first: &Desired, acts: &[Act]) {
    for seed in 0..SEEDS {
        let verdict = perform(&History { seed, first: first.clone(), acts: acts.to_vec() });
        assert_eq!(verdict.violations, Vec::<String>::new(), "seed {seed}\n{}", verdict.told.join("\n"));
    }
}
