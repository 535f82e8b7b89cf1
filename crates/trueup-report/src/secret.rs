//! Secrets of the daemon's configuration: named by file or variable, read when they are used, never shown.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

/// A file that is larger holds something else than a secret.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be sent to its recipient.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Shows nothing, not even the length.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file that holds it and nothing else, read each time, so that it can be exchanged while the daemon runs.
    File(PathBuf),
    /// An environment variable, by name.
    Variable(String),
}

/// Why there is no secret. Never says what was found instead of one.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The variable is not set, or not UTF-8.
    #[error("the environment variable `{0}` is not set")]
    Unset(String),
    /// It is empty, has several lines, or is too large.
    #[error("{0} must hold the secret on one line, and nothing else")]
    Unfit(SecretSource),
}

/// `` the file `/run/secret` `` or `` the environment variable `SECRET` ``.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Variable(name) => write!(f, "the environment variable `{name}`"),
        }
    }
}

impl SecretSource {
    /// The current secret, without the whitespace around it that files and editors leave.
    ///
    /// # Errors
    /// When it cannot be read, or is not one line.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => {
                let unreadable = |error| SecretError::Unreadable { path: path.clone(), error };
                let mut text = String::new();
                let file = File::open(path).map_err(unreadable)?;
                file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
                text
            }
            Self::Variable(name) => std::env::var(name).map_err(|_| SecretError::Unset(name.clone()))?,
        };
        let secret = text.trim();
        if secret.is_empty() || secret.len() as u64 > SECRET_BYTES_MAX || secret.chars().any(char::is_control) {
            return Err(SecretError::Unfit(self.clone()));
        }
        Ok(Secret::new(secret))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_secret_is_one_line_of_a_file_as_it_is_now() {
        // what stands in the file | the secret
        let table = [
            ("hunter2\n", Some("hunter2")),
            ("  hunter2 \r\n\n", Some("hunter2")),
            ("", None),
            (" \n", None),
            ("hunter2\nhunter3\n", None),
        ];
        let directory = tempfile::tempdir().unwrap();
        let source = SecretSource::File(directory.path().join("secret"));
        for (text, expected) in table {
            fs::write(directory.path().join("secret"), text).unwrap();
            let read = source.read();
            assert_eq!(read.as_ref().ok().map(Secret::expose), expected, "{text:?}");
            let shown = format!("{read:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        fs::write(directory.path().join("secret"), "x".repeat(70_000)).unwrap();
        assert!(source.read().unwrap_err().to_string().contains("on one line"));
        fs::remove_file(directory.path().join("secret")).unwrap();
        assert!(source.read().unwrap_err().to_string().contains("cannot be read"));
        let unset = SecretSource::Variable("TRUEUP_NO_SUCH_VARIABLE".to_owned()).read().unwrap_err();
        assert_eq!(unset.to_string(), "the environment variable `TRUEUP_NO_SUCH_VARIABLE` is not set");
    }
}
