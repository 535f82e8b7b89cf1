//! Events as text: one line each, and one more for every change.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Event, PlannedStep, What, printable};
use crate::diagnosis::{Fact, Finding};
use crate::document::Problem;
use crate::drift::Change;
use crate::names::{ApplicationName, Arn, Revision};
use crate::plan::{Cause, Resource, Subject};

/// Writes an event for a terminal, without the last line's end: time, place, name and what happened; below it,
/// indented, the changes or problems.
pub fn text(event: &Event) -> String {
    let mut out = event.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let place = match (&event.environment, &event.application) {
        (Some(environment), Some(application)) => format!("{environment}/{application}"),
        (Some(environment), None) => environment.to_string(),
        (None, Some(application)) => application.to_string(),
        (None, None) => "trueup".to_owned(),
    };
    push(&mut out, &format!("{} {}: ", printable(&place), event.what.name()));
    out.push_str(&printable(&headline(&event.what, event.revision.as_ref())));
    for line in details(&event.what) {
        let _ = write!(out, "\n    {}", printable(&line));
    }
    out
}

/// Appends a part of a line after a space.
fn push(out: &mut String, part: &str) {
    out.push(' ');
    out.push_str(part);
}

/// The event in one line.
fn headline(what: &What, revision: Option<&Revision>) -> String {
    let commit = revision.map_or_else(|| "the commit".to_owned(), short);
    match what {
        What::DaemonStarted { version, instance, .. } => format!("version {version}, instance {instance}"),
        What::DaemonStopping {} => "no new call begins, calls in progress finish".to_owned(),
        What::RevisionAccepted { subject, rewritten, .. } => {
            let note = if *rewritten { " (the branch was rewritten)" } else { "" };
            format!("{commit} {subject:?}{note}")
        }
        What::RevisionRejected { message, .. } => format!("{commit}: {message}"),
        What::RevisionUnverified { commit: unsigned, message, cure, .. } => {
            format!("{commit} is not applied: `{}`: {message} ({cure})", short(unsigned))
        }
        What::SourceFailed { message, hint, .. } => match hint {
            Some(hint) => format!("{message} (hint: {hint})"),
            None => message.clone(),
        },
        What::SourceRecovered { since } => format!("git had been unreadable since {since}"),
        What::DriftDetected { resource, changes, .. } => {
            format!("{}, {}", resource_title(resource), fields(changes.len()))
        }
        What::DriftResolved { resource } => resource_title(resource),
        What::PlanMade { steps } => match steps.as_slice() {
            [step] => format!("1 step to {commit}: {}", step_title(step)),
            steps => format!("{} steps to {commit}", steps.len()),
        },
        What::StepApplied { step, .. } => step_title(step),
        What::StepFailed { step, failure } => {
            let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            let doubt =
                if failure.effect_unknown { " (whether it took effect is unknown; AWS is read again)" } else { "" };
            format!("{} {}: {code}{}{doubt}", step_title(step), failure.kind, failure.message)
        }
        What::RolloutStarted { task_definition, desired } => {
            format!("{} with {desired} tasks desired", family_and_revision(task_definition))
        }
        What::RolloutCompleted { task_definition } => format!("{} serves", family_and_revision(task_definition)),
        What::RolloutFailed { task_definition, reason, .. } => {
            format!("{}: {reason}", family_and_revision(task_definition))
        }
        What::RolloutRolledBack { task_definition, serving, reason, .. } => {
            let (from, to) = (family_and_revision(task_definition), family_and_revision(serving));
            format!("{from} -> {to}: {reason}")
        }
        What::RolloutTimedOut { task_definition, desired, running, since, .. } => {
            let since =
                since.map(|since| format!(" since {}", since.strftime("%Y-%m-%dT%H:%M:%SZ"))).unwrap_or_default();
            format!(
                "{} has {running} of {desired} tasks running{since}; ECS continues",
                family_and_revision(task_definition)
            )
        }
        What::HoldStarted { resource, hold, applications, .. } => {
            format!("{}{} ({})", about(resource.as_ref(), applications), hold.message(), hold.remedy())
        }
        What::HoldEnded { resource, reason, applications, .. } => {
            format!("{}{reason}", about(resource.as_ref(), applications))
        }
    }
}

/// The subject of a hold, as a prefix: a resource, the applications that share it, or nothing.
fn about(resource: Option<&Resource>, applications: &BTreeSet<ApplicationName>) -> String {
    match resource {
        Some(resource) => format!("{}: ", resource_title(resource)),
        None if applications.is_empty() => String::new(),
        None => format!("{}: ", applications.iter().map(ApplicationName::as_str).collect::<Vec<_>>().join(", ")),
    }
}

