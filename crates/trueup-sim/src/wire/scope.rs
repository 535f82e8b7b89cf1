//! SigV4's credential scope, which names caller, region and service; and how services are called in it.

use super::{Api, Protocol};
use crate::http::Request;

/// What a signature's credential says: `AKID/20260101/eu-west-1/ecs/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The access key id.
    pub access_key: String,
    /// The region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

impl Scope {
    /// From the `Authorization` header, or from `X-Amz-Credential` in the query of a presigned URL.
    pub fn of(request: &Request) -> Option<Self> {
        let credential = if let Some(header) = request.header("authorization") {
            header.split_once("Credential=")?.1.split([',', ' ']).next()?.to_owned()
        } else {
            let query = request.target.split_once('?')?.1;
            super::query::pairs(query.as_bytes()).into_iter().find(|(key, _)| key == "X-Amz-Credential")?.1
        };
        // The key comes first and may hold anything but a slash, so parts are taken from the front.
        let mut parts = credential.split('/');
        let (access_key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { access_key: access_key.to_owned(), region: region.to_owned(), service: service.to_owned() })
    }
}

/// One row per service: signing name, prefix of `X-Amz-Target`, version of the query API, XML namespace.
struct Names {
    service: Api,
    signing: &'static str,
    target: Option<&'static str>,
    version: Option<&'static str>,
    namespace: &'static str,
}

const SERVICES: [Names; 10] = [
    json(Api::Ecs, "ecs", "AmazonEC2ContainerServiceV20141113"),
    json(Api::Ecr, "ecr", "AmazonEC2ContainerRegistry_V20150921"),
    json(Api::SecretsManager, "secretsmanager", "secretsmanager"),
    json(Api::Ssm, "ssm", "AmazonSSM"),
    json(Api::ApplicationAutoScaling, "application-autoscaling", "AnyScaleFrontendService"),
    // Also with `com.amazonaws.cloudtrail.v20131101.` before it.
    json(Api::CloudTrail, "cloudtrail", "CloudTrail_20131101"),
    query(
        Api::ElasticLoadBalancing,
        "elasticloadbalancing",
        "2015-12-01",
        "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    ),
    query(Api::CloudFormation, "cloudformation", "2010-05-15", "http://cloudformation.amazonaws.com/doc/2010-05-15/"),
    query(Api::Sts, "sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/"),
    Names {
        service: Api::CloudWatch,
        signing: "monitoring",
        target: Some("GraniteServiceVersion20100801"),
        version: Some("2010-08-01"),
        namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    },
];

const fn json(service: Api, signing: &'static str, target: &'static str) -> Names {
    Names { service, signing, target: Some(target), version: None, namespace: "" }
}

const fn query(service: Api, signing: &'static str, version: &'static str, namespace: &'static str) -> Names {
    Names { service, signing, target: None, version: Some(version), namespace }
}

impl Api {
    /// By the name in a credential scope, such as `elasticloadbalancing`.
    pub fn by_signing_name(name: &str) -> Option<Self> {
        SERVICES.iter().find(|names| names.signing == name).map(|names| names.service)
    }

    /// By the prefix of the action in `X-Amz-Target`.
    pub fn by_target(prefix: &str) -> Option<Self> {
        let last = prefix.rsplit('.').next()?;
        SERVICES.iter().find(|names| names.target == Some(last)).map(|names| names.service)
    }

    /// By the `Version` of the query protocol.
    pub fn by_version(version: &str) -> Option<Self> {
        SERVICES.iter().find(|names| names.version == Some(version)).map(|names| names.service)
    }

    /// Its name in credential scopes, ARNs of most services, and IAM's actions.
    pub fn signing_name(self) -> &'static str {
        self.names().signing
    }

    /// What its XML is in; empty for the services that speak JSON only.
    pub fn namespace(self) -> &'static str {
        self.names().namespace
    }

    /// The version of its query API, when it has one.
    pub fn version(self) -> Option<&'static str> {
        self.names().version
    }

    /// Its protocol when the request does not name one.
    pub fn protocol(self) -> Protocol {
        if self.names().version.is_some() { Protocol::Query } else { Protocol::Json11 }
    }

    /// Its name in IAM's actions, such as `cloudwatch` in `cloudwatch:PutMetricData`.
    pub fn iam_name(self) -> &'static str {
        if self == Self::CloudWatch { "cloudwatch" } else { self.signing_name() }
    }

    fn names(self) -> &'static Names {
        SERVICES.iter().find(|names| names.service == self).expect("the table has a row for every service")
    }
}
