//! Short names for things that must not be repeated, and numbers that look like chance.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// SHA-256 over these parts, each delimited from the next.
pub(super) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// The first 128 bits of [`digest`], as hexadecimal digits.
pub(super) fn short(parts: &[&str]) -> String {
    hex(&digest(parts)[..16])
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        assert_eq!(short(&["ab", "c"]), short(&["ab", "c"]));
        assert_ne!(short(&["ab", "c"]), short(&["a", "bc"]));
        assert_eq!(hex(&[0, 0x0f, 0xff]), "000fff");
    }
}
