//! Bodies as they travel: `content-encoding` is undone here.

use std::io::Read;

use super::ApiError;
use crate::http::Request;

/// No request of these services is larger; it also bounds what a few compressed bytes can become.
const BODY_BYTES_MAX: u64 = 16 << 20;

/// The body without gzip and without the frames of aws-chunked.
///
/// # Errors
/// `SerializationException` when it is not what its `content-encoding` says.
pub fn decoded(request: &Request) -> Result<Vec<u8>, ApiError> {
    let mut body = request.body.clone();
    let encodings = request.header("content-encoding").unwrap_or_default().to_ascii_lowercase();
    // Encodings are named in the order in which they were applied.
    for encoding in encodings.rsplit(',').map(str::trim) {
        body = match encoding {
            "gzip" => gunzip(&body)?,
            "aws-chunked" => unchunk(&body)?,
            _ => body,
        };
    }
    Ok(body)
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(body).take(BODY_BYTES_MAX + 1);
    reader.read_to_end(&mut plain).map_err(|_| unreadable("the body is not gzip"))?;
    if plain.len() as u64 > BODY_BYTES_MAX { Err(unreadable("the body is too large")) } else { Ok(plain) }
}

/// `SIZE;chunk-signature=…\r\nBYTES\r\n`, until a chunk of size 0; trailers are ignored.
fn unchunk(mut body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n").ok_or_else(|| unreadable("a chunk has no size"))?;
        let size = std::str::from_utf8(&body[..end]).ok().and_then(|head| head.split(';').next());
        let size = size
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .ok_or_else(|| unreadable("a chunk has no size"))?;
        body = &body[end + 2..];
        if size == 0 {
            return Ok(plain);
        }
        if body.len() < size || body.len() - size < 2 {
            return Err(unreadable("a chunk is cut"));
        }
        plain.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

fn unreadable(why: &str) -> ApiError {
    ApiError::client("SerializationException", why)
}
