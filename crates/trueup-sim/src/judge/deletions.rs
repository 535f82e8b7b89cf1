//! Never a deletion that was not allowed.

use super::history::{History, Violation, named};

/// The tag that says whose a resource is.
const INSTANCE: &str = "trueup:instance";

/// The product deletes only when pruning is allowed, only what carries its own tag, and never what every commit wants.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let facts = history.facts;
    let mut violations = Vec::new();
    for record in history.product_writes().filter(|record| record.done()) {
        let action = record.call.action.as_str();
        if !(action.starts_with("Delete") || action == "DeregisterTaskDefinition") {
            continue;
        }
        let wanted = record.resources.iter().find(|arn| facts.wanted.iter().any(|end| arn.ends_with(end.as_str())));
        let stranger = record
            .truth
            .iter()
            .flat_map(|truth| &truth.tags_before)
            .find(|(_, tags)| !tags.iter().any(|(key, value)| key == INSTANCE && facts.instances.contains(value)));
        let why = if let Some(arn) = wanted {
            format!("git wants {arn}")
        } else if let Some((arn, _)) = stranger {
            format!("{arn} is not its own")
        } else if facts.may_prune {
            continue;
        } else {
            "pruning is off".to_owned()
        };
        let text = format!("{}, although {why}", named(record));
        violations.push(Violation { rule: "deletion", call: Some(record.index), text });
    }
    violations
}
