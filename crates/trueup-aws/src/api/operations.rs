//! The operations that need no generated client, a row each, and the services that they belong to.
//!
//! Source of names, versions, targets and hosts: AWS's published API models, one per service.

use crate::rate::Bucket;

use super::protocol::Protocol;

/// One operation of one service.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) service: &'static ApiService,
    /// As IAM names it: `ssm:DescribeParameters`.
    pub(crate) action: &'static str,
    pub(crate) bucket: Bucket,
}

impl Operation {
    /// As the API names it: `DescribeParameters`.
    pub(crate) fn name(&self) -> &'static str {
        self.action.split_once(':').map_or(self.action, |(_, name)| name)
    }
}

/// One of AWS's services.
#[derive(Debug)]
pub(crate) struct ApiService {
    /// The service id, which also names its settings: `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub(crate) id: &'static str,
    /// The name in the user agent: `api/secretsmanager`.
    pub(crate) user_agent: &'static str,
    /// The service that a signature is for.
    pub(crate) signing_name: &'static str,
    /// What the host name begins with, before the region.
    pub(crate) host: &'static str,
    /// What it begins with at dual-stack endpoints; nothing where the ordinary endpoints are dual-stack.
    pub(crate) dual_stack_host: Option<&'static str>,
    /// Whether the ordinary endpoints in AWS's `GovCloud` (US) are the FIPS ones.
    pub(crate) govcloud_is_fips: bool,
    pub(crate) protocol: Protocol,
}

/// All services of this file.
pub(crate) const SERVICES: [&ApiService; 7] = [
    &APPLICATION_AUTO_SCALING,
    &CLOUDFORMATION,
    &CLOUDTRAIL,
    &ECR,
    &SECRETS_MANAGER,
    &SYSTEMS_MANAGER,
    &SECURITY_TOKEN_SERVICE,
];

static APPLICATION_AUTO_SCALING: ApiService = ApiService {
    id: "Application Auto Scaling",
    user_agent: "applicationautoscaling",
    signing_name: "application-autoscaling",
    host: "application-autoscaling",
    dual_stack_host: Some("application-autoscaling"),
    govcloud_is_fips: true,
    protocol: Protocol::Json { version: "1.1", target: "AnyScaleFrontendService" },
};

static CLOUDFORMATION: ApiService = ApiService {
    id: "CloudFormation",
    user_agent: "cloudformation",
    signing_name: "cloudformation",
    host: "cloudformation",
    dual_stack_host: Some("cloudformation"),
    govcloud_is_fips: true,
    protocol: Protocol::Query { version: "2010-05-15" },
};

static CLOUDTRAIL: ApiService = ApiService {
    id: "CloudTrail",
    user_agent: "cloudtrail",
    signing_name: "cloudtrail",
    host: "cloudtrail",
    dual_stack_host: Some("cloudtrail"),
    govcloud_is_fips: true,
    protocol: Protocol::Json { version: "1.1", target: "CloudTrail_20131101" },
};

static ECR: ApiService = ApiService {
    id: "ECR",
    user_agent: "ecr",
    signing_name: "ecr",
    host: "api.ecr",
    dual_stack_host: Some("ecr"),
    govcloud_is_fips: false,
    protocol: Protocol::Json { version: "1.1", target: "AmazonEC2ContainerRegistry_V20150921" },
};

static SECRETS_MANAGER: ApiService = ApiService {
    id: "Secrets Manager",
    user_agent: "secretsmanager",
    signing_name: "secretsmanager",
    host: "secretsmanager",
    dual_stack_host: None,
    govcloud_is_fips: false,
    protocol: Protocol::Json { version: "1.1", target: "secretsmanager" },
};

static SYSTEMS_MANAGER: ApiService = ApiService {
    id: "SSM",
    user_agent: "ssm",
    signing_name: "ssm",
    host: "ssm",
    dual_stack_host: Some("ssm"),
    govcloud_is_fips: true,
    protocol: Protocol::Json { version: "1.1", target: "AmazonSSM" },
};

static SECURITY_TOKEN_SERVICE: ApiService = ApiService {
    id: "STS",
    user_agent: "sts",
    signing_name: "sts",
    host: "sts",
    dual_stack_host: Some("sts"),
    govcloud_is_fips: true,
    protocol: Protocol::Query { version: "2011-06-15" },
};

pub(crate) static DESCRIBE_SCALABLE_TARGETS: Operation = Operation {
    service: &APPLICATION_AUTO_SCALING,
    action: "application-autoscaling:DescribeScalableTargets",
    bucket: Bucket::Scaling,
};

pub(crate) static DESCRIBE_STACKS: Operation =
    Operation { service: &CLOUDFORMATION, action: "cloudformation:DescribeStacks", bucket: Bucket::CloudFormation };

pub(crate) static LIST_STACK_RESOURCES: Operation =
    Operation { service: &CLOUDFORMATION, action: "cloudformation:ListStackResources", bucket: Bucket::CloudFormation };

pub(crate) static LOOKUP_EVENTS: Operation =
    Operation { service: &CLOUDTRAIL, action: "cloudtrail:LookupEvents", bucket: Bucket::Trail };

pub(crate) static BATCH_GET_IMAGE: Operation =
    Operation { service: &ECR, action: "ecr:BatchGetImage", bucket: Bucket::Ecr };

pub(crate) static DESCRIBE_SECRET: Operation =
    Operation { service: &SECRETS_MANAGER, action: "secretsmanager:DescribeSecret", bucket: Bucket::Secrets };

pub(crate) static DESCRIBE_PARAMETERS: Operation =
    Operation { service: &SYSTEMS_MANAGER, action: "ssm:DescribeParameters", bucket: Bucket::Parameters };

pub(crate) static GET_CALLER_IDENTITY: Operation =
    Operation { service: &SECURITY_TOKEN_SERVICE, action: "sts:GetCallerIdentity", bucket: Bucket::Identity };
