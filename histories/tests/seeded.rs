//! Seeded histories: random desired states, faults, other writers, one to three copies, then a quiet end.
//!
//! ```text
//! cargo test -p trueup-histories --test seeded                        # the first thousand seeds
//! cargo test -p trueup-histories --test seeded -- --seeds 20000       # more
//! cargo test -p trueup-histories --test seeded -- --seed 1234 --tell  # one, with all its calls
//! ```

use std::collections::BTreeSet;
use std::env;
use std::process::ExitCode;

use trueup_histories::parallel;
use trueup_histories::seeded::{History, Verdict, generate, perform, reduce};

/// How many are played by default.
const SEEDS: u64 = 1_000;

/// How many shorter histories are tried for a failing one.
const TRIES: usize = 60;

/// How many failing seeds are made shorter.
const REDUCED_MAX: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(at + 1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{flag} NUMBER")))
    };
    if let Some(seed) = number("--seed") {
        return replay(seed, arguments.iter().any(|argument| argument == "--tell"));
    }
    let from = number("--from").unwrap_or_default();
    let seeds: Vec<u64> = (from..from + number("--seeds").unwrap_or(SEEDS)).collect();
    let failed: Vec<(u64, Verdict)> = parallel(&seeds, |seed| (*seed, perform(&generate(*seed))))
        .into_iter()
        .filter(|(_, verdict)| !verdict.violations.is_empty())
        .collect();
    for (seed, verdict) in &failed {
        println!("seed {seed}: {}", verdict.violations.join("; "));
        println!("  replay: cargo test -p trueup-histories --test seeded -- --seed {seed} --tell");
    }
    for (seed, _) in failed.iter().take(REDUCED_MAX) {
        shorten(&generate(*seed));
    }
    println!("seeded histories: {} played, {} failed", seeds.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays one seed and prints everything.
fn replay(seed: u64, tell: bool) -> ExitCode {
    let history = generate(seed);
    println!("{history:#?}");
    let verdict = perform(&history);
    if tell {
        println!("{}", verdict.calls);
        println!("{}", verdict.told.join("\n"));
    }
    for violation in &verdict.violations {
        println!("violation: {violation}");
    }
    if verdict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a short history that fails in the same way.
fn shorten(history: &History) {
    let kinds = |verdict: &Verdict| -> BTreeSet<String> {
        let kind = |violation: &String| violation.split([':', '(']).next().unwrap_or_default().trim().to_owned();
        verdict.violations.iter().map(kind).collect()
    };
    let wanted = kinds(&perform(history));
    let shortest = reduce(history, TRIES, |candidate| {
        let found = kinds(&perform(candidate));
        !wanted.is_disjoint(&found)
    });
    println!("seed {} in short: {:#?}", history.seed, shortest);
    println!("  {}", perform(&shortest).violations.join("; "));
}
