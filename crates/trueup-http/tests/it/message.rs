//! Messages of all providers, signed as they sign, and a receiver that counts what they trigger.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use sha2::Sha256;
use tempfile::TempDir;
use trueup_http::{Answer, Place, Receiver, SecretSource, Watched};

pub const SECRET: &str = "a-secret-of-the-webhook";
pub const OTHER: &str = "a-secret-of-somebody-else";
/// When the tests take place, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

pub const GITHUB_PUSH: &str = include_str!("../payloads/github-push.json");
pub const GITHUB_PING: &str = include_str!("../payloads/github-ping.json");
pub const GITLAB_PUSH: &str = include_str!("../payloads/gitlab-push.json");
pub const GITLAB_SYSTEM_PUSH: &str = include_str!("../payloads/gitlab-system-push.json");
pub const GITEA_PUSH: &str = include_str!("../payloads/gitea-push.json");

/// The HMAC of a text, in hexadecimal digits.
pub fn hmac(secret: &str, text: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    let tag = mac.chain_update(text).finalize().into_bytes();
    tag.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// A message: what stands in its headers, and its body.
#[derive(Clone, Debug)]
pub struct Message {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn new(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { headers, body: body.as_ref().to_owned() }
    }

    /// As GitHub sends it.
    pub fn github(event: &str, body: &str) -> Self {
        let signature = format!("sha256={}", hmac(SECRET, body.as_bytes()));
        let headers = [
            ("user-agent", "GitHub-Hookshot/044aadd"),
            ("content-type", "application/json"),
            ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("x-github-event", event),
            ("x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"),
            ("x-hub-signature-256", &signature),
        ];
        Self::new(&headers, body)
    }

    /// As GitLab sends it.
    pub fn gitlab(event: &str, body: &str) -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", "GitLab/17.4.0"),
            ("x-gitlab-event", event),
            ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"),
            ("x-gitlab-instance", "https://gitlab.com"),
            ("x-gitlab-token", SECRET),
            ("x-gitlab-webhook-uuid", "02affd2d-2cba-4033-917d-ec22d5dc4b38"),
        ];
        Self::new(&headers, body)
    }

    /// As Gitea sends it, with GitHub's headers beside its own.
    pub fn gitea(event: &str, body: &str) -> Self {
        let tag = hmac(SECRET, body.as_bytes());
        let prefixed = format!("sha256={tag}");
        let headers = [
            ("content-type", "application/json"),
            ("x-gitea-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473"),
            ("x-gitea-event", event),
            ("x-gitea-signature", &tag),
            ("x-gogs-event", event),
            ("x-gogs-signature", &tag),
            ("x-github-event", event),
            ("x-hub-signature-256", &prefixed),
        ];
        Self::new(&headers, body)
    }

    /// As Forgejo sends it.
    pub fn forgejo(event: &str, body: &str) -> Self {
        let tag = hmac(SECRET, body.as_bytes());
        let headers = [("content-type", "application/json"), ("x-forgejo-event", event), ("x-forgejo-signature", &tag)];
        Self::new(&headers, body)
    }

    /// As `docs/triggers.md` tells everybody else to.
    pub fn generic(timestamp: &str, delivery: &str, body: &str) -> Self {
        let signature = format!("sha256={}", hmac(SECRET, format!("{timestamp}.{delivery}.{body}").as_bytes()));
        let headers =
            [("x-trueup-timestamp", timestamp), ("x-trueup-delivery", delivery), ("x-trueup-signature", &signature)];
        Self::new(&headers, body)
    }

    /// With another value of a header, or one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a header once more.
    pub fn with_second(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    /// With another body, and the signature of the first.
    pub fn with_body(mut self, body: &str) -> Self {
        body.as_bytes().clone_into(&mut self.body);
        self
    }

    pub fn header_map(&self) -> HeaderMap {
        let parsed = self.headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().expect("tests write names of headers");
            (name, HeaderValue::from_bytes(value.as_bytes()).expect("tests write values of headers"))
        });
        let mut map = HeaderMap::new();
        for (name, value) in parsed {
            map.append(name, value);
        }
        map
    }

    /// The headers as they go over the wire.
    pub fn header_lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat()
    }

    /// As it goes over the wire.
    pub fn wire(&self) -> Vec<u8> {
        let headers = self.header_lines();
        let head = format!(
            "POST /webhook HTTP/1.1\r\nhost: trueup.example.com\r\n{headers}content-length: {}\r\n\r\n",
            self.body.len()
        );
        [head.as_bytes(), &self.body].concat()
    }
}

/// A receiver for the repository of the payloads, with a secret file of its own.
pub struct Desk {
    pub receiver: Receiver,
    pub triggered: Arc<AtomicUsize>,
    now: Arc<AtomicI64>,
    pub directory: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("secret"), SECRET).expect("a file");
        let secrets = SecretSource::file(directory.path().join("secret")).expect("the secret is good");
        let names = [
            "git@github.com:example/state.git",
            "https://gitlab.com/example/platform/state",
            "https://git.example.com/platform/state.git",
        ];
        let repository = names.iter().map(|name| Place::parse(name).expect("a place")).collect();
        let triggered = Arc::new(AtomicUsize::new(0));
        let now = Arc::new(AtomicI64::new(NOW));
        let (count, clock) = (Arc::clone(&triggered), Arc::clone(&now));
        let receiver = Receiver::new(
            secrets,
            Watched { repository, branch: "main".to_owned() },
            move || clock.load(Ordering::Relaxed),
            move || {
                count.fetch_add(1, Ordering::Relaxed);
            },
        );
        Self { receiver, triggered, now, directory }
    }

    pub fn receive(&self, message: &Message) -> Answer {
        self.receiver.receive(&message.header_map(), &message.body)
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Writes the secret file anew, as a rotation does.
    pub fn write_secrets(&self, text: &str) {
        let (new, path) = (self.directory.path().join("new"), self.directory.path().join("secret"));
        std::fs::write(&new, text).and_then(|()| std::fs::rename(new, path)).expect("a file");
    }

    /// How often the trigger was called.
    pub fn triggers(&self) -> usize {
        self.triggered.load(Ordering::Relaxed)
    }
}
