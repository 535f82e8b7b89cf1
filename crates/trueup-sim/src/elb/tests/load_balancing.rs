use std::time::Duration;

use serde_json::{Value, json};

use super::{call, listener, refusal, rule, target_group, text, world};

fn rules(world: &mut crate::World, listener: &str) -> Vec<Value> {
    call(world, "DescribeRules", json!({"ListenerArn": listener}))["Rules"].as_array().expect("it is a list").clone()
}

#[test]
fn a_load_balancer_is_provisioned_and_deleted_with_all_below_it() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    let (balancer, listener) = listener(&mut world, "main");
    rule(&mut world, &listener, 1, &group);
    let state = |world: &mut crate::World| {
        call(world, "DescribeLoadBalancers", json!({"Names": ["main"]}))["LoadBalancers"][0]["State"]["Code"].clone()
    };
    assert_eq!(state(&mut world), "provisioning");
    let later = world.now + Duration::from_mins(3);
    world.advance(later);
    assert_eq!(state(&mut world), "active");
    call(&mut world, "DeleteLoadBalancer", json!({"LoadBalancerArn": balancer}));
    call(&mut world, "DeleteLoadBalancer", json!({"LoadBalancerArn": balancer}));
    assert_eq!(refusal(&mut world, "DescribeListeners", json!({"ListenerArns": [listener]})).0, "ListenerNotFound");
    assert_eq!(refusal(&mut world, "DescribeLoadBalancers", json!({"Names": ["main"]})).0, "LoadBalancerNotFound");
    assert!(world.elb.rules.is_empty());
    call(&mut world, "DeleteTargetGroup", json!({"TargetGroupArn": group}));
}

#[test]
fn listeners_have_ports_of_their_own_and_keep_what_a_change_leaves_out() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    let (balancer, listener) = listener(&mut world, "main");
    let forward = json!([{"Type": "forward", "TargetGroupArn": group}]);
    let again = json!({"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": "80", "DefaultActions": forward});
    assert_eq!(refusal(&mut world, "CreateListener", again).0, "DuplicateListener");
    let bare = json!({"LoadBalancerArn": balancer, "Protocol": "HTTPS", "Port": "443", "DefaultActions": forward});
    assert_eq!(refusal(&mut world, "CreateListener", bare.clone()).0, "CertificateNotFound");
    let mut secure = bare;
    secure["Certificates"] = json!([{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}]);
    let shown = call(&mut world, "CreateListener", secure)["Listeners"][0].clone();
    assert_eq!((&shown["Port"], &shown["SslPolicy"]), (&json!(443), &json!("ELBSecurityPolicy-2016-08")));

    call(&mut world, "ModifyListener", json!({"ListenerArn": listener, "DefaultActions": forward}));
    let shown = call(&mut world, "DescribeListeners", json!({"ListenerArns": [listener]}))["Listeners"][0].clone();
    assert_eq!((&shown["Port"], &shown["DefaultActions"][0]["TargetGroupArn"]), (&json!(80), &json!(group)));
    assert_eq!(rules(&mut world, &listener)[0]["Actions"], shown["DefaultActions"]);
    let shown = call(&mut world, "DescribeListeners", json!({"LoadBalancerArn": balancer}));
    assert_eq!(shown["Listeners"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_short_forward_action_is_shown_in_both_forms() {
    let mut world = world(1);
    let (web, api) = (target_group(&mut world, "web"), target_group(&mut world, "api"));
    let (_, listener) = listener(&mut world, "main");
    let arn = rule(&mut world, &listener, 10, &web);
    let shown = rules(&mut world, &listener);
    assert_eq!(
        shown[0]["Actions"],
        json!([{
            "Type": "forward", "TargetGroupArn": web,
            "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": web, "Weight": 1}],
                              "TargetGroupStickinessConfig": {"Enabled": false}},
        }])
    );
    assert_eq!(
        (&shown[0]["Priority"], &shown[0]["IsDefault"], &shown[0]["Transforms"]),
        (&json!("10"), &json!(false), &json!([]))
    );
    assert_eq!(
        shown[0]["Conditions"],
        json!([
            {"Field": "path-pattern", "Values": ["/10/*"], "PathPatternConfig": {"Values": ["/10/*"]}},
        ])
    );
    assert_eq!((&shown[1]["Priority"], &shown[1]["IsDefault"]), (&json!("default"), &json!(true)));

    let two = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": web, "Weight": "90"}, {"TargetGroupArn": api, "Weight": "10"}]}}]);
    call(&mut world, "ModifyRule", json!({"RuleArn": arn, "Actions": two}));
    let shown = rules(&mut world, &listener)[0].clone();
    assert_eq!(shown["Actions"][0].get("TargetGroupArn"), None);
    assert_eq!(shown["Actions"][0]["ForwardConfig"]["TargetGroups"][1], json!({"TargetGroupArn": api, "Weight": 10}));
    assert_eq!(shown["Conditions"][0]["Values"], json!(["/10/*"]), "what was not sent stays");
}

