//! The signer of a commit, as reports name it.

/// How much of a name is shown.
const NAME_CHARACTERS_MAX: usize = 100;

/// Who signed a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The principal or user id, as the list of signers has it, fit for a terminal.
    pub name: String,
    /// The key: `SHA256:…`, or an OpenPGP fingerprint.
    pub key: String,
}

/// A name as it may be shown.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
