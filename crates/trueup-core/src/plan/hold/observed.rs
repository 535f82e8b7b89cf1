//! Holds because what is known of AWS or of git is missing or too old to conclude anything from.

use super::super::{Ahead, Sync};
use super::described::Described;
use crate::live::ReadFailure;

pub(super) fn not_observed(failure: &ReadFailure) -> Described {
    Described {
        reason: "NotObserved",
        message: format!("it could not be read: {failure}"),
        remedy: if failure.kind.is_transient() {
            "it is read again soon"
        } else {
            "allow the read in the IAM policy of trueup's role"
        },
        implies: Some(Sync::Unknown),
    }
}

pub(super) fn not_settled(seconds: i64) -> Described {
    Described {
        reason: "NotSettled",
        message: format!("AWS still shows the state before the write of {seconds} seconds ago"),
        remedy: "it is read again soon",
        implies: Some(Sync::Unknown),
    }
}

pub(super) fn behind(ahead: &Ahead) -> Described {
    let Ahead { revision, answered, unreachable_since } = ahead;
    let (message, remedy) = match (answered, unreachable_since) {
        (true, _) => (
            format!("the newer commit `{revision}` was applied, and this copy has no valid documents of it"),
            "push a commit that corrects what is wrong at the branch's head",
        ),
        (false, Some(since)) => (
            format!(
                "the commit `{revision}` was applied, which this copy does not have, and the repository cannot be \
                 reached since {}",
                since.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
            "make the repository reachable for this copy",
        ),
        (false, None) => {
            (format!("the commit `{revision}` was applied, which this copy does not have"), "git is asked at once")
        }
    };
    Described { reason: "Behind", message, remedy, implies: Some(Sync::Unknown) }
}