#[test]
fn other_actions_are_completed_and_no_secret_is_told() {
    let mut world = world(1);
    let (_, listener) = listener(&mut world, "main");
    let condition = json!([{"Field": "host-header", "Values": ["a.example"]}]);
    let oidc = json!({"Type": "authenticate-oidc", "Order": "1", "AuthenticateOidcConfig": {
        "Issuer": "https://i", "AuthorizationEndpoint": "https://a", "TokenEndpoint": "https://t",
        "UserInfoEndpoint": "https://u", "ClientId": "c", "ClientSecret": "s"}});
    let redirect =
        json!({"Type": "redirect", "Order": "2", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "443"}});
    let input = json!({"ListenerArn": listener, "Priority": "1", "Conditions": condition, "Actions": [redirect, oidc]});
    let shown = call(&mut world, "CreateRule", input)["Rules"][0]["Actions"].clone();
    assert_eq!(shown[0]["AuthenticateOidcConfig"]["SessionTimeout"], 604_800);
    assert_eq!(shown[0]["AuthenticateOidcConfig"]["Scope"], "openid");
    assert_eq!(shown[0]["AuthenticateOidcConfig"].get("ClientSecret"), None);
    assert_eq!(
        shown[1]["RedirectConfig"],
        json!({"Protocol": "#{protocol}", "Host": "#{host}", "Port": "443",
        "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"})
    );
}

#[test]
fn priorities_are_unique_and_can_be_swapped_at_once() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    let (_, listener) = listener(&mut world, "main");
    let (first, second) = (rule(&mut world, &listener, 1, &group), rule(&mut world, &listener, 2, &group));
    let third = rule(&mut world, &listener, 3, &group);
    let pairs = |pairs: &[(&String, u64)]| {
        let pairs: Vec<Value> =
            pairs.iter().map(|(arn, priority)| json!({"RuleArn": arn, "Priority": priority.to_string()})).collect();
        json!({"RulePriorities": pairs})
    };
    call(&mut world, "SetRulePriorities", pairs(&[(&first, 2), (&second, 1)]));
    let order: Vec<String> = rules(&mut world, &listener).iter().map(|rule| text(&rule["RuleArn"])).collect();
    assert_eq!(order[..3], [second, first.clone(), third]);
    assert_eq!(
        refusal(&mut world, "SetRulePriorities", pairs(&[(&first, 3)])),
        ("PriorityInUse".to_owned(), "Priority '3' is currently in use".to_owned())
    );
    assert_eq!(refusal(&mut world, "SetRulePriorities", pairs(&[(&first, 50_001)])).0, "ValidationError");
    assert_eq!(refusal(&mut world, "SetRulePriorities", pairs(&[(&order[3], 5)])).0, "OperationNotPermitted");
    let clash = json!({"ListenerArn": listener, "Priority": "2", "Conditions": [{"Field": "path-pattern", "Values": ["/"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}]});
    assert_eq!(refusal(&mut world, "CreateRule", clash).0, "PriorityInUse");
    assert_eq!(refusal(&mut world, "DeleteRule", json!({"RuleArn": order[3]})).0, "OperationNotPermitted");
    assert_eq!(refusal(&mut world, "DescribeRules", json!({"RuleArns": [format!("{first}0")]})).0, "RuleNotFound");
    assert_eq!(refusal(&mut world, "ModifyRule", json!({"RuleArn": first})).0, "ValidationError");
}

