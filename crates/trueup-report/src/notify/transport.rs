//! One request to the outside: no redirects, with bounds on time and on the answer, and never to an address that only
//! the cloud's own machinery listens on.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::fmt::rfc2822;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use trueup_core::address::is_refused;
use trueup_core::report::printable;
use trueup_ports::Clock;
use url::Url;

use super::address;

/// How long a connection may take, with its name resolved and TLS agreed upon.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long one request may take with its answer.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// How much of an answer is read; none of it is reported.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// How much of an error's text is reported.
const ERROR_CHARACTERS_MAX: usize = 200;

/// The request to post.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Where to.
    pub url: Url,
    /// Headers in addition to `Content-Type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// Shows the host alone: paths and headers are secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.url.host_str().unwrap_or_default())
    }
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// How long the other side wants to be left alone.
        retry_after: Option<Duration>,
        /// The begin of its body.
        body: String,
    },
    /// None. Says why, without the URL's path.
    Failed(String),
}

/// Posts requests.
#[async_trait]
pub(super) trait Transport: Send + Sync {
    /// Posts one.
    async fn post(&self, request: Request) -> Reply;
}

/// HTTP by reqwest.
pub(super) struct Http {
    /// For everybody else; by a proxy where the environment names one.
    outside: Client,
    /// For this machine.
    loopback: Client,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// A client; it connects on demand.
    ///
    /// # Errors
    /// When the system has no TLS to offer, such as no CA certificates at all.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let outside = builder().dns_resolver(Guarded { loopback_alone: false }).build()?;
        let loopback = builder().dns_resolver(Guarded { loopback_alone: true }).no_proxy().build()?;
        Ok(Self { outside, loopback, clock })
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_MAX)
        .timeout(REQUEST_MAX)
        .pool_max_idle_per_host(1)
        .http1_max_headers(64)
}

#[async_trait]
impl Transport for Http {
    async fn post(&self, request: Request) -> Reply {
        let client = if address::is_loopback(&request.url) { &self.loopback } else { &self.outside };
        let mut post = client.post(request.url).header("Content-Type", "application/json").body(request.body);
        for (name, value) in request.headers {
            // A token cannot be printed by whatever looks at headers.
            let Ok(mut value) = HeaderValue::from_str(&value) else {
                return Reply::Failed(format!("the header `{name}` cannot be sent"));
            };
            value.set_sensitive(true);
            post = post.header(name, value);
        }
        match post.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = retry_after.and_then(|value| wanted_pause(value, &*self.clock));
                Reply::Answer { status, retry_after, body: read(answer).await }
            }
            Err(error) => Reply::Failed(told(&error.without_url())),
        }
    }
}

/// The begin of a body. What breaks off is as good as what ends.
async fn read(mut answer: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - body.len())]);
        if body.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// `Retry-After`: seconds, or a time.
///
/// Source: RFC 9110, 10.2.3.
fn wanted_pause(value: &str, clock: &dyn Clock) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(time.duration_since(clock.now()).max(jiff::SignedDuration::ZERO).unsigned_abs())
}

/// An error in words: the innermost cause, which names no URL.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    printable(&cause.to_string()).chars().take(ERROR_CHARACTERS_MAX).collect()
}

/// Resolves names and drops forbidden addresses: the owner of a name can point it anywhere.
struct Guarded {
    /// The name is this machine's, and must lead there.
    loopback_alone: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback_alone = self.loopback_alone;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(allowed(found, loopback_alone)?.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that something may be sent to.
fn allowed(found: impl Iterator<Item = SocketAddr>, loopback_alone: bool) -> std::io::Result<Vec<SocketAddr>> {
    let allowed: Vec<SocketAddr> =
        found.filter(|found| !is_refused(found.ip()) && (!loopback_alone || found.ip().is_loopback())).collect();
    if allowed.is_empty() {
        return Err(std::io::Error::other("the name leads to no address that may be used"));
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            "2015-10-21T07:27:00Z".parse().unwrap()
        }
    }

    #[test]
    fn a_pause_is_wanted_in_seconds_or_until_a_time() {
        let table = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ];
        for (value, seconds) in table {
            assert_eq!(wanted_pause(value, &Noon), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_name_that_leads_to_the_metadata_of_the_cloud_leads_nowhere() {
        // addresses | this machine alone | those that remain
        let table = [
            ("203.0.113.7:0 169.254.169.254:0", false, "203.0.113.7:0"),
            ("169.254.170.2:0", false, ""),
            ("[fd00:ec2::254]:0 [fe80::1]:0", false, ""),
            ("[::1]:0 127.0.0.1:0", true, "[::1]:0 127.0.0.1:0"),
            ("203.0.113.7:0", true, ""),
        ];
        for (found, loopback_alone, expected) in table {
            let found = found.split(' ').map(|address| address.parse().unwrap());
            let remain = allowed(found, loopback_alone).unwrap_or_default();
            assert_eq!(remain.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn requests_show_their_host_alone() {
        let url = Url::parse("https://hooks.example.com/hunter2?hunter2").unwrap();
        let request =
            Request { url, headers: vec![("Authorization", "hunter2".to_owned())], body: "hunter2".to_owned() };
        assert_eq!(format!("{request:?}"), "Request(hooks.example.com)");
    }
}
