//! Holds because of the state that the resource itself, or one that it depends on, is in.

use super::super::Sync;
use super::text::{HoldText, list};
use crate::kind::Kind;
use crate::names::Arn;

pub(super) fn immutable(kind: Kind, fields: &[String]) -> HoldText {
    HoldText {
        reason: "Immutable",
        message: format!("AWS cannot change {} of an existing {}", list(fields), kind.as_str().replace('-', " ")),
        remedy: kind.facts().when_immutable,
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn priority_taken(listener: &Arn, priority: &str, rule: &Arn) -> HoldText {
    HoldText {
        reason: "PriorityTaken",
        message: format!("priority {priority} of the listener `{listener}` belongs to the rule `{rule}`"),
        remedy: "choose another priority in git, or move or delete the other rule",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn service_draining() -> HoldText {
    HoldText {
        reason: "ServiceDraining",
        message: "ECS is still deleting a service of this name".to_owned(),
        remedy: "trueup creates it as soon as the old one is gone",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn revision_failed(message: &str, transient: bool) -> HoldText {
    HoldText {
        reason: "RevisionFailed",
        message: format!("ECS failed this revision or rolled it back: {message}"),
        remedy: if transient {
            "the cause looks temporary: run `trueup retry`, or push another commit"
        } else {
            "push a commit that fixes it, or run `trueup retry` if the cause was elsewhere"
        },
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn target_group_in_use(by: &[String]) -> HoldText {
    HoldText {
        reason: "TargetGroupInUse",
        message: format!("the target group is still used by {}", list(by)),
        remedy: "trueup deletes it as soon as nothing uses it",
        // The held deletion decides.
        implies: None,
    }
}
