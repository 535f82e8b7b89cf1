//! Never more than one deployment for one change.

use std::collections::BTreeSet;

use super::history::{Begun, History, Violation, named};

/// Deployments of equal content that follow each other are for one change, unless another writer wrote to the service between
/// them. One more is allowed for each whose fate its caller could not know, and for each further copy of the product.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for deployments in history.deployments().into_values() {
        let mut run: Vec<Begun> = Vec::new();
        for begun in deployments {
            let follows = run.last().is_some_and(|last| {
                last.deployed.change == begun.deployed.change && !somebody_else_wrote(history, last, &begun)
            });
            // What ECS failed before is another rule's.
            if !history.is_product(begun.record) || !follows || begun.deployed.known_bad.is_some() {
                run.clear();
            }
            if !history.is_product(begun.record) {
                continue;
            }
            run.push(begun);
            let before = &run[..run.len() - 1];
            let open = before.iter().filter(|begun| history.fate_unknown(begun.record)).count();
            let copies: BTreeSet<&str> = run.iter().map(|begun| begun.record.call.access_key.as_str()).collect();
            if run.len() > 1 + open + (copies.len() - 1) {
                let first = run[0].record.index;
                let text = format!("{} begins another deployment for the change of call {first}", named(begun.record));
                violations.push(Violation { rule: "second deployment", call: Some(begun.record.index), text });
            }
        }
    }
    violations
}

fn somebody_else_wrote(history: &History, from: &Begun, to: &Begun) -> bool {
    let between = &history.records[..usize::try_from(to.record.index).unwrap_or(0)];
    between.iter().rev().take_while(|record| record.index > from.record.index).any(|record| {
        record.mutation.is_some()
            && record.done()
            && !history.is_product(record)
            && record.resources.iter().any(|resource| from.record.resources.contains(resource))
    })
}