/// The lines below the headline.
fn details(what: &What) -> Vec<String> {
    match what {
        What::DriftDetected { changes, .. } | What::HoldStarted { changes, .. } => {
            changes.iter().map(drifted).collect()
        }
        What::StepApplied { step, .. } | What::StepFailed { step, .. } => changed(step).collect(),
        What::PlanMade { steps } => steps
            .iter()
            .flat_map(|step| std::iter::once(step_title(step)).chain(changed(step).map(|line| format!("    {line}"))))
            .collect(),
        What::RevisionRejected { problems, .. } => problems.iter().map(problem).collect(),
        What::RolloutFailed { finding, .. }
        | What::RolloutRolledBack { finding, .. }
        | What::RolloutTimedOut { finding, .. } => finding.iter().flat_map(found).collect(),
        What::DaemonStarted { .. }
        | What::DaemonStopping {}
        | What::RevisionAccepted { .. }
        | What::RevisionUnverified { .. }
        | What::SourceFailed { .. }
        | What::SourceRecovered { .. }
        | What::DriftResolved { .. }
        | What::RolloutStarted { .. }
        | What::RolloutCompleted { .. }
        | What::HoldEnded { .. } => Vec::new(),
    }
}

/// A change that trueup makes: from live to desired. A whole new resource is not written out.
fn changed(step: &PlannedStep) -> impl Iterator<Item = String> + '_ {
    step.changes
        .iter()
        .filter(|change| !change.path.segments().is_empty())
        .map(|Change { path, live, desired }| format!("{path}: {live} -> {desired}"))
}

/// A change by another writer.
pub(super) fn drifted(change: &Change) -> String {
    let Change { path, live, desired } = change;
    if path.segments().is_empty() && live.is_absent() {
        return "deleted".to_owned();
    }
    format!("{path}: is {live}, should be {desired}")
}

/// Cause, evidence, remedy.
fn found(finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!("cause: {} ({})", finding.cause, finding.class.name())];
    lines.extend(finding.evidence.iter().map(|fact| format!("evidence: {}", fact_line(fact))));
    lines.push(format!("remedy: {}", finding.cure));
    lines
}

/// A fact in one line: `3 × task, last 12:00:03Z: CannotPullContainerError: …`.
pub fn fact_line(fact: &Fact) -> String {
    let count = if fact.count > 1 { format!("{} × ", fact.count) } else { String::new() };
    let time = fact.time.map(|time| time.strftime(" %Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    format!("{count}{}{time}: {}", fact.source.as_str(), fact.text)
}

/// A problem as compilers print it.
fn problem(problem: &Problem) -> String {
    let place = match problem.span.as_ref().map(crate::document::Span::position) {
        Some((line, column)) => format!("{}:{line}:{column}", problem.file),
        None => problem.file.clone(),
    };
    let help = problem.help.as_ref().map(|help| format!(" (help: {help})")).unwrap_or_default();
    format!("{place}: {}{help}", problem.message)
}

/// A step by operation, resource and cause: `UpdateService service (drift)`.
pub(super) fn step_title(step: &PlannedStep) -> String {
    let cause = match step.cause {
        Cause::Create => "create",
        Cause::Pending => "pending change",
        Cause::Drift => "drift",
        Cause::Adopt => "adopt",
        Cause::Prune => "prune",
    };
    format!("{:?} {} ({cause})", step.operation, subject_title(&step.subject))
}

/// What a step or a hold is about: [`resource_title`], or `application`.
pub fn subject_title(subject: &Subject) -> String {
    subject.resource().map_or_else(|| subject.name().to_owned(), resource_title)
}

/// A resource by kind and name: `target-group backend`, or the kind alone where an application has only one.
pub fn resource_title(resource: &Resource) -> String {
    let kind = resource.kind.as_str();
    if resource.name == kind { kind.to_owned() } else { format!("{kind} {}", resource.name) }
}

/// The family and revision in a task definition's ARN: `elearning-system:12`.
pub(super) fn family_and_revision(task_definition: &Arn) -> &str {
    let arn = task_definition.as_str();
    arn.rsplit_once('/').map_or(arn, |(_, rest)| rest)
}

/// The first digits of a commit, as git shows them.
fn short(revision: &Revision) -> String {
    revision.as_str().chars().take(10).collect()
}

/// `1 field differs`, `2 fields differ`.
fn fields(count: usize) -> String {
    if count == 1 { "1 field differs".to_owned() } else { format!("{count} fields differ") }
}
