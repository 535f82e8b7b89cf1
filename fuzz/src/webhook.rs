//! Webhooks: headers and bodies from unknown senders.

use std::sync::OnceLock;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use sha2::Sha256;
use tempfile::TempDir;
use trueup_http::{Answer, Place, Receiver, SecretSource, Watched};

const SECRET: &str = "a-secret-of-the-webhook";
const NOW: i64 = 1_800_000_000;
const DELIVERY: &str = "one";

/// Header lines, an empty line, a body. It is unsigned and must be refused; signed as each provider
/// signs, it is answered, whatever its content.
pub fn webhook(data: &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &b""[..]), |end| (&data[..end], &data[end + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    assert!(matches!(receiver().receive(&headers, body), Answer::Refused(_)), "nobody signed it");
    for signed in signed(&headers, body) {
        receiver().receive(&signed, body);
    }
    if let Some(place) = Place::parse(&String::from_utf8_lossy(body)) {
        assert_eq!(Some(&place), Place::parse(&String::from_utf8_lossy(body)).as_ref());
    }
}

/// The headers with each provider's signature added.
fn signed(headers: &HeaderMap, body: &[u8]) -> Vec<HeaderMap> {
    let tag = |text: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
        let tag = mac.chain_update(text).finalize().into_bytes();
        tag.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let with = |pairs: &[(&'static str, String)]| {
        let mut headers = headers.clone();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_str(value).expect("hexadecimal digits and names"));
        }
        headers
    };
    vec![
        with(&[("x-hub-signature-256", format!("sha256={}", tag(body))), ("x-github-event", "push".to_owned())]),
        with(&[("x-gitlab-token", SECRET.to_owned()), ("x-gitlab-event", "Push Hook".to_owned())]),
        with(&[("x-gitea-signature", tag(body)), ("x-gitea-event", "push".to_owned())]),
        with(&[
            ("x-trueup-timestamp", NOW.to_string()),
            ("x-trueup-delivery", DELIVERY.to_owned()),
            (
                "x-trueup-signature",
                format!("sha256={}", tag(&[format!("{NOW}.{DELIVERY}.").as_bytes(), body].concat())),
            ),
        ]),
    ]
}

fn receiver() -> Receiver {
    static SECRETS: OnceLock<TempDir> = OnceLock::new();
    let directory = SECRETS.get_or_init(|| {
        let directory = tempfile::tempdir().expect("there is a place for files");
        std::fs::write(directory.path().join("secret"), SECRET).expect("it can be written");
        directory
    });
    let secrets = SecretSource::file(directory.path().join("secret")).expect("it is long enough");
    let watched = Watched {
        repository: Place::parse("https://git.example.com/team/state.git").into_iter().collect(),
        branch: "main".to_owned(),
    };
    Receiver::new(secrets, watched, || NOW, || {})
}
