use serde_json::json;

use super::{CALLER, call, refusal, world};
use crate::services::{cloudwatch, parameters, secrets};
use crate::wire::Api::{CloudWatch, SecretsManager, Ssm, Sts};

#[test]
fn a_secret_is_found_by_name_and_arn_and_says_when_it_will_be_gone() {
    let mut world = world();
    let arn = secrets::create(&mut world, "app/database");
    assert_eq!(secrets::create(&mut world, "app/database"), arn);
    let without_end = arn[..arn.len() - 7].to_owned();
    for id in ["app/database", &arn, &without_end] {
        let found = call(&mut world, SecretsManager, "DescribeSecret", json!({"SecretId": id}));
        assert_eq!((&found["ARN"], found.get("DeletedDate")), (&json!(arn), None), "{id}");
    }
    let error = refusal(&mut world, SecretsManager, "DescribeSecret", json!({"SecretId": "app"}));
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    );
    secrets::delete(&mut world, "app/database");
    let found = call(&mut world, SecretsManager, "DescribeSecret", json!({"SecretId": "app/database"}));
    assert!(found["DeletedDate"].is_number());
    assert_eq!(call(&mut world, SecretsManager, "ListSecrets", json!({}))["SecretList"], json!([]));
}

#[test]
fn parameters_are_found_by_name_without_their_values() {
    let mut world = world();
    for name in ["/app/a", "/app/b", "plain"] {
        parameters::put(&mut world, name);
    }
    let filter = json!([{"Key": "Name", "Option": "Equals", "Values": ["/app/a", "plain", "none"]}]);
    let found = call(&mut world, Ssm, "DescribeParameters", json!({"ParameterFilters": filter, "MaxResults": 1}));
    assert_eq!(found["Parameters"][0]["ARN"], "arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/a");
    let next = json!({"ParameterFilters": filter, "NextToken": found["NextToken"]});
    let found = call(&mut world, Ssm, "DescribeParameters", next);
    assert_eq!((&found["Parameters"][0]["Name"], found.get("NextToken")), (&json!("plain"), None));
    let found = call(&mut world, Ssm, "GetParameters", json!({"Names": ["plain", "none"]}));
    assert_eq!((&found["Parameters"][0]["Value"], &found["InvalidParameters"]), (&json!(""), &json!(["none"])));
    assert_eq!(refusal(&mut world, Ssm, "GetParameter", json!({"Name": "none"})).code, "ParameterNotFound");
    let unknown = json!({"ParameterFilters": [{"Key": "Colour", "Values": ["red"]}]});
    assert_eq!(refusal(&mut world, Ssm, "DescribeParameters", unknown).code, "InvalidFilterKey");
}

#[test]
fn metrics_are_kept_and_alarms_are_shown() {
    let mut world = world();
    let datum = json!({"MetricName": "reads", "Value": 3.0});
    call(&mut world, CloudWatch, "PutMetricData", json!({"Namespace": "Trueup", "MetricData": [datum]}));
    assert_eq!((world.cloudwatch.metrics.len(), &world.cloudwatch.metrics[0].datum), (1, &datum));
    let reserved = json!({"Namespace": "AWS/ECS", "MetricData": [datum.clone()]});
    assert_eq!(refusal(&mut world, CloudWatch, "PutMetricData", reserved).code, "InvalidParameterValue");
    let many = json!({"Namespace": "Trueup", "MetricData": vec![datum; 1_001]});
    assert_eq!(refusal(&mut world, CloudWatch, "PutMetricData", many).code, "InvalidParameterValue");
    cloudwatch::set_alarm(&mut world, "errors", "OK");
    cloudwatch::set_alarm(&mut world, "errors", "ALARM");
    let found = call(&mut world, CloudWatch, "DescribeAlarms", json!({"AlarmNames": ["errors", "none"]}));
    assert_eq!(found["MetricAlarms"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["MetricAlarms"][0]["StateValue"], "ALARM");
}

#[test]
fn a_caller_is_told_who_it_is_and_becomes_a_role() {
    let mut world = world();
    let found = call(&mut world, Sts, "GetCallerIdentity", json!({}));
    assert_eq!((&found["Account"], &found["Arn"]), (&json!("123456789012"), &json!(CALLER)));
    let role = "arn:aws:iam::210987654321:role/team/deploy";
    let input = json!({"RoleArn": role, "RoleSessionName": "trueup", "DurationSeconds": "900"});
    let found = call(&mut world, Sts, "AssumeRole", input.clone());
    assert_eq!(found["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/deploy/trueup");
    assert_eq!(found["Credentials"]["Expiration"], "2026-01-01T00:15:00.000Z");
    let again = call(&mut world, Sts, "AssumeRole", input.clone());
    assert_ne!(again["Credentials"]["AccessKeyId"], found["Credentials"]["AccessKeyId"]);
    world.refused_roles.insert(role.to_owned());
    let error = refusal(&mut world, Sts, "AssumeRole", input);
    assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"));
    assert_eq!(
        error.message,
        format!("User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {role}")
    );
}
