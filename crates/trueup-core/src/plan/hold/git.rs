//! Holds because the desired state itself, or its plan, cannot be used.

use super::super::Sync;
use super::text::{HoldText, list_of};
use crate::desired::Unresolved;
use crate::names::Revision;

pub(super) fn unresolved(references: &[Unresolved]) -> HoldText {
    let is_transient = references.iter().all(|reference| reference.transient);
    HoldText {
        reason: "Unresolved",
        message: list_of(references, |reference| {
            format!("`{}` at {} does not resolve: {}", reference.reference, reference.location, reference.reason)
        }),
        remedy: "create the named resource, correct the reference, or allow the lookup",
        // A lookup that failed temporarily proves nothing; a name that does not exist does.
        implies: Some(if is_transient { Sync::Unknown } else { Sync::OutOfSync }),
    }
}

pub(super) fn invalid_document(problems: &[String]) -> HoldText {
    HoldText {
        reason: "InvalidDocument",
        message: list_of(problems, Clone::clone),
        remedy: "push a commit that fixes it",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn unverified(commit: &Revision, detail: &str) -> HoldText {
    HoldText {
        reason: "Unverified",
        message: format!("the commit `{commit}` is not verified: {detail}"),
        remedy: "have it signed by an allowed signer, or allow its signer in the daemon's configuration",
        // The current commit may well be in sync; the unapplied commit is another one.
        implies: None,
    }
}

pub(super) fn unsound(defects: &[String]) -> HoldText {
    HoldText {
        reason: "Unsound",
        message: format!("the plan is unsound: {}", list_of(defects, Clone::clone)),
        remedy: "this is a bug in trueup: please report it with the output of `trueup plan`",
        implies: Some(Sync::OutOfSync),
    }
}
