//! A target of notifications: an HTTP server on a loopback port that accepts everything and keeps what it got.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::world::LIMIT;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The path.
    pub path: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Posted {
    /// The body as JSON; null where it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Takes posts until the test's process ends.
pub struct Receiver {
    address: SocketAddr,
    posted: Arc<(Mutex<Vec<Posted>>, Condvar)>,
}

impl Receiver {
    /// Begins to take posts.
    ///
    /// # Errors
    /// When there is no port left.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is left")?;
        let address = listener.local_addr()?;
        let posted = Arc::<(Mutex<Vec<Posted>>, Condvar)>::default();
        let kept = Arc::clone(&posted);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    // A client that went away sent nothing.
                    let Ok(post) = take(client) else { return };
                    kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(post);
                    kept.1.notify_all();
                });
            }
        });
        Ok(Self { address, posted })
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something was posted that is as `wanted`.
    ///
    /// # Errors
    /// When nothing was in time: with `what` and everything that was posted.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Posted) -> bool) -> Result<Posted> {
        let deadline = Instant::now() + LIMIT;
        let mut posted = self.posted.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = posted.iter().find(|post| wanted(post)) {
                return Ok(found.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let shown = posted.iter().map(|post| format!("{} {}", post.path, post.json())).collect::<Vec<_>>();
                bail!("waited for {what}; there was\n{}", shown.join("\n"));
            }
            posted = self.posted.1.wait_timeout(posted, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn take(mut client: TcpStream) -> Result<Posted> {
    client.set_read_timeout(Some(LIMIT))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).context("a request has a path")?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(Ok(0), |(_, value)| value.parse())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    // The SDK reads CloudWatch's answer as an empty map of CBOR; everybody else looks at the status alone.
    let protocol = if headers.iter().any(|(name, _)| name == "smithy-protocol") {
        "Content-Type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n"
    } else {
        ""
    };
    let status = if protocol.is_empty() { "201 Created" } else { "200 OK" };
    write!(client, "HTTP/1.1 {status}\r\n{protocol}Connection: close\r\nContent-Length: 1\r\n\r\n")?;
    client.write_all(&[0xa0])?;
    Ok(Posted { path, headers, body })
}
