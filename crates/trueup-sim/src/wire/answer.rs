//! Turns a call's outcome into an HTTP response.

use serde_json::{Map, Value};

use super::{Api, ApiError, Outcome, Protocol, cbor, xml};
use crate::http::Response;
use crate::time::Time;

/// The data that every response contains in addition to the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The protocol of the response.
    pub protocol: Protocol,
    /// The service, if it is known.
    pub service: Option<Api>,
    /// The action.
    pub action: &'a str,
    /// `x-amzn-requestid`, a UUID.
    pub request_id: &'a str,
    /// The server's clock: `date`.
    pub now: Time,
}

impl Envelope<'_> {
    /// The response to a call that had this outcome.
    pub fn respond(&self, outcome: &Outcome) -> Response {
        let mut headers =
            vec![("x-amzn-requestid".to_owned(), self.request_id.to_owned()), ("date".to_owned(), http_date(self.now))];
        let content_type = match self.protocol {
            Protocol::Json11 => "application/x-amz-json-1.1",
            Protocol::Json10 => "application/x-amz-json-1.0",
            Protocol::Query => "text/xml",
            Protocol::Cbor => "application/cbor",
        };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        if self.protocol == Protocol::Cbor {
            headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
        }
        let (status, body) = match outcome {
            Ok(output) => (200, self.output(output)),
            Err(error) => {
                headers.extend(self.error_headers(error));
                (error.status, self.error(error))
            }
        };
        headers.push(("content-length".to_owned(), body.len().to_string()));
        Response { status, headers, body }
    }

    fn output(&self, output: &Value) -> Vec<u8> {
        let empty = Value::Object(Map::new());
        let output = if output.is_null() { &empty } else { output };
        match (self.protocol, self.service) {
            (Protocol::Json11 | Protocol::Json10, _) | (Protocol::Query, None) => output.to_string().into_bytes(),
            (Protocol::Query, Some(service)) => xml::output(service, self.action, output, self.request_id).into_bytes(),
            (Protocol::Cbor, _) => cbor::render(output),
        }
    }

    fn error(&self, error: &ApiError) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("__type".to_owned(), Value::from(error.code.as_str()));
        body.insert("message".to_owned(), Value::from(error.message.as_str()));
        body.extend(error.members.clone());
        match self.protocol {
            Protocol::Json11 | Protocol::Json10 => Value::Object(body).to_string().into_bytes(),
            Protocol::Query => xml::error(self.service, error, self.request_id).into_bytes(),
            Protocol::Cbor => cbor::render(&Value::Object(body)),
        }
    }

    /// JSON errors are named in a header too; services that once spoke query say the old code for old clients.
    fn error_headers(&self, error: &ApiError) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if matches!(self.protocol, Protocol::Json11 | Protocol::Json10) {
            headers.push(("x-amzn-errortype".to_owned(), error.code.clone()));
        }
        if self.service == Some(Api::CloudWatch) && self.protocol != Protocol::Query {
            headers.push(("x-amzn-query-error".to_owned(), format!("{};{}", error.code, xml::fault(error))));
        }
        headers
    }
}

/// Such as `Thu, 01 Jan 2026 00:00:00 GMT`.
fn http_date(now: Time) -> String {
    let milliseconds = i64::try_from(now.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| String::new(), |at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}
