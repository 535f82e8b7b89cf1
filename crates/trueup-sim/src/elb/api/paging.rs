//! Pages of listings, and their markers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::errors::out_of_range;
use crate::input::{invalid, number, text};
use crate::wire::Outcome;

/// The maximum and the default of `PageSize`.
const PAGE_MAX: u64 = 400;

/// A page of `items`, whose keys are unique, under `member`, with a `NextMarker` when there are more.
///
/// The marker names the last item shown, so that items added or removed between two pages do not shift others.
pub(super) fn page(input: &Value, member: &str, items: Vec<(String, Value)>) -> Outcome {
    let size = number(input, "PageSize")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&size) {
        return Err(out_of_range("pageSize", size, 1, PAGE_MAX));
    }
    let after = match text(input, "Marker") {
        None => None,
        Some(marker) => {
            let bytes = BASE64.decode(marker).ok();
            let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Some(key.ok_or_else(|| invalid("The marker is not valid"))?)
        }
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut rest = items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let shown: Vec<(String, Value)> = rest.by_ref().take(size).collect();
    let mut answer = Map::new();
    if rest.next().is_some()
        && let Some((last, _)) = shown.last()
    {
        answer.insert("NextMarker".to_owned(), json!(BASE64.encode(last)));
    }
    answer.insert(member.to_owned(), shown.into_iter().map(|(_, item)| item).collect());
    Ok(Value::Object(answer))
}
