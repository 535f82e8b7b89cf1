//! The receiver on a socket: a bounded number of connections, one request each, none of them for long.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::answer::{Answer, Refused};
use crate::limits::{Limits, Rates};
use crate::receiver::Receiver;

/// How long nothing is accepted after the system refused to: it is out of files or memory.
const PAUSE_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);

/// How much of request line and headers is read, in bytes. Providers send some 1,500; hyper takes no less than 8 KiB.
const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// How many headers are read. Providers send some 15, and proxies add theirs.
const HEADERS_MAX: usize = 64;

/// Refused requests are told in the log together, once in so long: a flood must not become one of lines.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);

/// Serves for as long as it is polled; dropped, it closes all connections.
///
/// # Panics
/// When the trigger does. What a connection panics with ends that connection.
pub async fn serve(listener: TcpListener, receiver: Arc<Receiver>, limits: Limits) -> Infallible {
    let door = Arc::new(Door { receiver: Arc::clone(&receiver), rates: Rates::new(&limits), limits });
    tokio::select! {
        never = door.listen(listener) => never,
        () = receiver.pass_on() => unreachable!("hints are passed on until this is dropped"),
    }
}

/// What all connections share.
struct Door {
    receiver: Arc<Receiver>,
    rates: Rates,
    limits: Limits,
}

impl Door {
    async fn listen(self: Arc<Self>, listener: TcpListener) -> Infallible {
        // Dropped with this function: no connection outlives it.
        let mut connections = JoinSet::new();
        let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
        let mut complaints = Complaints::default();
        loop {
            tokio::select! {
                biased;
                Some(ended) = connections.join_next() => complaints.add(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        oldest_first.retain(|connection| !connection.is_finished());
                        if oldest_first.len() >= self.limits.connections_max
                            && let Some(oldest) = oldest_first.pop_front()
                        {
                            oldest.abort();
                        }
                        oldest_first.push_back(connections.spawn(Arc::clone(&self).connection(stream, address)));
                    }
                    Err(error) => {
                        complaints.add_error(&error);
                        sleep(PAUSE_AFTER_ACCEPT_ERROR).await;
                    }
                },
            }
        }
    }

    /// Serves one request. Gives back whether it was refused.
    async fn connection(self: Arc<Self>, stream: TcpStream, address: SocketAddr) -> Option<Refused> {
        // An answer is one small packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection has no TCP_NODELAY.");
        }
        let refused = std::sync::Mutex::new(None);
        let answer = |request| async {
            let answer = self.answer(request, address).await;
            if let (Answer::Refused(why), Ok(mut refused)) = (answer, refused.lock()) {
                *refused = Some(why);
            }
            Ok::<_, Infallible>(response(answer))
        };
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.headers_time_max)
            .max_buf_size(HEADERS_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            // A connection is a request: there is nothing to gain from idle ones, and less to go wrong.
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service_fn(answer));
        match timeout(self.limits.connection_time_max, served).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%address, %error, "A connection ended without an answer."),
            Err(_) => tracing::debug!(%address, "A connection took too long."),
        }
        refused.into_inner().ok().flatten()
    }

    async fn answer(&self, request: Request<Incoming>, address: SocketAddr) -> Answer {
        // Whoever asks whether we are there must not be told that we are not because others flood us.
        if request.uri().path() == "/healthz" && matches!(*request.method(), Method::GET | Method::HEAD) {
            return Answer::Alive;
        }
        if request.method() != Method::POST {
            return Answer::Refused(Refused::OtherMethod);
        }
        if !self.rates.admit(address.ip()) {
            return Answer::Refused(Refused::TooMany);
        }
        let (parts, body) = request.into_parts();
        if let Err(refused) = Receiver::admits(&parts.headers) {
            return Answer::Refused(refused);
        }
        match timeout(self.limits.body_time_max, self.read(body)).await {
            Ok(Ok(body)) => self.receiver.receive(&parts.headers, &body),
            Ok(Err(refused)) => Answer::Refused(refused),
            Err(_) => Answer::Refused(Refused::TooSlow),
        }
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Refused> {
        // What is announced as too large is not even begun.
        if body.size_hint().lower() > self.limits.body_bytes_max as u64 {
            return Err(Refused::TooLarge);
        }
        let body = Limited::new(body, self.limits.body_bytes_max).collect().await;
        body.map(http_body_util::Collected::to_bytes)
            .map_err(|error| if error.is::<LengthLimitError>() { Refused::TooLarge } else { Refused::MalformedBody })
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body())));
    *response.status_mut() = answer.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match answer {
        Answer::Refused(Refused::OtherMethod) => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
        Answer::Refused(Refused::TooMany) => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("10"))),
        _ => {}
    }
    response
}

/// What is wrong with requests, told now and then.
#[derive(Default)]
struct Complaints {
    refused: u64,
    told: Option<Instant>,
}

impl Complaints {
    fn add(&mut self, ended: Result<Option<Refused>, JoinError>) {
        match ended {
            Ok(Some(refused)) => {
                self.refused += 1;
                if self.may_tell() {
                    let (count, last) = (std::mem::take(&mut self.refused), Answer::Refused(refused).message());
                    tracing::warn!(count, last, "Webhook requests were refused.");
                }
            }
            Err(error) if error.is_panic() => tracing::error!(%error, "Answering a webhook broke."),
            Ok(None) | Err(_) => {}
        }
    }

    fn add_error(&mut self, error: &std::io::Error) {
        if self.may_tell() {
            tracing::warn!(%error, "A webhook's connection cannot be accepted.");
        }
    }

    fn may_tell(&mut self) -> bool {
        let may = self.told.is_none_or(|told| told.elapsed() >= BETWEEN_COMPLAINTS);
        if may {
            self.told = Some(Instant::now());
        }
        may
    }
}
