//! The door: a bounded number of connections, one request each, none of them for long, whatever is served behind it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::limits::{Limits, Rates};
use crate::service::{Asked, Bounds, Service};

/// How long nothing is accepted after the system refused to: it is out of files or memory.
const PAUSE_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);

/// How much of request line and headers is read, in bytes. Providers send some 1,500; hyper takes no less than 8 KiB.
const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// How many headers are read. Providers send some 15, and proxies add theirs.
const HEADERS_MAX: usize = 64;

/// Refused requests are logged together, at this interval, so that a flood of requests is not a flood of lines.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);

/// Serves while it is polled; dropping it closes all connections.
///
/// # Panics
/// When what the service does beside answering does. What a connection panics with ends that connection.
pub async fn serve<S: Service>(listener: TcpListener, service: Arc<S>, limits: Limits) -> Infallible {
    let door = Arc::new(Door { service: Arc::clone(&service), rates: Rates::new(&limits), limits });
    tokio::select! {
        never = door.listen(listener) => never,
        never = service.beside() => never,
    }
}

/// What all connections share.
struct Door<S> {
    service: Arc<S>,
    rates: Rates,
    limits: Limits,
}

impl<S: Service> Door<S> {
    async fn listen(self: Arc<Self>, listener: TcpListener) -> Infallible {
        // Dropped with this function: no connection outlives it.
        let mut connections = JoinSet::new();
        let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
        let mut complaints = Complaints { about: S::NAME, refused: 0, told: None };
        loop {
            tokio::select! {
                // Ended connections first: they make room, so that the next one costs no connection that is still in use.
                biased;
                Some(ended) = connections.join_next() => complaints.add(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        oldest_first.retain(|connection| !connection.is_finished());
                        if oldest_first.len() >= self.limits.connections_max
                            && let Some(oldest) = oldest_first.pop_front()
                        {
                            // The oldest goes, not the newest: otherwise a client that holds connections open would keep
                            // everybody else out.
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

    /// Serves one request, and returns why it was refused.
    async fn connection(self: Arc<Self>, stream: TcpStream, sender: SocketAddr) -> Option<&'static str> {
        // An answer should not wait for another packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set on a connection.");
        }
        let listener = stream.local_addr().ok();
        let Limits { body_bytes_max, body_time_max, .. } = self.limits;
        let bounds = Bounds { rates: &self.rates, body_bytes_max, body_time_max };
        let complaint = std::sync::Mutex::new(None);
        let answer = |request| async {
            let reply = self.service.answer(Asked::new(request, sender, listener, bounds)).await;
            if let (Some(why), Ok(mut complaint)) = (reply.complaint, complaint.lock()) {
                *complaint = Some(why);
            }
            Ok::<_, Infallible>(reply.into_response())
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
            Ok(Err(error)) => tracing::debug!(%sender, %error, "A connection ended without an answer."),
            Err(_) => tracing::debug!(%sender, "A connection took too long."),
        }
        complaint.into_inner().ok().flatten()
    }
}

/// Counts of bad requests, logged at intervals: a flood of requests is not a flood of lines.
struct Complaints {
    about: &'static str,
    refused: u64,
    told: Option<Instant>,
}

impl Complaints {
    fn add(&mut self, ended: Result<Option<&'static str>, JoinError>) {
        match ended {
            Ok(Some(last)) => {
                self.refused += 1;
                if self.may_tell() {
                    let count = std::mem::take(&mut self.refused);
                    tracing::warn!(count, last, "Requests to the listener for {} were refused.", self.about);
                }
            }
            // Without the error: it contains the panic's message, which may contain what a client sent.
            Err(error) if error.is_panic() => {
                tracing::error!("Answering a request to the {} listener panicked.", self.about);
            }
            Ok(None) | Err(_) => {}
        }
    }

    fn add_error(&mut self, error: &std::io::Error) {
        if self.may_tell() {
            tracing::warn!(%error, "A connection to the listener for {} cannot be accepted.", self.about);
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
