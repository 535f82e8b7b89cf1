//! Holds because the desired state itself, or the plan made of it, cannot be used.

use super::super::Sync;
use super::described::{Described, list_of};
use crate::desired::Unresolved;
use crate::names::Revision;

pub(super) fn unresolved(references: &[Unresolved]) -> Described {
    let is_transient = references.iter().all(|reference| reference.transient);
    Described {
        reason: "Unresolved",
        message: list_of(references, |reference| {
            format!("`{}` at {} does not resolve: {}", reference.reference, reference.location, reference.reason)
        }),
        remedy: "create what is named, correct the reference, or allow the lookup",
        // A lookup that failed in passing says nothing of what git wants; a name that leads nowhere does.
        implies: Some(if is_transient { Sync::Unknown } else { Sync::OutOfSync }),
    }
}

pub(super) fn invalid_document(problems: &[String]) -> Described {
    Described {
        reason: "InvalidDocument",
        message: list_of(problems, Clone::clone),
        remedy: "push a commit that corrects it",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn unverified(commit: &Revision, detail: &str) -> Described {
    Described {
        reason: "Unverified",
        message: format!("the commit `{commit}` is not verified: {detail}"),
        remedy: "have it signed by somebody whom the daemon's configuration allows, or allow its signer there",
        // What is in force may well be as it should; what is not applied is another commit.
        implies: None,
    }
}

pub(super) fn unsound(defects: &[String]) -> Described {
    Described {
        reason: "Unsound",
        message: format!("the plan is unsound: {}", list_of(defects, Clone::clone)),
        remedy: "this is a defect of trueup: please report it with the output of `trueup plan`",
        implies: Some(Sync::OutOfSync),
    }
}
