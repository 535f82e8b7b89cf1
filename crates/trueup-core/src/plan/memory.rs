//! The recent writes of this process, so that stale reads are not taken for changes by another writer.
//!
//! ECS is eventually consistent: a read right after a write may show the state before it (ECS API reference, `RunTask`,
//! on eventual consistency). Nothing here is needed for correctness after a restart; it saves one repeated call, which
//! is harmless.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::flapping::FlappingGuard;
use super::{Operation, Step, Subject};
use crate::broken::{self, Broken};
use crate::digest::Digest;
use crate::drift::Change;
use crate::kind::Kind;
use crate::live::Live;
use crate::names::Arn;

/// How long a read that shows the state before a write is considered stale.
///
/// AWS gives no bound; existing tools wait for seconds. A minute is well above every reported delay, and it bounds how
/// long an exact manual revert of trueup's write goes unrepaired.
pub const OWN_WRITE_UNSEEN_SECONDS_MAX: i64 = 60;

/// How long a call whose response was lost is not repeated, where a repetition is harmless.
///
/// By then several reads have shown the old state (an unsettled application is observed every few seconds), so the
/// request was most likely lost. If AWS still applies it later, the repetition changes nothing, because the call
/// declares a state instead of an action, or carries a token that AWS recognises.
pub const LOST_CALL_SECONDS_MAX: i64 = 20;

/// How long a registration is trusted that the listing of its family does not show.
pub const REGISTERED_UNSEEN_SECONDS_MAX: i64 = 600;

/// The writes of this process to one application in one environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The last call of each operation on each subject.
    written: BTreeMap<(Option<Kind>, String, Operation), Written>,
    /// Registered task definition revisions by the digest that they carry.
    registered: BTreeMap<Digest, (Arn, Timestamp)>,
    /// The digest that the service was last asked to run, from [`super::tags::applied_digest`].
    deployed: Option<Digest>,
    /// Drift that was repaired, to see whether it comes back.
    flapping: FlappingGuard,
    /// Whether the service ever existed, as far as this process knows.
    service: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
struct Written {
    changes: Vec<Change>,
    /// Of the request: the values in `changes` are redacted, and trueup's own tags are not among them.
    input: Digest,
    at: Timestamp,
    /// How long a read may show the state before.
    unseen_seconds_max: i64,
}

impl Memory {
    /// Records a call that AWS answered.
    pub fn wrote(&mut self, step: &Step, now: Timestamp) {
        // Only a repair that certainly took effect can be undone.
        self.flapping.repaired(step, now);
        self.made(step, now, OWN_WRITE_UNSEEN_SECONDS_MAX);
    }

    /// Records a call whose response was lost: whether it took or will take effect is unknown.
    ///
    /// It is retried when reads have shown the old state for [`LOST_CALL_SECONDS_MAX`]; a call whose repetition would
    /// create a second thing (a task definition revision, a forced deployment), after a minute.
    pub fn lost(&mut self, step: &Step, now: Timestamp) {
        let twice = step.call.operation == Operation::RegisterTaskDefinition
            || step.call.input.get("forceNewDeployment").is_some();
        self.made(step, now, if twice { OWN_WRITE_UNSEEN_SECONDS_MAX } else { LOST_CALL_SECONDS_MAX });
    }

    fn made(&mut self, step: &Step, now: Timestamp, unseen_seconds_max: i64) {
        self.written.retain(|_, written| seconds(written.at, now) <= OWN_WRITE_UNSEEN_SECONDS_MAX);
        self.registered.retain(|_, (_, at)| seconds(*at, now) <= REGISTERED_UNSEEN_SECONDS_MAX);
        let written =
            Written { changes: step.changes.clone(), input: digest(&step.call.input), at: now, unseen_seconds_max };
        self.written.insert(key(&step.subject, step.call.operation), written);
    }

    /// Records AWS's response to a call: the ARN of a registered task definition revision.
    pub fn answered(&mut self, step: &Step, answer: &Value, now: Timestamp) {
        if step.call.operation != Operation::RegisterTaskDefinition {
            return;
        }
        let arn = answer.pointer("/taskDefinition/taskDefinitionArn").and_then(Value::as_str);
        let tags = step.call.input.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let tag = tags.iter().find(|tag| tag.get("key").and_then(Value::as_str) == Some(super::tags::DIGEST));
        if let (Some(arn), Some(tag)) = (arn, tag.and_then(|tag| tag.get("value")).and_then(Value::as_str)) {
            self.registered.insert(Digest::from_tag(tag), (Arn::new(arn), now));
        }
    }

    /// Records which digest the service was asked to run, so that a rollback is recognised even where the tag could not
    /// be written. To be called with [`super::tags::applied_digest`] after `CreateService` and `UpdateService`.
    pub fn deployed(&mut self, digest: Digest) {
        self.deployed = Some(digest);
    }

    /// Whether the service was asked to run this digest.
    pub(crate) fn has_deployed(&self, digest: &Digest) -> bool {
        self.deployed.as_ref() == Some(digest)
    }

    /// Drift that was repaired.
    pub(crate) fn flapping(&self) -> &FlappingGuard {
        &self.flapping
    }

    /// Whether the application's service exists or existed, as far as this process knows.
    pub(crate) fn service_was_there(&self) -> Option<bool> {
        self.service
    }

    /// Records whether the application's service exists or existed.
    pub(crate) fn note_service_was_there(&mut self, there: bool) {
        self.service = Some(there);
    }

    /// Seconds since the same step was taken, if that is so recent that reads may be older.
    pub(crate) fn unsettled(&self, step: &Step, now: Timestamp) -> Option<i64> {
        let written = self.written.get(&key(&step.subject, step.call.operation))?;
        let since = seconds(written.at, now);
        let same = written.changes == step.changes && written.input == digest(&step.call.input);
        let may_be_old = same && since < written.unseen_seconds_max && !broken::is(Broken::OldReadsBelieved);
        may_be_old.then_some(since)
    }

    /// The task definition revision that this process registered with this digest.
    ///
    /// A revision that AWS shows as no longer active is left out.
    pub(crate) fn registered(&self, digest: &Digest, live: &Live, now: Timestamp) -> Option<Arn> {
        let (arn, at) = self.registered.get(digest)?;
        let gone = live.task_definitions.get(arn).is_some_and(|seen| {
            seen.present().is_some_and(|seen| seen.description.get("status").is_some_and(|status| status != "ACTIVE"))
        });
        (!gone && seconds(*at, now) <= REGISTERED_UNSEEN_SECONDS_MAX).then(|| arn.clone())
    }
}

fn key(subject: &Subject, operation: Operation) -> (Option<Kind>, String, Operation) {
    (subject.kind(), subject.name().to_owned(), operation)
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

fn digest(input: &Value) -> Digest {
    Digest::of(input.to_string().as_bytes())
}
