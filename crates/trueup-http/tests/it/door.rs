//! The receiver on a socket: what sizes, times and numbers it takes, and that others are served meanwhile.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trueup_http::{Limits, serve};

use crate::message::{Desk, GITHUB_PUSH, Message};

/// How long an answer is waited for; it comes after milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// A door that listens until it is dropped.
struct Door {
    address: SocketAddr,
    triggered: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
    /// Holds the secret's file.
    _desk: Arc<tempfile::TempDir>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn open(limits: Limits) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is left");
    let address = listener.local_addr().expect("it listens");
    let Desk { receiver, triggered, directory, .. } = Desk::new();
    let serving = tokio::spawn(async move { match serve(listener, Arc::new(receiver), limits).await {} });
    Door { address, triggered, serving, _desk: Arc::new(directory) }
}

/// Many more than any of these tests sends, so that it is about something else.
fn generous() -> Limits {
    let many = NonZeroU32::new(100_000).expect("it is not zero");
    Limits { sender_rate: many, sender_burst: many, rate: many, burst: many, ..Limits::default() }
}

impl Door {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// Sends bytes and gives the status; `None` when the connection was closed without an answer.
    async fn send(&self, bytes: &[u8]) -> Option<u16> {
        let mut client = self.connect().await;
        // It may be closed before all was written.
        let _ = client.write_all(bytes).await;
        answer(&mut client).await.0
    }

    /// A push that no other is like.
    async fn push(&self, number: usize) -> Option<u16> {
        self.send(&push(number)).await
    }

    async fn wait_for_triggers(&self, count: usize) {
        let reached = async {
            while self.triggered.load(Ordering::Relaxed) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, reached).await.expect("the trigger is called");
    }
}

fn push(number: usize) -> Vec<u8> {
    Message::github("push", &GITHUB_PUSH.replace("Release 1.1", &format!("Release {number}"))).wire()
}

/// Reads until the end. Gives the status and all of the text.
async fn answer(client: &mut TcpStream) -> (Option<u16>, String) {
    let mut bytes = Vec::new();
    // A reset after the answer leaves the answer.
    let _ = timeout(LIMIT, client.read_to_end(&mut bytes)).await.expect("the connection is closed in time");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()), text)
}

#[tokio::test]
async fn a_push_is_answered_and_passed_on_within_fifty_milliseconds() {
    let door = open(generous()).await;
    let mut times = Vec::new();
    for number in 0..21 {
        let begun = Instant::now();
        assert_eq!(door.push(number).await, Some(202));
        times.push(begun.elapsed());
    }
    door.wait_for_triggers(1).await;
    times.sort();
    // The middle one: the machine that runs the tests may have something else to do now and then.
    assert!(times[10] < Duration::from_millis(50), "{times:?}");
}

#[tokio::test]
async fn answers_are_json_with_a_status_and_close_the_connection() {
    let door = open(generous()).await;
    let mut client = door.connect().await;
    client.write_all(&push(1)).await.unwrap();
    let (_, text) = answer(&mut client).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json") && head.contains("connection: close"), "{head}");
    assert_eq!(body, "{\"result\":\"accepted\",\"message\":\"the repository is polled now\"}\n");
}

#[tokio::test]
async fn methods_paths_sizes_and_encodings() {
    let door = open(generous()).await;
    let body = GITHUB_PUSH.as_bytes();
    let signed = Message::github("push", GITHUB_PUSH);
    let head = |line: &str, more: &str| {
        let headers = signed.header_lines();
        format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}{more}\r\n").into_bytes()
    };
    let chunks: Vec<u8> = body
        .chunks(100)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    let chunked = "transfer-encoding: chunked\r\n";
    let megabyte = vec![b'x'; 1024 * 1024];
    let endless: Vec<u8> = (0..20).flat_map(|_| [b"10000\r\n", &megabyte[..0x10000], b"\r\n"].concat()).collect();
    let table: [(&str, Vec<u8>, Option<u16>); 16] = [
        ("chunked", [head("POST /webhook", chunked), chunks.clone(), b"0\r\n\r\n".to_vec()].concat(), Some(202)),
        ("any path", [head("POST /a/b?c", chunked), chunks, b"0\r\n\r\n".to_vec()].concat(), Some(200)),
        ("a chunk that is none", [head("POST /", chunked), b"zz\r\n".to_vec()].concat(), Some(400)),
        ("more than a MiB in chunks", [head("POST /", chunked), endless].concat(), Some(413)),
        ("more than a MiB announced", head("POST /", "content-length: 1048577\r\n"), Some(413)),
        ("a MiB", [head("POST /", "content-length: 1048576\r\n"), megabyte].concat(), Some(401)),
        ("without a body", head("POST /", ""), Some(401)),
        ("two lengths", head("POST /", "content-length: 1\r\ncontent-length: 2\r\n"), Some(400)),
        (
            "unsigned, and the body is not waited for",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n".to_vec(),
            Some(401),
        ),
        ("GET", head("GET /webhook", ""), Some(405)),
        ("PUT", head("PUT /webhook", ""), Some(405)),
        ("health", b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), Some(200)),
        ("health, HEAD", b"HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), Some(200)),
        ("a head that is too large", head("POST /", &format!("x-a: {}\r\n", "a".repeat(20_000))), Some(431)),
        ("headers that are too many", head("POST /", &"x-a: a\r\n".repeat(70)), Some(431)),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), Some(400)),
    ];
    for (what, bytes, expected) in table {
        assert_eq!(door.send(&bytes).await, expected, "{what}");
    }
}

