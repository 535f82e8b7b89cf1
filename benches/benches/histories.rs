//! How many simulated histories are played in a minute on one core.
//!
//! Each is a whole seeded history as the tests play them: commits, faults, other writers, copies that come and go, then a
//! quiet end of at least twenty virtual minutes; with the product's engine, AWS adapter and SDK in it.

use std::time::{Duration, Instant};

use trueup_histories::seeded::{generate, perform};

/// How many are played.
const HISTORIES: u32 = 60;

fn main() {
    let began = Instant::now();
    let mut calls: u32 = 0;
    for seed in 0..HISTORIES {
        let verdict = perform(&generate(u64::from(seed)));
        assert!(verdict.violations.is_empty(), "seed {seed}: {:?}", verdict.violations);
        calls += u32::try_from(verdict.calls.lines().count()).expect("histories are short");
    }
    let took = began.elapsed();
    let per_minute = |count: f64| count * Duration::from_mins(1).as_secs_f64() / took.as_secs_f64();
    println!("histories per minute on one core: {:.0}", per_minute(f64::from(HISTORIES)));
    println!("AWS calls per second on one core: {:.0}", f64::from(calls) / took.as_secs_f64());
}
