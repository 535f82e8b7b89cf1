//! Suspended applications: a person stopped following and healing, and a tag in AWS remembers it.
//!
//! The tag `trueup:suspended` is written on the service; where there is none, on a target group or a rule. Whichever
//! resource carries it suspends the whole application.

use jiff::Timestamp;

use super::{Call, Cause, Held, Hold, Input, Resource, Step, tags};
use crate::broken::{self, Broken};
use crate::desired::DesiredApplication;
use crate::kind::Kind;
use crate::live::{Live, Observed, ReadFailure, Tags};
use crate::names::{Arn, InstanceName};

/// Why an application cannot be suspended or resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToMark {
    /// A resource that may carry the mark could not be read.
    #[error("it could not be read: {0}")]
    Unread(ReadFailure),
    /// AWS has nothing of it.
    #[error("AWS has no service, target group or listener rule of it that could carry the mark")]
    Nothing,
}

/// What the tag says: when, who and why, as far as a tag's value may be written.
pub fn note(at: Timestamp, by: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(" - {reason}")).unwrap_or_default();
    tags::legal(&format!("{} by {by}{reason}", at.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

/// The call that suspends an application: it marks the service, else a target group, else a rule.
///
/// # Errors
/// When nothing of it is known to be there.
pub fn suspend(
    desired: &DesiredApplication,
    live: &Live,
    instance: &InstanceName,
    note: &str,
) -> Result<Call, NothingToMark> {
    let marks = Tags::from([(tags::SUSPENDED.to_owned(), tags::legal(note))]);
    let (kind, arn, _) = carriers(desired, live, instance)?.into_iter().next().ok_or(NothingToMark::Nothing)?;
    Ok(Call::of(kind.facts().tagging.set(&arn, &marks)))
}

/// The calls that resume an application: they take every mark away. None when it is not suspended.
///
/// # Errors
/// When nothing of it is known to be there.
pub fn resume(desired: &DesiredApplication, live: &Live, instance: &InstanceName) -> Result<Vec<Call>, NothingToMark> {
    let carriers = carriers(desired, live, instance)?;
    if carriers.is_empty() {
        return Err(NothingToMark::Nothing);
    }
    let marked = carriers.into_iter().filter(|(_, _, tags)| tags.contains_key(tags::SUSPENDED));
    let calls = marked.map(|(kind, arn, _)| Call::of(kind.facts().tagging.remove(&arn, &[tags::SUSPENDED])));
    Ok(calls.collect())
}

/// What the mark says, when the application carries one.
pub(super) fn of(input: &Input<'_>) -> Option<String> {
    if broken::is(Broken::SuspensionIgnored) {
        return None;
    }
    let seen = present(input.desired, input.live, input.instance);
    seen.into_iter().find_map(|(_, _, tags)| tags.get(tags::SUSPENDED).cloned())
}

/// The service could not be read, so that nobody knows whether the application is suspended.
pub(super) fn unread(input: &Input<'_>) -> Option<ReadFailure> {
    match input.live.services.get(&input.desired.service_id()?) {
        Some(Observed::Unknown(failure)) => Some(failure.clone()),
        Some(Observed::Present(_) | Observed::Absent) | None => None,
    }
}

/// Holds all steps of a suspended application; what is drift stays known as drift.
pub(super) fn suspend_steps(note: &str, steps: Vec<Step>, held: &mut Vec<Held>) -> Vec<Step> {
    held.insert(0, hold(note, None, None, Vec::new()));
    for step in steps {
        let (drift, other): (Vec<_>, Vec<_>) =
            step.changes.into_iter().partition(|change| step.drift.contains(&change.path));
        let other_cause = if step.cause == Cause::Drift { Cause::Pending } else { step.cause };
        for (cause, changes) in [(Cause::Drift, drift), (other_cause, other)] {
            if !changes.is_empty() {
                held.push(hold(note, Some(step.resource.clone()), Some(cause), changes));
            }
        }
    }
    Vec::new()
}

fn hold(note: &str, resource: Option<Resource>, cause: Option<Cause>, changes: Vec<crate::drift::Change>) -> Held {
    Held { resource, changes, reason: Hold::Suspended { note: note.to_owned(), cause } }
}

/// A resource that may carry the mark.
type Carrier<'a> = (Kind, Arn, &'a Tags);

/// The resources that may carry the mark, the one to be written first.
fn carriers<'a>(
    desired: &DesiredApplication,
    live: &'a Live,
    instance: &InstanceName,
) -> Result<Vec<Carrier<'a>>, NothingToMark> {
    let service = desired.service_id().and_then(|id| live.services.get(&id));
    let groups = names(desired).filter_map(|name| live.target_groups.get(name));
    let rules = listeners(desired).filter_map(|arn| live.rules.get(&arn));
    let failures =
        service.and_then(failure).into_iter().chain(groups.filter_map(failure)).chain(rules.filter_map(failure));
    if let Some(failure) = failures.into_iter().next() {
        return Err(NothingToMark::Unread(failure));
    }
    Ok(present(desired, live, instance))
}

fn present<'a>(desired: &DesiredApplication, live: &'a Live, instance: &InstanceName) -> Vec<Carrier<'a>> {
    let mut found: Vec<Carrier<'a>> = Vec::new();
    let arn = |description: &serde_json::Value, name: &str| description.get(name)?.as_str().map(Arn::new);
    if let Some(service) = desired.service_id().and_then(|id| live.services.get(&id)?.present()) {
        found.extend(arn(&service.description, "serviceArn").map(|arn| (Kind::Service, arn, &service.tags)));
    }
    for group in names(desired).filter_map(|name| live.target_groups.get(name)?.present()) {
        let tags = group.tags.present();
        found.extend(
            arn(&group.description, "TargetGroupArn").zip(tags).map(|(arn, tags)| (Kind::TargetGroup, arn, tags)),
        );
    }
    // A rule has no name: only our tags tell that it is this application's.
    let application = tags::legal(desired.name.as_str());
    let ours = |tags: &&Tags| tags.get(tags::APPLICATION) == Some(&application) && tags.contains_key(tags::INSTANCE);
    for rule in listeners(desired).filter_map(|arn| live.rules.get(&arn)?.present()).flatten() {
        let tags = rule.tags.present().filter(ours);
        found.extend(arn(&rule.description, "RuleArn").zip(tags).map(|(arn, tags)| (Kind::ListenerRule, arn, tags)));
    }
    // Another installation's mark is none of ours.
    let is = |tags: &Tags, key, value: &str| tags.get(key).is_none_or(|tag| *tag == tags::legal(value));
    found.retain(|(_, _, tags)| {
        is(tags, tags::INSTANCE, instance.as_str()) && is(tags, tags::ENVIRONMENT, desired.environment.as_str())
    });
    found
}

fn names(desired: &DesiredApplication) -> impl Iterator<Item = &str> {
    desired.of(Kind::TargetGroup).filter_map(|document| document.body.get("Name")?.as_str())
}

fn listeners(desired: &DesiredApplication) -> impl Iterator<Item = Arn> {
    let all = desired.of(Kind::ListenerRule).filter_map(|rule| rule.body.get("ListenerArn")?.as_str());
    all.collect::<std::collections::BTreeSet<_>>().into_iter().map(Arn::new)
}

fn failure<T>(observed: &Observed<T>) -> Option<ReadFailure> {
    match observed {
        Observed::Unknown(failure) => Some(failure.clone()),
        Observed::Present(_) | Observed::Absent => None,
    }
}
