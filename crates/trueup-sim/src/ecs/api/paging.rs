//! Pages of a listing, with tokens that are opaque to the client.
//!
//! A token holds the last item that was shown, not a position: an item added or removed between two pages neither
//! repeats nor hides others. Pages may be shorter than requested, as the API reference allows; a small share of them
//! is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::errors::invalid;
use super::input::Input;
use crate::wire::{ApiError, Outcome};
use crate::world::World;

/// The member, page size and order of a listing.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    /// The member of the answer, such as `serviceArns`.
    pub(super) name: &'static str,
    /// The page size when `maxResults` is not sent.
    pub(super) default: usize,
    /// Whether the greatest key comes first.
    pub(super) descending: bool,
}

/// The largest `maxResults` of every listing.
const PAGE_MAX: usize = 100;

/// The percentage of pages that are shorter than requested.
const SHORT_PAGES_PERCENT: u64 = 5;

/// A page of `items`: each with its sort key and the value to show.
///
/// # Errors
/// `InvalidParameterException` for a size out of range or a token that another listing issued.
pub(super) fn page(
    world: &mut World,
    input: &Input,
    listing: Listing,
    items: impl IntoIterator<Item = (String, Value)>,
) -> Outcome {
    let Listing { name, default, descending } = listing;
    let wanted = match input.number("maxResults") {
        None => default,
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| (1..=PAGE_MAX).contains(number))
            .ok_or_else(|| invalid(format!("maxResults must be between 1 and {PAGE_MAX}.")))?,
    };
    let after = input.text("nextToken").map(|token| opened(name, token)).transpose()?;
    let is_left = |key: &str| match after.as_deref() {
        None => true,
        Some(after) => {
            if descending {
                key < after
            } else {
                key > after
            }
        }
    };
    let mut rest: Vec<(String, Value)> = items.into_iter().filter(|(key, _)| is_left(key)).collect();
    rest.sort_by(|(one, _), (other, _)| if descending { other.cmp(one) } else { one.cmp(other) });
    let mut take = wanted;
    if rest.len() > wanted && wanted > 1 && world.chance.of("short pages").percent(SHORT_PAGES_PERCENT) {
        take = wanted - 1;
    }
    let more = rest.len() > take;
    rest.truncate(take);
    let last = rest.last().map(|(key, _)| key.clone());
    let told: Vec<Value> = rest.into_iter().map(|(_, value)| value).collect();
    let mut answer = json!({ name: told });
    if let (true, Some(last)) = (more, last) {
        answer["nextToken"] = Value::from(STANDARD.encode(format!("{name}\n{last}")));
    }
    Ok(answer)
}

/// The last item that was shown, from a token.
fn opened(name: &str, token: &str) -> Result<String, ApiError> {
    let text = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once('\n'))
        .filter(|(listing, _)| *listing == name)
        .map(|(_, last)| last.to_owned())
        .ok_or_else(|| invalid("Invalid token"))
}
