//! Parses an HTTP request into a call.

use serde_json::{Map, Value};

use super::scope::Scope;
use super::{Api, ApiError, Call, Protocol, body, cbor, query};
use crate::http::Request;
use crate::time::Time;

/// A request that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The requested call.
    pub call: Call,
    /// The protocol of the answer.
    pub protocol: Protocol,
    /// The signing time that the client declares: `X-Amz-Date`.
    pub signed_at: Option<Time>,
}

/// A request that was not understood, and the answer to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The protocol of the answer.
    pub protocol: Protocol,
    /// The service, if it is known.
    pub service: Option<Api>,
    /// The error to answer with.
    pub error: ApiError,
}

/// Reads a request of any of the simulated services.
///
/// The service is the one of the signature's scope; without one, of `X-Amz-Target`, of the path, or of the form's `Version`.
///
/// # Errors
/// As AWS answers: no signature, an unknown service or action, a body that cannot be read.
pub fn read(request: &Request) -> Result<Incoming, Box<Refusal>> {
    let scope = Scope::of(request);
    let signed_for = scope.as_ref().and_then(|scope| Api::by_signing_name(&scope.service));
    let framing = Framing::of(request);
    let protocol = framing.protocol().or_else(|| signed_for.map(Api::protocol)).unwrap_or(Protocol::Query);
    let refuse = |service: Option<Api>, error: ApiError| Box::new(Refusal { protocol, service, error });

    let body = body::decoded(request).map_err(|error| refuse(signed_for, error))?;
    let (named, action, input) = framing.parse(&body).map_err(|error| refuse(signed_for, error))?;
    let Some(service) = signed_for.or(named) else {
        return Err(refuse(None, unknown_operation(protocol, None, &action)));
    };
    let Some(scope) = scope else {
        return Err(refuse(Some(service), unsigned(protocol)));
    };
    if action.is_empty() || named.is_some_and(|named| named != service) {
        return Err(refuse(Some(service), unknown_operation(protocol, Some(service), &action)));
    }
    Ok(Incoming {
        call: Call { service, action, access_key: scope.access_key, region: scope.region, input },
        protocol,
        signed_at: request.header("x-amz-date").and_then(signing_date),
    })
}

/// What an action answers that a service does not know.
pub fn unknown_operation(protocol: Protocol, service: Option<Api>, action: &str) -> ApiError {
    match protocol {
        Protocol::Query => {
            let version = service.and_then(Api::version).unwrap_or_default();
            ApiError::client("InvalidAction", format!("Could not find operation {action} for version {version}"))
        }
        Protocol::Json11 | Protocol::Json10 | Protocol::Cbor => ApiError::client("UnknownOperationException", ""),
    }
}

fn unsigned(protocol: Protocol) -> ApiError {
    let code =
        if protocol == Protocol::Query { "MissingAuthenticationToken" } else { "MissingAuthenticationTokenException" };
    ApiError::with_status(403, code, "Missing Authentication Token")
}

/// `20260101T000000Z`.
fn signing_date(text: &str) -> Option<Time> {
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = jiff::tz::TimeZone::UTC.to_timestamp(date).ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Time)
}

/// How a request says what it wants.
enum Framing<'a> {
    /// `X-Amz-Target: PREFIX.ACTION`.
    Json { target: &'a str, protocol: Protocol },
    /// `/service/NAME/operation/ACTION`.
    Cbor { service: &'a str, action: &'a str },
    /// `Action=…&Version=…` in the body, or in the URL's query.
    Form { url_query: &'a str },
}

impl<'a> Framing<'a> {
    fn of(request: &'a Request) -> Self {
        let (path, url_query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut parts = path.trim_matches('/').split('/');
        if let (Some("service"), Some(service), Some("operation"), Some(action)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        {
            return Self::Cbor { service, action };
        }
        match request.header("x-amz-target") {
            Some(target) => {
                let old = request.header("content-type").is_some_and(|kind| kind.contains("amz-json-1.0"));
                Self::Json { target, protocol: if old { Protocol::Json10 } else { Protocol::Json11 } }
            }
            None => Self::Form { url_query },
        }
    }

    /// `None` when only the service knows.
    fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Json { protocol, .. } => Some(*protocol),
            Self::Cbor { .. } => Some(Protocol::Cbor),
            Self::Form { .. } => None,
        }
    }

    /// The service that the request itself names, the action (empty when there is none) and the input.
    fn parse(&self, body: &[u8]) -> Result<(Option<Api>, String, Value), ApiError> {
        match self {
            Self::Json { target, .. } => {
                let (prefix, action) = target.rsplit_once('.').unwrap_or(("", target));
                let input = if body.is_empty() {
                    Value::Object(Map::new())
                } else {
                    serde_json::from_slice(body).map_err(|_| unreadable())?
                };
                object(input).map(|input| (Api::by_target(prefix), action.to_owned(), input))
            }
            Self::Cbor { service, action } => {
                let input = if body.is_empty() {
                    Value::Object(Map::new())
                } else {
                    cbor::parse(body).map_err(|_| unreadable())?
                };
                object(input).map(|input| (Api::by_target(service), (*action).to_owned(), input))
            }
            Self::Form { url_query } => {
                let mut pairs = query::pairs(url_query.as_bytes());
                pairs.retain(|(key, _)| !key.starts_with("X-Amz-"));
                pairs.extend(query::pairs(body));
                let mut input = query::tree(&pairs);
                let mut taken = |name: &str| {
                    let value = input.as_object_mut().and_then(|members| members.shift_remove(name));
                    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
                };
                let (action, version) = (taken("Action"), taken("Version"));
                Ok((Api::by_version(&version), action, input))
            }
        }
    }
}

fn object(input: Value) -> Result<Value, ApiError> {
    if input.is_object() { Ok(input) } else { Err(unreadable()) }
}

fn unreadable() -> ApiError {
    ApiError::client("SerializationException", "")
}
