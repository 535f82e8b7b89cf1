//! Plans: what will be done, path by path, and what is held and why.

use std::fmt::{self, Write as _};

use trueup_core::plan::{Cause, Held, Plan, Step};
use trueup_core::report::{printable, subject_title};

use super::{changes, place, short_revision};
use crate::terminal::{ADDED, BOLD, CHANGED, DIM, HELD, REMOVED};

/// Counts over several plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Resources to be created.
    pub create: usize,
    /// Resources that will be changed (several calls on one resource count once).
    pub change: usize,
    /// Resources that match and get our tags alone.
    pub adopt: usize,
    /// Resources that will be taken away.
    pub prune: usize,
    /// Steps that are known and not taken.
    pub held: usize,
}

impl Totals {
    /// Counts the resources of all plans, each by the weightiest thing that happens to it.
    pub fn of<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Self {
        let mut totals = Self::default();
        for plan in plans {
            totals.held += plan.held.len();
            let mut by_resource = std::collections::BTreeMap::new();
            for step in &plan.steps {
                let symbol = by_resource.entry(&step.subject).or_insert(Symbol::Adopt);
                *symbol = (*symbol).max(Symbol::of(step));
            }
            for symbol in by_resource.into_values() {
                *match symbol {
                    Symbol::Create => &mut totals.create,
                    Symbol::Change => &mut totals.change,
                    Symbol::Adopt => &mut totals.adopt,
                    Symbol::Prune => &mut totals.prune,
                } += 1;
            }
        }
        totals
    }

    /// Whether there is nothing to do and nothing held.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `1 to create, 2 to change, 0 to prune, 1 held`, and the number of adoptions if there are any.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, change, adopt, prune, held } = self;
        write!(f, "{create} to create, {change} to change, {prune} to prune, {held} held")?;
        if *adopt > 0 { write!(f, ", {adopt} to adopt") } else { Ok(()) }
    }
}

/// What happens to a resource, from the least to the weightiest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    Adopt,
    Change,
    Create,
    Prune,
}

impl Symbol {
    pub(super) fn of(step: &Step) -> Self {
        match step.cause {
            Cause::Create => Self::Create,
            Cause::Pending | Cause::Drift => Self::Change,
            Cause::Adopt => Self::Adopt,
            Cause::Prune => Self::Prune,
        }
    }

    pub(super) fn draw(self) -> (anstyle::Style, char) {
        match self {
            Self::Create => (ADDED, '+'),
            Self::Change => (CHANGED, '~'),
            Self::Adopt => (DIM, '='),
            Self::Prune => (REMOVED, '-'),
        }
    }
}

/// All plans and their totals. Applications with nothing to tell are left out, and counted.
pub fn plans(plans: &[Plan]) -> String {
    let mut out = String::new();
    let mut quiet = 0;
    for one in plans {
        if one.steps.is_empty() && one.held.is_empty() {
            quiet += 1;
            continue;
        }
        out.push_str(&plan(one));
        out.push('\n');
    }
    let totals = Totals::of(plans);
    if totals.is_empty() {
        let _ =
            writeln!(out, "Nothing to do: {quiet} application{} as git wants them.", if quiet == 1 { "" } else { "s" });
        return out;
    }
    let _ = write!(out, "{BOLD}Plan:{BOLD:#} {totals}");
    if quiet > 0 {
        let _ = write!(out, "; {quiet} unchanged");
    }
    out.push_str(".\n");
    out
}

/// One application's plan.
fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    let (place, revision) = (place(plan), short_revision(plan));
    let _ = writeln!(out, "{BOLD}{place}{BOLD:#}  {DIM}at {revision}, {:?}, {:?}{DIM:#}", plan.sync, plan.health);
    for step in &plan.steps {
        out.push_str(&self::step(step));
    }
    for held in &plan.held {
        out.push_str(&self::held(held));
    }
    out
}

fn step(step: &Step) -> String {
    let (style, symbol) = Symbol::of(step).draw();
    let cause = why(step.cause);
    let name = printable(&subject_title(&step.subject)).into_owned();
    let mut out =
        format!("  {style}{symbol}{style:#} {BOLD}{name}{BOLD:#}  {:?}  {DIM}{cause}{DIM:#}\n", step.call.operation);
    if !step.awaits.is_empty() {
        let _ = writeln!(out, "      {DIM}after {}{DIM:#}", printable(&step.awaited()));
    }
    if step.cause != Cause::Create {
        out.push_str(&changes::lines(&step.changes, 6));
    }
    out
}

/// Why a step is taken, in a few words.
pub(super) fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Create => "git wants it",
        Cause::Pending => "git changed",
        Cause::Drift => "AWS drifted",
        Cause::Adopt => "already matches, gets trueup's tags",
        Cause::Prune => "git no longer has it",
    }
}

/// What a hold is about.
pub(super) fn held_name(held: &Held) -> String {
    printable(&subject_title(&held.subject)).into_owned()
}

fn held(held: &Held) -> String {
    let name = held_name(held);
    let mut out = format!(
        "  {HELD}!{HELD:#} {BOLD}{name}{BOLD:#}  held, {}: {}\n",
        held.reason.reason(),
        printable(&held.reason.message())
    );
    let _ = writeln!(out, "      {DIM}{}{DIM:#}", printable(held.reason.remedy()));
    out.push_str(&changes::lines(&held.changes, 6));
    out
}
