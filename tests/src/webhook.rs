//! What a provider sends when somebody pushed.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);

/// The body that GitHub sends when `after` was pushed to a branch of the repository with this URL.
pub fn push(repository: &str, branch: &str, after: &str) -> String {
    format!(
        r#"{{"ref":"refs/heads/{branch}","after":"{after}","deleted":false,"repository":{{"clone_url":"{repository}"}}}}"#
    )
}

/// Sends a body as GitHub does, signed with `secret`. Gives the status of the answer.
///
/// # Errors
/// When nobody listens or answers.
pub fn send(address: SocketAddr, secret: &str, body: &str) -> Result<u16> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).context("any length")?;
    let tag = mac.chain_update(body.as_bytes()).finalize().into_bytes();
    let tag = tag.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(ANSWER_LIMIT))?;
    // In one piece: pieces would wait for each other's receipt.
    let message = format!(
        "POST /webhook HTTP/1.1\r\nHost: trueup\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={tag}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(message.as_bytes())?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).context("an answer has a status")?;
    Ok(status.parse()?)
}
