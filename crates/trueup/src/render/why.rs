//! Explanations: cause, evidence, remedy, in that order.

use std::fmt::Write as _;
use std::sync::Arc;

use trueup_core::drift::Change;
use trueup_core::report::{Explanation, fact_line, printable};
use trueup_engine::ApplicationStatus;

use super::{changes, place, short_revision};
use crate::terminal::{BOLD, DIM};

/// One application in each of its environments.
pub fn why(explained: &[(Arc<ApplicationStatus>, Vec<Explanation>)]) -> String {
    let mut out = String::new();
    for (at, (status, explanations)) in explained.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let plan = &status.plan;
        let (place, revision) = (place(plan), short_revision(plan));
        let (sync, health) = (plan.sync, plan.health);
        let _ = writeln!(out, "{BOLD}{place}{BOLD:#}  {DIM}at {revision}, {sync:?}, {health:?}{DIM:#}");
        for explanation in explanations {
            out.push_str(&one(explanation));
        }
    }
    out
}

fn one(explanation: &Explanation) -> String {
    let Explanation { reason, bearing, cause, evidence, changes, cure } = explanation;
    let bearing = bearing.map(|bearing| format!(", {}", bearing.name().replace('_', " "))).unwrap_or_default();
    let mut out = format!("  {BOLD}cause{BOLD:#}     {}  {DIM}({reason}{bearing}){DIM:#}\n", printable(cause));
    for (at, fact) in evidence.iter().enumerate() {
        let label = if at == 0 { "evidence" } else { "" };
        let _ = writeln!(out, "  {BOLD}{label:8}{BOLD:#}  {}", printable(&fact_line(fact)));
    }
    // A whole new resource is not spelled out: `trueup plan` does not, either.
    let differs: Vec<Change> = changes.iter().filter(|change| !change.path.segments().is_empty()).cloned().collect();
    out.push_str(&changes::lines(&differs, 12));
    let _ = writeln!(out, "  {BOLD}remedy{BOLD:#}    {}", printable(cure));
    out
}
