//! Drift, judged by tables: what AWS writes down differently is no change, what somebody changed is one.

#![expect(clippy::too_many_lines, clippy::large_stack_arrays, reason = "tables: a row is a line or more")]

mod digests;
mod listener_rule;
mod properties;
mod service;
mod target_group;
mod task_definition;

use serde_json::Value;
use trueup_core::drift::Context;
use trueup_core::kind::Kind;
use trueup_core::kind::drift;

/// A row: what it shows, the desired document, AWS's answer, and the paths that must be told.
type Row = (&'static str, Value, Value, &'static [&'static str]);

/// The paths of all changes.
fn paths(kind: Kind, desired: &Value, live: &Value, context: &Context) -> Vec<String> {
    drift(kind, desired, live, context).iter().map(|change| change.path.to_string()).collect()
}

/// Judges all rows, after `whole` has completed their documents, and tells all that are judged wrongly.
fn check(kind: Kind, prefix: &str, whole: impl Fn(&Value) -> Value, rows: &[Row]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, desired, live, expected)| {
            let mut expected: Vec<String> = expected.iter().map(|path| format!("{prefix}{path}")).collect();
            expected.sort();
            let mut told = paths(kind, &whole(desired), &whole(live), &Context::default());
            told.sort();
            (told != expected).then(|| format!("{name}: told {told:?}, expected {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// `base` with the members of `more` laid over it.
fn over(mut base: Value, more: &Value) -> Value {
    if let (Some(base), Some(more)) = (base.as_object_mut(), more.as_object()) {
        for (name, value) in more {
            base.insert(name.clone(), value.clone());
        }
    }
    base
}
