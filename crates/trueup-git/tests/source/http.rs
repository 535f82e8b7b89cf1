//! What servers say over HTTP before git is spoken, and what they are told of us.

use trueup_git::{Bounds, Config, Repository, Secret, Token};
use trueup_ports::{Source as _, SourceError};

use crate::server::{Server, answer};
use crate::smart::{Answers, refusal};
use crate::world::World;

const ASKING: &str = "WWW-Authenticate: Basic realm=\"git\"\r\n";

/// base64 of `x-access-token:s3cret`
const AUTHORIZATION: &str = "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0";

fn reader(server: &Server, cache: &tempfile::TempDir, token: Option<&str>) -> Config {
    let mut config = Config::new(format!("http://{}/state.git", server.address), "main", cache.path());
    config.credentials.https_token = token.map(|token| Token::Value(Secret::new(token)));
    config
}

async fn poll(server: &Server, token: Option<&str>) -> SourceError {
    let cache = tempfile::TempDir::new().expect("a temporary directory");
    let source = Repository::open(reader(server, &cache, token)).expect("opens");
    source.poll().await.expect_err("cannot be read")
}

fn plain(status: &str, headers: &str) -> String {
    String::from_utf8(answer(status, headers, b"")).expect("is text")
}

#[tokio::test]
async fn answers_of_servers_are_explained() {
    // The status | headers | the token | a part of the message or hint | whether waiting may help
    let table = [
        ("401 Unauthorized", ASKING, None, "no token is given", false),
        ("401 Unauthorized", ASKING, Some("s3cret"), "refused the token", false),
        ("401 Unauthorized", "", None, "may not read this repository", false),
        ("403 Forbidden", "", None, "may not read this repository", false),
        ("403 Forbidden", "", Some("s3cret"), "may not read this repository", false),
        ("404 Not Found", "", None, "the repository does not exist", false),
        ("500 Oops", "", None, "asks again", true),
        ("502 Oops", "", None, "asks again", true),
        ("503 Busy", "", None, "asks again", true),
        ("200 OK", "Content-Type: text/html\r\n", None, "asks again", true),
    ];
    for (status, headers, token, expected, transient) in table {
        let error = poll(&Server::answering(&plain(status, headers)), token).await;
        assert!(format!("{error:?}").contains(expected), "{status}: {error:?}");
        assert_eq!(error.transient, transient, "{status}: {error:?}");
        assert!(error.message.contains("/state.git`") && error.hint.is_some(), "{status}: {error:?}");
    }
    assert!(poll(&Server::answering(""), None).await.transient);
}

#[tokio::test]
async fn a_token_is_sent_when_it_is_asked_for_and_never_shown() {
    let server = Server::answering(&plain("401 Unauthorized", ASKING));
    let error = poll(&server, Some("s3cret")).await;
    assert!(error.message.contains("refused the token") && !error.transient, "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"));
    assert_eq!(server.authorizations(), ["", AUTHORIZATION]);
}

