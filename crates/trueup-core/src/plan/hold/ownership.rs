//! Holds because the resource is not this installation's to change.
//!
//! None implies a sync: what belongs to another owner may well be as git wants it.

use super::described::Described;
use crate::names::{EnvironmentName, InstanceName, Revision};

pub(super) fn foreign_instance(instance: &InstanceName) -> Described {
    Described {
        reason: "ForeignInstance",
        message: format!("it belongs to the trueup installation `{instance}`"),
        remedy: "remove it from one of the two repositories, or take the tag `trueup:instance` off to hand it over",
        implies: None,
    }
}

pub(super) fn foreign_environment(environment: &EnvironmentName) -> Described {
    Described {
        reason: "ForeignEnvironment",
        message: format!("it belongs to the environment `{environment}`"),
        remedy: "name another resource in one of the two environments, or take the tag `trueup:environment` off",
        implies: None,
    }
}

pub(super) fn owned_by_stack(stack: &str) -> Described {
    Described {
        reason: "OwnedByStack",
        message: format!("it belongs to the CloudFormation stack `{stack}`"),
        remedy: "take it out of the stack, or set `manage_stack_resources = true` and keep the stack's template equal",
        implies: None,
    }
}

pub(super) fn managed_by_ecs() -> Described {
    Described {
        reason: "ManagedByEcs",
        message: "ECS itself manages this service".to_owned(),
        remedy: "leave it to ECS and take it out of git, or make an ordinary service",
        implies: None,
    }
}

pub(super) fn unknown_revision(revision: Option<&Revision>) -> Described {
    Described {
        reason: "UnknownRevision",
        message: match revision {
            Some(revision) => format!("it was made from the commit `{revision}`, which is not one of this repository"),
            None => "nothing says which commit it was made from".to_owned(),
        },
        remedy: "delete it by hand, or take its `trueup:` tags off to keep it",
        implies: None,
    }
}
