//! Never a field that another writer owns.

use super::history::{History, Violation, named};
use crate::resource::service_key;

/// `desiredCount` where git leaves it out or a scalable target governs it; target membership; weights of rules that ECS shifts.
/// A refused call counts as well: it was meant.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for record in history.product_writes() {
        let mut found = Vec::new();
        let counts = record
            .resources
            .iter()
            .filter_map(|arn| service_key(arn))
            .filter(|service| history.facts.foreign_counts.contains(service));
        if record.call.action == "UpdateService" && record.call.input.get("desiredCount").is_some() {
            found.extend(counts.map(|service| format!("{} sends desiredCount of {}", named(record), service.name)));
        }
        if matches!(record.call.action.as_str(), "RegisterTargets" | "DeregisterTargets") {
            found.push(format!("{}: ECS registers targets", named(record)));
        }
        let shifted = record.truth.iter().flat_map(|truth| &truth.shifted_rules);
        found.extend(shifted.map(|rule| format!("{} changes weights that ECS shifts, of {rule}", named(record))));
        violations.extend(found.into_iter().map(|text| Violation {
            rule: "field of another owner",
            call: Some(record.index),
            text,
        }));
    }
    violations
}