#[tokio::test]
async fn who_is_slow_is_left() {
    let short = Duration::from_millis(100);
    let limits = Limits { headers_time_max: short, body_time_max: short, ..generous() };
    let door = open(limits).await;
    // what is sent, then nothing | the answer
    let message = push(1);
    let body = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let table: [(&[u8], Option<u16>); 4] = [
        (b"", None),
        (b"POST /webhook HTTP/1.1\r\nhost: x\r\nx-a: ", None),
        (&message[..message.len() - 1], Some(408)),
        (&message[..body], Some(408)),
    ];
    for (bytes, expected) in table {
        let begun = Instant::now();
        assert_eq!(door.send(bytes).await, expected, "{}", String::from_utf8_lossy(bytes));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    // Whoever drips is left as well: the time is for the whole.
    let mut client = door.connect().await;
    let (mut read, mut write) = client.split();
    let drip = async {
        for byte in &message {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let closed = async {
        let mut bytes = Vec::new();
        let _ = read.read_to_end(&mut bytes).await;
        bytes
    };
    let bytes = tokio::select! {
        bytes = closed => bytes,
        () = drip => panic!("it dripped to the end"),
    };
    assert_eq!(bytes, b"", "the headers were not there in time");
    assert_eq!(door.push(2).await, Some(202));
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_left() {
    let limits = Limits { connection_time_max: Duration::from_millis(100), ..generous() };
    let door = open(limits).await;
    let mut client = door.connect().await;
    client.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(answer(&mut client).await.0, None);
}

#[tokio::test]
async fn who_holds_all_connections_keeps_nobody_out() {
    let door = open(generous()).await;
    let mut held = Vec::new();
    for _ in 0..Limits::default().connections_max {
        let mut client = door.connect().await;
        client.write_all(b"POST /webhook HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        held.push(client);
    }
    let begun = Instant::now();
    assert_eq!(door.push(1).await, Some(202));
    assert!(begun.elapsed() < Limits::default().headers_time_max, "nobody had to time out first");
    assert_eq!(answer(&mut held[0]).await.0, None, "the oldest was closed");
    door.wait_for_triggers(1).await;
}

#[tokio::test]
async fn a_flood_is_answered_with_429_and_ends() {
    let few = |number| NonZeroU32::new(number).unwrap();
    let limits = Limits { sender_rate: few(1), sender_burst: few(10), rate: few(200), burst: few(240), ..generous() };
    let door = open(limits).await;
    let wire = forged(GITHUB_PUSH);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..5 {
        let flood = (0..60).map(|_| async { door.send(&wire).await });
        // All at a time: the rate is that of the answers.
        for status in join_all(flood).await {
            *counts.entry(status).or_insert(0) += 1;
        }
    }
    assert!(counts.get(&Some(401)).is_some_and(|count| *count >= 10), "{counts:?}");
    assert!(counts.get(&Some(429)).is_some_and(|count| *count > 0), "{counts:?}");
    // Its share comes back.
    let served = async {
        let mut number = 0;
        while door.push(number).await != Some(202) {
            number += 1;
        }
    };
    timeout(LIMIT, served).await.expect("a push is taken again");
    // Whoever asks whether we are there is not counted.
    for _ in 0..50 {
        assert_eq!(door.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await, Some(200));
    }
}

#[tokio::test]
async fn a_push_is_taken_while_its_own_sender_floods_with_forged_ones() {
    // Behind a load balancer everybody is one sender. Its own share is one message; beyond it there is room for two of a MiB
    // and 230 small ones, and hardly anything comes back while this runs.
    let few = |number| NonZeroU32::new(number).unwrap();
    let limits =
        Limits { sender_rate: few(1), sender_burst: few(1), rate: few(4), burst: few(4 * 2_750), ..generous() };
    let door = open(limits).await;
    let (small, large) = (forged(GITHUB_PUSH), forged(&"x".repeat(1024 * 1024)));
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..10 {
        let (genuine, mut all) = (push(number), vec![&small; 20]);
        all.extend([&large; 8]);
        all.push(&genuine);
        // All at a time, the genuine one behind the others.
        let statuses = join_all(all.into_iter().map(|message| door.send(message))).await;
        assert_eq!(statuses.iter().filter(|status| **status == Some(202)).count(), 1, "{number}: {statuses:?}");
        for status in statuses {
            *counts.entry(status).or_insert(0) += 1;
        }
    }
    // What costs is bounded: all small ones were judged, and of the eighty large ones hardly any.
    assert!(counts.get(&Some(401)).is_some_and(|count| (200..220).contains(count)), "{counts:?}");
}

/// A message that is signed by somebody who does not have the secret.
fn forged(body: &str) -> Vec<u8> {
    Message::github("push", body).with("x-hub-signature-256", &format!("sha256={}", "0".repeat(64))).wire()
}

async fn join_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}
