//! Pages that a daemon serves over HTTP.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HOST;

use crate::service::{Asked, Reply, Service};

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The status, from 200 to 599; any other becomes 500.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// Renders the page for a path and its query, both as received. Must not block.
type Make = Box<dyn Fn(&str, Option<&str>) -> Page + Send + Sync>;

/// Answers GET and HEAD with pages.
pub struct Pages {
    make: Make,
    /// The path that is answered whatever the rates are.
    free: &'static str,
}

impl Pages {
    /// Pages that `make` renders for a path and its query, both as received. It must not block. The path `free` has
    /// no rate limit: load from other clients must not change its answer.
    pub fn new(free: &'static str, make: impl Fn(&str, Option<&str>) -> Page + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), free }
    }
}

impl Service for Pages {
    const NAME: &'static str = "reports";
    const THREAD: &'static str = "trueup-reports";

    async fn answer(&self, request: Asked<'_>) -> Reply {
        if !request.is_read() {
            let why = "only GET and HEAD are allowed: this address is read-only";
            return Reply { allow: Some("GET, HEAD"), ..refused(StatusCode::METHOD_NOT_ALLOWED, why) };
        }
        if request.is_to_loopback() && !names_this_machine(&request) {
            return refused(StatusCode::MISDIRECTED_REQUEST, "this is not the host that the request names");
        }
        if request.path() != self.free && !request.keeps_to_rates() {
            let why = "too many requests";
            return Reply { retry_after: Some("1"), ..refused(StatusCode::TOO_MANY_REQUESTS, why) };
        }
        let Page { status, content_type, body } = (self.make)(request.path(), request.query());
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply { content_type, ..Reply::json(status, body) }
    }
}

fn refused(status: StatusCode, why: &'static str) -> Reply {
    // The sentences are ours and hold nothing that JSON would have to escape.
    let body = format!("{{\"error\":\"{why}\"}}\n");
    Reply { complaint: Some(why), ..Reply::json(status, body) }
}

/// Whether a request to a loopback address names this machine: a foreign page in a local browser, whose name was
/// rebound to our address (DNS rebinding), would send its own name.
fn names_this_machine(request: &Asked<'_>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        // HTTP/1.0 knows no hosts, and no browser speaks it.
        (None, _) => true,
        (Some(host), None) => host.to_str().is_ok_and(is_address_or_localhost),
        (Some(_), Some(_)) => false,
    }
}

fn is_address_or_localhost(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::is_address_or_localhost;

    #[test]
    fn a_name_of_somebody_else_is_not_this_machine() {
        for host in ["127.0.0.1", "127.0.0.1:7171", "[::1]:7171", "[::1]", "localhost", "LOCALHOST:80", "10.0.0.1:1"] {
            assert!(is_address_or_localhost(host), "{host}");
        }
        for host in
            ["evil.example", "evil.example:7171", "localhost.evil.example", "127.0.0.1.evil.example", "", ":1", "[]"]
        {
            assert!(!is_address_or_localhost(host), "{host}");
        }
    }
}