#[test]
fn wrong_rules_are_refused() {
    let mut world = world(1);
    let web = target_group(&mut world, "web");
    let tcp = json!({"Name": "tcp", "Protocol": "TCP", "Port": "80", "VpcId": "vpc-1"});
    let tcp = text(&call(&mut world, "CreateTargetGroup", tcp)["TargetGroups"][0]["TargetGroupArn"]);
    let (_, main) = listener(&mut world, "main");
    let (_, other) = listener(&mut world, "other");
    rule(&mut world, &other, 1, &web);
    let path = json!([{"Field": "path-pattern", "Values": ["/a"]}]);
    let fixed = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]);
    let forward = |arn: &str| json!([{"Type": "forward", "TargetGroupArn": arn}]);
    let cases = [
        (path.clone(), forward(&web), "TargetGroupAssociationLimit", "more than one load balancer"),
        (path.clone(), forward(&tcp), "IncompatibleProtocols", "TCP"),
        (path.clone(), forward(&format!("{web}0")), "TargetGroupNotFound", "One or more target groups not found"),
        (path.clone(), json!([{"Type": "send"}]), "ValidationError", "'send' at 'actions.1.member.type'"),
        (path.clone(), json!([fixed[0], fixed[0]]), "TooManyActions", "one"),
        (path, json!([{"Type": "redirect", "RedirectConfig": {"StatusCode": "301"}}]), "ValidationError", "HTTP_301"),
        (json!([]), fixed.clone(), "ValidationError", "condition"),
        (json!([{"Field": "path", "Values": ["/"]}]), fixed.clone(), "ValidationError", "Condition field 'path'"),
        (json!([{"Field": "path-pattern", "Values": []}]), fixed.clone(), "ValidationError", "value must be specified"),
        (
            json!([{"Field": "path-pattern", "Values": ["/1", "/2", "/3", "/4", "/5", "/6"]}]),
            fixed.clone(),
            "ValidationError",
            "A rule can only have '5' condition values",
        ),
        (json!([{"Field": "path-pattern", "Values": ["/******"]}]), fixed.clone(), "ValidationError", "wildcards"),
        (
            json!([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}]),
            fixed.clone(),
            "ValidationError",
            "CIDR",
        ),
        (
            json!([{"Field": "http-header", "HttpHeaderConfig": {"Values": ["x"]}}]),
            fixed,
            "ValidationError",
            "header name",
        ),
    ];
    for (conditions, actions, code, text) in cases {
        let input = json!({"ListenerArn": main, "Priority": "1", "Conditions": conditions, "Actions": actions});
        let (found, message) = refusal(&mut world, "CreateRule", input.clone());
        assert_eq!(found, code, "{input}: {message}");
        assert!(message.contains(text), "{message}");
    }
    assert_eq!(rules(&mut world, &main).len(), 1);
}

#[test]
fn a_load_balancer_has_a_hundred_rules_and_not_more() {
    let mut world = world(1);
    let group = target_group(&mut world, "web");
    let (_, listener) = listener(&mut world, "main");
    for priority in 1..=100 {
        rule(&mut world, &listener, priority, &group);
    }
    let input = json!({"ListenerArn": listener, "Priority": "101", "Conditions": [{"Field": "path-pattern", "Values": ["/"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}]});
    assert_eq!(refusal(&mut world, "CreateRule", input).0, "TooManyRules");
    let page = call(&mut world, "DescribeRules", json!({"ListenerArn": listener, "PageSize": "100"}));
    let rest = call(&mut world, "DescribeRules", json!({"ListenerArn": listener, "Marker": page["NextMarker"]}));
    assert_eq!(rest["Rules"][0]["Priority"], "default");
}
