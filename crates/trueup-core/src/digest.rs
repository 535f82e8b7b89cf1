//! The digest of a canonical document: what the tag `trueup:digest` carries.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a canonical document, as 64 lower-case hexadecimal digits.
///
/// Equal digests mean equal documents. Different digests alone prove nothing: a document may be written differently, or a
/// newer trueup may write canonical documents differently; then the comparison of fields decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Digests the bytes of a canonical document.
    pub fn of(canonical: &[u8]) -> Self {
        Self(hex(&Sha256::digest(canonical)))
    }

    /// Wraps a digest from a tag. Any text is accepted: text that is not a digest equals no digest.
    pub fn from_tag(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// The digest as the tag has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
