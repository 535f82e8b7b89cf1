//! An AWS that is a function from a request to a reply, in process and on Tokio's clock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use trueup_aws::{AwsCloud, AwsClouds, Options, Pace};
use trueup_core::desired::Environment;
use trueup_core::names::EnvironmentName;

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "ap-northeast-1";

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The operation, from `x-amz-target` or from the pair `Action`.
    pub operation: String,
    pub uri: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// The form pairs but `Action` and `Version`, decoded.
    pub fn pairs(&self) -> BTreeMap<String, String> {
        pairs(&self.body).into_iter().filter(|(key, _)| key != "Action" && key != "Version").collect()
    }

    /// The values of `NAME.member.1`, `NAME.member.2` and so on.
    pub fn list(&self, name: &str) -> Vec<String> {
        let pairs = self.pairs();
        (1..).map_while(|n| pairs.get(&format!("{name}.member.{n}")).cloned()).collect()
    }
}

pub fn pairs(body: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            match byte {
                b'%' => {
                    bytes.push(u8::from_str_radix(str::from_utf8(&rest[..2]).unwrap(), 16).unwrap());
                    rest = &rest[2..];
                }
                b'+' => bytes.push(b' '),
                other => bytes.push(other),
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decoded(k), decoded(v))).collect()
}

/// What is answered.
pub enum Reply {
    Json(u16, Value),
    Xml(u16, String),
    Html(u16),
    /// The connection is reset after the request was sent.
    Reset,
    /// Nothing listens.
    Refused,
    /// No answer ever comes.
    Hang,
}

/// An ECS error.
pub fn error(code: &str, message: &str) -> Reply {
    Reply::Json(400, json!({"__type": code, "message": message}))
}

/// An ELBv2 answer.
pub fn elb(operation: &str, result: &str) -> Reply {
    Reply::Xml(
        200,
        format!(
            "<{operation}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
             <{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}

/// An ELBv2 error.
pub fn elb_error(status: u16, code: &str) -> Reply {
    Reply::Xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>so it is</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
        ),
    )
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// The function, with a record of what it was asked. `GetCallerIdentity` it answers by itself.
#[derive(Clone)]
pub struct Fake {
    handler: Arc<Handler>,
    log: Arc<Mutex<Vec<Request>>>,
    account: Arc<Mutex<String>>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub fn new(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self { handler: Arc::new(handler), log: Arc::default(), account: Arc::new(Mutex::new(ACCOUNT.to_owned())) }
    }

    /// Has another account answer from now on.
    pub fn switch_account(&self, account: &str) {
        account.clone_into(&mut self.account.lock().unwrap());
    }

    /// What was asked, without `GetCallerIdentity`.
    pub fn asked(&self) -> Vec<Request> {
        self.log.lock().unwrap().iter().filter(|r| r.operation != "GetCallerIdentity").cloned().collect()
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|request| request.operation == operation).count()
    }

    /// How much was asked in all, `GetCallerIdentity` included.
    pub fn total(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    pub fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    pub fn clouds(&self, pace: Pace) -> AwsClouds {
        let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
        AwsClouds::new(Options {
            http_client: Some(self.client()),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            pace,
            ..Options::default()
        })
    }

    pub async fn cloud(&self) -> Arc<AwsCloud> {
        self.clouds(Pace::Unlimited).aws(&environment()).await
    }

    fn reply(&self, request: &Request) -> Reply {
        if request.operation == "GetCallerIdentity" {
            let account = self.account.lock().unwrap().clone();
            return Reply::Xml(
                200,
                format!(
                    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                     <GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult>\
                     </GetCallerIdentityResponse>"
                ),
            );
        }
        (self.handler)(request)
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let headers: BTreeMap<String, String> =
            request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let operation = match headers.get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => pairs(&body).remove("Action").unwrap_or_default(),
        };
        let request = Request { operation, uri: request.uri().to_owned(), headers, body };
        self.log.lock().unwrap().push(request.clone());
        let (status, kind, body) = match self.reply(&request) {
            Reply::Json(status, body) => (status, "application/x-amz-json-1.1", body.to_string()),
            Reply::Xml(status, body) => (status, "text/xml", body),
            Reply::Html(status) => (status, "text/html", "<!doctype html><title>500</title><h1>Oops".to_owned()),
            Reply::Reset => {
                let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
            }
            Reply::Refused => {
                let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(refused.into())));
            }
            Reply::Hang => return HttpConnectorFuture::new(std::future::pending()),
        };
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
        response.headers_mut().insert("content-type", kind);
        response.headers_mut().insert("x-amzn-requestid", "r-1");
        HttpConnectorFuture::ready(Ok(response))
    }
}

pub fn environment() -> Environment {
    Environment {
        name: EnvironmentName::new("production"),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        cluster: Some("main".to_owned()),
        role: None,
        variables: BTreeMap::new(),
    }
}
