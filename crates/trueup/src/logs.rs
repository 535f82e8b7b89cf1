//! Diagnostic logs, on stderr: what happens inside, for whoever works on trueup. Events are what operators read.

use std::io::stderr;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::cli::Format;

/// Starts logging. `RUST_LOG` says what, by default warnings of trueup's own crates.
pub fn start(format: Format) {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(
            "error,trueup=warn,trueup_engine=warn,trueup_aws=warn,trueup_git=warn,trueup_http=warn,trueup_report=warn",
        )
    });
    let layer = match format {
        Format::Json => fmt::layer().with_writer(stderr).json().boxed(),
        Format::Text => fmt::layer().with_writer(stderr).compact().with_target(false).boxed(),
    };
    registry().with(layer.with_filter(filter_fn(carries_no_values))).with(wanted).init();
}

/// At `debug` and `trace` the SDK and the HTTP crates log requests, answers and credentials as they are, with the values of
/// environment variables in them. No setting brings that into a log.
fn carries_no_values(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("trueup") || *metadata.level() <= Level::INFO
}
