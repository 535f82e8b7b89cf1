//! SSH signatures: `allowed_signers` of ssh-keygen(1), and OpenSSH's PROTOCOL.sshsig.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

use crate::refused::{Refused, SignersError};
use crate::signer::{Signer, shown};

/// What git signs for.
const NAMESPACE: &str = "git";

/// Shorter RSA keys are not taken (NIST SP 800-131A).
const RSA_BITS_MIN: usize = 2048;

/// The flag of security keys that the user touched the key (OpenSSH's PROTOCOL.u2f).
const USER_PRESENT: u8 = 1;

/// What follows a security key's signature: flags and a counter.
const SECURITY_KEY_TRAILER: usize = 5;

const LINE_HELP: &str = "write `NAME namespaces=\"git\" ssh-ed25519 AAAA…`, as in git's gpg.ssh.allowedSignersFile";

/// A line of `allowed_signers`.
#[derive(Clone, Debug)]
pub(crate) struct SshSigner {
    name: String,
    key: KeyData,
    /// Whether the key may sign for git.
    for_git: bool,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

/// Reads `allowed_signers`.
pub(crate) fn signers(text: &str) -> Result<Vec<SshSigner>, SignersError> {
    let mut signers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        signers.push(signer(number, line)?);
    }
    Ok(signers)
}

fn signer(number: usize, line: &str) -> Result<SshSigner, SignersError> {
    let wrong = |message: &str| SignersError::at(number, message, LINE_HELP);
    let (name, rest) = word(line).ok_or_else(|| wrong("a line has no key"))?;
    let (options, key) =
        if is_key(rest) { ("", rest) } else { word(rest).ok_or_else(|| wrong("a line has no key"))? };
    let key = PublicKey::from_openssh(key).map_err(|_| wrong("a key cannot be read, or is a certificate"))?;
    let mut signer = SshSigner {
        name: shown(name.trim_matches('"')),
        key: key.key_data().clone(),
        for_git: true,
        valid_after: None,
        valid_before: None,
    };
    for option in split_options(options) {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match key.to_ascii_lowercase().as_str() {
            "namespaces" => signer.for_git = lists(value, NAMESPACE),
            "valid-after" => signer.valid_after = Some(time(number, value)?),
            "valid-before" => signer.valid_before = Some(time(number, value)?),
            "cert-authority" => {
                let help = "name the signers' own keys";
                return Err(SignersError::at(number, "certificate authorities are not supported", help));
            }
            _ => return Err(wrong("an option is not known")),
        }
    }
    if let Some(what) = weakness(&signer.key) {
        return Err(SignersError::at(
            number,
            format!("a key is too weak: {what}"),
            "use Ed25519, or RSA of 2,048 bits",
        ));
    }
    Ok(signer)
}

/// The first word, quotes kept together, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })?;
    Some((&text[..end], text[end..].trim_start()))
}

/// Whether a key begins here.
fn is_key(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| text.starts_with(prefix))
}

/// Options are separated by commas outside quotes.
fn split_options(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    options
        .split(move |c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .filter(|option| !option.is_empty())
}

/// Whether a list of patterns has a name: one of them fits, and none that begins with `!` does (`ssh_config(5)`, "PATTERNS").
fn lists(patterns: &str, name: &str) -> bool {
    let (mut has, mut has_not) = (false, false);
    for pattern in patterns.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(pattern) => has_not |= fits(pattern, name),
            None => has |= fits(pattern, name),
        }
    }
    has && !has_not
}

