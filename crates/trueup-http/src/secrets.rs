//! The secrets that senders prove to know: read from a file, again for every request, or given once; and never shown.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac};
use sha2::Sha256;

/// Shorter secrets can be guessed. 16 bytes that are random are 2^64 tries at least, even as hexadecimal digits.
const SECRET_BYTES_MIN: usize = 16;

/// More than anybody rotates through; each request is compared with all.
const SECRETS_MAX: usize = 16;

/// A file that is larger holds something else than secrets.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// One secret: the HMAC with it as the key, so that the text itself is not kept.
#[derive(Clone)]
struct Secret {
    keyed: Hmac<Sha256>,
    /// The secret's HMAC under itself, to compare tokens with in constant time, whatever their lengths.
    own: [u8; 32],
}

impl Secret {
    fn new(text: &[u8]) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(text).expect("HMAC takes keys of any length");
        let own = keyed.clone().chain_update(text).finalize().into_bytes().into();
        Self { keyed, own }
    }
}

/// The secrets of one reading. A sender may use any of them.
pub(crate) struct Secrets(Vec<Secret>);

/// Shows nothing: not the secrets, not their lengths.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// One secret on each line. Space around it does not belong to it, and lines without anything are passed over.
    fn parse(text: &[u8]) -> Result<Self, Flaw> {
        let mut secrets = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if line.len() < SECRET_BYTES_MIN {
                return Err(Flaw::Short { line: index + 1, bytes: line.len() });
            }
            secrets.push(Secret::new(line));
        }
        match secrets.len() {
            0 => Err(Flaw::Empty),
            1..=SECRETS_MAX => Ok(Self(secrets)),
            _ => Err(Flaw::Many),
        }
    }

    /// Whether `tag` is the HMAC-SHA256 of these parts, one after the other, under any of the secrets. In constant time
    /// for as many secrets.
    pub(crate) fn signed(&self, parts: &[&[u8]], tag: &[u8; 32]) -> bool {
        self.0.iter().fold(false, |fits, secret| {
            let mac = parts.iter().fold(secret.keyed.clone(), Mac::chain_update);
            mac.verify_slice(tag).is_ok() | fits
        })
    }

    /// Whether `token` is one of the secrets. In constant time for as many secrets and as long a token.
    pub(crate) fn contain(&self, token: &[u8]) -> bool {
        self.0.iter().fold(false, |fits, secret| {
            secret.keyed.clone().chain_update(token).verify_slice(&secret.own).is_ok() | fits
        })
    }
}

/// Why the source of the secrets cannot be used. Never repeats its content.
#[derive(Debug, thiserror::Error)]
#[error("cannot take the webhook's secret from `{place}`: {flaw}")]
pub struct SecretError {
    /// A file's path, or a variable's name.
    place: String,
    flaw: Flaw,
}

impl SecretError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match &self.flaw {
            Flaw::Unreadable(_) => "name a file that this user may read: `openssl rand -hex 32 > FILE` creates one",
            Flaw::Empty | Flaw::Short { .. } => {
                "`openssl rand -hex 32` generates a good secret; several lines are several"
            }
            Flaw::Many | Flaw::Large => "it holds the secret on a line of its own, and nothing else",
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is empty")]
    Empty,
    #[error("the secret on line {line} has {bytes} bytes; at least {SECRET_BYTES_MIN} are needed")]
    Short { line: usize, bytes: usize },
    #[error("it holds more than {SECRETS_MAX} secrets")]
    Many,
    #[error("it is larger than {FILE_BYTES_MAX} bytes")]
    Large,
}

/// Where the secrets are: one a line, any of them is good, so that a new one can be added before the old one goes.
#[derive(Debug)]
pub struct SecretSource(Source);

#[derive(Debug)]
enum Source {
    File { path: PathBuf, good: Mutex<Good> },
    Given(Arc<Secrets>),
}

/// The last secrets that could be read.
#[derive(Debug)]
struct Good {
    secrets: Arc<Secrets>,
    /// Whether it was logged that the file has become unusable.
    told: bool,
}

impl SecretSource {
    /// A file. Reads it for the first time.
    ///
    /// # Errors
    /// When it cannot be read, holds no secret, or one of less than 16 bytes.
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, SecretError> {
        let path = path.into();
        let secrets = Arc::new(read(&path).map_err(|flaw| SecretError { place: path.display().to_string(), flaw })?);
        Ok(Self(Source::File { path, good: Mutex::new(Good { secrets, told: false }) }))
    }

    /// The secrets themselves, out of the environment variable of that name: they stay as they are.
    ///
    /// # Errors
    /// When it holds no secret, or one of less than 16 bytes.
    pub fn given(variable: &str, text: &str) -> Result<Self, SecretError> {
        let secrets = Secrets::parse(text.as_bytes());
        let secrets = secrets.map_err(|flaw| SecretError { place: variable.to_owned(), flaw })?;
        Ok(Self(Source::Given(Arc::new(secrets))))
    }

