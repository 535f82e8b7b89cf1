//! OpenPGP signatures (RFC 9580): a key and what its owner says of it, and what it signed.

use jiff::Timestamp;
use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, PublicParams, Tag, VerifyingKey};

use crate::refused::{Refused, SignersError};
use crate::signer::{Signer, shown};

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const KEY_HELP: &str = "give what `gpg --armor --export NAME` prints";

/// What an RSA key of 2,048 bits takes at least: two bytes of length and 256 of the modulus, two of length and one of the
/// exponent (RFC 9580, section 5.5.5.1).
const RSA_BYTES_MIN: usize = 2 + 256 + 2 + 1;

/// A public key with its user ids and subkeys.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    key: SignedPublicKey,
    name: String,
}

/// Reads armored public keys.
pub(crate) fn certificates(armored: &str) -> Result<Vec<Certificate>, SignersError> {
    if armored.contains("PRIVATE KEY BLOCK") {
        return Err(SignersError::whole("this is a private key", KEY_HELP));
    }
    let mut certificates = Vec::new();
    let blocks = armored.match_indices(BEGIN).map(|(at, _)| at);
    for start in blocks {
        let block = &armored[start..];
        let end = block[BEGIN.len()..].find(BEGIN).map_or(block.len(), |end| BEGIN.len() + end);
        let line = armored[..start].lines().count() + 1;
        let unreadable = || SignersError::at(line, "a key cannot be read", KEY_HELP);
        let (keys, _) = SignedPublicKey::from_string_many(&block[..end]).map_err(|_| unreadable())?;
        for key in keys {
            let key = key.map_err(|_| unreadable())?;
            let name = key.details.users.first().map(|user| String::from_utf8_lossy(user.id.id()).into_owned());
            certificates.push(Certificate { name: shown(&name.unwrap_or_default()), key });
        }
    }
    if certificates.is_empty() {
        return Err(SignersError::whole("there is no OpenPGP public key", KEY_HELP));
    }
    Ok(certificates)
}

/// Verifies a detached signature.
pub(crate) fn verify(
    certificates: &[Certificate],
    signature: &str,
    payload: &[u8],
    committed: Timestamp,
) -> Result<Signer, Refused> {
    // Whatever else stands there would not be looked at.
    if signature.matches("-----BEGIN").count() != 1 || !signature.ends_with("-----END PGP SIGNATURE-----") {
        return Err(Refused::Malformed);
    }
    let (signature, _) = DetachedSignature::from_string(signature).map_err(|_| Refused::Malformed)?;
    let signature = &signature.signature;
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(Refused::OtherPurpose);
    }
    if !is_strong(signature) {
        let hash = signature.hash_alg().map_or_else(|| "an unknown hash".to_owned(), |hash| hash.to_string());
        return Err(Refused::Weak { what: format!("the hash is {}", shown(&hash)) });
    }
    let mut refused = Refused::UnknownSigner { key: issuer(signature) };
    for certificate in certificates {
        match certificate.verify(signature, payload, committed) {
            Ok(Some(signer)) => return Ok(signer),
            Ok(None) => {}
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

/// The key that a signature claims to be of.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|fingerprint| format!("{fingerprint:X}"));
    fingerprint
        .or_else(|| signature.issuer_key_id().first().map(|id| shown(&id.to_string()).to_uppercase()))
        .unwrap_or_else(|| "it does not say which".to_owned())
}

/// SHA-1 and older can be forged or soon could; nothing signed with them counts.
fn is_strong(signature: &Signature) -> bool {
    matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    )
}

/// The creation time of a signature, in seconds since 1970.
fn made(signature: &Signature) -> Option<i64> {
    signature.created().map(|created| i64::from(created.as_secs()))
}

/// Whether a signature was created before `time` and has not expired by then.
fn holds_at(signature: &Signature, time: i64) -> bool {
    let Some(made) = made(signature) else { return false };
    let lasts =
        signature.signature_expiration_time().map(|lasts| i64::from(lasts.as_secs())).filter(|lasts| *lasts > 0);
    made <= time && lasts.is_none_or(|lasts| time < made + lasts)
}

/// Whether a key with this self-signature is valid at `time`.
fn lives_at(key: &impl KeyDetails, says: &Signature, time: i64) -> bool {
    let born = i64::from(key.created_at().as_secs());
    let lasts = says.key_expiration_time().map(|lasts| i64::from(lasts.as_secs())).filter(|lasts| *lasts > 0);
    born <= time && lasts.is_none_or(|lasts| time < born + lasts)
}

/// Whether a revocation counts at `time`: one without a harmless reason counts always.
fn revokes_at(revocation: &Signature, time: i64) -> bool {
    let is_harmless =
        matches!(revocation.revocation_reason_code(), Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired));
    !is_harmless || made(revocation).is_none_or(|made| made <= time)
}

/// Whether a key is of a kind and size that counts.
fn is_strong_key(key: &(impl KeyDetails + ?Sized)) -> bool {
    let params = key.public_params();
    match params {
        PublicParams::RSA(_) => params.write_len() >= RSA_BYTES_MIN,
        PublicParams::ECDSA(_) | PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) | PublicParams::Ed448(_) => {
            true
        }
        PublicParams::DSA(_)
        | PublicParams::ECDH(_)
        | PublicParams::Elgamal(_)
        | PublicParams::X25519(_)
        | PublicParams::X448(_)
        | PublicParams::Unknown { .. } => false,
    }
}

