//! Servers that hang and servers that drip: each is left in time, and the next question is answered.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
use trueup_git::{Bounds, Config, Key, Repository, Secret};
use trueup_ports::{Source as _, SourceError};

use crate::server::{PATIENCE_MILLISECONDS, Server, impatient};
use crate::smart::Answers;
use crate::world::World;

/// What a server that is merely slow may cost beyond libgit2's patience, on a machine that is busy as well.
const BUSY: Duration = Duration::from_secs(20);

async fn poll(url: String) -> (SourceError, Duration) {
    let cache = tempfile::TempDir::new().expect("a temporary directory");
    let mut config = Config::new(url, "main", cache.path());
    config.credentials.ssh_key = Some(Key::Value(Secret::new("none is asked for")));
    let source = Repository::open(config).expect("opens");
    let begun = Instant::now();
    let error = source.poll().await.expect_err("cannot be read");
    (error, begun.elapsed())
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let hanging = Server::http(|_, client| client.hang());
    let mute = Server::mute();
    let stuck = Server::http(|_, client| {
        client.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n");
        client.hang();
    });
    // The server | what it does
    let table = [
        (format!("http://{}/state", hanging.address), "does not answer"),
        (format!("http://{}/state", stuck.address), "stops in the middle of its answer"),
        (format!("https://{}/state", mute.address), "does not agree upon TLS"),
        (format!("ssh://git@{}/state", mute.address), "does not say that it speaks SSH"),
    ];
    let table = table.map(|(url, what)| (tokio::spawn(poll(url.clone())), url, what));
    for (polled, url, what) in table {
        let (error, took) = polled.await.expect("it ends");
        assert!(error.message.starts_with(&format!("cannot read `{url}`: ")), "{what}: {error:?}");
        assert!(error.hint.is_some_and(|hint| hint.contains("asks again")) && error.transient, "{what}");
        let patience = Duration::from_millis(PATIENCE_MILLISECONDS.unsigned_abs().into());
        assert!(took < patience + BUSY, "{what}: it took {took:?}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_left() {
    impatient();
    // Nobody takes the connections of this one: the first fills its queue, and those after it hang.
    let full = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&full, &std::net::SocketAddrV4::new([127, 0, 0, 1].into(), 0)).unwrap();
    listen(&full, 0).unwrap();
    let address: std::net::SocketAddr = getsockname(&full).unwrap().try_into().unwrap();
    let _first = std::net::TcpStream::connect(address).unwrap();
    // And of this one nobody listens any more.
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    for (address, expected) in [(address, "failed to connect to 127.0.0.1: Operation timed out"), (gone, "refused")] {
        let (error, took) = poll(format!("https://{address}/state")).await;
        assert!(error.message.contains(expected), "{error:?}");
        let hint = "the network or the server is at fault; trueup asks again";
        assert_eq!((error.hint.as_deref(), error.transient), (Some(hint), true), "{error:?}");
        assert!(took < BUSY, "it took {took:?}");
    }
}

/// Polls until the time that a conversation may last is over, while the server drips a byte a second.
async fn poll_in_vain(source: &Repository, server: &Server, requests: usize) -> SourceError {
    let mut poll = pin!(source.poll());
    tokio::select! {
        biased;
        answer = &mut poll => panic!("a server that drips cannot have said everything: {answer:?}"),
        () = ready(()) => {}
    }
    server.wait_for_requests(requests);
    tokio::time::advance(Bounds::default().fetch_time_max + Duration::from_mins(1)).await;
    poll.await.expect_err("cannot be read")
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_left_and_read_when_it_is_well() {
    let world = World::new();
    let head = world.push(&[("a.toml", "1")]);
    // What it drips | the requests until then
    for (what, requests) in [("GET ", 1), ("POST ", 2)] {
        let answers = Answers::of(&world.git);
        let (ill, is_ill) = (Arc::new(AtomicBool::new(true)), |ill: &AtomicBool| ill.load(Ordering::Relaxed));
        let looked_at = Arc::clone(&ill);
        let server = Server::http(move |request, client| {
            if is_ill(&looked_at) && request.what.starts_with(what) {
                client.drip(answers.to(request), Duration::from_secs(1));
            } else {
                answers.give(request, client);
            }
        });
        let cache = tempfile::TempDir::new().unwrap();
        let url = format!("http://{}/state.git", server.address);
        let source = Repository::open(Config::new(&url, "main", cache.path())).unwrap();
        let error = poll_in_vain(&source, &server, requests).await;
        assert_eq!(error.message, format!("`{url}` did not answer within 360 s"), "{what}");
        assert_eq!(error.hint.as_deref(), Some("the server or the network hangs; trueup asks again"), "{what}");
        assert!(error.transient, "{what}");

        // The connection breaks off, and the next one is as it should be.
        ill.store(false, Ordering::Relaxed);
        server.release();
        assert_eq!(source.poll().await.unwrap().revision, head, "{what}");
    }
}

#[tokio::test]
async fn a_pack_that_comes_slowly_is_left_when_the_time_is_up() {
    let world = World::new();
    let files: Vec<_> = (0..500).map(|n| (format!("{n}.toml"), n.to_string())).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    world.push(&files);
    let answers = Answers::of(&world.git);
    let server = Server::http(move |request, client| {
        if request.what.starts_with("GET ") {
            answers.give(request, client);
        } else {
            client.drip(answers.to(request), Duration::from_millis(1));
        }
    });
    let cache = tempfile::TempDir::new().unwrap();
    let url = format!("http://{}/state.git", server.address);
    let bounds = Bounds { fetch_time_max: Duration::from_secs(1), ..Bounds::default() };
    let source = Repository::open(Config { bounds, ..Config::new(&url, "main", cache.path()) }).unwrap();
    let begun = Instant::now();
    let error = source.poll().await.unwrap_err();
    assert_eq!(error.message, format!("`{url}` took longer than 1 s to send its objects"));
    assert!(error.hint.is_some_and(|hint| hint.contains("asks again")) && error.transient);
    assert!(begun.elapsed() < BUSY, "it took {:?}", begun.elapsed());
}