#[tokio::test]
async fn with_the_token_the_repository_is_read() {
    let world = World::new();
    let head = world.push(&[("a.toml", "1")]);
    let answers = Answers::of(&world.git);
    let server = Server::http(move |request, client| {
        if request.authorization == AUTHORIZATION {
            answers.give(request, client);
        } else {
            client.send(&answer("401 Unauthorized", ASKING, b""));
        }
    });
    let cache = tempfile::TempDir::new().unwrap();
    let source = Repository::open(reader(&server, &cache, Some("s3cret"))).unwrap();
    assert_eq!(source.poll().await.unwrap().revision, head);
    assert_eq!(&*source.snapshot(&head).await.unwrap().files["a.toml"], b"1");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_and_none_gets_the_token() {
    const INFO: &str = "state.git/info/refs?service=git-upload-pack";
    let other = Server::answering(&plain("401 Unauthorized", ASKING));
    // Another port is the same host to libgit2, which goes there; but not with what it knows of us.
    let port = Server::answering(&plain("401 Unauthorized", ASKING));
    // Where to | what to do then
    let table = [
        (format!("http://localhost:{}/{INFO}", other.address.port()), "give the new URL"),
        (format!("https://localhost:{}/{INFO}", other.address.port()), "give the new URL"),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "give the new URL"),
        ("ssh://git@localhost/state.git".to_owned(), "give the new URL"),
        ("file:///etc/passwd".to_owned(), "give the new URL"),
        (format!("http://{}/{INFO}", port.address), "give the repository's new URL"),
    ];
    for (target, expected) in table {
        for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
            // Once before anything is known of us, and once in answer to the token.
            let redirect = answer(status, &format!("Location: {target}\r\n"), b"");
            let (asks, at_once) = (answer("401 Unauthorized", ASKING, b""), redirect.clone());
            let at_once = Server::http(move |_, client| client.send(&at_once));
            let to_the_token = Server::http(move |request, client| {
                client.send(if request.authorization.is_empty() { &asks } else { &redirect });
            });
            for (server, requests) in [(at_once, 1), (to_the_token, 2)] {
                let error = poll(&server, Some("s3cret")).await;
                let hint = error.hint.as_deref().unwrap_or_default();
                assert!(hint.contains(expected) && !error.transient, "{status} {target}: {error:?}");
                assert!(!format!("{error:?}").contains("s3cret"), "{status} {target}: {error:?}");
                assert_eq!(server.requests().len(), requests, "{status} {target}");
            }
        }
    }
    assert_eq!(other.connections(), 0);
    assert!(port.authorizations().iter().all(String::is_empty), "{:?}", port.authorizations());
}

#[tokio::test]
async fn a_transfer_is_bounded_in_bytes_and_objects_and_the_last_good_stays() {
    let world = World::new();
    let good = world.push(&[("a.toml", "1")]);
    let small = Answers::of(&world.git);
    // What does not compress: each byte of it has to be sent.
    let noise: Vec<_> = (0..40_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let noise = noise.concat();
    world.push(&[("a.toml", "2"), ("b.txt", &noise)]);
    let large = Answers::of(&world.git);
    let bounds = Bounds::default();
    // The bounds | a part of the message
    let table = [
        (Bounds { fetch_bytes_max: 10_000, ..bounds }, Some("sent more than 10000 bytes")),
        (Bounds { fetch_objects_max: 6, ..bounds }, Some("has more than 6 objects to send")),
        (bounds, None),
    ];
    for (bounds, expected) in table {
        let (small, large) = (small.clone(), large.clone());
        let turn = std::sync::atomic::AtomicUsize::new(0);
        // Refs and pack of the small one, then of the large one.
        let server = Server::http(move |request, client| {
            let first = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2;
            if first { &small } else { &large }.give(request, client);
        });
        let cache = tempfile::TempDir::new().unwrap();
        let source = Repository::open(Config { bounds, ..reader(&server, &cache, None) }).unwrap();
        assert_eq!(source.poll().await.unwrap().revision, good);
        let polled = source.poll().await;
        match expected {
            None => assert_ne!(polled.unwrap().revision, good),
            Some(part) => {
                let error = polled.unwrap_err();
                assert!(error.message.contains(part) && !error.transient, "{part}: {error:?}");
                assert!(error.hint.is_some_and(|hint| hint.contains("is small")), "{part}");
            }
        }
        assert_eq!(&*source.snapshot(&good).await.unwrap().files["a.toml"], b"1");
    }
}

#[tokio::test]
async fn what_a_server_says_steers_no_terminal() {
    let words = "go away\u{1b}[2J\u{7}\r\nlevel=error forged";
    let server = Server::http(move |_, client| client.send(&refusal(words)));
    let error = poll(&server, None).await;
    assert!(error.message.contains("go away") && error.transient, "{error:?}");
    assert!(!error.message.chars().any(char::is_control), "{error:?}");
}
