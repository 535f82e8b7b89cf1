//! AWS's wire protocols: from an HTTP request to a call, and from a call's outcome to an HTTP response.
//!
//! A call's input is a JSON value with the API's own member names, whatever the protocol: JSON 1.1 bodies as they are;
//! query parameters (`a.member.1.b=c`) as nested objects and lists whose leaves are all strings; CBOR of RPC v2 as JSON.

//!
//! | file | idea |
//! |---|---|
//! | `read.rs` | which protocol, service, action and caller a request has |
//! | `scope.rs` | SigV4's credential scope, and the services' names in it |
//! | `body.rs` | gzip and aws-chunked bodies |
//! | `query.rs`, `xml.rs` | the query protocol in and out |
//! | `cbor.rs` | RPC v2 CBOR in and out |
//! | `answer.rs` | an outcome as an HTTP response |

pub mod answer;
mod body;
mod cbor;
mod query;
pub mod read;
mod scope;
#[cfg(test)]
mod tests;
mod xml;

use serde_json::Value;

/// The services that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Amazon ECS: JSON 1.1, `X-Amz-Target: AmazonEC2ContainerServiceV20141113.…`.
    Ecs,
    /// Elastic Load Balancing v2: query.
    ElasticLoadBalancing,
    /// CloudFormation: query.
    CloudFormation,
    /// STS: query.
    Sts,
    /// ECR: JSON 1.1, `AmazonEC2ContainerRegistry_V20150921.…`.
    Ecr,
    /// Secrets Manager: JSON 1.1, `secretsmanager.…`.
    SecretsManager,
    /// Systems Manager: JSON 1.1, `AmazonSSM.…`.
    Ssm,
    /// CloudWatch: RPC v2 CBOR from the newer SDKs, query from others.
    CloudWatch,
    /// Application Auto Scaling: JSON 1.1, `AnyScaleFrontendService.…`.
    ApplicationAutoScaling,
    /// CloudTrail: JSON 1.1, `…CloudTrail_20131101.…`.
    CloudTrail,
}

/// One API call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which service.
    pub service: Api,
    /// Which action, such as `UpdateService`.
    pub action: String,
    /// The access key id that signed it: who calls.
    pub access_key: String,
    /// The region of the signature's scope.
    pub region: String,
    /// Its input, by the API's member names.
    pub input: Value,
}

impl Call {
    /// Whether it may change a resource. Metrics and temporary credentials are no resources.
    pub fn mutates(&self) -> bool {
        const READS: [&str; 9] = [
            "Describe",
            "List",
            "Get",
            "BatchGet",
            "BatchCheck",
            "Lookup",
            "PutMetricData",
            "AssumeRole",
            "ValidateTemplate",
        ];
        !READS.iter().any(|prefix| self.action.starts_with(prefix))
    }
}

/// An error as an API answers it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The code as it goes over the wire, such as `ClusterNotFoundException` or, for the query protocol, `RuleNotFound`.
    pub code: String,
    /// The text.
    pub message: String,
    /// Members that an error of the JSON protocol has in addition, such as the `taskArns` of a `ConflictException`.
    pub members: serde_json::Map<String, Value>,
}

impl ApiError {
    /// A client error: HTTP 400.
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    /// An error with another status.
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), members: serde_json::Map::new() }
    }
}

/// The protocols that the simulated services speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.1.
    Json11,
    /// AWS JSON 1.0: CloudWatch from botocore.
    Json10,
    /// AWS query: a form in, XML out.
    Query,
    /// Smithy RPC v2 CBOR: CloudWatch from the SDK for Rust.
    Cbor,
}

/// What an action answers: the output's members by the API's names, or an error.
pub type Outcome = Result<Value, ApiError>;
