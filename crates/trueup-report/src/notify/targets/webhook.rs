//! The generic webhook: the event's line of JSON, signed so that the receiver can verify the sender.

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use trueup_core::report::{Event, json_line};
use url::Url;

use super::reader::Reader;
use super::{Key, Table, address};
use crate::notify::deliver::{Attempt, Deliver, Outlets};
use crate::notify::digest::hex;
use crate::notify::transport::Request;
use crate::secret::{Secret, SecretSource};

/// Posts each event as JSON, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The URL that events are posted to.
    pub url: SecretSource,
    /// The secret that they are signed with.
    pub secret: SecretSource,
}

/// The keys of its table, in addition to those of every table.
pub(super) const KEYS: &[Key] = &[Key::UrlFile, Key::UrlEnv, Key::SecretFile, Key::SecretEnv, Key::Events];

impl Webhook {
    /// Reads the target's own keys.
    pub(super) fn read(table: &Table, reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.url(table.url_file.as_ref(), table.url_env.as_ref());
        let secret = reader.secret("secret", table.secret_file.as_ref(), table.secret_env.as_ref());
        url.zip(secret).map(|(url, secret)| Self { url, secret })
    }

    fn request(&self, event: &Event, id: &str, now: Timestamp) -> Result<Request, String> {
        let url = address::read(&self.url)?;
        let secret = self.secret.read().map_err(|error| error.to_string())?;
        Ok(request(url, &secret, body(event), id, event.what.name(), now))
    }
}

#[async_trait]
impl Deliver<Event> for Webhook {
    async fn deliver(&self, event: &Event, id: &str, by: &Outlets) -> Attempt {
        match self.request(event, id, by.clock.now()) {
            Ok(request) => by.post(request, |_, _| false).await,
            Err(error) => Attempt::Unready { error },
        }
    }
}

/// A larger event is sent as its head alone: receivers have limits of their own.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The body for an event: what stdout has, or its head alone with `"truncated": true`.
pub(in crate::notify) fn body(event: &Event) -> String {
    let line = json_line(event);
    if line.len() <= BODY_BYTES_MAX {
        return line;
    }
    let head: Value = json!({
        "time": event.time,
        "event": event.what.name(),
        "environment": event.environment,
        "application": event.application,
        "revision": event.revision,
        "truncated": true,
    });
    head.to_string()
}

/// The request for a body, signed at this time. `id` is the same however often it is sent.
fn request(url: Url, secret: &Secret, body: String, id: &str, name: &str, now: Timestamp) -> Request {
    let headers = vec![
        ("Trueup-Event", name.to_owned()),
        ("Trueup-Delivery", id.to_owned()),
        ("Trueup-Signature", signature(secret, &body, now.as_second())),
    ];
    Request { url, headers, body }
}

/// `t=UNIX,v1=HEX`: HMAC-SHA256 over the time's digits, a full stop, and the body.
fn signature(secret: &Secret, body: &str, seconds: i64) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    let mac = mac.chain_update(seconds.to_string()).chain_update(".").chain_update(body);
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use trueup_core::report::What;

    use super::*;
    use crate::notify::subject::tests::{event, held};

    #[test]
    fn a_signature_is_what_the_documentation_computes() {
        // printf '%s' '1800000000.{"a":1}' | openssl dgst -sha256 -hmac not-a-real-secret
        let expected = "t=1800000000,v1=69671ddee30dc41f28d3bc09d421c51c956604d9f8171485c9acbc103bdfe476";
        let signed = signature(&Secret::new("not-a-real-secret"), "{\"a\":1}", 1_800_000_000);
        assert_eq!(signed, expected);
        assert_ne!(signed, signature(&Secret::new("not-a-real-secret"), "{\"a\":1}", 1_800_000_001));
        assert_ne!(signed, signature(&Secret::new("not-a-real-secret"), "{\"a\":2}", 1_800_000_000));
        assert_ne!(signed, signature(&Secret::new("another-secret"), "{\"a\":1}", 1_800_000_000));
    }

    #[test]
    fn what_is_sent_is_the_line_of_stdout_or_its_head() {
        let event = event("a", held("x"));
        assert_eq!(body(&event), json_line(&event));
        let mut large = event.clone();
        large.what = What::SourceFailed { message: "x".repeat(300_000), hint: None, last_success: None };
        let sent: Value = serde_json::from_str(&body(&large)).unwrap();
        assert_eq!((&sent["event"], &sent["truncated"]), (&json!("source.failed"), &json!(true)));
    }
}
