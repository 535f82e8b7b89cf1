//! The listener on its thread: what happens to it happens to nobody else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use trueup_http::{Limits, Receiver, SecretSource, Server, Watched};

use crate::message::{Message, NOW, SECRET};

const LIMIT: Duration = Duration::from_secs(30);

fn receiver(trigger: impl Fn() + Send + Sync + 'static) -> (tempfile::TempDir, Receiver) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("secret");
    std::fs::write(&path, SECRET).expect("a file");
    let watched = Watched { repository: Vec::new(), branch: "main".to_owned() };
    (directory, Receiver::new(SecretSource::file(path).expect("the secret is good"), watched, || NOW, trigger))
}

/// Sends a push, and gives the answer's first line; empty when there was none.
fn push(address: SocketAddr, delivery: &str) -> String {
    let Ok(mut client) = TcpStream::connect(address) else { return String::new() };
    let mut text = String::new();
    let sent = client.write_all(&Message::generic(&NOW.to_string(), delivery, "").wire());
    let _ = sent.and_then(|()| client.read_to_string(&mut text));
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_port_in_use_is_waited_for_and_a_panic_is_survived() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (send, mut triggered) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let (_directory, receiver) = receiver(move || {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        send.send(call).unwrap();
        assert!(call != 0, "the first trigger panics, on purpose");
    });
    let mut server = Server::start(address, receiver, Limits::default()).expect("it begins all the same");
    let waiting = timeout(Duration::from_millis(200), server.listening()).await;
    assert!(waiting.is_err(), "the port is in use: {waiting:?}");
    drop(taken);
    assert_eq!(timeout(LIMIT, server.listening()).await.expect("it listens in the end"), Some(address));

    push(address, "first");
    assert_eq!(timeout(LIMIT, triggered.recv()).await.expect("it was triggered"), Some(0));
    // It begins anew after some seconds, at the same address.
    let again = async {
        let mut number = 0;
        loop {
            let answered =
                tokio::task::spawn_blocking(move || push(address, &format!("again-{number}"))).await.unwrap();
            if answered.contains("202") && timeout(Duration::from_secs(1), triggered.recv()).await == Ok(Some(1)) {
                break;
            }
            number += 1;
        }
    };
    timeout(LIMIT, again).await.expect("it goes on after the panic");
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let (_directory, receiver) = receiver(|| {});
    let mut server = Server::start(([127, 0, 0, 1], 0).into(), receiver, Limits::default()).unwrap();
    let address = timeout(LIMIT, server.listening()).await.unwrap().expect("it listens");
    let answered = tokio::task::spawn_blocking(move || push(address, "one")).await.unwrap();
    assert_eq!(answered, "HTTP/1.1 202 Accepted");
    drop(server);
    let closed = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, closed).await.expect("nobody listens any more");
}
