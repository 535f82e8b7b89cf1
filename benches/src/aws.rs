//! An AWS that has the fleet just as git wants it, and answers at once, in process.
//!
//! It answers from templates, so that it takes next to no memory of its own, and it keeps account of the CPU that its
//! answers take, so that they can be distinguished from what trueup does with them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use trueup_aws::{AwsClouds, Options, Pace};

use crate::answers;
use crate::fleet::Documents;
use crate::measure::Meter;
use crate::template::{Digests, RULES_PER_LISTENER, Template};

/// How many target groups a page holds.
const PAGE_SIZE: usize = 400;

/// The fleet in AWS.
pub struct Aws {
    digests: Vec<Digests>,
    service: Template,
    task_definition: Template,
    target_group: Template,
    target_group_tags: Template,
    rule: Template,
    rule_tags: Template,
    meter: Arc<Meter>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aws({} services)", self.digests.len())
    }
}

impl Aws {
    /// An AWS with that many services. What its answers cost is put on the meter.
    pub fn new(count: usize, meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self {
            digests: Documents::default().digests(count),
            service: Template::new(&answers::service()),
            task_definition: Template::new(&answers::task_definition()),
            target_group: Template::new(answers::TARGET_GROUP),
            target_group_tags: Template::new(&answers::target_group_tags()),
            rule: Template::new(answers::RULE),
            rule_tags: Template::new(&answers::rule_tags()),
            meter,
        })
    }

    /// The product's adapter, connected to this.
    pub fn clouds(self: &Arc<Self>) -> Arc<AwsClouds> {
        let connector = SharedHttpConnector::new(Connector(Arc::clone(self)));
        let client: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
        let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "bench");
        Arc::new(AwsClouds::new(Options {
            http_client: Some(client),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            pace: Pace::Unlimited,
            ..Options::default()
        }))
    }

    fn fill(&self, template: &Template, out: &mut String, number: usize) {
        template.write(out, number, Some(&self.digests[number]));
    }

    fn ecs(&self, operation: &str, body: &[u8]) -> String {
        let input: Value = serde_json::from_slice(body).expect("ECS is spoken in JSON");
        match operation {
            "DescribeServices" => {
                let mut answer = r#"{"failures":[],"services":["#.to_owned();
                for (index, name) in input["services"].as_array().into_iter().flatten().enumerate() {
                    if index > 0 {
                        answer.push(',');
                    }
                    self.fill(&self.service, &mut answer, number_in(name.as_str().expect("a name"), "service-"));
                }
                answer + "]}"
            }
            "DescribeTaskDefinition" => {
                let number = number_in(input["taskDefinition"].as_str().expect("an ARN"), "family-");
                self.task_definition.text(number, Some(&self.digests[number]))
            }
            "DescribeScalableTargets" => r#"{"ScalableTargets":[]}"#.to_owned(),
            other => panic!("nothing is to be done, but trueup calls {other}"),
        }
    }

    fn query(&self, pairs: &BTreeMap<String, String>) -> String {
        let operation = pairs["Action"].as_str();
        let mut result = String::new();
        match operation {
            "GetCallerIdentity" => result.push_str("<Account>123456789012</Account>"),
            "DescribeTargetGroups" => {
                let named: Vec<usize> = list(pairs, "Names").map(|name| number_in(name, "group-")).collect();
                let start = pairs.get("Marker").map_or(0, |marker| marker.parse().expect("our own marker"));
                let end = self.digests.len().min(start + PAGE_SIZE);
                let groups = if named.is_empty() { (start..end).collect() } else { named };
                result.push_str("<TargetGroups>");
                for &number in &groups {
                    self.fill(&self.target_group, &mut result, number);
                }
                result.push_str("</TargetGroups>");
                if !pairs.keys().any(|key| key.starts_with("Names")) && end < self.digests.len() {
                    write!(result, "<NextMarker>{end}</NextMarker>").expect("a string takes everything");
                }
            }
            "DescribeTargetGroupAttributes" => result.push_str(answers::ATTRIBUTES),
            "DescribeRules" => {
                let start = number_in(&pairs["ListenerArn"], "balancer-") * RULES_PER_LISTENER;
                let end = self.digests.len().min(start + RULES_PER_LISTENER);
                result.push_str("<Rules>");
                for number in start..end {
                    self.fill(&self.rule, &mut result, number);
                }
                result.push_str(answers::DEFAULT_RULE);
                result.push_str("</Rules>");
            }
            "DescribeTags" => {
                result.push_str("<TagDescriptions>");
                for arn in list(pairs, "ResourceArns") {
                    result.push_str("<member><ResourceArn>");
                    result.push_str(arn);
                    result.push_str("</ResourceArn>");
                    if arn.contains(":targetgroup/") {
                        self.fill(&self.target_group_tags, &mut result, number_in(arn, "group-"));
                    } else {
                        self.fill(&self.rule_tags, &mut result, number_in(arn, "/rule-"));
                    }
                    result.push_str("</member>");
                }
                result.push_str("</TagDescriptions>");
            }
            other => panic!("nothing is to be done, but trueup calls {other}"),
        }
        let namespace = match operation {
            "GetCallerIdentity" => "https://sts.amazonaws.com/doc/2011-06-15/",
            _ => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        };
        format!(
            "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
        )
    }
}

/// The number that follows `prefix` in a name.
fn number_in(text: &str, prefix: &str) -> usize {
    let (_, after) = text.split_once(prefix).unwrap_or_else(|| panic!("`{text}` is not a name of the fleet"));
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().unwrap_or_else(|_| panic!("`{text}` is not a name of the fleet"))
}

/// The values of `NAME.member.1`, `NAME.member.2` and so on.
fn list<'a>(pairs: &'a BTreeMap<String, String>, name: &str) -> impl Iterator<Item = &'a str> {
    (1..).map_while(move |n| pairs.get(&format!("{name}.member.{n}")).map(String::as_str))
}

/// Carries requests to an [`Aws`].
#[derive(Clone, Debug)]
struct Connector(Arc<Aws>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.0.meter.count(|| {
            let body = request.body().bytes().unwrap_or_default();
            let (kind, answer) = match request.headers().get("x-amz-target") {
                Some(target) => {
                    let operation = target.rsplit('.').next().unwrap_or_default();
                    ("application/x-amz-json-1.1", self.0.ecs(operation, body))
                }
                None => ("text/xml", self.0.query(&url::form_urlencoded::parse(body).into_owned().collect())),
            };
            let status = StatusCode::try_from(200).expect("it is one");
            let mut response = HttpResponse::new(status, SdkBody::from(answer));
            response.headers_mut().insert("content-type", kind);
            response.headers_mut().insert("x-amzn-requestid", "r-1");
            response
        });
        HttpConnectorFuture::ready(Ok(response))
    }
}
