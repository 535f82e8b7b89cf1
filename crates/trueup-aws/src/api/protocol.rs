//! How a request is written and an answer read, per protocol.

use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_schema::protocol::ClientProtocolInner as _;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::ErrorMetadata;
use serde_json::Value;

use crate::{query, xml};

/// A protocol of AWS's, with what it needs to know of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// awsJson: JSON both ways.
    Json {
        /// `1.0` or `1.1`.
        version: &'static str,
        /// What `X-Amz-Target` says before the operation.
        target: &'static str,
    },
    /// awsQuery: form pairs out, XML in.
    Query {
        /// The version of the API.
        version: &'static str,
    },
}

impl Protocol {
    /// The body of a request.
    pub(crate) fn body(self, operation: &str, input: &Value) -> String {
        match self {
            Self::Json { .. } => input.to_string(),
            Self::Query { version } => query::body(operation, version, input),
        }
    }

    /// A request to `/`: the endpoint is put before it later.
    pub(crate) fn request(self, operation: &str, body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").expect("POST is a method");
        request.set_uri("/").expect("a path is a URI");
        let headers = request.headers_mut();
        headers.insert("content-length", body.len().to_string());
        match self {
            Self::Json { version, target } => {
                headers.insert("content-type", format!("application/x-amz-json-{version}"));
                headers.insert("x-amz-target", format!("{target}.{operation}"));
            }
            Self::Query { .. } => {
                headers.insert("content-type", "application/x-www-form-urlencoded");
            }
        }
        request
    }

    /// Reads the body of a successful answer.
    ///
    /// # Errors
    /// When it is not the API's.
    pub(crate) fn answer(self, body: &[u8]) -> Result<Value, String> {
        match self {
            Self::Json { .. } => {
                serde_json::from_slice(body).map_err(|error| format!("the answer is not JSON: {error}"))
            }
            Self::Query { .. } => {
                let text = str::from_utf8(body).map_err(|error| format!("the answer is not UTF-8: {error}"))?;
                xml::result(text)
            }
        }
    }

    /// Reads the code and the message of a failed answer. Both are missing when it is not the API's, such as a proxy's page.
    pub(crate) fn error(self, response: &HttpResponse) -> ErrorMetadata {
        match self {
            // The code can be in a header, in `__type` or in `code`, with a namespace or without: the SDK knows.
            Self::Json { .. } => AwsJsonRpcProtocol::aws_json_1_1()
                .parse_error_metadata(response, &ConfigBag::base())
                .map(aws_smithy_types::error::metadata::Builder::build)
                .unwrap_or_default(),
            Self::Query { .. } => {
                let text = response.body().bytes().and_then(|body| str::from_utf8(body).ok());
                let (code, message) = text.map(xml::error).unwrap_or_default();
                let mut error = ErrorMetadata::builder();
                if let Some(code) = code {
                    error = error.code(code);
                }
                if let Some(message) = message {
                    error = error.message(message);
                }
                error.build()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use serde_json::json;

    use super::*;

    const JSON: Protocol = Protocol::Json { version: "1.1", target: "AmazonSSM" };
    const QUERY: Protocol = Protocol::Query { version: "2010-05-15" };

    fn request(protocol: Protocol, operation: &str, input: &Value) -> (Vec<(String, String)>, String) {
        let body = protocol.body(operation, input);
        let request = protocol.request(operation, &body);
        assert_eq!((request.method(), request.uri()), ("POST", "/"));
        let mut headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.sort();
        (headers, String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap())
    }

    fn error(protocol: Protocol, header: Option<&'static str>, body: &'static str) -> [Option<String>; 2] {
        let mut response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        let error = protocol.error(&response);
        [error.code(), error.message()].map(|text| text.map(str::to_owned))
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn json_goes_out_with_its_target_and_comes_back_as_it_is() {
        let (headers, body) = request(JSON, "DescribeParameters", &json!({"MaxResults": 50, "Newer": [1.10]}));
        assert_eq!(body, r#"{"MaxResults":50,"Newer":[1.1]}"#);
        assert_eq!(
            headers,
            [
                header("content-length", &body.len().to_string()),
                header("content-type", "application/x-amz-json-1.1"),
                header("x-amz-target", "AmazonSSM.DescribeParameters"),
            ]
        );
        assert_eq!(JSON.answer(br#"{"Newer":{"Than":"us"}}"#), Ok(json!({"Newer": {"Than": "us"}})));
        assert!(JSON.answer(b"<html>").unwrap_err().starts_with("the answer is not JSON"));
    }

    #[test]
    fn query_goes_out_as_pairs_and_comes_back_as_json() {
        let (headers, body) = request(QUERY, "DescribeStacks", &json!({"StackName": "a b", "NextToken": null}));
        assert_eq!(body, "Action=DescribeStacks&Version=2010-05-15&StackName=a%20b");
        assert_eq!(
            headers,
            [
                header("content-length", &body.len().to_string()),
                header("content-type", "application/x-www-form-urlencoded"),
            ]
        );
        let answer = "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
             <DescribeStacksResult><Stacks><member><StackName>a</StackName><Outputs><member><OutputKey>k</OutputKey>\
             </member></Outputs><Tags/></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";
        assert_eq!(
            QUERY.answer(answer.as_bytes()),
            Ok(json!({"Stacks": [{"StackName": "a", "Outputs": [{"OutputKey": "k"}], "Tags": ""}]}))
        );
        assert!(QUERY.answer(b"<html/>").is_err() && QUERY.answer(b"\xff").is_err());
    }

    #[test]
    fn an_error_is_its_code_and_message_and_a_page_is_neither() {
        let some = |code: &str, message: &str| [Some(code.to_owned()), Some(message.to_owned())];
        for body in [
            r#"{"__type":"com.amazonaws.ssm#InvalidFilterKey","message":"no"}"#,
            r#"{"__type":"InvalidFilterKey","Message":"no"}"#,
            r#"{"code":"InvalidFilterKey","message":"no"}"#,
        ] {
            assert_eq!(error(JSON, None, body), some("InvalidFilterKey", "no"), "{body}");
        }
        assert_eq!(error(JSON, Some("InvalidKeyId:http://a/"), r#"{"message":"no"}"#), some("InvalidKeyId", "no"));
        let xml = "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
             <Code>ValidationError</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>";
        assert_eq!(error(QUERY, None, xml), some("ValidationError", "no"));
        for page in ["", "<!doctype html><title>502</title><h1>Oops", "<html><body>502</body></html>"] {
            assert_eq!(error(JSON, None, page), [None, None], "{page}");
            assert_eq!(error(QUERY, None, page), [None, None], "{page}");
        }
    }
}
