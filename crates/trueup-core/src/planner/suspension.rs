//! Suspended applications: an operator stopped following and healing, and a tag in AWS records it.
//!
//! The tag `trueup:suspended` is written on the service; where there is none, on a target group or a rule. Whichever
//! resource carries it suspends the whole application.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::broken::{self, Broken};
use crate::desired::DesiredApplication;
use crate::drift::Change;
use crate::kind::Kind;
use crate::live::{Live, ReadFailure, Tags};
use crate::names::InstanceName;
use crate::plan::{Call, Cause, Held, Hold, Input, Step, Subject, tags};
use crate::resources::{self, Carrier};

/// Why an application cannot be suspended or resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToMark {
    /// A resource that may carry the mark could not be read.
    #[error("it could not be read: {0}")]
    Unread(ReadFailure),
    /// AWS has no resource of it.
    #[error("AWS has no service, target group or listener rule of it that could carry the mark")]
    Nothing,
}

/// The value of the tag: when, who and why, as far as a tag's value allows.
pub fn note(at: Timestamp, by: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(" - {reason}")).unwrap_or_default();
    tags::legal(&format!("{} by {by}{reason}", at.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

/// The call that suspends an application: it marks the service, else a target group, else a rule.
///
/// # Errors
/// When no resource of it is known to exist.
pub fn suspend(
    desired: &DesiredApplication,
    live: &Live,
    instance: &InstanceName,
    note: &str,
) -> Result<Call, NothingToMark> {
    let marks = Tags::from([(tags::SUSPENDED.to_owned(), tags::legal(note))]);
    let named =
        carriers(desired, live, instance)?.into_iter().find_map(|(kind, carrier)| Some((kind, carrier.arn(kind)?)));
    let (kind, arn) = named.ok_or(NothingToMark::Nothing)?;
    Ok(Call::of(kind.facts().tagging.set(&arn, &marks)))
}

/// The calls that resume an application: they remove every mark. Empty when it is not suspended.
///
/// # Errors
/// When no resource of it is known to exist.
pub fn resume(desired: &DesiredApplication, live: &Live, instance: &InstanceName) -> Result<Vec<Call>, NothingToMark> {
    let carriers = carriers(desired, live, instance)?;
    if carriers.is_empty() {
        return Err(NothingToMark::Nothing);
    }
    let marked = carriers.into_iter().filter(|(_, carrier)| carrier.tags.contains_key(tags::SUSPENDED));
    let call = |(kind, carrier): (Kind, Carrier<'_>)| {
        Some(Call::of(kind.facts().tagging.remove(&carrier.arn(kind)?, &[tags::SUSPENDED])))
    };
    Ok(marked.filter_map(call).collect())
}

/// The value of the mark, when the application carries one.
pub(super) fn of(input: &Input<'_>) -> Option<String> {
    if broken::is(Broken::SuspensionIgnored) {
        return None;
    }
    let seen = present(input.desired, input.live, input.instance);
    seen.into_iter().find_map(|(_, carrier)| carrier.tags.get(tags::SUSPENDED).cloned())
}

/// Why the service could not be read: then it is not known whether the application is suspended.
pub(super) fn unread(input: &Input<'_>) -> Option<ReadFailure> {
    resources::unread(Kind::Service, input.desired, input.live)
}

/// Holds all steps of a suspended application; drift still counts as drift.
pub(super) fn suspend_steps(note: &str, steps: Vec<Step>, held: &mut Vec<Held>) -> Vec<Step> {
    held.insert(0, hold(note, Subject::Application, None, Vec::new()));
    for step in steps {
        let (drift, other): (Vec<_>, Vec<_>) =
            step.changes.into_iter().partition(|change| step.drift.contains(&change.path));
        let other_cause = if step.cause == Cause::Drift { Cause::Pending } else { step.cause };
        for (cause, changes) in [(Cause::Drift, drift), (other_cause, other)] {
            if !changes.is_empty() {
                held.push(hold(note, step.subject.clone(), Some(cause), changes));
            }
        }
    }
    Vec::new()
}

fn hold(note: &str, subject: Subject, cause: Option<Cause>, changes: Vec<Change>) -> Held {
    Held { subject, changes, reason: Hold::Suspended { note: note.to_owned(), cause } }
}

/// The kinds whose resources may carry the tag, the one to be tagged first.
fn carrying_kinds() -> impl Iterator<Item = Kind> {
    let ranked: BTreeMap<u8, Kind> =
        Kind::ALL.into_iter().filter_map(|kind| Some((kind.facts().suspension?, kind))).collect();
    ranked.into_values()
}

/// The resources that may carry the mark, the one to be written first.
fn carriers<'a>(
    desired: &DesiredApplication,
    live: &'a Live,
    instance: &InstanceName,
) -> Result<Vec<(Kind, Carrier<'a>)>, NothingToMark> {
    match carrying_kinds().find_map(|kind| resources::unread(kind, desired, live)) {
        Some(failure) => Err(NothingToMark::Unread(failure)),
        None => Ok(present(desired, live, instance)),
    }
}

fn present<'a>(desired: &DesiredApplication, live: &'a Live, instance: &InstanceName) -> Vec<(Kind, Carrier<'a>)> {
    // A mark of another installation does not count.
    let is = |tags: &Tags, key, value: &str| tags.get(key).is_none_or(|tag| *tag == tags::legal(value));
    let all = carrying_kinds()
        .flat_map(|kind| resources::carriers(kind, desired, live).into_iter().map(move |carrier| (kind, carrier)));
    all.filter(|(_, Carrier { tags, .. })| {
        is(tags, tags::INSTANCE, instance.as_str()) && is(tags, tags::ENVIRONMENT, desired.environment.as_str())
    })
    .collect()
}
