//! `/metrics`: status, measurements and counters, as `OpenMetrics` text.

mod gauges;
mod measures;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;
use trueup_engine::Status;

pub(crate) use self::gauges::drifted;
pub use self::measures::Measures;
use crate::page::Page;

/// What all our names begin with.
const PREFIX: &str = "trueup";

/// Source: `OpenMetrics` 1.0, "Text format".
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics.
pub(crate) fn page(measures: &Measures, status: &Status, now: Timestamp) -> Page {
    match text(measures, status, now) {
        Ok(body) => Page { status: 200, content_type: CONTENT_TYPE, body },
        Err(fmt::Error) => Page::error(500, "the metrics cannot be written"),
    }
}

fn text(measures: &Measures, status: &Status, now: Timestamp) -> Result<String, fmt::Error> {
    // What stands is read at each scrape, into a registry of its own: what is gone leaves nothing behind.
    let mut standing = Registry::with_prefix(PREFIX);
    standing.register_collector(Box::new(gauges::Standing::new(status, now)));
    let mut text = String::new();
    encode_registry(&mut text, &standing)?;
    encode_registry(&mut text, measures.registry())?;
    encode_eof(&mut text)?;
    Ok(text)
}
