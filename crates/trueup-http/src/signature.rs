//! The sender of a message and its proof of a secret: checked from headers and the raw body, before the body is
//! parsed.

use hyper::HeaderMap;

use crate::answer::Refused;
use crate::replays::Delivery;
use crate::secrets::Secrets;

/// How far the signed time of a generic webhook may be from ours, in seconds. As wide as Stripe's and Slack's: clocks go
/// wrong by minutes at most, and what is replayed within is remembered.
const TOLERANCE_SECONDS: i64 = 300;

/// The longest id of a delivery that is taken; a UUID has 36 characters.
const DELIVERY_BYTES_MAX: usize = 128;

/// Whose words the message is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// GitHub, and what imitates it.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Anything that can compute an HMAC.
    Generic,
}

/// What the headers claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'h> {
    pub(crate) provider: Provider,
    proof: Proof<'h>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof<'h> {
    /// The body's HMAC.
    Body([u8; 32]),
    /// The secret itself, with the id of the event.
    Token { token: &'h [u8], event: &'h [u8] },
    /// The HMAC of `TIMESTAMP.DELIVERY.` and the body.
    Stamped { tag: [u8; 32], timestamp: &'h [u8], delivery: &'h [u8] },
}

impl<'h> Claim<'h> {
    /// Reads the claim. One header decides: Gitea and Forgejo send GitHub's in addition to their own, with the same
    /// HMAC.
    ///
    /// Sources: GitHub docs, "Validating webhook deliveries" (`X-Hub-Signature-256: sha256=HEX`); GitLab docs, "Webhooks"
    /// (`X-Gitlab-Token`, `X-Gitlab-Event-UUID`); Gitea docs, "Webhooks" (`X-Gitea-Signature: HEX`), Forgejo docs, "Webhooks"
    /// (`X-Forgejo-Signature: HEX`).
    pub(crate) fn of(headers: &'h HeaderMap) -> Result<Self, Refused> {
        if let Some(signature) = once(headers, "x-trueup-signature")? {
            let timestamp = once(headers, "x-trueup-timestamp")?.ok_or(Refused::MalformedHeader)?;
            let delivery = once(headers, "x-trueup-delivery")?.ok_or(Refused::MalformedHeader)?;
            // No dot, so that the signed text can be taken apart in one way only.
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !(1..=DELIVERY_BYTES_MAX).contains(&delivery.len()) || !delivery.iter().all(is_name) {
                return Err(Refused::MalformedHeader);
            }
            let proof = Proof::Stamped { tag: prefixed(signature)?, timestamp, delivery };
            return Ok(Self { provider: Provider::Generic, proof });
        }
        if let Some(token) = once(headers, "x-gitlab-token")? {
            let event = once(headers, "x-gitlab-event-uuid")?.unwrap_or_default();
            return Ok(Self { provider: Provider::GitLab, proof: Proof::Token { token, event } });
        }
        for name in ["x-forgejo-signature", "x-gitea-signature"] {
            if let Some(signature) = once(headers, name)? {
                return Ok(Self { provider: Provider::Gitea, proof: Proof::Body(tag(signature)?) });
            }
        }
        if let Some(signature) = once(headers, "x-hub-signature-256")? {
            return Ok(Self { provider: Provider::GitHub, proof: Proof::Body(prefixed(signature)?) });
        }
        // `X-Hub-Signature` alone is an HMAC-SHA1, which GitHub keeps for the past.
        Err(Refused::Unsigned)
    }

    /// Checks the claim. Returns the delivery's identity, which covers everything that is signed: changing an
    /// unsigned header changes nothing. A token signs nothing, but its holder needs no replay.
    pub(crate) fn check(&self, secrets: &Secrets, body: &[u8], now_seconds: i64) -> Result<Delivery, Refused> {
        match self.proof {
            Proof::Body(tag) => genuine(secrets.signed(&[body], &tag)).map(|()| Delivery::of(b"", body)),
            Proof::Token { token, event } => genuine(secrets.contain(token)).map(|()| Delivery::of(event, body)),
            Proof::Stamped { tag, timestamp, delivery } => {
                let stamp = [timestamp, b".", delivery, b"."].concat();
                genuine(secrets.signed(&[&stamp, body], &tag))?;
                let signed = seconds(timestamp).ok_or(Refused::MalformedHeader)?;
                if signed.abs_diff(now_seconds) > TOLERANCE_SECONDS.unsigned_abs() {
                    return Err(Refused::Stale);
                }
                Ok(Delivery::of(&stamp, body))
            }
        }
    }
}

/// The value of a header that may be there once.
pub(crate) fn once<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, Refused> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|value| value.as_bytes().trim_ascii())),
        (_, Some(_)) => Err(Refused::MalformedHeader),
    }
}

fn genuine(fits: bool) -> Result<(), Refused> {
    if fits { Ok(()) } else { Err(Refused::WrongSignature) }
}

/// `sha256=` and 64 hexadecimal digits.
fn prefixed(text: &[u8]) -> Result<[u8; 32], Refused> {
    tag(text.strip_prefix(b"sha256=").ok_or(Refused::WrongSignature)?)
}

/// 64 hexadecimal digits.
fn tag(text: &[u8]) -> Result<[u8; 32], Refused> {
    let mut tag = [0; 32];
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != tag.len() || !rest.is_empty() {
        return Err(Refused::WrongSignature);
    }
    for (byte, [high, low]) in tag.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let value = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low);
        *byte = value.ok_or(Refused::WrongSignature)?;
    }
    Ok(tag)
}

/// Seconds since 1970, digits only.
fn seconds(text: &[u8]) -> Option<i64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}
