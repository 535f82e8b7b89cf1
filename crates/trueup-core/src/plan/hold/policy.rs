//! Holds because the policy, the operator or another writer keeps trueup from acting.

use super::super::Cause;
use super::described::{Described, list, list_of};
use crate::names::ApplicationName;

pub(super) fn report_only(cause: Cause) -> Described {
    let (noun, remedy) = match cause {
        Cause::Drift => ("drift", "set `heal = \"on\"` to have it repaired, or write what AWS has into git"),
        Cause::Prune => ("what git no longer has", "set `prune = \"on\"` to have it deleted"),
        Cause::Create => ("what is missing", FOLLOW),
        Cause::Pending => ("pending changes", FOLLOW),
        Cause::Adopt => ("what it would adopt", FOLLOW),
    };
    Described { reason: "ReportOnly", message: format!("the policy only reports {noun}"), remedy, implies: None }
}

const FOLLOW: &str = "set `follow = \"on\"` to have it applied";

pub(super) fn suspended(note: &str) -> Described {
    Described {
        reason: "Suspended",
        message: format!("a person suspended it: {note}"),
        remedy: "`trueup resume` ends it",
        implies: None,
    }
}

pub(super) fn contested(fields: &[String], by: Option<&str>) -> Described {
    let by = by.map(|by| format!("; the last change was made by {by}")).unwrap_or_default();
    Described {
        reason: "Contested",
        message: format!("{} changes again after each repair{by}", list(fields)),
        remedy: "stop whoever changes it, write what they want into git, or put the fields into the policy's `ignore`",
        implies: None,
    }
}

pub(super) fn waits_for(applications: &[ApplicationName]) -> Described {
    let names = list_of(applications, |name| format!("`{name}`"));
    Described {
        reason: "WaitsFor",
        message: format!("waits until {names} is Synced and Healthy"),
        remedy: "see to those applications first",
        implies: None,
    }
}

pub(super) fn prune_limit(count: usize, limit: u32) -> Described {
    Described {
        reason: "PruneLimit",
        message: format!("{count} resources would be deleted for one commit, and `prune_limit` is {limit}"),
        remedy: "check the list, then raise `prune_limit` or delete in smaller commits",
        implies: None,
    }
}
