//! Answers the requests of a listener, and the context that the door passes with each.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::time::timeout;

use crate::limits::Rates;

/// Answers requests. The door limits everything that a sender could exhaust; a service asks it for those limits.
pub trait Service: Send + Sync + 'static {
    /// The name of the service in logs.
    const NAME: &'static str;
    /// The name of its thread, of at most 15 characters: Linux shows no more.
    const THREAD: &'static str;

    /// Answers a request.
    fn answer(&self, request: Asked<'_>) -> impl Future<Output = Reply> + Send;

    /// Runs in the background while the service listens.
    fn beside(&self) -> impl Future<Output = Infallible> + Send {
        std::future::pending()
    }
}

/// A request whose head was read.
pub struct Asked<'d> {
    head: Parts,
    body: Incoming,
    sender: SocketAddr,
    listener: Option<SocketAddr>,
    bounds: Bounds<'d>,
}

/// What a service asks the door for.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'d> {
    pub(crate) rates: &'d Rates,
    pub(crate) body_bytes_max: usize,
    pub(crate) body_time_max: Duration,
}

impl<'d> Asked<'d> {
    pub(crate) fn new(
        request: Request<Incoming>,
        sender: SocketAddr,
        listener: Option<SocketAddr>,
        bounds: Bounds<'d>,
    ) -> Self {
        let (head, body) = request.into_parts();
        Self { head, body, sender, listener, bounds }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        matches!(self.head.method, Method::GET | Method::HEAD)
    }

    /// The path, as received.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// The query after the path's `?`, as received.
    pub fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The address that the connection came to is one of this machine alone.
    pub fn is_to_loopback(&self) -> bool {
        self.listener.is_some_and(|listener| listener.ip().to_canonical().is_loopback())
    }

    /// Weighs the request by what it may cost. Returns whether the rates of its sender and of all senders leave room
    /// for it.
    pub fn keeps_to_rates(&self) -> bool {
        let Bounds { rates, body_bytes_max, .. } = self.bounds;
        let max = body_bytes_max as u64;
        // What does not say how large it is may be as large as is read.
        let kib = self.body.size_hint().upper().map_or(max, |bytes| bytes.min(max)).div_ceil(1024);
        rates.admit(self.sender.ip(), NonZeroU32::MIN.saturating_add(u32::try_from(kib).unwrap_or(u32::MAX)))
    }

    /// Reads the body, with bounds for its size and time.
    ///
    /// # Errors
    /// When it is larger, slower, or none that HTTP has.
    pub async fn body(self) -> Result<(HeaderMap, Bytes), Unread> {
        let Bounds { body_bytes_max, body_time_max, .. } = self.bounds;
        // What is announced as too large is not even begun.
        if self.body.size_hint().lower() > body_bytes_max as u64 {
            return Err(Unread::TooLarge);
        }
        match timeout(body_time_max, Limited::new(self.body, body_bytes_max).collect()).await {
            Ok(Ok(body)) => Ok((self.head.headers, body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
            Ok(Err(_)) => Err(Unread::Malformed),
            Err(_) => Err(Unread::TooSlow),
        }
    }
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is larger than the listener takes.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The request is not valid HTTP.
    Malformed,
}

/// An answer. Marked as not cacheable, because it describes this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// The methods that would have been taken.
    pub allow: Option<&'static str>,
    /// After how many seconds it may be tried again.
    pub retry_after: Option<&'static str>,
    /// Why it is a refusal that is worth a line in the log.
    pub complaint: Option<&'static str>,
}

impl Reply {
    /// JSON.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let content_type = "application/json";
        Self { status, content_type, body: body.into(), allow: None, retry_after: None, complaint: None }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let mut set =
            |name: HeaderName, value| drop(response.headers_mut().insert(name, HeaderValue::from_static(value)));
        set(CONTENT_TYPE, self.content_type);
        set(CACHE_CONTROL, "no-store");
        // A browser that is led here takes it for what it is.
        set(X_CONTENT_TYPE_OPTIONS, "nosniff");
        if let Some(methods) = self.allow {
            set(ALLOW, methods);
        }
        if let Some(seconds) = self.retry_after {
            set(RETRY_AFTER, seconds);
        }
        response
    }
}
