//! A request and what becomes of it, without any transport.

use std::time::Duration;

/// An HTTP request as a client of AWS sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST` nearly always.
    pub method: String,
    /// Path and query, such as `/`.
    pub target: String,
    /// Header names in lower case, with their values, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body as sent: `content-encoding` (gzip, aws-chunked) is undone by [`crate::wire`].
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the client experiences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer, after this time.
    Answer {
        /// From the request's arrival to the answer.
        after: Duration,
        /// The answer.
        response: Response,
    },
    /// The connection is reset after this time, without an answer.
    Reset {
        /// From the request's arrival to the reset.
        after: Duration,
    },
    /// Nothing comes, ever: the client has to give up.
    Silence,
}
