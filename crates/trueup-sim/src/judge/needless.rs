//! Never a write without a difference.

use super::history::{History, OLD_NEWS, UNKNOWN_FATE, Violation, named, related};
use crate::recorder::{Effect, Record};

/// A call of the product's that succeeded and changed nothing, or registered what was there, is needless; unless it had
/// reason to believe otherwise: a call of unknown fate, an answer from the past, or another writer who was faster.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    // A call that AWS carries out late was needed when it was sent, whatever has happened since.
    let at_once = |record: &&Record| record.done() && !matches!(record.effect, Effect::Late(_));
    for record in history.product_writes().filter(at_once) {
        let Some(truth) = &record.truth else { continue };
        let what = match &truth.twin {
            Some(twin) => format!("{} registers what {twin} already is", named(record)),
            None if !truth.changed => format!("{} changes nothing", named(record)),
            None => continue,
        };
        if !explained(history, record) {
            violations.push(Violation { rule: "needless write", call: Some(record.index), text: what });
        }
    }
    violations
}

fn explained(history: &History, record: &Record) -> bool {
    let earlier = history.records[..usize::try_from(record.index).unwrap_or(0)].iter().rev();
    for other in earlier.take_while(|other| record.at.since(other.at) <= UNKNOWN_FATE) {
        let recent = record.at.since(other.at) <= OLD_NEWS;
        if other.mutation.is_none() {
            let deceived = other.faults.iter().any(|fault| matches!(*fault, "stale read" | "partial failure"));
            if recent && deceived && history.is_product(other) {
                return true;
            }
        } else if related(record, other) {
            let same_copy = history.is_product(other) && other.call.access_key == record.call.access_key;
            if history.is_product(other) && history.fate_unknown(other) {
                return true;
            }
            if recent && !same_copy && other.done() {
                return true;
            }
        }
    }
    false
}
