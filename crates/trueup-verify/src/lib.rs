//! Commit signatures against allowed signers: who signed a commit, and whether they may.
//!
//! [`AllowedSigners`] is what an operator trusts: lines of OpenSSH's `allowed_signers`, and OpenPGP public keys. What git keeps in a
//! commit's `gpgsig` header is verified against them (git's own documentation: "signature-format"). Nothing here reads a
//! file, a repository or a clock, or asks a key server.

mod commit;
mod openpgp;
mod refused;
mod signer;
mod signers;
mod ssh;

pub use self::refused::{Refused, SignersError};
pub use self::signer::Signer;
pub use self::signers::AllowedSigners;
