//! What a provider sends after a push.

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
/// When there is no listener, or no answer.
pub fn send(address: SocketAddr, secret: &str, body: &str) -> Result<u16> {
    post(address, &github(secret, body)?, body)
}

/// The headers that GitHub sends with a body.
fn github(secret: &str, body: &str) -> Result<String> {
    Ok(format!("X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={}\r\n", signature(secret, body)?))
}

/// HMAC-SHA256 in hexadecimal digits.
///
/// # Errors
/// Never: a secret of any length is one.
pub fn signature(secret: &str, text: &str) -> Result<String> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).context("any length")?;
    let tag = mac.chain_update(text.as_bytes()).finalize().into_bytes();
    Ok(tag.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}

/// Posts a body with a provider's headers, each with its line's end. Gives the status of the answer.
///
/// # Errors
/// When there is no listener, or no answer.
pub fn post(address: SocketAddr, headers: &str, body: &str) -> Result<u16> {
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(ANSWER_LIMIT))?;
    // In one piece: pieces would wait for each other's receipt.
    let message = format!(
        "POST /webhook HTTP/1.1\r\nHost: trueup\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n\
         {body}",
        body.len()
    );
    client.write_all(message.as_bytes())?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).context("an answer has a status")?;
    Ok(status.parse()?)
}
