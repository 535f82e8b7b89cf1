//! What servers say over HTTP before git is spoken, from a server on loopback that has one answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use trueup_git::{Config, Repository, Secret, Token};
use trueup_ports::{Source as _, SourceError};

/// A server that answers every request alike. Its thread ends with the process.
struct Server {
    address: SocketAddr,
    /// The `Authorization` of every request, empty where there was none.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn answering(answer: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("has an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (answer.to_owned(), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let authorization = request(&stream);
                log.lock().expect("not poisoned").push(authorization);
                // The client may have gone; that is its business.
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

/// Reads one request's head and gives back its `Authorization`.
fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let authorization = lines.filter_map(|line| line.strip_prefix("Authorization: ").map(str::to_owned));
    authorization.last().unwrap_or_default()
}

async fn poll(server: &Server, token: Option<&str>) -> SourceError {
    let cache = tempfile::TempDir::new().expect("a temporary directory");
    let mut config = Config::new(format!("http://{}/state.git", server.address), "main", cache.path());
    config.credentials.https_token = token.map(|token| Token::Value(Secret::new(token)));
    Repository::open(config).expect("opens").poll().await.expect_err("is no git server")
}

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\
                            Connection: close\r\n\r\n";

#[tokio::test]
async fn answers_of_servers_are_explained() {
    // The status line and headers | a part of the message or hint | whether waiting may help
    let table = [
        ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"", "there is no token", false),
        ("403 Forbidden", "may not read this repository", false),
        ("404 Not Found", "the repository does not exist", false),
        ("500 Oops", "asks again", true),
        ("503 Busy", "asks again", true),
        ("200 OK\r\nContent-Type: text/html", "asks again", true),
    ];
    for (answer, expected, transient) in table {
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let error = poll(&Server::answering(&answer), None).await;
        assert!(format!("{error:?}").contains(expected), "{answer}: {error:?}");
        assert_eq!(error.transient, transient, "{answer}: {error:?}");
    }
    assert!(poll(&Server::answering(""), None).await.transient);
}

#[tokio::test]
async fn a_token_is_sent_when_it_is_asked_for_and_never_shown() {
    let server = Server::answering(UNAUTHORIZED);
    let error = poll(&server, Some("s3cret")).await;
    assert!(error.message.contains("refused the token") && !error.transient, "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"));
    // base64 of `x-access-token:s3cret`
    assert_eq!(server.seen(), ["", "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0"]);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = Server::answering(UNAUTHORIZED);
    let location = format!("http://localhost:{}/state.git/info/refs?service=git-upload-pack", other.address.port());
    let answer =
        format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let server = Server::answering(&answer);
    let error = poll(&server, Some("s3cret")).await;
    assert!(error.hint.as_deref().unwrap_or_default().contains("give the new URL"), "{error:?}");
    assert_eq!((server.seen().len(), other.seen().len()), (1, 0));
}
