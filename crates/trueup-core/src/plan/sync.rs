//! Whether live matches git.

use super::{Held, Step, Sync};

/// Whether live matches git, according to steps and holds.
pub(crate) fn sync(steps: &[Step], held: &[Held]) -> Sync {
    let implied = |sync| held.iter().any(|held| held.reason.implies() == Some(sync));
    if implied(Sync::Unknown) {
        return Sync::Unknown;
    }
    // A step without changes only writes trueup's tags.
    let differs = steps.iter().any(|step| !step.changes.is_empty()) || held.iter().any(|held| !held.changes.is_empty());
    if differs || implied(Sync::OutOfSync) { Sync::OutOfSync } else { Sync::Synced }
}
