//! Whether ECS failed or rolled back exactly the desired deployment.
//!
//! Three sources, the best first: the record of service deployments (90 days), what the service itself shows
//! (`deployments[]` while a rollback runs, its last hundred events afterwards), and the tag `trueup:failed`. Where the
//! record cannot be read, the other two have to suffice.

use jiff::Timestamp;
use serde_json::Value;

use super::retry::Mark;
use super::{cause, deployments, is_rollback, primary, same_revision, text};
use crate::broken::{self, Broken};
use crate::digest::Digest;
use crate::live::{FailureKind, Observed, ReadFailure, Tags};
use crate::plan::tags;
use crate::service_deployment::{ServiceDeployment, ServiceRevision, Status, time};

/// How much older than the PRIMARY deployment an event or an entry of the record may be and still be about it: ECS
/// writes them within seconds.
pub(super) const BEFORE_DEPLOYMENT_SECONDS_MAX: i64 = 60;

/// How long the record alone proves that ECS is deploying what git wants, while the service itself does not show it.
const UNSEEN_SECONDS_MAX: i64 = 600;

/// How much later than the end of a deployment the one that replaced it may be recorded.
const SUPERSEDED_WITHIN_SECONDS: i64 = 5;

/// How closely a service revision of the record matches what git wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resources::service) enum Sameness {
    /// In all parts of a deployment.
    Same,
    /// In its task definition, but not in all other parts.
    TaskDefinition,
    /// Not even in its task definition.
    Other,
}

/// The input of a lookup.
pub(in crate::resources::service) struct Case<'a> {
    /// The description by `DescribeServices`.
    pub service: &'a Value,
    /// Its tags.
    pub tags: &'a Tags,
    /// The record of its service deployments, when it was asked for.
    pub record: Option<&'a Observed<Vec<ServiceDeployment>>>,
    /// Whether the service was asked to run something other than git wants.
    pub differs: bool,
    /// The task definition revision that git wants, where one is registered.
    pub wanted: &'a str,
    /// Whether it is known that the service was once asked to run what git wants.
    pub asked: bool,
    /// Compares a service revision with what git wants.
    pub same: &'a dyn Fn(&ServiceRevision) -> Sameness,
    /// The digest of the deployment that git wants.
    pub digest: &'a dyn Fn() -> Digest,
    pub now: Timestamp,
}

/// The result of a lookup.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::resources::service) enum FailureLookup {
    /// No reason not to deploy it.
    Clear,
    /// ECS failed or rolled it back.
    Failed(FailureEvidence),
    /// ECS failed or rolled it back, and an operator requests another try.
    Retried,
    /// ECS was already asked for it, this many seconds ago; the service does not show it yet.
    UnderWay(i64),
    /// The record could not be read for a temporary reason: nothing is concluded.
    Unreadable(ReadFailure),
}

/// The evidence that ECS failed or rolled back a deployment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::resources::service) struct FailureEvidence {
    pub ending: Ending,
    /// The task definition revision that failed, where that is known.
    pub task_definition: Option<String>,
    /// ECS's reason.
    pub reason: String,
    /// The time of the newest evidence, by AWS's clock.
    pub last_seen: Option<Timestamp>,
    /// Whether it is the last thing that happened to the service; otherwise something else has been deployed since.
    pub current: bool,
    /// Whether ECS is done with it.
    pub done: bool,
    /// Whether AWS's message names a temporary cause.
    pub transient: bool,
}

/// How a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resources::service) enum Ending {
    Failed,
    RolledBack,
    /// By an operator.
    Stopped,
}

/// A failure with the time by which a retry distinguishes it from a later one.
struct DatedFailure {
    failure: FailureEvidence,
    at: Option<Timestamp>,
}

/// The outcome of an entry of the record.
enum Entry {
    Succeeded,
    Going,
    Superseded,
    Thrown(Ending, bool),
}

