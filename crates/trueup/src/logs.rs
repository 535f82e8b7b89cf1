//! Diagnostic logs, on stderr, for developers of trueup. Operators read events instead.

use std::io::{self, Write, stderr};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry};
use trueup_core::report::{escaped, printable};

use crate::args::Format;

/// The filter without `RUST_LOG`: errors of all crates, and warnings of trueup's own crates, whose names have this
/// prefix.
const FILTER: &str = "error,trueup=warn";

/// Starts logging. `RUST_LOG` says what, by default warnings of trueup's own crates.
pub fn start(format: Format) {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    registry().with(layer(format, stderr)).with(wanted).init();
}

/// Writes one line for whatever is logged, if it may be.
fn layer<W>(format: Format, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let writer = Lines { format, writer };
    let layer = match format {
        Format::Json => fmt::layer().with_writer(writer).json().boxed(),
        // Colours are control characters as others are, and those of foreign texts are to be told from them.
        Format::Text => fmt::layer().with_writer(writer).with_ansi(false).compact().with_target(false).boxed(),
    };
    layer.with_filter(filter_fn(carries_no_values)).boxed()
}

/// At `debug` and `trace` the SDK and the HTTP crates log requests, answers and credentials as they are, with the values of
/// environment variables in them. No setting brings that into a log.
fn carries_no_values(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("trueup") || *metadata.level() <= Level::INFO
}

/// Makes every entry one line that cannot steer a terminal: the subscriber leaves marks that turn text around as they are,
/// and in JSON some control characters as well.
struct Lines<W> {
    format: Format,
    writer: W,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Line { format: self.format, out: self.writer.make_writer() }
    }
}

/// Takes one entry.
struct Line<O> {
    format: Format,
    out: O,
}

impl<O: Write> Write for Line<O> {
    /// The subscriber writes each entry with its line end at once.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(entry);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let safe = match self.format {
            Format::Json => escaped(text),
            Format::Text => printable(text),
        };
        self.out.write_all(format!("{safe}\n").as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use trueup_core::report::steers;

    /// The log lines that pass a filter.
    fn logged(format: Format, filter: &str, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = registry().with(layer(format, move || writer.clone())).with(EnvFilter::new(filter));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(kept.0.lock().expect("nothing panics while it holds the lock").clone()).expect("it is text")
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nothing panics while it holds the lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_others_log_of_requests_and_answers_is_in_no_log() {
        // who | what is logged of them
        let logs = || {
            tracing::trace!(target: "trueup_engine::pass", "ours: trace");
            tracing::debug!(target: "trueup", "ours: debug");
            tracing::info!(target: "aws_config::profile", "theirs: info");
            tracing::warn!(target: "hyper_util::client", "theirs: warn");
            tracing::debug!(target: "aws_smithy_runtime::client::orchestrator", "canary: debug");
            tracing::trace!(target: "aws_smithy_http_client", "canary: trace");
            tracing::debug!(target: "reqwest::connect", "canary: debug");
            tracing::trace!(target: "hyper::proto::h1", "canary: trace");
        };
        for format in [Format::Json, Format::Text] {
            let text = logged(format, "trace", logs);
            assert!(!text.contains("canary"), "{text}");
            for part in ["ours: trace", "ours: debug", "theirs: info", "theirs: warn"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn an_entry_is_one_line_that_cannot_steer_a_terminal() {
        let nasty = "a\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{61c}\0\nb";
        for format in [Format::Json, Format::Text] {
            let text =
                logged(format, "trace", || tracing::warn!(error = nasty, debug = ?nasty, display = %nasty, "{nasty}"));
            let line = text.strip_suffix('\n').expect("an entry ends its line");
            assert!(!line.contains(steers), "{line:?}");
        }
        let text = logged(Format::Json, "trace", || tracing::warn!(error = nasty, "It failed."));
        let line: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(line["fields"]["error"], nasty, "nothing is lost");
    }

    #[test]
    fn unless_told_otherwise_our_warnings_are_logged_and_only_errors_of_others() {
        let text = logged(Format::Text, FILTER, || {
            tracing::warn!(target: "trueup", "ours: warn");
            tracing::warn!(target: "trueup_engine::environment", "the engine's: warn");
            tracing::warn!(target: "trueup_verify", "the verifier's: warn");
            tracing::info!(target: "trueup_git", "ours: info");
            tracing::warn!(target: "aws_config", "theirs: warn");
            tracing::error!(target: "aws_config", "theirs: error");
        });
        for part in ["ours: warn", "the engine's: warn", "the verifier's: warn", "theirs: error"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
