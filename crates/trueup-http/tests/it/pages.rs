//! Pages behind the door: which requests get one, and which are refused before.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trueup_http::{Limits, Page, Pages, serve};

const LIMIT: Duration = Duration::from_secs(20);

/// A door whose pages repeat what was asked for.
struct Door {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Door {
    async fn open(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is left");
        let address = listener.local_addr().expect("it listens");
        let pages = Pages::new("/free", |path, query| {
            assert!(path != "/panic", "this page panics, on purpose");
            let status = if path == "/wrong" { 9999 } else { 200 };
            let body = format!("{path} {query:?}").into();
            Page { status, content_type: "text/plain", body }
        });
        let serving = tokio::spawn(async move { match serve(listener, Arc::new(pages), limits).await {} });
        Self { address, serving }
    }

    /// Sends bytes and gives all that comes back.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut client = TcpStream::connect(self.address).await.expect("it listens");
        // It may be closed before all was written.
        let _ = client.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = timeout(LIMIT, client.read_to_end(&mut answer)).await.expect("the connection is closed in time");
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn status(&self, bytes: &[u8]) -> Option<u16> {
        self.send(bytes).await.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok())
    }
}

fn generous() -> Limits {
    let many = NonZeroU32::new(100_000).expect("it is not zero");
    Limits { sender_rate: many, sender_burst: many, rate: many, burst: many, ..Limits::pages() }
}

#[tokio::test]
async fn only_reading_is_answered_and_only_under_our_own_name() {
    let door = Door::open(generous()).await;
    // request line | host | the status
    let table = [
        ("GET /a?b=c", Some("127.0.0.1:1"), 200),
        ("HEAD /a", Some("localhost"), 200),
        ("GET /a", Some("[::1]:7171"), 200),
        ("GET http://127.0.0.1/a", Some("127.0.0.1"), 200),
        ("GET /a", Some("evil.example:7171"), 421),
        ("GET /a", Some("localhost\r\nhost: evil.example"), 421),
        ("GET /free", Some("evil.example"), 421),
        ("POST /a", Some("localhost"), 405),
        ("PUT /a", Some("localhost"), 405),
        ("DELETE /a", Some("localhost"), 405),
        ("OPTIONS /a", Some("localhost"), 405),
        ("BREW /a", Some("localhost"), 405),
        ("GET /wrong", Some("localhost"), 500),
        ("GET /a", None, 200),
    ];
    for (line, host, status) in table {
        let host = host.map(|host| format!("host: {host}\r\n")).unwrap_or_default();
        let sent = format!("{line} HTTP/1.1\r\n{host}\r\n");
        assert_eq!(door.status(sent.as_bytes()).await, Some(status), "{sent}");
    }
    let oversized = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000));
    assert!(matches!(door.status(oversized.as_bytes()).await, Some(414 | 431)));
    // A body is not even looked at.
    let with_body = b"GET /a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nxxx";
    assert_eq!(door.status(with_body).await, Some(200));
}

#[tokio::test]
async fn a_page_comes_as_it_is_and_nobody_else_s_script_may_read_it() {
    let door = Door::open(generous()).await;
    let answer = door.send(b"GET /a%20b?c=d HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "/a%20b Some(\"c=d\")");
    for line in ["content-type: text/plain", "cache-control: no-store", "x-content-type-options: nosniff"] {
        assert!(head.contains(line), "{head}");
    }
    assert!(!head.contains("access-control"), "{head}");
    let answer = door.send(b"HEAD /a HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.contains("content-length: 7") && answer.ends_with("\r\n\r\n"), "{answer}");
    let refused = door.send(b"POST /a HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(refused.contains("allow: GET, HEAD") && refused.contains("{\"error\":\"only GET"), "{refused}");
}

#[tokio::test]
async fn a_page_that_breaks_breaks_its_own_connection_alone() {
    let door = Door::open(generous()).await;
    assert_eq!(door.send(b"GET /panic HTTP/1.1\r\nhost: localhost\r\n\r\n").await, "");
    assert_eq!(door.status(b"GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n").await, Some(200));
}

#[tokio::test]
async fn who_asks_for_much_is_told_so_and_the_free_page_is_there_all_the_same() {
    let few = |number| NonZeroU32::new(number).unwrap();
    let limits = Limits { sender_rate: few(1), sender_burst: few(3), rate: few(4), burst: few(8), ..generous() };
    let door = Door::open(limits).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(door.status(b"GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
    }
    assert_eq!(statuses[..3], [Some(200); 3]);
    assert!(statuses.contains(&Some(429)), "{statuses:?}");
    for _ in 0..10 {
        assert_eq!(door.status(b"GET /free HTTP/1.1\r\nhost: localhost\r\n\r\n").await, Some(200));
    }
}

#[tokio::test]
async fn who_holds_all_connections_keeps_nobody_out() {
    let door = Door::open(generous()).await;
    let mut held = Vec::new();
    for _ in 0..Limits::pages().connections_max + 5 {
        let mut client = TcpStream::connect(door.address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
        held.push(client);
    }
    assert_eq!(door.status(b"GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n").await, Some(200));
}