/// Looks for a failure of exactly what git wants.
pub(in crate::resources::service) fn find(case: &Case<'_>) -> FailureLookup {
    if broken::is(Broken::FailureForgotten) {
        return FailureLookup::Clear;
    }
    let record = match case.record {
        Some(Observed::Present(record)) => record.as_slice(),
        Some(Observed::Absent | Observed::Unknown(_)) | None => &[],
    };
    let mut under_way = None;
    let mut evidence = None;
    for (at, deployment) in record.iter().enumerate().filter(|(at, entry)| counts(case, *at, entry)) {
        match entry(deployment, at.checked_sub(1).map(|newer| &record[newer])) {
            Entry::Succeeded => return FailureLookup::Clear,
            Entry::Going if at == 0 => under_way = Some(deployment),
            // An older one that is still in progress is being replaced.
            Entry::Superseded | Entry::Going => continue,
            Entry::Thrown(ending, done) => evidence = recorded(case, deployment, ending, done, at == 0),
        }
        break;
    }
    let evidence = evidence.or_else(|| shown(case));
    let mark = || Mark::read(case.tags).filter(|mark| mark.digest == (case.digest)());
    if let Some(DatedFailure { mut failure, at }) = evidence {
        if mark().is_some_and(|mark| mark.covers(at)) {
            return FailureLookup::Retried;
        }
        failure.last_seen = failure.last_seen.max(at).max(newest_event(case.service));
        failure.transient = cause::is_passing(events_since(case.service, at).chain([&*failure.reason]));
        return FailureLookup::Failed(failure);
    }
    if !case.differs {
        return FailureLookup::Clear;
    }
    let since = |deployment: &ServiceDeployment| Some(case.now.duration_since(deployment.created?).as_secs());
    if let Some(seconds) = under_way.and_then(since).filter(|seconds| *seconds < UNSEEN_SECONDS_MAX) {
        return FailureLookup::UnderWay(seconds.max(0));
    }
    if case.tags.get(tags::FAILED).is_some_and(|failed| *failed == tags::legal((case.digest)().as_str())) {
        return if mark().is_some() { FailureLookup::Retried } else { FailureLookup::Failed(remembered()) };
    }
    match case.record {
        Some(Observed::Unknown(failure)) if is_passing(failure.kind) => FailureLookup::Unreadable(failure.clone()),
        _ => FailureLookup::Clear,
    }
}

/// Whether an entry of the record is about what git wants.
fn counts(case: &Case<'_>, at: usize, entry: &ServiceDeployment) -> bool {
    let Some(target) = &entry.target else { return false };
    let same = (case.same)(target);
    if case.differs {
        // The service was last asked to run what git wants, when the tag says so.
        return same == Sameness::Same || at == 0 && case.asked && same == Sameness::TaskDefinition;
    }
    // The service runs what git wants: only the newest entry is about that, unless it is older than the PRIMARY
    // deployment.
    let in_place = primary(case.service).and_then(|primary| primary.get("createdAt")).and_then(time);
    let is_older = in_place
        .zip(entry.created)
        .is_some_and(|(placed, created)| placed.duration_since(created).as_secs() > BEFORE_DEPLOYMENT_SECONDS_MAX);
    at == 0 && same != Sameness::Other && !is_older
}

/// The outcome of an entry of the record; `newer` is the one after it.
///
/// `STOPPED` has three meanings, and `statusReason` is free text: for a failure it says so, or a detector ended it; an
/// entry that ended when the next one began was replaced by it; an operator stopped the others.
fn entry(deployment: &ServiceDeployment, newer: Option<&ServiceDeployment>) -> Entry {
    let words = deployment.reason.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let by_person = !deployment.detected && says(&["request", "stopped by", "user"]);
    let ending = if by_person { Ending::Stopped } else { Ending::RolledBack };
    match deployment.status {
        Status::Successful => Entry::Succeeded,
        Status::Pending | Status::InProgress => Entry::Going,
        Status::Other => Entry::Superseded,
        Status::RollbackSuccessful => Entry::Thrown(ending, true),
        Status::RollbackInProgress => Entry::Thrown(ending, false),
        Status::RollbackRequested | Status::StopRequested => Entry::Thrown(Ending::Stopped, false),
        Status::RollbackFailed => Entry::Thrown(Ending::Failed, true),
        Status::Stopped if deployment.detected || says(&["circuit breaker", "alarm", "failed"]) => {
            Entry::Thrown(Ending::Failed, true)
        }
        Status::Stopped
            if !by_person && (says(&["new service deployment", "superseded"]) || is_replaced(deployment, newer)) =>
        {
            Entry::Superseded
        }
        Status::Stopped => Entry::Thrown(Ending::Stopped, true),
    }
}

fn is_replaced(deployment: &ServiceDeployment, newer: Option<&ServiceDeployment>) -> bool {
    let Some(newer) = newer else { return false };
    let times = deployment.ended.zip(newer.created);
    times.is_none_or(|(ended, begun)| begun.duration_since(ended).as_secs() <= SUPERSEDED_WITHIN_SECONDS)
}

/// The failure in the record. `None` if git wants the revision that is in place, and that one was restored or serves.
fn recorded(
    case: &Case<'_>,
    deployment: &ServiceDeployment,
    ending: Ending,
    done: bool,
    current: bool,
) -> Option<DatedFailure> {
    let serves = primary(case.service).and_then(|p| text(p, "rolloutState")) == Some("COMPLETED");
    if !case.differs && (ending == Ending::RolledBack || !done || serves) {
        return None;
    }
    let task_definition = deployment.target.as_ref().and_then(ServiceRevision::task_definition);
    let failure = FailureEvidence {
        ending,
        task_definition: task_definition.map(str::to_owned),
        reason: deployment.reason.clone(),
        last_seen: deployment.ended,
        current,
        done,
        transient: false,
    };
    Some(DatedFailure { failure, at: deployment.created })
}

