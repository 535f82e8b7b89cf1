//! What breaks behind the door is told, and nothing of what was sent with it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use trueup_http::{Asked, Limits, Reply, Server, Service, serve};

use crate::logs;

/// How long a line in the log is waited for; it comes after milliseconds.
const LIMIT: Duration = Duration::from_secs(20);

/// Panics with what it was sent, or by itself.
struct Breaks {
    /// What it panics with beside answering.
    beside: Option<String>,
}

impl Service for Breaks {
    const NAME: &'static str = "what breaks";
    const THREAD: &'static str = "breaks";

    async fn answer(&self, request: Asked<'_>) -> Reply {
        panic!("cannot answer {}", request.path())
    }

    async fn beside(&self) -> Infallible {
        match &self.beside {
            Some(message) => panic!("{message}"),
            None => std::future::pending().await,
        }
    }
}

/// Waits for a line in the log, in which there may be no canary.
async fn wait_for(line: &str) {
    let logged = async {
        while !logs::text().contains(line) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, logged).await.unwrap_or_else(|_| panic!("`{line}` was not logged:\n{}", logs::text()));
    assert!(!logs::text().contains("canary"), "{}", logs::text());
}

#[tokio::test]
async fn an_answer_that_panics_is_told_without_what_was_sent() {
    logs::keep();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener, Arc::new(Breaks { beside: None }), Limits::default()));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /canary-90d3-of-a-request HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // It may be a reset: nobody answers.
    let _ = timeout(LIMIT, client.read_to_end(&mut answer)).await.expect("the connection ends");
    assert_eq!(answer, b"");
    wait_for("Answering a request to the what breaks listener panicked.").await;
    serving.abort();
}

#[tokio::test]
async fn a_listener_that_panics_is_told_without_the_message() {
    logs::keep();
    let breaks = Breaks { beside: Some("canary-1c48-of-a-listener".to_owned()) };
    let _server = Server::start(([127, 0, 0, 1], 0).into(), breaks, Limits::default()).unwrap();
    wait_for("The what breaks listener failed and is restarting").await;
}
