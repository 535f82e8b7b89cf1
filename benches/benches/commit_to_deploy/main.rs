//! From a push to the first call that changes something: the real binary, notified by a webhook or by the files that it watches.
//!
//! Git's server and AWS record when they are asked and when they answer, so that trueup's own time is distinguished from
//! theirs within one and the same commit. With each commit, in the same run, git itself fetches it, and the same reads
//! are made by next to nothing.

mod aws;
mod round;
mod world;

use std::time::Duration;

use anyhow::Result;

use crate::round::Round;
use crate::world::{Told, World};

/// How many applications there are, how trueup is notified, and how many commits are made. They are deployed at AWS's rates
/// before anything is measured, and so ten are as many as one cares to wait for.
const FLEETS: [(usize, Told, usize); 3] =
    [(1, Told::ByWebhook, 30), (1, Told::ByWatching, 30), (10, Told::ByWebhook, 15)];

/// What trueup may add to git's and AWS's own time.
const GOAL: Duration = Duration::from_millis(50);

/// The first interval that is committed, in seconds; each commit has one more.
const INTERVAL: usize = 61;

/// Commits that are not counted: the first question after a start has no connection yet.
const WARMING: usize = 2;

fn main() -> Result<()> {
    for (count, told, commits) in FLEETS {
        let world = World::at_rest(count, told)?;
        let rounds: Vec<Round> =
            (0..WARMING + commits).map(|n| Round::play(&world, INTERVAL + n)).collect::<Result<_>>()?;
        print(count, told, &rounds[WARMING..]);
    }
    Ok(())
}

fn print(count: usize, told: Told, rounds: &[Round]) {
    let how = match told {
        Told::ByWebhook => "notified by webhook, git over HTTP",
        Told::ByWatching => "notified by watching, git on this machine (all of git's time counted as trueup's)",
    };
    println!(
        "applications: {count}, {how}; {} commits, {} calls to the first that writes",
        rounds.len(),
        rounds[0].calls
    );
    println!("{:48} {:>9} {:>9} {:>9}", "milliseconds", "median", "least", "most");
    let line = |name: &str, of: &dyn Fn(&Round) -> f64, decimals: usize| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let [median, least, most] = [values[values.len() / 2], values[0], values[values.len() - 1]];
        println!("{name:48} {median:>9.decimals$} {least:>9.decimals$} {most:>9.decimals$}");
    };
    let part = |name: &str, of: fn(&Round) -> Duration| line(name, &|round| of(round).as_secs_f64() * 1_000.0, 1);
    match told {
        Told::ByWebhook => {
            part("webhook answered (meanwhile it continues)", |round| round.answer);
            part("  webhook -> git is asked", |round| round.asked);
            part("  git's server at work", |round| round.git);
            part("  fetch otherwise, unpack, load", |round| round.load);
        }
        Told::ByWatching => part("  commit -> noticed, fetched, loaded", |round| round.asked),
    }
    part("  AWS at work", |round| round.aws);
    part("  between: resolve, observe, plan, write", |round| round.plan);
    part("first call that writes", |round| round.total);
    part("beyond git's and AWS's own time", Round::own);
    part("plain `git fetch` of the same commit", |round| round.fetch);
    part("the same reads, bare, one after the other", |round| round.bare);
    line("ratio: trueup to plain fetch and bare reads", &Round::ratio, 2);
    let late = rounds.iter().filter(|round| round.own() >= GOAL).count();
    println!("commits that took {} ms or more beyond: {late} of {}\n", GOAL.as_millis(), rounds.len());
}