impl Certificate {
    /// Who signed, when it was a key of this certificate; nothing when it was another.
    fn verify(&self, signature: &Signature, payload: &[u8], committed: Timestamp) -> Result<Option<Signer>, Refused> {
        let primary = &self.key.primary_key;
        if claims(signature, primary) {
            let key = format!("{:X}", primary.fingerprint());
            let says = self.self_signature(committed.as_second());
            self.judge(&key, primary, signature, payload, says, &[], committed)?;
            return Ok(Some(Signer { name: self.name.clone(), key }));
        }
        for subkey in &self.key.public_subkeys {
            if claims(signature, &subkey.key) {
                let key = format!("{:X}", subkey.key.fingerprint());
                let revocations: Vec<&Signature> =
                    of_type(&subkey.signatures, SignatureType::SubkeyRevocation).collect();
                let says = self.binding(subkey, committed.as_second());
                self.judge(&key, &subkey.key, signature, payload, says, &revocations, committed)?;
                return Ok(Some(Signer { name: self.name.clone(), key }));
            }
        }
        Ok(None)
    }

    /// Whether a key of this certificate created a signature, and was allowed to: `says` is the owner's statement
    /// about the key.
    #[expect(clippy::too_many_arguments, reason = "all that a key and its signature are judged by")]
    fn judge(
        &self,
        key: &str,
        signing: &impl VerifyingKey,
        signature: &Signature,
        payload: &[u8],
        says: Option<&Signature>,
        revocations: &[&Signature],
        committed: Timestamp,
    ) -> Result<(), Refused> {
        let key = key.to_owned();
        if !is_strong_key(signing) || !is_strong_key(&self.key.primary_key) {
            return Err(Refused::Weak { what: format!("the key is too short or of an old kind ({key})") });
        }
        if signature.verify(signing, payload).is_err() {
            return Err(Refused::BadSignature { key });
        }
        // Both times are the signer's own to say; neither may be outside of the key's life.
        let Some(signed) = made(signature) else { return Err(Refused::Malformed) };
        let times = [signed, committed.as_second()];
        let revoked = self.key.details.revocation_signatures.iter().chain(revocations.iter().copied());
        if revoked.into_iter().any(|revocation| times.iter().any(|time| revokes_at(revocation, *time))) {
            return Err(Refused::Revoked { key });
        }
        let owner = self.self_signature(committed.as_second());
        let (Some(says), Some(owner)) = (says, owner) else { return Err(Refused::NotForSigning { key }) };
        let lives =
            times.iter().all(|time| lives_at(signing, says, *time) && lives_at(&self.key.primary_key, owner, *time));
        if !lives || !holds_at(signature, signed.max(committed.as_second())) {
            return Err(Refused::OutOfTime { key });
        }
        if !says.key_flags().sign() {
            return Err(Refused::NotForSigning { key });
        }
        Ok(())
    }

    /// What the owner says of the primary key, as of a time: the newest of its signatures over itself and its user ids.
    fn self_signature(&self, time: i64) -> Option<&Signature> {
        let primary = &self.key.primary_key;
        let direct = self.key.details.direct_signatures.iter().filter(|says| says.verify_key(primary).is_ok());
        let users = self.key.details.users.iter().flat_map(|user| {
            let own = |says: &&Signature| says.verify_certification(primary, Tag::UserId, &user.id).is_ok();
            let revoked = of_type(&user.signatures, SignatureType::CertRevocation).any(|says| own(&says));
            user.signatures.iter().filter(move |says| !revoked && says.is_certification() && own(says))
        });
        newest(direct.chain(users), time)
    }

    /// What the owner says of a subkey, as of a time: the newest binding, where the subkey agrees to it (section 10.1.5).
    fn binding<'a>(&self, subkey: &'a SignedPublicSubKey, time: i64) -> Option<&'a Signature> {
        let primary = &self.key.primary_key;
        let bindings = of_type(&subkey.signatures, SignatureType::SubkeyBinding).filter(|says| {
            let agrees =
                |back: &Signature| is_strong(back) && back.verify_primary_key_binding(&subkey.key, primary).is_ok();
            says.verify_subkey_binding(primary, &subkey.key).is_ok() && says.embedded_signature().is_some_and(agrees)
        });
        newest(bindings, time)
    }
}

/// Whether a signature claims to be of this key.
fn claims(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        let id = key.legacy_key_id();
        return signature.issuer_key_id().into_iter().any(|issuer| *issuer == id);
    }
    let fingerprint = key.fingerprint();
    fingerprints.into_iter().any(|issuer| *issuer == fingerprint)
}

fn of_type(signatures: &[Signature], wanted: SignatureType) -> impl Iterator<Item = &Signature> {
    signatures.iter().filter(move |signature| signature.typ() == Some(wanted))
}

/// The newest strong statement that is valid at a time. Renewing a key replaces earlier statements; if only later
/// ones exist, the oldest of them is used.
fn newest<'a>(says: impl Iterator<Item = &'a Signature>, time: i64) -> Option<&'a Signature> {
    let strong: Vec<&Signature> = says.filter(|says| is_strong(says) && made(says).is_some()).collect();
    let then = strong.iter().copied().filter(|says| holds_at(says, time)).max_by_key(|says| made(says));
    let is_later = |says: &&Signature| made(says).is_some_and(|made| made > time);
    then.or_else(|| strong.iter().copied().filter(is_later).min_by_key(|says| made(says)))
}
