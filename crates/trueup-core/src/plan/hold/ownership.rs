//! Holds because the resource is not this installation's to change.
//!
//! None implies a sync status: another owner's resource may well match git.

use super::text::HoldText;
use crate::names::{EnvironmentName, InstanceName, Revision};

pub(super) fn foreign_instance(instance: &InstanceName) -> HoldText {
    HoldText {
        reason: "ForeignInstance",
        message: format!("it belongs to the trueup installation `{instance}`"),
        remedy: "remove it from one of the two repositories, or remove the tag `trueup:instance` to hand it over",
        implies: None,
    }
}

pub(super) fn foreign_environment(environment: &EnvironmentName) -> HoldText {
    HoldText {
        reason: "ForeignEnvironment",
        message: format!("it belongs to the environment `{environment}`"),
        remedy: "use another resource in one of the two environments, or remove the tag `trueup:environment`",
        implies: None,
    }
}

pub(super) fn owned_by_stack(stack: &str) -> HoldText {
    HoldText {
        reason: "OwnedByStack",
        message: format!("it belongs to the CloudFormation stack `{stack}`"),
        remedy: "remove it from the stack, or set `manage_stack_resources = true` and keep the stack's template equal",
        implies: None,
    }
}

pub(super) fn managed_by_ecs() -> HoldText {
    HoldText {
        reason: "ManagedByEcs",
        message: "ECS itself manages this service".to_owned(),
        remedy: "remove it from git and leave it to ECS, or create an ordinary service",
        implies: None,
    }
}

pub(super) fn unknown_revision(revision: Option<&Revision>) -> HoldText {
    HoldText {
        reason: "UnknownRevision",
        message: match revision {
            Some(revision) => format!("its tag names the commit `{revision}`, which is not in this repository"),
            None => "no tag says which commit it was created from".to_owned(),
        },
        remedy: "delete it manually, or remove its `trueup:` tags to keep it",
        implies: None,
    }
}
