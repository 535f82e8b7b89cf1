//! The simulator on a loopback port, in real or accelerated time.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::http::{Reply, Request, Response};
use crate::simulator::Simulator;
use crate::time::Time;

/// More than any call of the simulated services carries.
const BODY_BYTES_MAX: usize = 16 << 20;

/// How fast virtual time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Virtual milliseconds for each real one; at least 1.
    pub speed: u32,
}

impl Pace {
    /// As fast as the real one.
    pub const REAL: Self = Self { speed: 1 };

    fn virtual_time(self, real: Duration) -> Duration {
        real.saturating_mul(self.speed.max(1))
    }

    fn real_time(self, virtual_time: Duration) -> Duration {
        virtual_time / self.speed.max(1)
    }
}

/// A simulator that listens. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    clock: Clock,
    simulator: Arc<Mutex<Simulator>>,
    /// Listening ends when this is gone.
    stop: oneshot::Sender<Infallible>,
    listening: JoinHandle<()>,
}

/// Virtual time as the mount moves it.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
    start: Time,
    pace: Pace,
}

impl Clock {
    fn now(self) -> Time {
        self.start + self.pace.virtual_time(self.began.elapsed())
    }
}

impl Server {
    /// Listens on an address, such as `127.0.0.1:0`. Virtual time continues from the simulator's.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(address: SocketAddr, simulator: Simulator, pace: Pace) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let clock = Clock { began: Instant::now(), start: simulator.now(), pace };
        let simulator = Arc::new(Mutex::new(simulator));
        let (stop, stopped) = oneshot::channel();
        let listening = tokio::spawn(listen(listener, Arc::clone(&simulator), clock, stopped));
        Ok(Self { address, clock, simulator, stop, listening })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The running simulation, at the present virtual time: to script it, and to inspect it. No call is answered while it is held.
    pub fn simulator(&self) -> MutexGuard<'_, Simulator> {
        let mut simulator = lock(&self.simulator);
        simulator.advance(self.clock.now());
        simulator
    }

    /// The present virtual time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Stops listening, cuts all connections and waits until all that is over.
    pub async fn stop(self) {
        drop(self.stop);
        // It fails when listening panicked, which was logged by then.
        let _ = self.listening.await;
    }
}

async fn listen(
    listener: TcpListener,
    simulator: Arc<Mutex<Simulator>>,
    clock: Clock,
    mut stopped: oneshot::Receiver<Infallible>,
) {
    // Dropped with this function: no connection outlives the server.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&simulator), clock));
                }
                // Such as too many open files: some connection has to end first.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, simulator: Arc<Mutex<Simulator>>, clock: Clock) {
    // Answers are small and single: nothing is gained by waiting for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&simulator), clock));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The error closes the connection without an answer.
async fn answer(
    request: hyper::Request<Incoming>,
    simulator: Arc<Mutex<Simulator>>,
    clock: Clock,
) -> Result<hyper::Response<Full<Bytes>>, Reset> {
    let request = plain(request).await.ok_or(Reset)?;
    let reply = {
        let mut simulator = lock(&simulator);
        // Read under the lock, so that time never goes back for the simulator.
        let now = clock.now();
        simulator.handle(now, &request)
    };
    match reply {
        Reply::Answer { after, response } => {
            tokio::time::sleep(clock.pace.real_time(after)).await;
            Ok(written(response))
        }
        Reply::Reset { after } => {
            tokio::time::sleep(clock.pace.real_time(after)).await;
            Err(Reset)
        }
        Reply::Silence => match std::future::pending::<Infallible>().await {},
    }
}

/// `None` when the client went away amidst its request, or sent too much.
async fn plain(request: hyper::Request<Incoming>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok()?.to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Some(Request {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str).to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
    })
}

fn written(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body))).expect("status and headers are ones that we wrote ourselves")
}

/// A panic while the lock was held is the test's own failure; the state behind it is still consistent enough to inspect.
fn lock(simulator: &Mutex<Simulator>) -> MutexGuard<'_, Simulator> {
    simulator.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
struct Reset;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use std::time::Duration;

    use super::{Pace, Server};
    use crate::faults::{Ending, Executed, Fault, FaultRule};
    use crate::simulator::Simulator;

    const CALL: &[u8] = b"POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.Nonsense\r\n\
        authorization: AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/ecs/aws4_request, SignedHeaders=host, Signature=0\r\n\
        connection: close\r\ncontent-length: 2\r\n\r\n{}";

    #[tokio::test]
    async fn several_connections_are_answered_and_stopping_ends_them() {
        let simulator = Simulator::new("123456789012", "eu-west-1", 1);
        let server = Server::start("127.0.0.1:0".parse().unwrap(), simulator, Pace { speed: 100 }).await.unwrap();
        let address = server.address();
        let mut idle = TcpStream::connect(address).await.unwrap();
        for _ in 0..3 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(CALL).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
            assert!(answer.contains(r#"{"__type":"UnknownOperationException","#), "{answer}");
        }
        assert_eq!(server.simulator().recorder.records().len(), 3);
        server.stop().await;
        assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0, "the idle connection is closed");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    }

    #[tokio::test]
    async fn lost_answers_close_the_connection_or_hold_it() {
        let mut simulator = Simulator::new("123456789012", "eu-west-1", 1);
        for (call, ending) in [(0, Ending::Reset), (1, Ending::Silence)] {
            let fault = Fault::NoAnswer { executed: Executed::AtOnce, ending };
            simulator.faults.add(FaultRule::mutation(call, fault));
        }
        let server = Server::start("127.0.0.1:0".parse().unwrap(), simulator, Pace::REAL).await.unwrap();
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(CALL).await.unwrap();
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed without an answer");

        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(CALL).await.unwrap();
        let held = tokio::time::timeout(Duration::from_millis(200), client.read(&mut [0; 8])).await;
        assert!(held.is_err(), "nothing comes: {held:?}");
        server.stop().await;
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0, "the server is gone");
    }
}
