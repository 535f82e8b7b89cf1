use serde_json::{Value, json};

use super::{call, listener, refusal, rule, target_group, text, world};

#[test]
fn defaults_depend_on_protocol_and_type() {
    let cases = [
        (
            json!({"Protocol": "HTTP"}),
            json!({"HealthCheckProtocol": "HTTP", "HealthCheckPath": "/", "ProtocolVersion": "HTTP1",
            "HealthCheckIntervalSeconds": 30, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2, "HealthCheckEnabled": true,
            "Matcher": {"HttpCode": "200"}, "HealthCheckPort": "traffic-port", "TargetType": "instance", "IpAddressType": "ipv4",
            "LoadBalancerArns": [], "Port": 80}),
        ),
        (
            json!({"Protocol": "HTTP", "ProtocolVersion": "GRPC"}),
            json!({"HealthCheckPath": "/AWS.ALB/healthcheck",
            "Matcher": {"GrpcCode": "12"}, "ProtocolVersion": "GRPC"}),
        ),
        (
            json!({"Protocol": "TCP"}),
            json!({"HealthCheckProtocol": "TCP", "HealthCheckTimeoutSeconds": 10,
            "HealthCheckPath": null, "Matcher": null, "ProtocolVersion": null}),
        ),
        (
            json!({"Protocol": "TCP", "TargetType": "alb"}),
            json!({"HealthCheckProtocol": "HTTP",
            "HealthCheckTimeoutSeconds": 6, "Matcher": {"HttpCode": "200-399"}}),
        ),
        (
            json!({"Protocol": "GENEVE", "Port": "6081"}),
            json!({"HealthCheckPort": "80", "IpAddressType": null,
            "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5}),
        ),
        (
            json!({"TargetType": "lambda", "Protocol": null, "Port": null, "VpcId": null}),
            json!({"HealthCheckEnabled": false,
            "HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 30, "HealthCheckProtocol": null, "VpcId": null}),
        ),
    ];
    for (sent, expected) in cases {
        let mut input = json!({"Name": "web", "Port": "80", "VpcId": "vpc-1"});
        for (member, value) in sent.as_object().expect("cases are objects") {
            if value.is_null() {
                input.as_object_mut().expect("it is an object").remove(member);
            } else {
                input[member] = value.clone();
            }
        }
        let group = call(&mut world(1), "CreateTargetGroup", input)["TargetGroups"][0].clone();
        for (member, value) in expected.as_object().expect("cases are objects") {
            assert_eq!(&group[member], value, "{member} of {sent}");
        }
    }
}

#[test]
fn uncertain_defaults_are_one_or_the_other_by_seed() {
    let of_seed = |seed| {
        let mut world = world(seed);
        target_group(&mut world, "web");
        call(&mut world, "DescribeTargetGroups", json!({}))["TargetGroups"][0]["HealthCheckTimeoutSeconds"].clone()
    };
    let seen: Vec<Value> = (0..32).map(of_seed).collect();
    assert!(seen.contains(&json!(5)) && seen.contains(&json!(6)), "{seen:?}");
    assert_eq!(of_seed(3), of_seed(3));
}

#[test]
fn a_second_creation_succeeds_only_with_the_same_settings() {
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    assert_eq!(target_group(&mut world, "web"), arn);
    let other = json!({"Name": "web", "Protocol": "HTTP", "Port": "81", "VpcId": "vpc-1", "TargetType": "ip"});
    assert_eq!(
        refusal(&mut world, "CreateTargetGroup", other),
        (
            "DuplicateTargetGroupName".to_owned(),
            "A target group with the same name 'web' exists, but with different settings".to_owned(),
        )
    );
}

#[test]
fn a_health_check_is_validated_as_a_whole() {
    let cases = [
        (json!({"HealthCheckIntervalSeconds": "4"}), "'4' at 'healthCheckIntervalSeconds'"),
        (json!({"HealthCheckTimeoutSeconds": "121"}), "less than or equal to 120"),
        (json!({"HealthyThresholdCount": "1"}), "greater than or equal to 2"),
        (json!({"UnhealthyThresholdCount": "11"}), "less than or equal to 10"),
        (json!({"HealthCheckProtocol": "TCP"}), "'TCP' is not supported"),
        (json!({"HealthCheckProtocol": "UDP"}), "enum value set"),
        (json!({"HealthCheckPort": "0"}), "Health check port '0'"),
        (json!({"HealthCheckPath": "health"}), "must begin with a '/'"),
        (json!({"Matcher": {"HttpCode": "500"}}), "must be within '200-499' inclusive"),
        (json!({"Matcher": {"GrpcCode": "12"}}), "HttpCode"),
        (json!({"HealthCheckEnabled": "false"}), "must be true"),
        (json!({"HealthCheckTimeoutSeconds": "x"}), "wrong type"),
    ];
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    for (mut change, text) in cases {
        change["TargetGroupArn"] = json!(arn);
        let (code, message) = refusal(&mut world, "ModifyTargetGroup", change.clone());
        let expected = if text == "must be true" { "InvalidConfigurationRequest" } else { "ValidationError" };
        assert_eq!(code, expected, "{change}");
        assert!(message.contains(text), "{change}: {message}");
    }
    for seed in 0..16 {
        let mut world = super::world(seed);
        let arn = target_group(&mut world, "web");
        let change =
            json!({"TargetGroupArn": arn, "HealthCheckIntervalSeconds": "10", "HealthCheckTimeoutSeconds": "10"});
        let (_, message) = refusal(&mut world, "ModifyTargetGroup", change);
        let texts = [
            "Health check interval must be greater than the timeout.",
            "Health check timeout '10' must be smaller than the interval '10'",
        ];
        assert!(texts.contains(&message.as_str()), "{message}");
    }
}

#[test]
fn a_modification_changes_what_it_names_and_leaves_the_rest() {
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    let before = call(&mut world, "DescribeTargetGroups", json!({"TargetGroupArns": [arn]}))["TargetGroups"][0].clone();
    let change = json!({"TargetGroupArn": arn, "HealthCheckPath": "/health", "Matcher": {"HttpCode": "200-299,301"}});
    call(&mut world, "ModifyTargetGroup", change);
    let mut expected = before;
    expected["HealthCheckPath"] = json!("/health");
    expected["Matcher"] = json!({"HttpCode": "200-299,301"});
    let after = call(&mut world, "DescribeTargetGroups", json!({"Names": ["web"]}));
    assert_eq!(after["TargetGroups"][0], expected);
}

#[test]
fn a_network_groups_check_can_become_http_and_tcp_again() {
    let mut world = world(1);
    let input = json!({"Name": "net", "Protocol": "TCP", "Port": "80", "VpcId": "vpc-1", "TargetType": "ip"});
    let group = call(&mut world, "CreateTargetGroup", input)["TargetGroups"][0].clone();
    let mut check = |protocol: &str| {
        let change = json!({"TargetGroupArn": group["TargetGroupArn"], "HealthCheckProtocol": protocol});
        call(&mut world, "ModifyTargetGroup", change)["TargetGroups"][0].clone()
    };
    let by_http = check("HTTP");
    assert_eq!((&by_http["HealthCheckPath"], &by_http["Matcher"]["HttpCode"]), (&json!("/"), &json!("200-399")));
    assert_eq!(check("TCP"), group);
}

#[test]
fn attributes_are_those_of_the_protocol_and_others_are_refused() {
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    let shown = call(&mut world, "DescribeTargetGroupAttributes", json!({"TargetGroupArn": arn}));
    let mut keys: Vec<String> =
        shown["Attributes"].as_array().expect("it is a list").iter().map(|pair| text(&pair["Key"])).collect();
    keys.sort();
    assert_eq!(keys.len(), 14, "{keys:?}");
    assert!(keys.contains(&"slow_start.duration_seconds".to_owned()));
    let cases = [
        ("preserve_client_ip.enabled", "true", "InvalidConfigurationRequest"),
        ("deregistration_delay.timeout_seconds", "3601", "ValidationError"),
        ("slow_start.duration_seconds", "29", "ValidationError"),
        ("stickiness.type", "source_ip", "ValidationError"),
        ("stickiness.enabled", "yes", "ValidationError"),
        ("load_balancing.algorithm.anomaly_mitigation", "on", "InvalidConfigurationRequest"),
    ];
    for (key, value, code) in cases {
        let change = json!({"TargetGroupArn": arn, "Attributes": [{"Key": key, "Value": value}]});
        assert_eq!(refusal(&mut world, "ModifyTargetGroupAttributes", change).0, code, "{key}={value}");
    }
    let change = json!({"TargetGroupArn": arn, "Attributes": [{"Key": "slow_start.duration_seconds", "Value": "30"}]});
    call(&mut world, "ModifyTargetGroupAttributes", change);
    let change = json!({"TargetGroupArn": arn, "Attributes": [
        {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}]});
    assert_eq!(refusal(&mut world, "ModifyTargetGroupAttributes", change).0, "InvalidConfigurationRequest");
}

#[test]
fn a_group_in_use_cannot_be_deleted_and_a_missing_one_can() {
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    let (balancer, listener) = listener(&mut world, "main");
    let rule = rule(&mut world, &listener, 1, &arn);
    assert_eq!(
        refusal(&mut world, "DeleteTargetGroup", json!({"TargetGroupArn": arn})),
        ("ResourceInUse".to_owned(), format!("Target group '{arn}' is currently in use by a listener or a rule"),)
    );
    let shown = call(&mut world, "DescribeTargetGroups", json!({"LoadBalancerArn": balancer}));
    assert_eq!(shown["TargetGroups"][0]["LoadBalancerArns"], json!([balancer]));
    call(&mut world, "DeleteRule", json!({"RuleArn": rule}));
    call(&mut world, "DeleteTargetGroup", json!({"TargetGroupArn": arn}));
    call(&mut world, "DeleteTargetGroup", json!({"TargetGroupArn": arn}));
    assert_eq!(call(&mut world, "DescribeTargetGroups", json!({})), json!({"TargetGroups": []}));
    for input in [json!({"Names": ["web"]}), json!({"TargetGroupArns": [arn]})] {
        assert_eq!(refusal(&mut world, "DescribeTargetGroups", input).0, "TargetGroupNotFound");
    }
    assert_eq!(
        refusal(&mut world, "DescribeTargetGroups", json!({"TargetGroupArns": ["web"]})).1,
        "'web' is not a valid target group ARN"
    );
}

#[test]
fn pages_hold_together_when_groups_come_and_go() {
    let mut world = world(1);
    let mut arns: Vec<String> = (0..7).map(|n| target_group(&mut world, &format!("g{n}"))).collect();
    arns.sort();
    let mut seen = Vec::new();
    let mut input = json!({"PageSize": "3"});
    loop {
        let page = call(&mut world, "DescribeTargetGroups", input.clone());
        seen.extend(page["TargetGroups"].as_array().expect("it is a list").iter().map(|g| text(&g["TargetGroupArn"])));
        if seen.len() == 3 {
            call(&mut world, "DeleteTargetGroup", json!({"TargetGroupArn": arns[2]}));
        }
        match page.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => break,
        }
    }
    assert_eq!(seen, arns);
    assert_eq!(refusal(&mut world, "DescribeTargetGroups", json!({"PageSize": "401"})).0, "ValidationError");
    assert_eq!(refusal(&mut world, "DescribeTargetGroups", json!({"Marker": "%"})).0, "ValidationError");
}

#[test]
fn tags_are_added_replaced_and_removed() {
    let mut world = world(1);
    let arn = target_group(&mut world, "web");
    let (_, listener) = listener(&mut world, "main");
    let rule = rule(&mut world, &listener, 1, &arn);
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    call(&mut world, "AddTags", json!({"ResourceArns": [arn, rule], "Tags": [tag("a", "1"), tag("b", "")]}));
    call(&mut world, "AddTags", json!({"ResourceArns": [arn], "Tags": [tag("a", "2")]}));
    call(&mut world, "RemoveTags", json!({"ResourceArns": [rule], "TagKeys": ["a", "c"]}));
    let shown = call(&mut world, "DescribeTags", json!({"ResourceArns": [arn, rule]}));
    assert_eq!(
        shown,
        json!({"TagDescriptions": [
            {"ResourceArn": arn, "Tags": [tag("a", "2"), tag("b", "")]},
            {"ResourceArn": rule, "Tags": [tag("b", "")]},
        ]})
    );
    let missing = format!("{rule}0");
    let cases = [
        ("AddTags", json!({"ResourceArns": [arn, missing], "Tags": [tag("x", "1")]}), "RuleNotFound"),
        ("AddTags", json!({"ResourceArns": [arn], "Tags": [tag("x", "1"), tag("x", "2")]}), "DuplicateTagKeys"),
        ("AddTags", json!({"ResourceArns": [arn], "Tags": [tag("aws:x", "1")]}), "ValidationError"),
        ("DescribeTags", json!({"ResourceArns": vec![arn.clone(); 21]}), "ValidationError"),
        ("DescribeTags", json!({"ResourceArns": []}), "ValidationError"),
    ];
    for (action, input, code) in cases {
        assert_eq!(refusal(&mut world, action, input.clone()).0, code, "{action} {input}");
    }
    let shown = call(&mut world, "DescribeTags", json!({"ResourceArns": [arn]}));
    assert_eq!(shown["TagDescriptions"][0]["Tags"], json!([tag("a", "2"), tag("b", "")]), "all or none");
}
