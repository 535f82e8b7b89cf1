//! Status: one screen, a line per application, then what is held.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use jiff::{SignedDuration, Timestamp};
use trueup_core::names::Arn;
use trueup_core::plan::{Hold, Plan, Progress, Rollout};
use trueup_core::report::{fact_line, printable, resource_title};

use super::{place, short_revision};
use crate::terminal::{BOLD, DIM, HELD, REMOVED};

/// How much of the evidence fits on the one screen; `trueup why` has all of it.
const FACTS_SHOWN: usize = 2;

/// Whether an application is as it should be: also where it is as the last verified commit wants it, a commit that is not
/// verified waits.
pub fn is_fine(plan: &Plan) -> bool {
    let waits = plan.held.iter().any(|held| matches!(held.reason, Hold::Unverified { .. }));
    plan.is_settled() && !waits
}

/// All applications, as of `now`.
pub fn status(plans: &[Plan], now: Timestamp) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ENVIRONMENT", "APPLICATION", "SYNC", "HEALTH", "REVISION", "ROLLOUT", "HELD"]);
    for plan in plans {
        let mut reasons: Vec<&str> = plan.held.iter().map(|held| held.reason.reason()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        table.add_row([
            printable(plan.environment.as_str()).into_owned(),
            printable(plan.application.as_str()).into_owned(),
            format!("{:?}", plan.sync),
            format!("{:?}", plan.health),
            short_revision(plan),
            plan.rollout.as_ref().map(|rollout| rollout_now(rollout, now)).unwrap_or_default(),
            reasons.join(", "),
        ]);
    }
    let mut out = table.trim_fmt();
    out.push('\n');
    for plan in plans {
        if let Some(finding) = &plan.finding {
            let (place, class) = (place(plan), finding.class.name());
            let _ =
                writeln!(out, "{REMOVED}x{REMOVED:#} {BOLD}{place}{BOLD:#}  {class}: {}", printable(&finding.cause));
            for fact in finding.evidence.iter().take(FACTS_SHOWN) {
                let _ = writeln!(out, "    {}", printable(&fact_line(fact)));
            }
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", printable(&finding.cure));
        }
        for held in &plan.held {
            let name = match held.subject.resource() {
                Some(resource) => format!(" {}", resource_title(resource)),
                None => String::new(),
            };
            let _ = writeln!(
                out,
                "{HELD}!{HELD:#} {BOLD}{}{BOLD:#}{}  {}: {}",
                place(plan),
                printable(&name),
                held.reason.reason(),
                printable(&held.reason.message())
            );
            let _ = writeln!(out, "    {DIM}{}{DIM:#}", printable(held.reason.remedy()));
        }
    }
    out
}

/// A rollout in a few words, with its duration.
pub fn rollout_now(of: &Rollout, now: Timestamp) -> String {
    let since = match of {
        Rollout::Running { progress, .. } | Rollout::TimedOut { progress, .. } => progress.since,
        Rollout::Serving { .. }
        | Rollout::Failed { .. }
        | Rollout::RolledBack { .. }
        | Rollout::Stopped { .. }
        | Rollout::Superseded { .. } => None,
    };
    let words = rollout(of);
    since.map_or(words.clone(), |since| format!("{words}, {}", elapsed(now.duration_since(since))))
}

/// A rollout in a few words: `running elearning-system:7, 1/2 tasks`.
pub fn rollout(rollout: &Rollout) -> String {
    let short = |arn: &Arn| printable(arn.as_str().rsplit('/').next().unwrap_or_default()).into_owned();
    match rollout {
        Rollout::Running { task_definition, progress } => {
            format!("running {}, {}", short(task_definition), tasks(progress))
        }
        Rollout::TimedOut { task_definition, progress } => {
            format!("not done in time {}, {}", short(task_definition), tasks(progress))
        }
        Rollout::Serving { task_definition } => format!("serving {}", short(task_definition)),
        Rollout::Failed { task_definition, reason, .. } => {
            format!("failed {}: {}", short(task_definition), printable(reason))
        }
        Rollout::RolledBack { task_definition, serving, reason, done, .. } => {
            let verb = if *done { "rolled back" } else { "rolling back" };
            format!("{verb} {} -> {}: {}", short(task_definition), short(serving), printable(reason))
        }
        Rollout::Stopped { task_definition, reason, .. } => {
            format!("stopped manually {}: {}", short(task_definition), printable(reason))
        }
        Rollout::Superseded { task_definition, by } => {
            format!("superseded {} by {}", short(task_definition), short(by))
        }
    }
}

/// `1/2 tasks, 0 healthy, 1 pending, 3 failed, BAKE_TIME`, with what there is of it.
fn tasks(progress: &Progress) -> String {
    let mut words = format!("{}/{} tasks", progress.running, progress.desired);
    if let Some(healthy) = progress.healthy {
        let _ = write!(words, ", {healthy} healthy");
    }
    for (count, what) in [(progress.pending, "pending"), (progress.failed, "failed")] {
        if count > 0 {
            let _ = write!(words, ", {count} {what}");
        }
    }
    if let Some(stage) = &progress.stage {
        let _ = write!(words, ", {}", printable(stage));
    }
    words
}

/// `45s`, `3m 20s`, `2h 5m`.
fn elapsed(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (hours, minutes) => format!("{hours}h {minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_reads_well() {
        let arn = |number: u32| Arn::new(format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{number}"));
        let since = Timestamp::from_second(1000).ok();
        let stage = Some("BAKE_TIME".to_owned());
        let progress = Progress { desired: 2, running: 1, healthy: Some(0), pending: 1, failed: 3, stage, since };
        let reason = || "circuit\u{1b} breaker".to_owned();
        let back = |done| Rollout::RolledBack {
            task_definition: arn(2),
            serving: arn(1),
            reason: reason(),
            done,
            recorded: false,
        };
        let table = [
            (
                Rollout::Running { task_definition: arn(2), progress: progress.clone() },
                "running web:2, 1/2 tasks, 0 healthy, 1 pending, 3 failed, BAKE_TIME, 3m 20s",
            ),
            (
                Rollout::TimedOut {
                    task_definition: arn(2),
                    progress: Progress { since, desired: 2, ..Progress::default() },
                },
                "not done in time web:2, 0/2 tasks, 3m 20s",
            ),
            (Rollout::Serving { task_definition: arn(2) }, "serving web:2"),
            (back(false), "rolling back web:2 -> web:1: circuit\u{fffd} breaker"),
            (back(true), "rolled back web:2 -> web:1: circuit\u{fffd} breaker"),
            (Rollout::Superseded { task_definition: arn(2), by: arn(3) }, "superseded web:2 by web:3"),
        ];
        for (rollout, words) in table {
            assert_eq!(rollout_now(&rollout, Timestamp::from_second(1200).expect("in range")), words);
        }
        for (seconds, words) in [(-5, "0s"), (45, "45s"), (200, "3m 20s"), (7500, "2h 5m")] {
            assert_eq!(elapsed(SignedDuration::from_secs(seconds)), words);
        }
    }
}
