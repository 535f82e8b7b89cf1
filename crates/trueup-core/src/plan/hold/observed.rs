//! Holds because the known state of AWS or of git is incomplete or too old to conclude anything from.

use super::super::{Ahead, Sync};
use super::text::HoldText;
use crate::live::ReadFailure;

pub(super) fn not_observed(failure: &ReadFailure) -> HoldText {
    HoldText {
        reason: "NotObserved",
        message: format!("it could not be read: {failure}"),
        remedy: if failure.kind.is_transient() {
            "trueup reads it again soon"
        } else {
            "allow the read in the IAM policy of trueup's role"
        },
        implies: Some(Sync::Unknown),
    }
}

pub(super) fn not_settled(seconds: i64) -> HoldText {
    HoldText {
        reason: "NotSettled",
        message: format!("AWS still shows the state from before trueup's write {seconds} seconds ago"),
        remedy: "trueup reads it again soon",
        implies: Some(Sync::Unknown),
    }
}

pub(super) fn behind(ahead: &Ahead) -> HoldText {
    let Ahead { revision, answered, unreachable_since } = ahead;
    let (message, remedy) = match (answered, unreachable_since) {
        (true, _) => (
            format!("another copy applied the newer commit `{revision}`, and this copy has no valid documents of it"),
            "push a commit that fixes the documents at the branch's head",
        ),
        (false, Some(since)) => (
            format!(
                "another copy applied the commit `{revision}`, which this copy does not have, and the repository has been unreachable since {}",
                since.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            "make the repository reachable for this copy",
        ),
        (false, None) => (
            format!("another copy applied the commit `{revision}`, which this copy does not have"),
            "trueup fetches from git at once",
        ),
    };
    HoldText { reason: "Behind", message, remedy, implies: Some(Sync::Unknown) }
}
