//! Core values as text for people.

pub mod changes;
pub mod markdown;
mod masked;
pub mod plan;
pub mod problems;
#[cfg(test)]
mod situations;
pub mod status;
pub mod why;

use trueup_core::plan::Plan;
use trueup_core::report::printable;

/// Where and whose a plan is: `production/elearning`.
fn place(plan: &Plan) -> String {
    printable(&format!("{}/{}", plan.environment, plan.application)).into_owned()
}

/// The first digits of the commit that a plan is of, as git shows them.
fn short_revision(plan: &Plan) -> String {
    printable(plan.revision.as_str()).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;
    use trueup_core::diagnosis::{Bearing, Class, Fact, Finding, Source};
    use trueup_core::document::{Problem, SourceFile, Span};
    use trueup_core::drift::{Change, Shown};
    use trueup_core::kind::Kind;
    use trueup_core::live::{FailureKind, ReadFailure};
    use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
    use trueup_core::plan::{Awaited, Call, Cause, Health, Held, Hold, Operation, Plan, Resource, Rollout, Step, Sync};
    use trueup_core::pointer::Pointer;
    use trueup_core::report::{Event, What, application_status, json, steers};
    use trueup_engine::ApplicationStatus;

    use super::{changes, markdown, plan, problems, status, why};
    use crate::events::told;

    /// Steers a terminal in every way there is: C0, C1, marks that turn text around, separators, line ends.
    const NASTY: &str = "x\u{1b}[2J\u{9b}2J\u{202e}\u{2066}\u{2028}\u{61c}\0\r\ny";

    /// A plan in which everything that is foreign is nasty: names, AWS's words, values and their paths.
    fn nasty_plan() -> Plan {
        let text = || NASTY.to_owned();
        let resource = || Resource { kind: Kind::TargetGroup, name: text(), arn: Some(Arn::new(NASTY)) };
        let changes = || {
            let path = Pointer::root().join(NASTY);
            let (live, desired) = (Shown::at(&path, &json!(NASTY)), Shown::at(&path, &json!([{ NASTY: NASTY }])));
            vec![Change { path, live, desired }]
        };
        let failure = ReadFailure { operation: text(), kind: FailureKind::TimedOut, message: text() };
        let reasons = [
            Hold::NotObserved { failure },
            Hold::CallRefused { operation: text(), code: Some(text()), message: text() },
            Hold::Suspended { note: text(), cause: None },
            Hold::InvalidDocument { problems: vec![text()] },
            Hold::WaitsFor { applications: vec![ApplicationName::new(NASTY)] },
        ];
        Plan {
            environment: EnvironmentName::new(NASTY),
            application: ApplicationName::new(NASTY),
            revision: Revision::new(NASTY),
            sync: Sync::OutOfSync,
            health: Health::Degraded,
            steps: vec![Step {
                subject: resource().into(),
                cause: Cause::Drift,
                changes: changes(),
                drift: Vec::new(),
                awaits: vec![Awaited::Created(Kind::TargetGroup, text())],
                call: Call::new(Operation::ModifyTargetGroup, json!({})),
            }],
            held: reasons
                .map(|reason| Held { subject: resource().into(), changes: changes(), reason })
                .into_iter()
                .collect(),
            rollout: Some(Rollout::RolledBack {
                task_definition: Arn::new(NASTY),
                serving: Arn::new(NASTY),
                reason: text(),
                done: true,
                recorded: true,
            }),
            finding: Some(Finding {
                class: Class::ALL[0],
                bearing: Bearing::Terminal,
                deployment: text(),
                cause: text(),
                evidence: vec![Fact { source: Source::Task, text: text(), count: 2, time: None }],
                cure: text(),
            }),
        }
    }

    /// A text without our own colours, which are all of one form.
    fn uncoloured(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
            match part[end..].strip_prefix('m') {
                Some(rest) => plain.push_str(rest),
                None => plain.extend(["\u{1b}[", part]),
            }
        }
        plain
    }

    #[test]
    fn nothing_that_is_foreign_steers_the_terminal_whatever_shows_it() {
        let now = Timestamp::UNIX_EPOCH;
        let of = nasty_plan();
        let explanations = trueup_core::report::why(&of);
        let all = std::slice::from_ref(&of);
        let file = SourceFile::new(format!("{NASTY}.toml"), format!("\"{NASTY}\" = \"{NASTY}\""));
        let span = Span { file: Arc::clone(&file), range: 0..3 };
        let problem = Problem::at("wrong", &span, &Pointer::root().join(NASTY), NASTY).help(NASTY);
        let event = |what| Event { time: now, environment: None, application: None, revision: None, what };
        let rejected = |problems| event(What::RevisionRejected { message: NASTY.to_owned(), problems });
        let accepted = What::RevisionAccepted { subject: NASTY.to_owned(), committed: now, rewritten: false };
        let standing_as = Arc::new(ApplicationStatus { plan: of.clone(), observed: now, since: now });
        // what shows it | what it shows
        let table = [
            ("plan", plan::plans(all)),
            ("plan, Markdown", markdown::plans(all)),
            ("plan, JSON", json(&json!({ "plans": all }))),
            ("status", status::status(all, now)),
            ("status, JSON", json(&application_status(&of))),
            ("why", why::why(&[(standing_as, explanations.clone())])),
            ("why, JSON", json(&explanations)),
            ("diff", changes::lines(&of.steps[0].changes, 2)),
            ("diff, JSON", json(&of.steps[0].changes)),
            ("check", problems::problems(Path::new(""), std::slice::from_ref(&problem))),
            ("check, JSON", json(&[&problem])),
            ("a rejected commit", told(&rejected(vec![problem.clone()]))),
            ("a rejected commit without a place", told(&rejected(Vec::new()))),
            ("a commit's subject", told(&event(accepted))),
        ];
        for (what, shown) in table {
            let shown = uncoloured(&shown);
            assert!(!shown.contains(|c| steers(c) && c != '\n'), "{what}: {shown:?}");
            assert!(!shown.lines().any(|line| line.starts_with('y')), "{what}: a foreign text began a line: {shown:?}");
        }
    }
}
