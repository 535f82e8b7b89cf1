//! Target groups: `CreateTargetGroup` with `Attributes`, against `DescribeTargetGroups` and what belongs to it.

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;
use trueup_core::kind::unwrap_envelope;

use crate::{Row, check, over, paths};

/// An HTTP target group with these members, as a request; an answer may have its name under the request's name as well.
fn group(members: &Value) -> Value {
    over(json!({"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1"}), members)
}

#[test]
fn a_whole_answer_of_aws_is_no_drift() {
    let desired = json!({
        "Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", "HealthCheckPath": "/health",
        "Matcher": {"HttpCode": "200, 301"},
        "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": 30}, {"Key": "stickiness.enabled", "Value": true}],
        "Tags": [{"Key": "team", "Value": "shop"}]
    });
    let live = json!({"TargetGroups": [{
        "TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1", "TargetGroupName": "web",
        "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": true, "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2, "HealthCheckPath": "/health", "Matcher": {"HttpCode": "301,200"},
        "LoadBalancerArns": ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1"],
        "TargetType": "ip", "ProtocolVersion": "HTTP1", "IpAddressType": "ipv4",
        "Attributes": [{"Key": "stickiness.enabled", "Value": "true"}, {"Key": "slow_start.duration_seconds", "Value": "0"},
                       {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "x"}, {"Key": "team", "Value": "shop"}]
    }]});
    let live = unwrap_envelope(Kind::TargetGroup, &live).unwrap();
    assert_eq!(paths(Kind::TargetGroup, &desired, &live, &Context::default()), [""; 0]);
}

