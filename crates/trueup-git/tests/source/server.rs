//! A server on loopback that answers as a test says, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use trueup_git::{Config, Repository};

/// How long something that has to happen is waited for.
const LIMIT: Duration = Duration::from_secs(30);

/// libgit2's patience in these tests, in milliseconds: long for a loopback, short for whoever waits for the end of a test.
pub const PATIENCE_MILLISECONDS: i32 = 3_000;

/// The server. Its threads end with their clients, or when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// One request, as far as a test may want to know it.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET /state.git/info/refs?service=git-upload-pack`
    pub what: String,
    /// The header `Authorization`; empty where there is none.
    pub authorization: String,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: usize,
    requests: Vec<Request>,
    released: bool,
}

/// Whoever connected.
pub struct Client {
    stream: Box<dyn Stream>,
    shared: Arc<Shared>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Server {
    /// A server of HTTP. `answer` is called for every request, one a connection.
    pub fn http(answer: impl Fn(&Request, &mut Client) + Send + Sync + 'static) -> Self {
        Self::start(move |stream, shared| converse(Box::new(stream), shared, &answer))
    }

    /// The same with TLS.
    pub fn https(config: ServerConfig, answer: impl Fn(&Request, &mut Client) + Send + Sync + 'static) -> Self {
        let config = Arc::new(config);
        Self::start(move |stream, shared| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is complete");
            converse(Box::new(StreamOwned::new(connection, stream)), shared, &answer);
        })
    }

    /// A server that gives every request the same answer.
    pub fn answering(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::http(move |_, client| client.send(answer.as_bytes()))
    }

    /// A server that takes connections and says nothing, not even what it speaks.
    pub fn mute() -> Self {
        Self::start(|stream, shared| Client { stream: Box::new(stream), shared }.hang())
    }

    /// A server that says this to whoever connects, and hangs up.
    pub fn blurting(words: &str) -> Self {
        let words = words.to_owned();
        Self::start(move |stream, shared| Client { stream: Box::new(stream), shared }.send(words.as_bytes()))
    }

    fn start(converse: impl Fn(TcpStream, Arc<Shared>) + Send + Sync + 'static) -> Self {
        impatient();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("has an address");
        let (shared, converse) = (Arc::<Shared>::default(), Arc::new(converse));
        let for_clients = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                for_clients.change(|state| state.connections += 1);
                let (shared, converse) = (Arc::clone(&for_clients), Arc::clone(&converse));
                std::thread::spawn(move || converse(stream, shared));
            }
        });
        Self { address, shared }
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The `Authorization` of every request so far.
    pub fn authorizations(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.authorization).collect()
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Waits until there were so many requests.
    pub fn wait_for_requests(&self, count: usize) {
        let state = self.shared.lock();
        let (state, timeout) = (self.shared.changed)
            .wait_timeout_while(state, LIMIT, |state| state.requests.len() < count)
            .expect("not poisoned");
        assert!(!timeout.timed_out(), "waited for {count} requests; there were {:?}", state.requests);
    }

    /// Ends all that hang or drip, and lets nobody hang any more.
    pub fn release(&self) {
        self.shared.change(|state| state.released = true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.release();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Whether the server lets go of its clients before `pause` is over.
    fn released_within(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), pause, |state| !state.released);
        !waited.expect("not poisoned").1.timed_out()
    }
}

impl Client {
    /// Sends all of it at once. The client may have gone; that is its business.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    /// Sends byte after byte with pauses between them, until the client has gone or the server lets go of it.
    pub fn drip(&mut self, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            if self.stream.write_all(&[*byte]).and_then(|()| self.stream.flush()).is_err() {
                return;
            }
            if self.shared.released_within(pause) {
                return;
            }
        }
    }

    /// Says nothing until the server lets go of it.
    pub fn hang(&mut self) {
        let state = self.shared.lock();
        drop(self.shared.changed.wait_while(state, |state| !state.released).expect("not poisoned"));
    }
}

fn converse(stream: Box<dyn Stream>, shared: Arc<Shared>, answer: &dyn Fn(&Request, &mut Client)) {
    let mut client = Client { stream, shared };
    // Nothing came, or TLS was not agreed upon.
    let Some(request) = request(&mut client.stream) else { return };
    let log = request.clone();
    client.shared.change(|state| state.requests.push(log));
    answer(&request, &mut client);
    let _ = client.stream.flush();
}

/// Reads one request with its body.
fn request(stream: &mut dyn Stream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || -> Option<String> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let what = line()?.strip_suffix(" HTTP/1.1")?.to_owned();
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name {
            "Authorization" => value.clone_into(&mut authorization),
            "Content-Length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(Request { what, authorization })
}

/// An answer with its length, after which the connection is closed.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Makes libgit2 lose its patience early, for all tests of this process.
#[expect(unsafe_code, reason = "git2 has no safe way to these two settings")]
pub fn impatient() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        // The product's own settings are made once, when the first repository is opened, and would undo these.
        let cache = tempfile::TempDir::new().expect("a temporary directory");
        Repository::open(Config::new("/nowhere", "main", cache.path())).expect("opens");
        // SAFETY: both functions write a C `int` that only libgit2's network code reads. All tests that use the network
        // have a server, which comes through here first, and `Once` lets nobody past before it is done.
        unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(PATIENCE_MILLISECONDS).expect("takes any number");
            git2::opts::set_server_timeout_in_milliseconds(PATIENCE_MILLISECONDS).expect("takes any number");
        }
    });
}