/// Whether a name fits a pattern of `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.as_bytes(), name.as_bytes()) {
        ([], []) => true,
        ([b'*', ..], _) => fits(&pattern[1..], name) || (!name.is_empty() && fits(pattern, &name[1..])),
        ([b'?', ..], [_, ..]) => fits(&pattern[1..], &name[1..]),
        ([a, ..], [b, ..]) if a == b && a.is_ascii() => fits(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without `Z`: UTC.
fn time(number: usize, text: &str) -> Result<Timestamp, SignersError> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i16>().ok());
    let small = |from: usize, to: usize| part(from, to).and_then(|part| i8::try_from(part).ok());
    let read = || {
        let second = match digits.len() {
            8 | 12 => 0,
            14 => small(12, 14)?,
            _ => return None,
        };
        let (hour, minute) = if digits.len() == 8 { (0, 0) } else { (small(8, 10)?, small(10, 12)?) };
        let date = DateTime::new(part(0, 4)?, small(4, 6)?, small(6, 8)?, hour, minute, second, 0).ok()?;
        TimeZone::UTC.to_timestamp(date).ok()
    };
    is_digits
        .then(read)
        .flatten()
        .ok_or_else(|| SignersError::at(number, "a time cannot be read", "write it as 20270131 or 20270131235959Z"))
}

/// Verifies an SSH signature.
pub(crate) fn verify(
    signers: &[SshSigner],
    signature: &str,
    payload: &[u8],
    committed: Timestamp,
) -> Result<Signer, Refused> {
    let signature = SshSig::from_pem(signature).map_err(|_| Refused::Malformed)?;
    let public = signature.public_key();
    let key = public.fingerprint(HashAlg::Sha256).to_string();
    if matches!(public, KeyData::Other(_)) {
        return Err(Refused::Unsupported { what: "SSH certificates and keys of this kind" });
    }
    let known: Vec<&SshSigner> = signers.iter().filter(|signer| signer.key == *public).collect();
    if known.is_empty() {
        return Err(Refused::UnknownSigner { key });
    }
    if signature.namespace() != NAMESPACE {
        return Err(Refused::OtherPurpose);
    }
    if let Some(what) = weakness(public).or_else(|| weak_signature(&signature)) {
        return Err(Refused::Weak { what: what.to_owned() });
    }
    if !was_touched(&signature) {
        return Err(Refused::Weak { what: "the security key was not touched".to_owned() });
    }
    let verified = PublicKey::new(public.clone(), "").verify(NAMESPACE, payload, &signature);
    if verified.is_err() {
        return Err(Refused::BadSignature { key });
    }
    let mut refused = Refused::OtherPurpose;
    for signer in known {
        if !signer.for_git {
            continue;
        }
        let begun = signer.valid_after.is_none_or(|after| committed >= after);
        if begun && signer.valid_before.is_none_or(|before| committed < before) {
            return Ok(Signer { name: signer.name.clone(), key });
        }
        refused = Refused::OutOfTime { key: key.clone() };
    }
    Err(refused)
}

/// The reason why a key is too weak.
fn weakness(key: &KeyData) -> Option<&'static str> {
    if key.is_dsa() {
        return Some("a DSA key");
    }
    let bits = key.rsa()?.n.as_positive_bytes().map_or(0, <[u8]>::len) * 8;
    (bits < RSA_BITS_MIN).then_some("an RSA key of less than 2,048 bits")
}

/// RSA with SHA-1 is what `ssh-rsa` alone means (RFC 8332).
fn weak_signature(signature: &SshSig) -> Option<&'static str> {
    matches!(signature.signature().algorithm(), Algorithm::Rsa { hash: None } | Algorithm::Dsa)
        .then_some("a signature with SHA-1")
}

/// Whether a security key confirms the user's presence; other keys do not record that.
fn was_touched(signature: &SshSig) -> bool {
    match signature.public_key() {
        KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => {
            let bytes = signature.signature_bytes();
            let flags = bytes.len().checked_sub(SECURITY_KEY_TRAILER).and_then(|at| bytes.get(at));
            flags.is_some_and(|flags| flags & USER_PRESENT != 0)
        }
        KeyData::Dsa(_) | KeyData::Ecdsa(_) | KeyData::Ed25519(_) | KeyData::Rsa(_) | KeyData::Other(_) | _ => true,
    }
}
