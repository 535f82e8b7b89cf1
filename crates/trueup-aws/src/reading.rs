//! What reads have in common: several calls at once, and the parts of answers.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde_json::Value;
use trueup_core::live::{FailureKind, Observed, ReadFailure, Tags};

/// How many calls of one kind are in flight at once.
const CALLS_AT_ONCE: usize = 16;

/// Makes calls, several at once. The outcomes come in no particular order.
pub(crate) fn at_once<F: Future>(calls: impl Iterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    // Collected here: a stream that maps as it goes would keep the closure, which no `Send` future can.
    let calls: Vec<F> = calls.collect();
    futures::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect()
}

/// Tags in the format of ECS: `tags: [{key, value}]`.
pub(crate) fn json_tags(holder: &Value) -> Tags {
    holder.get("tags").and_then(Value::as_array).map(|tags| texts(tags, "key", "value")).unwrap_or_default()
}

/// A list of pairs as a map.
pub(crate) fn texts(pairs: &[Value], key: &str, value: &str) -> BTreeMap<String, String> {
    let text = |pair: &Value, name: &str| pair.get(name).and_then(Value::as_str).map(str::to_owned);
    pairs.iter().filter_map(|pair| Some((text(pair, key)?, text(pair, value).unwrap_or_default()))).collect()
}

pub(crate) fn take_array(answer: &mut Value, member: &str) -> Vec<Value> {
    answer.get_mut(member).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
}

/// An answer that does not mention a requested resource says nothing about it.
pub(crate) fn not_mentioned<T>(operation: &str, what: &str) -> Observed<T> {
    Observed::Unknown(ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Unavailable,
        message: format!("the answer does not mention `{what}`"),
    })
}

pub(crate) fn rejected<T>(operation: &str, message: String) -> Observed<T> {
    Observed::Unknown(ReadFailure { operation: operation.to_owned(), kind: FailureKind::Rejected, message })
}

pub(crate) fn too_many_pages(operation: &str, pages: usize) -> ReadFailure {
    ReadFailure {
        operation: operation.to_owned(),
        kind: FailureKind::Rejected,
        message: format!("the list has more than {pages} pages"),
    }
}
