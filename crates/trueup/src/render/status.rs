//! Status: one screen, a line per application, then what is held.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use trueup_core::plan::{Health, Plan, Rollout, Sync};
use trueup_core::report::{fact_line, resource_title};

use crate::terminal::{BOLD, DIM, HELD, REMOVED, clean};

/// How much of the evidence fits on the one screen; `trueup why` has all of it.
const FACTS_SHOWN: usize = 2;

/// Whether an application is as it should be.
pub fn is_fine(plan: &Plan) -> bool {
    plan.sync == Sync::Synced && plan.health == Health::Healthy
}

/// All applications.
pub fn status(plans: &[Plan]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ENVIRONMENT", "APPLICATION", "SYNC", "HEALTH", "REVISION", "ROLLOUT", "HELD"]);
    for plan in plans {
        let mut reasons: Vec<&str> = plan.held.iter().map(|held| held.reason.reason()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        table.add_row([
            plan.environment.to_string(),
            plan.application.to_string(),
            format!("{:?}", plan.sync),
            format!("{:?}", plan.health),
            plan.revision.as_str().chars().take(8).collect(),
            plan.rollout.as_ref().map(rollout).unwrap_or_default(),
            reasons.join(", "),
        ]);
    }
    let mut out = table.trim_fmt();
    out.push('\n');
    for plan in plans {
        if let Some(finding) = &plan.finding {
            let (place, class) = (format!("{}/{}", plan.environment, plan.application), finding.class.name());
            let _ = writeln!(out, "{REMOVED}x{REMOVED:#} {BOLD}{place}{BOLD:#}  {class}: {}", clean(&finding.cause));
            for fact in finding.evidence.iter().take(FACTS_SHOWN) {
                let _ = writeln!(out, "    {}", clean(&fact_line(fact)));
            }
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", clean(&finding.cure));
        }
        for held in &plan.held {
            let name = match &held.resource {
                Some(resource) => format!(" {}", resource_title(resource)),
                None => String::new(),
            };
            let _ = writeln!(
                out,
                "{HELD}!{HELD:#} {BOLD}{}/{}{BOLD:#}{}  {}: {}",
                plan.environment,
                plan.application,
                clean(&name),
                held.reason.reason(),
                clean(&held.reason.message())
            );
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", clean(&held.reason.cure()));
        }
    }
    out
}

/// A rollout in a few words: `running elearning-system:7, 1/2 tasks`.
pub fn rollout(rollout: &Rollout) -> String {
    match rollout {
        Rollout::Running { task_definition, desired, running, pending } => {
            let pending = if *pending > 0 { format!(", {pending} pending") } else { String::new() };
            format!("running {}, {running}/{desired} tasks{pending}", short(task_definition.as_str()))
        }
        Rollout::Serving { task_definition } => format!("serving {}", short(task_definition.as_str())),
        Rollout::Failed { task_definition, reason } => {
            format!("failed {}: {}", short(task_definition.as_str()), clean(reason))
        }
    }
}

/// `family:revision` of a task definition's ARN.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
