//! Holds because of the state that the resource itself, or one that it depends on, is in.

use super::super::Sync;
use super::described::{Described, list};
use crate::model::Kind;
use crate::names::Arn;

pub(super) fn immutable(kind: Kind, fields: &[String]) -> Described {
    Described {
        reason: "Immutable",
        message: format!("AWS cannot change {} of an existing {}", list(fields), kind.as_str().replace('-', " ")),
        remedy: match kind {
            Kind::TargetGroup => {
                "put the old value back, or write a new target group with another name, move rules and service to it \
                 and remove the old one"
            }
            Kind::ListenerRule => "put the old value back, or write a new rule and remove the old one",
            Kind::Service | Kind::TaskDefinition => {
                "put the old value back, or write a new service with another name and remove the old one"
            }
        },
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn priority_taken(listener: &Arn, priority: &str, rule: &Arn) -> Described {
    Described {
        reason: "PriorityTaken",
        message: format!("priority {priority} of the listener `{listener}` belongs to the rule `{rule}`"),
        remedy: "choose another priority in git, or move or delete the other rule",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn service_draining() -> Described {
    Described {
        reason: "ServiceDraining",
        message: "a service of this name is still being deleted".to_owned(),
        remedy: "it is created as soon as the old one is gone",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn revision_failed(message: &str, transient: bool) -> Described {
    Described {
        reason: "RevisionFailed",
        message: format!("ECS could not bring this revision into service: {message}"),
        remedy: if transient {
            "the cause looks like a passing one: run `trueup retry`, or push another commit"
        } else {
            "push a commit that corrects it, or run `trueup retry` when what was wrong was elsewhere"
        },
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn target_group_in_use(by: &[String]) -> Described {
    Described {
        reason: "TargetGroupInUse",
        message: format!("the target group is still used by {}", list(by)),
        remedy: "it is deleted as soon as nothing uses it",
        // It is in nobody's way, and git does not want it any more: the held deletion decides.
        implies: None,
    }
}
