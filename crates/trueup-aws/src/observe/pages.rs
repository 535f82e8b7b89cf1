//! Lists of Elastic Load Balancing, page by page.

use serde_json::Value;
use trueup_core::broken::{self, Broken};
use trueup_core::live::ReadFailure;
use trueup_ports::CallError;

use crate::elb::Read;
use crate::failure;
use crate::reading::{take_array, too_many_pages};
use crate::session::Session;

/// How many target groups or rules a page holds at most. Source: Elastic Load Balancing API reference.
pub(crate) const PAGE_SIZE: usize = 400;

/// How many pages are followed: several times AWS's quota of 3,000 target groups in a region.
const PAGES_MAX: usize = 50;

/// Reads all pages of a list.
pub(crate) async fn pages(
    session: &Session,
    read: Read,
    mut input: Value,
    member: &str,
) -> Result<Vec<Value>, CallError> {
    let mut listed = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut answer = session.elb.read(&session.caller, read, &input).await?;
        listed.extend(take_array(&mut answer, member));
        match answer.get("NextMarker").and_then(Value::as_str).filter(|marker| !marker.is_empty()) {
            Some(marker) if !broken::is(Broken::FirstPageOnly) => input["Marker"] = Value::from(marker),
            Some(_) | None => return Ok(listed),
        }
    }
    let ReadFailure { operation, kind, message } = too_many_pages(&format!("elasticloadbalancing:{read:?}"), PAGES_MAX);
    Err(failure::failure(&operation, kind, trueup_ports::Effect::None, message))
}

/// The ARN of a listed resource.
pub(crate) fn arn<'a>(description: &'a Value, member: &str) -> Option<&'a str> {
    description.get(member)?.as_str()
}