#[test]
fn fields() {
    let bare = || json!({});
    let code = |code: &str| json!({"Matcher": {"HttpCode": code}});
    let rows: &[Row] = &[
        ("another name", json!({"Name": "web"}), json!({"TargetGroupName": "api"}), &["/Name"]),
        ("another protocol", bare(), json!({"Protocol": "HTTPS"}), &["/Protocol"]),
        ("another port", bare(), json!({"Port": 8080}), &["/Port"]),
        ("a port as text", json!({"Port": "80"}), bare(), &[]),
        ("another VPC", bare(), json!({"VpcId": "vpc-2"}), &["/VpcId"]),
        ("instances are the default", bare(), json!({"TargetType": "instance"}), &[]),
        ("addresses are not", bare(), json!({"TargetType": "ip"}), &["/TargetType"]),
        ("another target type", json!({"TargetType": "ip"}), json!({"TargetType": "instance"}), &["/TargetType"]),
        ("HTTP1 is the default", bare(), json!({"ProtocolVersion": "HTTP1"}), &[]),
        ("gRPC is not", json!({"ProtocolVersion": "GRPC"}), json!({"ProtocolVersion": "HTTP1"}), &["/ProtocolVersion"]),
        ("ipv4 is the default", bare(), json!({"IpAddressType": "ipv4"}), &[]),
        ("ipv6 is not", bare(), json!({"IpAddressType": "ipv6"}), &["/IpAddressType"]),
        (
            "any health check left out",
            bare(),
            json!({"HealthCheckEnabled": true, "HealthCheckProtocol": "HTTPS", "HealthCheckPort": "8080", "HealthCheckPath": "/x", "HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 6, "HealthyThresholdCount": 3, "UnhealthyThresholdCount": 5, "Matcher": {"HttpCode": "200-399"}}),
            &[],
        ),
        (
            "a timeout of another year, declared",
            json!({"HealthCheckTimeoutSeconds": 5}),
            json!({"HealthCheckTimeoutSeconds": 6}),
            &["/HealthCheckTimeoutSeconds"],
        ),
        (
            "another interval",
            json!({"HealthCheckIntervalSeconds": 60}),
            json!({"HealthCheckIntervalSeconds": 30}),
            &["/HealthCheckIntervalSeconds"],
        ),
        (
            "other thresholds",
            json!({"HealthyThresholdCount": 2, "UnhealthyThresholdCount": 5}),
            json!({"HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2}),
            &["/HealthyThresholdCount", "/UnhealthyThresholdCount"],
        ),
        (
            "numbers as text",
            json!({"HealthCheckIntervalSeconds": "60"}),
            json!({"HealthCheckIntervalSeconds": 60}),
            &[],
        ),
        (
            "another health check protocol",
            json!({"HealthCheckProtocol": "HTTP"}),
            json!({"HealthCheckProtocol": "HTTPS"}),
            &["/HealthCheckProtocol"],
        ),
        (
            "a health check switched off",
            json!({"HealthCheckEnabled": true}),
            json!({"HealthCheckEnabled": false}),
            &["/HealthCheckEnabled"],
        ),
        (
            "false is a value",
            json!({"HealthCheckEnabled": false}),
            json!({"HealthCheckEnabled": true}),
            &["/HealthCheckEnabled"],
        ),
        ("a health check port is text", json!({"HealthCheckPort": 8080}), json!({"HealthCheckPort": "8080"}), &[]),
        (
            "traffic-port is not resolved",
            json!({"HealthCheckPort": "traffic-port"}),
            json!({"HealthCheckPort": "80"}),
            &["/HealthCheckPort"],
        ),
        (
            "paths have case",
            json!({"HealthCheckPath": "/Health"}),
            json!({"HealthCheckPath": "/health"}),
            &["/HealthCheckPath"],
        ),
        (
            "paths keep their slash",
            json!({"HealthCheckPath": "/health/"}),
            json!({"HealthCheckPath": "/health"}),
            &["/HealthCheckPath"],
        ),
        (
            "paths keep their query",
            json!({"HealthCheckPath": "/health?a"}),
            json!({"HealthCheckPath": "/health"}),
            &["/HealthCheckPath"],
        ),
        ("codes are a set", code("200,202"), code("202,200"), &[]),
        ("codes may have spaces", code("200, 202"), code("200,202"), &[]),
        ("codes as a number", json!({"Matcher": {"HttpCode": 200}}), code("200"), &[]),
        ("another code", code("200"), code("200-399"), &["/Matcher/HttpCode"]),
        ("ranges are text", code("200-201"), code("200,201"), &["/Matcher/HttpCode"]),
        (
            "gRPC codes are a set",
            json!({"Matcher": {"GrpcCode": "0,12"}}),
            json!({"Matcher": {"GrpcCode": "12,0"}}),
            &[],
        ),
        (
            "another gRPC code",
            json!({"Matcher": {"GrpcCode": "12"}}),
            json!({"Matcher": {"GrpcCode": "0"}}),
            &["/Matcher/GrpcCode"],
        ),
        ("an empty matcher is none", json!({"Matcher": {}}), code("200"), &[]),
        ("an empty matcher in live", bare(), json!({"Matcher": {}}), &[]),
        ("answers' own fields", bare(), json!({"TargetGroupArn": "x", "LoadBalancerArns": ["y"]}), &[]),
        (
            "a control port",
            json!({"TargetControlPort": 9000}),
            json!({"TargetControlPort": 9001}),
            &["/TargetControlPort"],
        ),
    ];
    check(Kind::TargetGroup, "", group, rows);
}

#[test]
fn attributes_and_tags() {
    let bare = || json!({});
    let attribute = |key: &str, value: Value| json!({"Attributes": [{"Key": key, "Value": value}]});
    let rows: &[Row] = &[
        ("undeclared attributes are not managed", bare(), attribute("slow_start.duration_seconds", json!("30")), &[]),
        (
            "values are text",
            attribute("deregistration_delay.timeout_seconds", json!(300)),
            attribute("deregistration_delay.timeout_seconds", json!("300")),
            &[],
        ),
        (
            "switches are text",
            attribute("stickiness.enabled", json!(true)),
            attribute("stickiness.enabled", json!("true")),
            &[],
        ),
        (
            "false is a value",
            attribute("stickiness.enabled", json!(false)),
            attribute("stickiness.enabled", json!("true")),
            &["/Attributes/stickiness.enabled"],
        ),
        (
            "another delay",
            attribute("deregistration_delay.timeout_seconds", json!("30")),
            attribute("deregistration_delay.timeout_seconds", json!("300")),
            &["/Attributes/deregistration_delay.timeout_seconds"],
        ),
        (
            "an empty value is a value",
            attribute("stickiness.app_cookie.cookie_name", json!("")),
            attribute("stickiness.app_cookie.cookie_name", json!("c")),
            &["/Attributes/stickiness.app_cookie.cookie_name"],
        ),
        (
            "an empty value alike",
            attribute("stickiness.app_cookie.cookie_name", json!("")),
            attribute("stickiness.app_cookie.cookie_name", json!("")),
            &[],
        ),
        (
            "order is random",
            json!({"Attributes": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}),
            json!({"Attributes": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]}),
            &[],
        ),
        (
            "an attribute that live lacks",
            attribute("slow_start.duration_seconds", json!("30")),
            json!({"Attributes": []}),
            &["/Attributes/slow_start.duration_seconds"],
        ),
        ("attributes that were not read", attribute("slow_start.duration_seconds", json!("30")), bare(), &[]),
        (
            "a tag changed",
            json!({"Tags": [{"Key": "a", "Value": "1"}]}),
            json!({"Tags": [{"Key": "a", "Value": "2"}]}),
            &["/Tags/a"],
        ),
        ("a tag missing", json!({"Tags": [{"Key": "a", "Value": "1"}]}), json!({"Tags": []}), &["/Tags/a"]),
        (
            "foreign tags, AWS's and ours",
            json!({"Tags": []}),
            json!({"Tags": [{"Key": "b"}, {"Key": "aws:x", "Value": "1"}, {"Key": "trueup:digest", "Value": "2"}]}),
            &[],
        ),
    ];
    check(Kind::TargetGroup, "", group, rows);
}

#[test]
fn fresh_groups_of_every_family() {
    let health = |protocol: &str, port: &str, path: Value, timeout: i64, matcher: Value| {
        json!({"HealthCheckEnabled": true, "HealthCheckProtocol": protocol, "HealthCheckPort": port, "HealthCheckPath": path,
               "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": timeout, "HealthyThresholdCount": 5,
               "UnhealthyThresholdCount": 2, "Matcher": matcher, "TargetType": "ip", "IpAddressType": "ipv4"})
    };
    for (desired, live) in [
        (
            json!({"Protocol": "HTTP"}),
            over(
                health("HTTP", "traffic-port", json!("/"), 5, json!({"HttpCode": "200"})),
                &json!({"Protocol": "HTTP", "ProtocolVersion": "HTTP1"}),
            ),
        ),
        (
            json!({"Protocol": "HTTPS"}),
            over(
                health("HTTPS", "traffic-port", json!("/"), 5, json!({"HttpCode": "200"})),
                &json!({"Protocol": "HTTPS", "ProtocolVersion": "HTTP1"}),
            ),
        ),
        (
            json!({"Protocol": "HTTP", "ProtocolVersion": "GRPC"}),
            over(
                health("HTTP", "traffic-port", json!("/AWS.ALB/healthcheck"), 5, json!({"GrpcCode": "12"})),
                &json!({"Protocol": "HTTP", "ProtocolVersion": "GRPC"}),
            ),
        ),
        (
            json!({"Protocol": "TCP"}),
            over(health("TCP", "traffic-port", Value::Null, 10, json!({})), &json!({"Protocol": "TCP"})),
        ),
        (
            json!({"Protocol": "GENEVE"}),
            over(
                health("TCP", "80", Value::Null, 5, Value::Null),
                &json!({"Protocol": "GENEVE", "IpAddressType": null}),
            ),
        ),
    ] {
        let desired = over(desired, &json!({"Name": "web", "TargetType": "ip"}));
        let live = over(live, &json!({"TargetGroupName": "web", "Port": 80, "VpcId": "vpc-1"}));
        assert_eq!(paths(Kind::TargetGroup, &desired, &live, &Context::default()), [""; 0], "{desired}");
    }
    let lambda = json!({"Name": "f", "TargetType": "lambda"});
    let live = json!({"TargetGroupName": "f", "TargetType": "lambda", "HealthCheckEnabled": false, "HealthCheckPath": "/", "HealthCheckIntervalSeconds": 35,
                      "HealthCheckTimeoutSeconds": 30, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2, "Matcher": {"HttpCode": "200"}, "IpAddressType": "ipv4"});
    assert_eq!(paths(Kind::TargetGroup, &lambda, &live, &Context::default()), [""; 0]);
}
