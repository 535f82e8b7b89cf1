//! A git server on a loopback port: git's own `http-backend` behind the least of a web server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};

/// Serves the bare repositories of a directory until the test's process ends.
pub struct GitServer {
    address: SocketAddr,
    served: Arc<AtomicUsize>,
    answered: Arc<Mutex<Vec<Answered>>>,
}

/// A request that git answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// When all of it had come.
    pub came: Instant,
    /// When its answer was ready.
    pub went: Instant,
}

/// What of a request git wants to know.
struct Request {
    method: String,
    path: String,
    query: String,
    kind: String,
    protocol: String,
    encoding: String,
    body: Vec<u8>,
}

impl GitServer {
    /// Begins to serve the repositories that lie in `directory`.
    ///
    /// # Errors
    /// When there is no port left.
    pub fn start(directory: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is left")?;
        let address = listener.local_addr()?;
        let served = Arc::new(AtomicUsize::new(0));
        let answered = Arc::new(Mutex::new(Vec::new()));
        let (directory, count, log) = (directory.to_owned(), Arc::clone(&served), Arc::clone(&answered));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (directory, count, log) = (directory.clone(), Arc::clone(&count), Arc::clone(&log));
                thread::spawn(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    // Whoever went away needs no answer.
                    let _ = serve(&directory, client, &log);
                });
            }
        });
        Ok(Self { address, served, answered })
    }

    /// The URL of a repository, by the name of its directory.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// How many requests there were so far.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// What was answered since `begun`, in the order in which answers were ready.
    pub fn answered(&self, begun: Instant) -> Vec<Answered> {
        let log = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|answered| answered.came >= begun).copied().collect()
    }
}

fn serve(directory: &Path, mut client: TcpStream, log: &Mutex<Vec<Answered>>) -> Result<()> {
    let request = read(&client)?;
    let came = Instant::now();
    let mut git = Command::new("git")
        .arg("http-backend")
        .envs([
            ("GIT_HTTP_EXPORT_ALL", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("REQUEST_METHOD", &request.method),
            ("PATH_INFO", &request.path),
            ("QUERY_STRING", &request.query),
            ("CONTENT_TYPE", &request.kind),
            ("HTTP_CONTENT_ENCODING", &request.encoding),
            ("GIT_PROTOCOL", &request.protocol),
            ("CONTENT_LENGTH", &request.body.len().to_string()),
        ])
        .env("GIT_PROJECT_ROOT", directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    git.stdin.take().context("stdin is a pipe")?.write_all(&request.body)?;
    let answer = git.wait_with_output()?.stdout;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("an answer has a head")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    // CGI: the status is a header, and absent when all is well.
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let length = body.len();
    // Before it is sent: a client that has the answer finds it here.
    log.lock().unwrap_or_else(PoisonError::into_inner).push(Answered { came, went: Instant::now() });
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}");
    // In one piece: pieces would wait for each other's receipt.
    client.write_all(&[head.as_bytes(), body].concat())?;
    Ok(())
}

fn read(client: &TcpStream) -> Result<Request> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().context("a request has a method")?.to_owned();
    let target = words.next().context("a request has a target")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut request = Request {
        method,
        path,
        query,
        kind: String::new(),
        protocol: String::new(),
        encoding: String::new(),
        body: Vec::new(),
    };
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "content-type" => value.clone_into(&mut request.kind),
            "content-encoding" => value.clone_into(&mut request.encoding),
            "git-protocol" => value.clone_into(&mut request.protocol),
            "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    if is_chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16)?;
            // A chunk ends in a line's end, which is no part of it.
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            request.body.extend_from_slice(&chunk[..size]);
        }
    } else {
        request.body.resize(length, 0);
        reader.read_exact(&mut request.body)?;
    }
    Ok(request)
}