/// The failure that the service itself shows: while a rollback runs, in its deployments; afterwards only in its events
/// (a completed rollback looks like any other completed deployment).
fn shown(case: &Case<'_>) -> Option<DatedFailure> {
    let primary = primary(case.service)?;
    let reason = text(primary, "rolloutStateReason").unwrap_or_default();
    let is_wanted =
        |deployment: &&Value| text(deployment, "taskDefinition").is_some_and(|d| same_revision(d, case.wanted));
    let has_failed = |deployment: &Value| text(deployment, "rolloutState") == Some("FAILED");
    let evidence = |ending, of: &Value, reason: &str, done| {
        let failure = FailureEvidence {
            ending,
            task_definition: text(of, "taskDefinition").map(str::to_owned),
            reason: reason.to_owned(),
            last_seen: updated(primary),
            current: true,
            done,
            transient: false,
        };
        DatedFailure { failure, at: of.get("createdAt").and_then(time) }
    };
    if !case.differs {
        return has_failed(primary).then(|| evidence(Ending::Failed, primary, reason, true));
    }
    let others = || deployments(case.service).iter().filter(|other| text(other, "status") != Some("PRIMARY"));
    let replaced = others().find(is_wanted);
    if let Some(failed) = replaced.filter(|other| has_failed(other) || is_rollback(reason)) {
        let words = if is_rollback(reason) { reason } else { text(failed, "rolloutStateReason").unwrap_or_default() };
        let done = text(primary, "rolloutState") == Some("COMPLETED");
        return Some(evidence(Ending::RolledBack, failed, words, done));
    }
    if !case.asked {
        return None;
    }
    if has_failed(primary) {
        return Some(evidence(Ending::Failed, primary, reason, true));
    }
    if is_rollback(reason) {
        let newest = others().max_by_key(|other| other.get("createdAt").and_then(time));
        return Some(evidence(Ending::RolledBack, newest.unwrap_or(primary), reason, false));
    }
    let made = primary.get("createdAt").and_then(time)?;
    let told = |at: &Timestamp| at.duration_since(made).as_secs() >= -BEFORE_DEPLOYMENT_SECONDS_MAX;
    let (at, words) = events(case.service).find(|(at, words)| is_rollback(words) && at.as_ref().is_some_and(told))?;
    let mut evidence = evidence(Ending::RolledBack, &Value::Null, words, true);
    evidence.at = at;
    Some(evidence)
}

/// The failure as far as the tag alone shows it.
fn remembered() -> FailureEvidence {
    FailureEvidence {
        ending: Ending::Failed,
        task_definition: None,
        reason: "it failed or was rolled back before (tag `trueup:failed`)".to_owned(),
        last_seen: None,
        current: false,
        done: true,
        transient: false,
    }
}

/// The events of a service, newest first, with their times.
fn events(service: &Value) -> impl Iterator<Item = (Option<Timestamp>, &str)> {
    let events = service.get("events").and_then(Value::as_array).into_iter().flatten();
    events.filter_map(|event| Some((event.get("createdAt").and_then(time), text(event, "message")?)))
}

/// The texts of the events that are not older than what they are asked about: a service keeps the last hundred, which
/// may span weeks. Empty when its beginning is unknown.
fn events_since(service: &Value, began: Option<Timestamp>) -> impl Iterator<Item = &str> {
    let is_of_it = move |at: Option<Timestamp>| at.zip(began).is_some_and(|(at, began)| at >= began);
    events(service).filter(move |(at, _)| is_of_it(*at)).map(|(_, words)| words)
}

/// The newest event about a rollback or a failed deployment.
fn newest_event(service: &Value) -> Option<Timestamp> {
    let telling = events(service).filter(|(_, words)| is_rollback(words) || words.contains("deployment failed"));
    telling.filter_map(|(at, _)| at).max()
}

fn updated(deployment: &Value) -> Option<Timestamp> {
    let at = |name: &str| deployment.get(name).and_then(time);
    at("createdAt").max(at("updatedAt"))
}

/// Whether the same read may soon succeed. An emulator that does not know the operation always answers with a 5xx.
fn is_passing(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Throttled | FailureKind::TimedOut | FailureKind::Credentials => true,
        FailureKind::Unavailable | FailureKind::AccessDenied | FailureKind::Rejected => false,
    }
}
