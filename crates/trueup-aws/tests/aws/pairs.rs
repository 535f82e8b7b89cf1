//! The pairs that a document becomes are the pairs that the SDK sends for the same typed request.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::Config;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateOidcActionConfig, FixedResponseActionConfig, ForwardActionConfig,
    HostHeaderConditionConfig, Matcher, PathPatternConditionConfig, ProtocolEnum, QueryStringConditionConfig,
    QueryStringKeyValuePair, RuleCondition, RulePriorityPair, Tag, TargetGroupAttribute, TargetGroupStickinessConfig,
    TargetGroupTuple, TargetTypeEnum,
};
use serde_json::{Value, json};
use trueup_core::plan::{Call, Operation};
use trueup_ports::Cloud as _;

use crate::fake::{Fake, Reply, elb};

fn answer() -> Fake {
    Fake::new(|request| elb(&request.operation, ""))
}

fn client(fake: &Fake) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("ap-northeast-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test"))
        .http_client(fake.client());
    Client::from_conf(config.build())
}

async fn check(operation: Operation, input: Value, sdk: &Fake) {
    let ours = answer();
    ours.cloud().await.execute(&Call { operation, input }).await.unwrap();
    let (ours, sdk) = (ours.asked(), sdk.asked());
    assert_eq!(ours[0].pairs(), sdk[0].pairs());
    assert_eq!(ours[0].operation, sdk[0].operation);
    for header in ["content-type", "content-length"] {
        assert_eq!(ours[0].headers.get(header), sdk[0].headers.get(header), "{header}");
    }
    assert!(ours[0].headers["authorization"].starts_with("AWS4-HMAC-SHA256"), "{:?}", ours[0].headers);
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[tokio::test]
async fn create_target_group() {
    let sdk = answer();
    client(&sdk)
        .create_target_group()
        .name("web & more")
        .protocol(ProtocolEnum::Http)
        .port(80)
        .target_type(TargetTypeEnum::Ip)
        .health_check_enabled(true)
        .health_check_path("/health?deep=1&x=ü")
        .health_check_interval_seconds(30)
        .matcher(Matcher::builder().http_code("200-299").build())
        .tags(tag("trueup:application", "web"))
        .tags(tag("empty", ""))
        .send()
        .await
        .unwrap();
    let input = json!({
        "Name": "web & more", "Protocol": "HTTP", "Port": 80, "TargetType": "ip",
        "HealthCheckEnabled": true, "HealthCheckPath": "/health?deep=1&x=ü", "HealthCheckIntervalSeconds": 30,
        "Matcher": {"HttpCode": "200-299"},
        "Tags": [{"Key": "trueup:application", "Value": "web"}, {"Key": "empty", "Value": ""}],
    });
    check(Operation::CreateTargetGroup, input, &sdk).await;
}

#[tokio::test]
async fn modify_target_group_attributes() {
    let sdk = answer();
    let attribute = |key: &str, value: &str| TargetGroupAttribute::builder().key(key).value(value).build();
    client(&sdk)
        .modify_target_group_attributes()
        .target_group_arn("arn:aws:elasticloadbalancing:r:1:targetgroup/web/1")
        .attributes(attribute("deregistration_delay.timeout_seconds", "30"))
        .attributes(attribute("stickiness.enabled", "false"))
        .send()
        .await
        .unwrap();
    let input = json!({
        "TargetGroupArn": "arn:aws:elasticloadbalancing:r:1:targetgroup/web/1",
        "Attributes": [
            {"Key": "deregistration_delay.timeout_seconds", "Value": "30"},
            {"Key": "stickiness.enabled", "Value": "false"},
        ],
    });
    check(Operation::ModifyTargetGroupAttributes, input, &sdk).await;
}

#[tokio::test]
async fn create_rule_with_nested_configuration_and_a_map() {
    let sdk = answer();
    let path = PathPatternConditionConfig::builder().values("/api/*").values("/v2/*").build();
    let host = HostHeaderConditionConfig::builder().values("learn.example.com").build();
    let query = QueryStringConditionConfig::builder()
        .values(QueryStringKeyValuePair::builder().key("version").value("v1").build())
        .values(QueryStringKeyValuePair::builder().value("*beta*").build())
        .build();
    let oidc = AuthenticateOidcActionConfig::builder()
        .issuer("https://id.example.com")
        .authorization_endpoint("https://id.example.com/a")
        .token_endpoint("https://id.example.com/t")
        .user_info_endpoint("https://id.example.com/u")
        .client_id("web")
        .authentication_request_extra_params("display", "page")
        .session_timeout(3_600)
        .build();
    let forward = ForwardActionConfig::builder()
        .target_groups(TargetGroupTuple::builder().target_group_arn("arn:blue").weight(1).build())
        .target_groups(TargetGroupTuple::builder().target_group_arn("arn:green").weight(0).build())
        .target_group_stickiness_config(
            TargetGroupStickinessConfig::builder().enabled(true).duration_seconds(60).build(),
        )
        .build();
    client(&sdk)
        .create_rule()
        .listener_arn("arn:listener")
        .priority(10)
        .conditions(RuleCondition::builder().field("path-pattern").path_pattern_config(path).build())
        .conditions(RuleCondition::builder().field("host-header").host_header_config(host).build())
        .conditions(RuleCondition::builder().field("query-string").query_string_config(query).build())
        .actions(
            Action::builder().r#type(ActionTypeEnum::AuthenticateOidc).order(1).authenticate_oidc_config(oidc).build(),
        )
        .actions(Action::builder().r#type(ActionTypeEnum::Forward).order(2).forward_config(forward).build())
        .actions(
            Action::builder()
                .r#type(ActionTypeEnum::FixedResponse)
                .fixed_response_config(FixedResponseActionConfig::builder().status_code("503").build())
                .build(),
        )
        .send()
        .await
        .unwrap();
    let input = json!({
        "ListenerArn": "arn:listener", "Priority": 10,
        "Conditions": [
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*", "/v2/*"]}},
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["learn.example.com"]}},
            {"Field": "query-string",
             "QueryStringConfig": {"Values": [{"Key": "version", "Value": "v1"}, {"Value": "*beta*"}]}},
        ],
        "Actions": [
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
                "Issuer": "https://id.example.com", "AuthorizationEndpoint": "https://id.example.com/a",
                "TokenEndpoint": "https://id.example.com/t", "UserInfoEndpoint": "https://id.example.com/u",
                "ClientId": "web", "AuthenticationRequestExtraParams": {"display": "page"}, "SessionTimeout": 3_600}},
            {"Type": "forward", "Order": 2, "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": "arn:blue", "Weight": 1}, {"TargetGroupArn": "arn:green", "Weight": 0}],
                "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}}},
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}},
        ],
    });
    check(Operation::CreateRule, input, &sdk).await;
}

#[tokio::test]
async fn lists_of_texts_and_of_pairs_and_empty_lists() {
    let sdk = answer();
    client(&sdk).remove_tags().resource_arns("arn:a").resource_arns("arn:b").tag_keys("k").send().await.unwrap();
    let input = json!({"ResourceArns": ["arn:a", "arn:b"], "TagKeys": ["k"]});
    check(Operation::RemoveTags, input, &sdk).await;

    let sdk = answer();
    let pair = RulePriorityPair::builder().rule_arn("arn:rule").priority(7).build();
    client(&sdk).set_rule_priorities().rule_priorities(pair).send().await.unwrap();
    let input = json!({"RulePriorities": [{"RuleArn": "arn:rule", "Priority": 7}]});
    check(Operation::SetRulePriorities, input, &sdk).await;

    let sdk = answer();
    client(&sdk).modify_rule().rule_arn("arn:rule").set_transforms(Some(Vec::new())).send().await.unwrap();
    check(Operation::ModifyRule, json!({"RuleArn": "arn:rule", "Transforms": []}), &sdk).await;
}

#[tokio::test]
async fn every_elb_write_reaches_its_operation_and_gives_its_answer_back() {
    for (operation, name) in [
        (Operation::CreateTargetGroup, "CreateTargetGroup"),
        (Operation::ModifyTargetGroup, "ModifyTargetGroup"),
        (Operation::ModifyTargetGroupAttributes, "ModifyTargetGroupAttributes"),
        (Operation::DeleteTargetGroup, "DeleteTargetGroup"),
        (Operation::CreateRule, "CreateRule"),
        (Operation::ModifyRule, "ModifyRule"),
        (Operation::SetRulePriorities, "SetRulePriorities"),
        (Operation::DeleteRule, "DeleteRule"),
        (Operation::AddTags, "AddTags"),
        (Operation::RemoveTags, "RemoveTags"),
    ] {
        let fake = Fake::new(|request| match request.operation.as_str() {
            "CreateTargetGroup" => elb(
                "CreateTargetGroup",
                "<TargetGroups><member><TargetGroupArn>arn:tg</TargetGroupArn><Port>80</Port><New>er</New></member></TargetGroups>",
            ),
            other => elb(other, ""),
        });
        let answer =
            fake.cloud().await.execute(&Call { operation, input: json!({"Newer": {"A": [1]}}) }).await.unwrap();
        assert_eq!(fake.asked()[0].operation, name);
        assert_eq!(fake.asked()[0].pairs()["Newer.A.member.1"], "1", "{name}");
        assert_eq!(answer.request_id.as_deref(), Some("r-1"), "{name}");
        if operation == Operation::CreateTargetGroup {
            let expected = json!({"TargetGroups": [{"TargetGroupArn": "arn:tg", "Port": 80, "New": "er"}]});
            assert_eq!(answer.output, expected);
        } else {
            assert_eq!(answer.output, json!({}), "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_in_place_of_xml_leaves_the_effect_unknown() {
    let fake = Fake::new(|_| Reply::Html(200));
    let call = Call { operation: Operation::DeleteRule, input: json!({"RuleArn": "arn:rule"}) };
    let error = fake.cloud().await.execute(&call).await.unwrap_err();
    assert_eq!(error.effect, trueup_ports::Effect::Unknown, "{error}");
}