    /// The secrets as they are now: a file is read again, so that a rotation needs no restart. Those read last stay good
    /// while the file is missing or wrong: somebody is about to write it.
    pub(crate) fn current(&self) -> Arc<Secrets> {
        let (path, good) = match &self.0 {
            Source::Given(secrets) => return Arc::clone(secrets),
            Source::File { path, good } => (path, good),
        };
        let mut good = good.lock().unwrap_or_else(PoisonError::into_inner);
        match read(path) {
            Ok(secrets) => *good = Good { secrets: Arc::new(secrets), told: false },
            Err(flaw) => {
                if !std::mem::replace(&mut good.told, true) {
                    let file = path.display();
                    tracing::warn!(%file, error = %flaw, "The webhook secrets cannot be read; the previous ones stay valid.");
                }
            }
        }
        Arc::clone(&good.secrets)
    }
}

fn read(path: &Path) -> Result<Secrets, Flaw> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(Flaw::Unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(Flaw::Unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Flaw::Large);
    }
    Secrets::parse(&text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const OLD: &str = "old-secret-0123456789";
    const NEW: &str = "new-secret-0123456789";

    fn tag(secret: &str, text: &[u8]) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(text).finalize().into_bytes().into()
    }

    #[test]
    fn a_file_without_a_good_secret_is_refused_with_what_to_do_and_without_the_secret() {
        // what stands in the file | a part of the message
        let table = [
            ("", "it is empty"),
            ("\n \r\n\n", "it is empty"),
            ("hunter2", "line 1 has 7 bytes; at least 16"),
            ("a-secret-that-is-long-enough\n\nhunter2hunter2\n", "line 3 has 14 bytes"),
            (&"a-secret-that-is-long-enough\n".repeat(17), "more than 16 secrets"),
            (&"x".repeat(70_000), "larger than 65536 bytes"),
        ];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        for (text, message) in table {
            fs::write(&path, text).unwrap();
            let mut errors = vec![SecretSource::file(&path).unwrap_err()];
            // A variable cannot be larger than the system allows.
            errors.extend(SecretSource::given("TRUEUP_WEBHOOK_SECRET", text).err());
            for error in errors {
                let told = format!("{error} {} {error:?}", error.hint());
                assert!(told.contains(message) || text.len() > 65_536, "{told}");
                assert!(!told.contains("hunter2"), "{told}");
            }
        }
        let error = SecretSource::file(directory.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("it cannot be read"), "{error}");
    }

    #[test]
    fn secrets_are_read_again_and_the_last_good_ones_stay_while_the_file_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let good = |file: &SecretSource| {
            let secrets = file.current();
            [OLD, NEW].map(|secret| {
                let is_token = secrets.contain(secret.as_bytes());
                assert_eq!(secrets.signed(&[b"a", b"", b"bc"], &tag(secret, b"abc")), is_token);
                is_token
            })
        };
        fs::write(&path, format!("{OLD}\r\n")).unwrap();
        let file = SecretSource::file(&path).unwrap();
        assert_eq!(good(&file), [true, false]);
        fs::write(&path, format!("{OLD}\n  {NEW}\n")).unwrap();
        assert_eq!(good(&file), [true, true]);
        fs::write(&path, NEW).unwrap();
        assert_eq!(good(&file), [false, true]);
        fs::write(&path, "").unwrap();
        assert_eq!(good(&file), [false, true]);
        fs::remove_file(&path).unwrap();
        assert_eq!(good(&file), [false, true]);
        fs::write(&path, OLD).unwrap();
        assert_eq!(good(&file), [true, false]);
    }

    #[test]
    fn several_lines_of_a_variable_are_several_secrets() {
        let given = SecretSource::given("TRUEUP_WEBHOOK_SECRET", &format!("{OLD}\n  {NEW}\r\n")).unwrap();
        for (secret, is_one) in [(OLD, true), (NEW, true), ("another-secret-012345", false)] {
            assert_eq!(given.current().contain(secret.as_bytes()), is_one, "{secret}");
        }
        let printed = format!("{given:?}");
        assert!(printed.contains("Secrets(…)") && !printed.contains("-secret-"), "{printed}");
    }

    #[test]
    fn secrets_cannot_be_printed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, OLD).unwrap();
        let file = SecretSource::file(&path).unwrap();
        let printed = format!("{file:?} {:#?}", file.current());
        assert!(printed.contains("Secrets(…)") && !printed.contains("old-secret"), "{printed}");
        assert!(!printed.contains("Hmac") && !printed.contains("own"), "{printed}");
    }
}
