//! Commits from unknown authors, and lists of signers.

use trueup_verify::AllowedSigners;

/// A file of those that `trueup-verify` is tested with.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../crates/trueup-verify/tests/fixtures/", $name))
    };
}

/// The commits that were signed by an accepted signer, without their signatures.
const SIGNED: [&str; 9] = [
    fixture!("ed25519.payload"),
    fixture!("ecdsa256.payload"),
    fixture!("ecdsa384.payload"),
    fixture!("ecdsa521.payload"),
    fixture!("rsa.payload"),
    fixture!("merge.payload"),
    fixture!("pgp-ed25519.payload"),
    fixture!("pgp-rsa.payload"),
    fixture!("pgp-subkey.payload"),
];

/// The bytes are a commit object, then a list of SSH signers, then OpenPGP keys. Only signed content is accepted, whatever
/// surrounds it; lists are accepted, or refused with a line of theirs.
pub fn signatures(data: &[u8]) {
    let mut signers = AllowedSigners::default();
    signers.add_ssh(fixture!("allowed_signers")).expect("they are right");
    signers.add_openpgp(fixture!("keys.asc")).expect("they are right");
    if signers.verify_commit(data).is_ok() {
        let lines: Vec<&[u8]> = data
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(b"gpgsig") && !line.starts_with(b" "))
            .collect();
        let is_what_was_signed =
            |payload: &&str| payload.as_bytes().split(|byte| *byte == b'\n').eq(lines.iter().copied());
        assert!(SIGNED.iter().any(is_what_was_signed), "{}", String::from_utf8_lossy(data));
    }
    let text = String::from_utf8_lossy(data);
    for taken in [AllowedSigners::default().add_ssh(&text), AllowedSigners::default().add_openpgp(&text)] {
        if let Err(error) = taken {
            let lines = text.lines().count().max(1);
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error:?}");
        }
    }
}
