//! Who may sign, and the question whether one of them did.

use jiff::Timestamp;

use crate::openpgp::Certificate;
use crate::refused::{Refused, SignersError};
use crate::signer::Signer;
use crate::ssh::SshSigner;
use crate::{commit, openpgp, ssh};

/// A signature of a commit is some hundred bytes; one by a large key with much around it some thousand.
const SIGNATURE_BYTES_MAX: usize = 64 * 1024;

/// A list of signers has a line or a key for each.
const SIGNERS_BYTES_MAX: usize = 1024 * 1024;

/// Who may sign commits.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners {
    ssh: Vec<SshSigner>,
    openpgp: Vec<Certificate>,
}

impl AllowedSigners {
    /// Adds the lines of OpenSSH's `allowed_signers` (ssh-keygen(1), "ALLOWED SIGNERS"): principals, options, key. Of the options,
    /// `namespaces`, `valid-after` and `valid-before` are known; times without `Z` are UTC.
    ///
    /// # Errors
    /// When a line is none, or wants a certificate authority. Then none of them is added.
    pub fn add_ssh(&mut self, text: &str) -> Result<(), SignersError> {
        bounded(text)?;
        self.ssh.extend(ssh::signers(text)?);
        Ok(())
    }

    /// Adds armored OpenPGP public keys, one block or several after each other.
    ///
    /// # Errors
    /// When there is none, one cannot be read, or one is a private key. Then none of them is added.
    pub fn add_openpgp(&mut self, armored: &str) -> Result<(), SignersError> {
        bounded(armored)?;
        self.openpgp.extend(openpgp::certificates(armored)?);
        Ok(())
    }

    /// Whether no signer is allowed.
    pub fn is_empty(&self) -> bool {
        self.ssh.is_empty() && self.openpgp.is_empty()
    }

    /// Who signed a commit, by the raw commit object. The time at which the key must be valid is the committer's.
    ///
    /// # Errors
    /// When nobody did who may.
    pub fn verify_commit(&self, object: &[u8]) -> Result<Signer, Refused> {
        let parts = commit::part(object);
        let committed = parts.committed().ok_or(Refused::Malformed)?;
        self.verify(parts.signature.as_deref(), &parts.payload, committed)
    }

    /// The signer of a git object: `signature` is the content of a commit's `gpgsig` header, `payload` the commit
    /// without that header, and `committed` the time at which the key must be valid.
    ///
    /// # Errors
    /// When nobody did who may.
    pub fn verify(&self, signature: Option<&[u8]>, payload: &[u8], committed: Timestamp) -> Result<Signer, Refused> {
        let Some(signature) = signature.filter(|signature| !signature.trim_ascii().is_empty()) else {
            return Err(Refused::Unsigned);
        };
        let text = std::str::from_utf8(signature).map_err(|_| Refused::Malformed)?.trim();
        if text.len() > SIGNATURE_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        if text.starts_with("-----BEGIN SSH SIGNATURE-----") {
            ssh::verify(&self.ssh, text, payload, committed)
        } else if text.starts_with("-----BEGIN PGP SIGNATURE-----") || text.starts_with("-----BEGIN PGP MESSAGE-----") {
            openpgp::verify(&self.openpgp, text, payload, committed)
        } else if text.starts_with("-----BEGIN SIGNED MESSAGE-----") || text.starts_with("-----BEGIN PKCS7-----") {
            Err(Refused::Unsupported { what: "X.509 signatures" })
        } else {
            Err(Refused::Malformed)
        }
    }
}

fn bounded(text: &str) -> Result<(), SignersError> {
    if text.len() > SIGNERS_BYTES_MAX {
        let message = format!("the list of signers is larger than {SIGNERS_BYTES_MAX} bytes");
        return Err(SignersError::whole(message, "is it the right file?"));
    }
    Ok(())
}
