//! Whether an application's service existed before: it distinguishes a service that another writer deleted from one
//! that never existed.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::desired::{DesiredApplication, Mode};
use crate::kind::Kind;
use crate::live::{Live, Observed};
use crate::names::InstanceName;
use crate::plan::builder::Work;
use crate::plan::{Memory, tags};

/// How long creating an application may take: a task definition revision that is older was in use.
const CREATION_SECONDS_MAX: i64 = 900;

impl Memory {
    /// Records whether the application's service exists. To be called after each observation: it distinguishes a
    /// service that another writer deleted from one that never existed, even while its creation takes long.
    pub fn note_service(&mut self, desired: &DesiredApplication, live: &Live, instance: &InstanceName, now: Timestamp) {
        let Some(id) = desired.service_id() else { return };
        match live.services.get(&id) {
            Some(Observed::Present(_)) => self.note_service_was_there(true),
            Some(Observed::Absent) if self.service_was_there().is_none() => {
                self.note_service_was_there(was_applied(desired, live, instance, now));
            }
            Some(Observed::Absent | Observed::Unknown(_)) | None => {}
        }
    }
}

/// Whether the service, which does not exist, was there before.
pub(super) fn was_deleted(work: &Work<'_>) -> bool {
    let input = work.input;
    let knew = || {
        let known = input.memory.service_was_there();
        known.unwrap_or_else(|| was_applied(input.desired, input.live, input.instance, input.now))
    };
    work.last().is_some() || knew()
}

/// The policy's mode for creating the parts of a deployment: a service that was deleted is drift.
pub(super) fn creation(work: &Work<'_>) -> Mode {
    let policy = &work.input.desired.policy;
    if was_deleted(work) { policy.heal } else { policy.follow }
}

/// Whether the application was applied before, by what its service leaves behind: a revision of its task definition
/// that was registered for it some time ago. A younger one may belong to a creation of the service that has just begun.
fn was_applied(desired: &DesiredApplication, live: &Live, instance: &InstanceName, now: Timestamp) -> bool {
    let family = desired.single(Kind::TaskDefinition).and_then(|document| document.body.get("family")?.as_str());
    let revisions = family.and_then(|family| live.families.get(family)?.present());
    let owner = [
        (tags::APPLICATION, desired.name.as_str()),
        (tags::ENVIRONMENT, desired.environment.as_str()),
        (tags::INSTANCE, instance.as_str()),
    ];
    revisions.into_iter().flatten().any(|revision| {
        let is_ours = owner.iter().all(|(key, value)| revision.tags.get(*key) == Some(&tags::legal(value)));
        let at = revision.description.get("registeredAt").and_then(Value::as_f64);
        let age = at.map(|at| Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs_f64(at)));
        let age = age.and_then(Result::ok).map(|at| seconds(at, now));
        is_ours && age.is_some_and(|age| age > CREATION_SECONDS_MAX)
    })
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
