//! Broken builds: every bug of `trueup_core::broken` is put into the product, and some scenario must notice it.
//!
//! `--write-docs` writes the table of which scenario notices which bug into `docs/simulation.md`; without it a table there
//! that is out of date is a failure. `--bug NAME` plays one bug and prints all that was found.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use trueup_core::broken::{self, Broken};
use trueup_histories::parallel;
use trueup_histories::scenarios::{Scenario, scenarios};

/// The document with the table.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/simulation.md");

/// Between these lines.
const BEGIN: &str = "<!-- broken builds: begin -->\n";
const END: &str = "<!-- broken builds: end -->\n";

/// So many scenarios are shown for a bug that nearly all notice.
const SHOWN_MAX: usize = 4;

/// What a scenario found with a bug in, or with none.
struct Outcome {
    bug: Option<Broken>,
    scenario: &'static str,
    found: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let wanted = arguments.iter().position(|argument| argument == "--bug").and_then(|at| arguments.get(at + 1));
    let is_wanted = |bug: &Broken| wanted.is_none_or(|wanted| *wanted == format!("{bug:?}"));
    let bugs: Vec<Broken> = Broken::ALL.iter().copied().filter(is_wanted).collect();
    let builds: Vec<Option<Broken>> = std::iter::once(None).chain(bugs.iter().copied().map(Some)).collect();
    let outcomes = play(&builds);
    if wanted.is_some() {
        for Outcome { bug, scenario, found } in outcomes.iter().filter(|outcome| !outcome.found.is_empty()) {
            println!("{bug:?}: {scenario}: {found:#?}");
        }
    }
    let mut failures = 0;
    for Outcome { scenario, found, .. } in outcomes.iter().filter(|one| one.bug.is_none() && !one.found.is_empty()) {
        failures += 1;
        println!("the product without a bug is accused by `{scenario}`: {}", found.join("; "));
    }
    for bug in &bugs {
        if noticed(&outcomes, *bug).next().is_none() {
            failures += 1;
            println!("nothing notices {bug:?}: {}", bug.words());
        }
    }
    let table = table(&bugs, &outcomes);
    println!("{table}");
    if wanted.is_none() && failures == 0 {
        failures += usize::from(!documented(&table, arguments.iter().any(|argument| argument == "--write-docs")));
    }
    println!("broken builds: {} bugs, {} scenarios, {failures} failures", bugs.len(), scenarios().len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays every scenario with every build.
fn play(builds: &[Option<Broken>]) -> Vec<Outcome> {
    let scenarios = scenarios();
    let all: Vec<(Option<Broken>, Scenario)> =
        builds.iter().flat_map(|bug| scenarios.iter().map(|scenario| (*bug, *scenario))).collect();
    parallel(&all, |(bug, scenario)| {
        broken::set(*bug);
        let found = scenario.play();
        broken::set(None);
        Outcome { bug: *bug, scenario: scenario.name, found }
    })
}

/// The outcomes that notice a bug.
fn noticed(outcomes: &[Outcome], bug: Broken) -> impl Iterator<Item = &Outcome> {
    outcomes.iter().filter(move |outcome| outcome.bug == Some(bug) && !outcome.found.is_empty())
}

/// The table: by what each bug is noticed.
fn table(bugs: &[Broken], outcomes: &[Outcome]) -> String {
    let mut table = "| Bug | Noticed in the scenario | As |\n|---|---|---|\n".to_owned();
    for bug in bugs {
        let mut words = bug.words().trim_end_matches('.');
        for outcome in noticed(outcomes, *bug).take(SHOWN_MAX) {
            let kinds: BTreeSet<&str> = outcome.found.iter().map(|found| kind(found)).collect();
            let kinds: Vec<&str> = kinds.into_iter().collect();
            // Writing to a string does not fail.
            let _ = writeln!(table, "| {words} | {} | {} |", outcome.scenario, kinds.join("; "));
            words = "";
        }
        let more = noticed(outcomes, *bug).count().saturating_sub(SHOWN_MAX);
        if more > 0 {
            let _ = writeln!(table, "|  | and {more} other scenarios |  |");
        }
    }
    table
}

/// What was found, without details that change with everything.
fn kind(found: &str) -> &str {
    found.split([':', '(']).next().unwrap_or_default().trim()
}

/// Whether the document has this table; with `write` it has it afterwards.
fn documented(table: &str, write: bool) -> bool {
    let document = fs::read_to_string(DOCUMENT).expect("docs/simulation.md is there");
    let (before, rest) = document.split_once(BEGIN).expect("docs/simulation.md has the mark of the table's begin");
    let (now, after) = rest.split_once(END).expect("docs/simulation.md has the mark of the table's end");
    if write {
        fs::write(DOCUMENT, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("docs/simulation.md is writable");
    } else if now.trim() != table.trim() {
        println!("the table in docs/simulation.md is out of date: run this test with `-- --write-docs`");
        return false;
    }
    true
}
