//! AWS's wire protocols: from an HTTP request to a call, and from a call's outcome to an HTTP response.
//!
//! A call's input is a JSON value with the API's own member names, whatever the protocol: JSON 1.1 bodies as they are;
//! query parameters (`a.member.1.b=c`) as nested objects and lists whose leaves are all strings; CBOR of RPC v2 as JSON.

use serde_json::Value;

/// The services that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
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
    pub service: Service,
    /// Which action, such as `UpdateService`.
    pub action: String,
    /// The access key id that signed it: who calls.
    pub access_key: String,
    /// The region of the signature's scope.
    pub region: String,
    /// Its input, by the API's member names.
    pub input: Value,
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
    /// Members that an error of the JSON protocol has besides, such as the `taskArns` of a `ConflictException`.
    pub members: serde_json::Map<String, Value>,
}

impl ApiError {
    /// A client error: HTTP 400.
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into(), members: serde_json::Map::new() }
    }
}

/// What an action answers: the output's members by the API's names, or an error.
pub type Outcome = Result<Value, ApiError>;
