//! The flapping guard: drift that comes back after each repair is contested, and repairs slow down.
//!
//! Another writer (an operator, a pipeline) disagrees with git. Without the guard both would write for ever, as fast as
//! they can. The guard lives in the process alone: each restart allows at most [`CONTESTED_ROUNDS`] more immediate
//! repairs.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Held, Hold, Input, Resource, Step};
use crate::drift::{Change, Shown};
use crate::kind::Kind;
use crate::pointer::Pointer;

/// After this many repairs of the same field, each within [`CONTESTED_QUIET_SECONDS`] of the one before, it is
/// contested.
pub const CONTESTED_ROUNDS: u32 = 3;

/// How long after the last repair a contested field is repaired again: the cap of the loop's backoff.
pub const CONTESTED_PAUSE_SECONDS: i64 = 300;

/// Drift that has stayed away for this long is over; the next repair counts as the first.
pub const CONTESTED_QUIET_SECONDS: i64 = 600;

/// A field of a document.
type Field = (Kind, String, Pointer);

/// The recent repairs, field by field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FlappingGuard(BTreeMap<Field, Repairs>);

#[derive(Clone, Debug, PartialEq)]
struct Repairs {
    /// How many in a row.
    rounds: u32,
    /// The last one.
    at: Timestamp,
    /// The value that it was repaired to: when git changes it, the count restarts.
    desired: Shown,
}

impl FlappingGuard {
    /// Records the fields that a call repairs.
    pub(crate) fn repaired(&mut self, step: &Step, now: Timestamp) {
        self.0.retain(|_, repairs| is_recent(repairs, now));
        for change in step.drifted() {
            // One call may move several rules.
            for name in step.subject.name().split(", ") {
                let Some(kind) = step.subject.kind() else { continue };
                let field = (kind, name.to_owned(), change.path.clone());
                let before = self.0.get(&field).filter(|before| before.desired == change.desired);
                let rounds = before.map_or(0, |before| before.rounds).saturating_add(1);
                self.0.insert(field, Repairs { rounds, at: now, desired: change.desired.clone() });
            }
        }
    }

    /// Whether the next repair of a contested field has to wait.
    pub(crate) fn is_waiting(&self, kind: Kind, name: &str, change: &Change, now: Timestamp) -> bool {
        let repairs = self.0.get(&(kind, name.to_owned(), change.path.clone()));
        repairs.is_some_and(|repairs| {
            is_contested(repairs, now)
                && repairs.desired == change.desired
                && seconds(repairs.at, now) < CONTESTED_PAUSE_SECONDS
        })
    }

    /// The contested fields of a document.
    fn contested(&self, kind: Kind, name: &str, now: Timestamp) -> Vec<String> {
        let fields =
            self.0.iter().filter(|((k, n, _), repairs)| (*k, n.as_str()) == (kind, name) && is_contested(repairs, now));
        fields.map(|((_, _, path), _)| spelled(path)).collect()
    }
}

/// The path as the hold names it.
fn spelled(path: &Pointer) -> String {
    if path.segments().is_empty() { "/".to_owned() } else { path.to_string() }
}

/// Combines the contested changes of a document into one hold, and keeps it while the guard is on: between a repair
/// and the next time it is undone nothing differs, but the conflict continues.
pub(crate) fn keep_contested(input: &Input<'_>, held: &mut Vec<Held>) {
    for document in &input.desired.documents {
        let fields = input.memory.flapping().contested(document.kind, &document.name, input.now);
        if fields.is_empty() {
            continue;
        }
        let is_it = |held: &Held| {
            let about = held.subject.resource().is_some_and(|r| (r.kind, &r.name) == (document.kind, &document.name));
            about && matches!(held.reason, Hold::Contested { .. })
        };
        let (told, rest): (Vec<Held>, Vec<Held>) = std::mem::take(held).into_iter().partition(is_it);
        *held = rest;
        let known = told.iter().find_map(|held| held.subject.resource().cloned());
        let resource =
            known.unwrap_or_else(|| Resource { kind: document.kind, name: document.name.clone(), arn: None });
        let changes = told.into_iter().flat_map(|held| held.changes).collect();
        held.push(Held { subject: resource.into(), changes, reason: Hold::contested(fields) });
    }
}

fn is_contested(repairs: &Repairs, now: Timestamp) -> bool {
    repairs.rounds >= CONTESTED_ROUNDS && is_recent(repairs, now)
}

fn is_recent(repairs: &Repairs, now: Timestamp) -> bool {
    seconds(repairs.at, now) <= CONTESTED_QUIET_SECONDS
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
