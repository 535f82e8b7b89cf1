//! Requests as botocore and the SDK for Rust send them, and what they get.

use serde_json::{Value, json};

use super::answer::Envelope;
use super::read::read;
use super::{Api, ApiError, Protocol};
use crate::http::Request;
use crate::time::Time;

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// Signing name, path, headers and body; service, protocol, action and input.
type Meant<'a> = (&'a str, &'a str, Headers<'a>, &'a [u8], Api, Protocol, &'a str, Value);

/// What is wrong, `Authorization`, headers and body; status and code.
type Refused<'a> = (&'a str, Option<&'a str>, Headers<'a>, &'a [u8], u16, &'a str);

fn request(target: &str, headers: Headers, body: &[u8]) -> Request {
    Request {
        method: "POST".to_owned(),
        target: target.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_vec(),
    }
}

fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature=5a51"
    )
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

/// The headers of a call of ECS.
const ECS: [(&str, &str); 3] = [
    ("x-amz-target", "AmazonEC2ContainerServiceV20141113.DescribeServices"),
    ("content-type", "application/x-amz-json-1.1"),
    ("x-amz-date", "20260101T000000Z"),
];

/// The headers of a call of CloudWatch in JSON.
const METRICS: [(&str, &str); 3] = [
    ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
    ("content-type", "application/x-amz-json-1.0"),
    ("x-amzn-query-mode", "true"),
];

/// The headers of a call of CloudWatch in CBOR.
const GRANITE: [(&str, &str); 2] = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];

/// The header of a call of CloudTrail.
const TRAIL: [(&str, &str); 1] =
    [("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")];

/// A form with lists in it.
const RULE: &[u8] =
    b"Action=CreateRule&Version=2015-12-01&ListenerArn=arn%3Ax&Priority=5&Conditions.member.1.Field=path-pattern\
    &Conditions.member.1.Values.member.1=%2Fapi%2F%2A";

/// A request in every protocol, and the call that it means.
fn meanings() -> [Meant<'static>; 6] {
    [
        (
            "ecs",
            "/",
            &ECS,
            br#"{"cluster": "c", "services": ["a", "b"]}"#,
            Api::Ecs,
            Protocol::Json11,
            "DescribeServices",
            json!({"cluster": "c", "services": ["a", "b"]}),
        ),
        (
            "elasticloadbalancing",
            "/",
            &[FORM],
            RULE,
            Api::ElasticLoadBalancing,
            Protocol::Query,
            "CreateRule",
            json!({"ListenerArn": "arn:x", "Priority": "5", "Conditions": [{"Field": "path-pattern", "Values": ["/api/*"]}]}),
        ),
        (
            "sts",
            "/",
            &[FORM],
            b"Action=GetCallerIdentity&Version=2011-06-15",
            Api::Sts,
            Protocol::Query,
            "GetCallerIdentity",
            json!({}),
        ),
        (
            "monitoring",
            "/",
            &METRICS,
            br#"{"Namespace": "Trueup", "MetricData": [{"Value": 1.5}]}"#,
            Api::CloudWatch,
            Protocol::Json10,
            "PutMetricData",
            json!({"Namespace": "Trueup", "MetricData": [{"Value": 1.5}]}),
        ),
        (
            "monitoring",
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            &GRANITE,
            b"\xbf\x69Namespace\x66Trueup\x6aMetricData\x81\xbf\x69Timestamp\xc1\xfb\x41\xda\x55\x6e\x40\x00\x00\x00\xff\xff",
            Api::CloudWatch,
            Protocol::Cbor,
            "PutMetricData",
            json!({"Namespace": "Trueup", "MetricData": [{"Timestamp": 1_767_225_600.0}]}),
        ),
        ("cloudtrail", "/", &TRAIL, b"{}", Api::CloudTrail, Protocol::Json11, "LookupEvents", json!({})),
    ]
}

#[test]
fn every_protocol_reads_as_the_call_that_was_meant() {
    for (scope, target, headers, body, service, protocol, action, input) in meanings() {
        let authorization = signed(scope);
        let mut headers = headers.to_vec();
        headers.push(("authorization", &authorization));
        let incoming = read(&request(target, &headers, body)).unwrap();
        let call = incoming.call;
        assert_eq!((call.service, incoming.protocol, call.action.as_str()), (service, protocol, action));
        assert_eq!((call.access_key.as_str(), call.region.as_str()), ("AKIDEXAMPLE", "eu-west-1"), "{action}");
        assert_eq!(call.input, input, "{action}");
        assert_eq!(incoming.signed_at, headers.iter().any(|(name, _)| *name == "x-amz-date").then_some(Time::START));
    }
}

