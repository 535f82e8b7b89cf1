//! A client protocol that passes JSON through unchanged: the author's document out, AWS's answer back.
//!
//! The SDK's types have only the members that were known when the SDK was generated. A document may have newer ones,
//! and so may an answer. Endpoint, framing, signature, retries and errors stay the SDK's own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_schema::protocol::ClientProtocolInner;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer};
use aws_smithy_schema::{Schema, ShapeId};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::endpoint::Endpoint;
use aws_smithy_types::error::metadata::Builder as ErrorMetadataBuilder;

/// Where an answer's body is put for the caller.
pub(crate) type Slot = Arc<Mutex<Option<Vec<u8>>>>;

/// Takes the body out of a slot; empty when no answer was put there.
pub(crate) fn take(slot: &Slot) -> Vec<u8> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
}

/// Puts an answer's body into a slot.
pub(crate) fn put(slot: &Slot, body: &[u8]) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body.to_vec());
}

/// Speaks awsJson1.1 for one call: sends `body` whatever the typed input holds, and keeps what comes back.
///
/// The typed output stays empty, because parsing the same text twice would double the cost of a cycle.
pub(crate) struct Lossless {
    inner: AwsJsonRpcProtocol,
    body: Vec<u8>,
    answer: Slot,
}

impl Lossless {
    pub(crate) fn new(body: Vec<u8>, answer: Slot) -> Self {
        Self { inner: AwsJsonRpcProtocol::aws_json_1_1(), body, answer }
    }
}

impl fmt::Debug for Lossless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies carry environment values.
        f.debug_struct("Lossless").finish_non_exhaustive()
    }
}

impl ClientProtocolInner for Lossless {
    type Request = Request;
    type Response = Response;

    fn protocol_id(&self) -> &ShapeId<'static> {
        ClientProtocolInner::protocol_id(&self.inner)
    }

    fn serialize_request(
        &self,
        input: &dyn SerializableStruct,
        input_schema: &Schema<'_>,
        endpoint: &str,
        cfg: &ConfigBag,
    ) -> Result<Request, SerdeError> {
        let mut request = ClientProtocolInner::serialize_request(&self.inner, input, input_schema, endpoint, cfg)?;
        replace_body(&mut request, &self.body);
        Ok(request)
    }

    fn deserialize_response<'a>(
        &self,
        response: &'a Response,
        _output_schema: &Schema<'_>,
        _cfg: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        put(&self.answer, response.body().bytes().unwrap_or_default());
        let codec = ClientProtocolInner::payload_codec(&self.inner).expect("awsJson has a codec");
        Ok(codec.create_deserializer(b"{}"))
    }

    fn parse_error_metadata(&self, response: &Response, cfg: &ConfigBag) -> Result<ErrorMetadataBuilder, SerdeError> {
        ClientProtocolInner::parse_error_metadata(&self.inner, response, cfg)
    }

    fn deserialize_error_response<'a>(
        &self,
        response: &'a Response,
        cfg: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        ClientProtocolInner::deserialize_error_response(&self.inner, response, cfg)
    }

    fn update_endpoint(&self, request: &mut Request, endpoint: &Endpoint, cfg: &ConfigBag) -> Result<(), SerdeError> {
        ClientProtocolInner::update_endpoint(&self.inner, request, endpoint, cfg)
    }
}

/// Replaces a request's body. Without the new length in the header, a server reads a cut body.
pub(crate) fn replace_body(request: &mut Request, body: &[u8]) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body.to_vec());
}
