//! Holds because the policy, the operator or another writer keeps trueup from acting.

use super::super::Cause;
use super::text::{HoldText, list, list_of};
use crate::names::ApplicationName;

pub(super) fn report_only(cause: Cause) -> HoldText {
    let (noun, remedy) = match cause {
        Cause::Drift => ("drift", "set `heal = \"on\"` to repair it, or commit the live value to git"),
        Cause::Prune => ("resources that git no longer has", "set `prune = \"on\"` to delete it"),
        Cause::Create => ("missing resources", FOLLOW),
        Cause::Pending => ("pending changes", FOLLOW),
        Cause::Adopt => ("resources to adopt", FOLLOW),
    };
    HoldText { reason: "ReportOnly", message: format!("the policy only reports {noun}"), remedy, implies: None }
}

const FOLLOW: &str = "set `follow = \"on\"` to apply it";

pub(super) fn suspended(note: &str) -> HoldText {
    HoldText {
        reason: "Suspended",
        message: format!("suspended by an operator: {note}"),
        remedy: "run `trueup resume`",
        implies: None,
    }
}

pub(super) fn contested(fields: &[String], by: Option<&str>) -> HoldText {
    let by = by.map(|by| format!("; the last change is by {by}")).unwrap_or_default();
    HoldText {
        reason: "Contested",
        message: format!("another writer changes {} again after each repair{by}", list(fields)),
        remedy: "stop the other writer, commit its values to git, or add the fields to the policy's `ignore`",
        implies: None,
    }
}

pub(super) fn waits_for(applications: &[ApplicationName]) -> HoldText {
    let names = list_of(applications, |name| format!("`{name}`"));
    HoldText {
        reason: "WaitsFor",
        message: format!("waiting for {names} to be Synced and Healthy"),
        remedy: "fix those applications first",
        implies: None,
    }
}

pub(super) fn prune_limit(count: usize, limit: u32) -> HoldText {
    HoldText {
        reason: "PruneLimit",
        message: format!("{count} resources would be deleted for one commit, and `prune_limit` is {limit}"),
        remedy: "check the list, then raise `prune_limit` or delete in smaller commits",
        implies: None,
    }
}
