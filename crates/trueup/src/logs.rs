//! Diagnostic logs, on stderr: what happens inside, for whoever works on trueup. Events are what operators read.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use crate::cli::Format;

/// Starts logging. `RUST_LOG` says what, by default warnings of trueup's own crates.
///
/// The SDK's own spans carry request details: they are logged only when somebody asks for them by name.
pub fn start(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(
            "error,trueup=warn,trueup_engine=warn,trueup_aws=warn,trueup_git=warn,trueup_http=warn,trueup_report=warn",
        )
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format {
        Format::Json => builder.json().init(),
        Format::Text => builder.compact().with_target(false).init(),
    }
}
