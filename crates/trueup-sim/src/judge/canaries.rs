//! Never a secret where it does not belong.

use super::history::{Facts, History, Violation, named};

/// No canary is in the input of a call of the product's where it does not belong.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    if history.facts.canaries.is_empty() {
        return violations;
    }
    for record in history.records.iter().filter(|record| history.is_product(record)) {
        let input = record.call.input.to_string();
        for canary in history.facts.canaries.iter().filter(|canary| input.contains(&canary.text)) {
            let belongs =
                |(service, action): &(_, String)| *service == record.call.service && *action == record.call.action;
            if !canary.belongs.iter().any(belongs) {
                let text = format!("{} carries `{}`", named(record), canary.text);
                violations.push(Violation { rule: "canary", call: Some(record.index), text });
            }
        }
    }
    violations
}

/// No canary is in something that the product wrote: a log, a report, a page.
pub fn leaks(facts: &Facts, name: &str, output: &str) -> Vec<Violation> {
    let found = facts.canaries.iter().filter(|canary| output.contains(&canary.text));
    found
        .map(|canary| Violation { rule: "canary", call: None, text: format!("{name} shows `{}`", canary.text) })
        .collect()
}
