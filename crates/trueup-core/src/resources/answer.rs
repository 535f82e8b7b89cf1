//! Helpers of all kinds for merging AWS's responses into live state.

use serde_json::Value;

use crate::live::{Live, Observed, Tags};

/// Removes deleted resources from the inventory, by their ARNs.
pub(super) fn forget_if(live: &mut Live, gone: impl Fn(&str) -> bool) {
    if let Some(Observed::Present(inventory)) = &mut live.inventory {
        inventory.retain(|resource| !gone(resource.arn.as_str()));
    }
}

/// Changes tags, where they are known.
pub(super) fn retag_observed(tags: &mut Observed<Tags>, change: &dyn Fn(&mut Tags)) {
    match tags {
        Observed::Present(tags) => change(tags),
        Observed::Absent => {
            let mut new = Tags::new();
            change(&mut new);
            *tags = Observed::Present(new);
        }
        Observed::Unknown(_) => {}
    }
}

/// The first element of a list.
pub(super) fn first<'a>(answer: &'a Value, list: &str) -> Option<&'a Value> {
    answer.get(list)?.as_array()?.first()
}

/// The text of a member.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
