//! Why a signature is not taken, and why a list of signers is not.

/// Why a commit's signature is not taken. Each says so in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no signature.
    #[error("it is not signed")]
    Unsigned,
    /// It is signed with a key that is not among the allowed ones.
    #[error("it is signed with a key that is not among the allowed signers ({key})")]
    UnknownSigner {
        /// The key's fingerprint or id, if the signature has it.
        key: String,
    },
    /// The signature is not one of this commit by this key.
    #[error("the signature does not match the commit ({key})")]
    BadSignature {
        /// The key that it claims to be of.
        key: String,
    },
    /// The key was not valid at that time.
    #[error("the key was not valid at the time of the commit ({key})")]
    OutOfTime {
        /// The key.
        key: String,
    },
    /// The key was revoked.
    #[error("the key is revoked ({key})")]
    Revoked {
        /// The key.
        key: String,
    },
    /// The key is not one for signatures, or nothing of its owner says so.
    #[error("the key is not a signing key ({key})")]
    NotForSigning {
        /// The key.
        key: String,
    },
    /// The key or the hash is too weak.
    #[error("the signature is too weak: {what}")]
    Weak {
        /// The key or the hash.
        what: String,
    },
    /// The signature is for a purpose other than git.
    #[error("the signature was made for a purpose other than git")]
    OtherPurpose,
    /// It is a kind of signature that is not verified here.
    #[error("{what} are not verified")]
    Unsupported {
        /// What kind.
        what: &'static str,
    },
    /// It is no signature at all, or far too large for one.
    #[error("the signature header does not contain a signature")]
    Malformed,
}

impl Refused {
    /// The remedy, in one line.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Unsigned => "sign it (git commit -S), or a commit after it where only the head must be signed",
            Self::UnknownSigner { .. } => "if the signer may sign, add the key to the daemon's configuration",
            Self::BadSignature { .. } => {
                "the commit was changed after it was signed: find out by whom, and sign it again"
            }
            Self::OutOfTime { .. } => {
                "sign with a key that is valid, or give the renewed key to the daemon's configuration"
            }
            Self::Revoked { .. } => "sign with another key, and find out who still has this one",
            Self::NotForSigning { .. } => "sign with a signing key",
            Self::Weak { .. } => "sign with Ed25519, or with RSA of at least 2,048 bits and SHA-256",
            Self::OtherPurpose => "sign with git itself (git commit -S)",
            Self::Unsupported { .. } | Self::Malformed => "sign with an SSH or OpenPGP key (git config gpg.format)",
        }
    }
}

/// Why a list of signers cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SignersError {
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// The reason for the refusal.
    pub message: String,
    /// What to write instead.
    pub help: &'static str,
}

impl SignersError {
    pub(crate) fn at(line: usize, message: impl Into<String>, help: &'static str) -> Self {
        Self { line: Some(line), message: message.into(), help }
    }

    pub(crate) fn whole(message: impl Into<String>, help: &'static str) -> Self {
        Self { line: None, message: message.into(), help }
    }
}
