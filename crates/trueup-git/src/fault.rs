//! Failures of the local store, separate from refusals by the server.

use std::path::Path;

use tokio::task::JoinError;
use trueup_core::report::steers;
use trueup_ports::SourceError;

/// Why something could not be read from the local store.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Objects are missing or do not decode: the cache has to be fetched again.
    Damaged(git2::Error),
    /// Everything else: a complete answer for the operator.
    Refused(SourceError),
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Self {
        Self::Damaged(error)
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        Self::Refused(error)
    }
}

/// An error that only a commit or an operator can end.
pub(crate) fn lasting(message: impl Into<String>, hint: impl Into<String>) -> SourceError {
    SourceError { message: message.into(), hint: Some(hint.into()), transient: false }
}

/// An error that may pass by itself.
pub(crate) fn passing(message: impl Into<String>, hint: impl Into<String>) -> SourceError {
    SourceError { message: message.into(), hint: Some(hint.into()), transient: true }
}

/// An error of the file system below the cache directory.
pub(crate) fn cache_io(what: &str, path: &Path, error: &std::io::Error) -> SourceError {
    passing(
        format!("cannot {what} `{}`: {error}", path.display()),
        "the cache directory must be writable and on a disk with room; choose another one with `--cache-dir`",
    )
}

/// What ended a task that gave nothing back. The error's own text is never shown: it has the panic's message in it, and in
/// that may be a credential.
pub(crate) fn ended_by(error: &JoinError) -> &'static str {
    if error.is_panic() { "it panicked" } else { "it was cancelled" }
}

/// Text from outside on one line: what steers a terminal replaced, cut after 300 characters.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().chars().take(300).map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}