#[test]
fn compressed_and_chunked_bodies_are_read() {
    use std::io::Write;

    let plain = br#"{"cluster":"c"}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let chunked =
        b"a;chunk-signature=0011\r\n{\"cluster\"\r\n5;chunk-signature=22\r\n:\"c\"}\r\n0;chunk-signature=33\r\n\r\n";
    for (encoding, body) in [("gzip", gzip.as_slice()), ("aws-chunked", chunked)] {
        let authorization = signed("ecs");
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.DescribeClusters"),
            ("content-encoding", encoding),
        ];
        assert_eq!(read(&request("/", &headers, body)).unwrap().call.input, json!({"cluster": "c"}), "{encoding}");
        let refusal = read(&request("/", &headers, b"neither")).unwrap_err();
        assert_eq!(refusal.error.code, "SerializationException", "{encoding}");
    }
}

#[test]
fn what_cannot_be_understood_is_refused_as_aws_does() {
    let (ecs, elb) = (signed("ecs"), signed("elasticloadbalancing"));
    let cases: [Refused; 6] = [
        (
            "no signature",
            None,
            &[("x-amz-target", "AmazonSSM.GetParameter")],
            b"{}",
            403,
            "MissingAuthenticationTokenException",
        ),
        (
            "no signature, query",
            None,
            &[FORM],
            b"Action=GetCallerIdentity&Version=2011-06-15",
            403,
            "MissingAuthenticationToken",
        ),
        (
            "no action",
            Some(&ecs),
            &[("x-amz-target", "AmazonEC2ContainerServiceV20141113.")],
            b"{}",
            400,
            "UnknownOperationException",
        ),
        (
            "another service's target",
            Some(&ecs),
            &[("x-amz-target", "AmazonSSM.GetParameter")],
            b"{}",
            400,
            "UnknownOperationException",
        ),
        (
            "no JSON",
            Some(&ecs),
            &[("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListServices")],
            b"{",
            400,
            "SerializationException",
        ),
        ("no form", Some(&elb), &[FORM], b"", 400, "InvalidAction"),
    ];
    for (what, authorization, headers, body, status, code) in cases {
        let mut headers = headers.to_vec();
        headers.extend(authorization.map(|authorization| ("authorization", authorization)));
        let refusal = read(&request("/", &headers, body)).unwrap_err();
        assert_eq!((refusal.error.status, refusal.error.code.as_str()), (status, code), "{what}");
    }
}

fn envelope(protocol: Protocol, service: Api, action: &str) -> Envelope<'_> {
    Envelope { protocol, service: Some(service), action, request_id: "id-1", now: Time::START }
}

#[test]
fn outputs_are_written_as_each_protocol_has_them() {
    let json = envelope(Protocol::Json11, Api::Ecs, "ListServices").respond(&Ok(json!({"serviceArns": []})));
    assert_eq!(String::from_utf8_lossy(&json.body), r#"{"serviceArns":[]}"#);
    assert!(json.headers.contains(&("x-amzn-requestid".to_owned(), "id-1".to_owned())));
    assert!(json.headers.contains(&("date".to_owned(), "Thu, 01 Jan 2026 00:00:00 GMT".to_owned())));

    let output = json!({"Rules": [{"Priority": "5", "IsDefault": false, "Actions": [], "Weight": 1, "Path": "/<a>&b", "None": null,
        "AuthenticationRequestExtraParams": {"a": "b"}}]});
    let xml = envelope(Protocol::Query, Api::ElasticLoadBalancing, "DescribeRules").respond(&Ok(output));
    assert_eq!(
        String::from_utf8_lossy(&xml.body),
        "<DescribeRulesResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeRulesResult>\
         <Rules><member><Priority>5</Priority><IsDefault>false</IsDefault><Actions></Actions><Weight>1</Weight>\
         <Path>/&lt;a&gt;&amp;b</Path><AuthenticationRequestExtraParams><entry><key>a</key><value>b</value></entry>\
         </AuthenticationRequestExtraParams></member></Rules></DescribeRulesResult>\
         <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeRulesResponse>"
    );

    let cbor = envelope(Protocol::Cbor, Api::CloudWatch, "PutMetricData").respond(&Ok(Value::Null));
    assert_eq!(cbor.body, b"\xa0");
    assert!(cbor.headers.contains(&("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned())));
}

#[test]
fn errors_are_written_as_each_protocol_has_them() {
    let mut error = ApiError::client("ConflictException", "a < b");
    error.members.insert("resourceIds".to_owned(), json!(["x"]));
    let json = envelope(Protocol::Json11, Api::Ecs, "RunTask").respond(&Err(error.clone()));
    assert_eq!(json.status, 400);
    assert_eq!(
        String::from_utf8_lossy(&json.body),
        r#"{"__type":"ConflictException","message":"a < b","resourceIds":["x"]}"#
    );
    assert!(json.headers.contains(&("x-amzn-errortype".to_owned(), "ConflictException".to_owned())));

    let xml = envelope(Protocol::Query, Api::Sts, "AssumeRole").respond(&Err(error.clone()));
    assert_eq!(
        String::from_utf8_lossy(&xml.body),
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>ConflictException</Code><Message>a &lt; b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
    );

    let cbor = envelope(Protocol::Cbor, Api::CloudWatch, "PutMetricData").respond(&Err(error));
    assert!(cbor.headers.contains(&("x-amzn-query-error".to_owned(), "ConflictException;Sender".to_owned())));
}
