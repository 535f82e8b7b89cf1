//! Listener rules: `CreateRule` against `DescribeRules`.

use serde_json::{Value, json};
use trueup_core::drift::Context;
use trueup_core::kind::Kind;

use crate::{Row, check, over, paths};

const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/lb/1/2/3";
const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/lb/1/2";

/// A rule with these members.
fn rule(members: &Value) -> Value {
    over(json!({"Priority": 10, "Conditions": [], "Actions": []}), members)
}

/// A rule with this one action.
fn action(action: &Value) -> Value {
    rule(&json!({"Actions": [action]}))
}

/// A rule with this one condition.
fn condition(condition: &Value) -> Value {
    rule(&json!({"Conditions": [condition]}))
}

#[test]
fn a_whole_answer_of_aws_is_no_drift() {
    let desired = json!({
        "ListenerArn": LISTENER, "Priority": 10, "Tags": [{"Key": "team", "Value": "shop"}],
        "Conditions": [{"Field": "path-pattern", "Values": ["/b/*", "/a/*"]},
                       {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Env", "Values": ["zeta", "alpha", "mike"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": "a"}]
    });
    let live = json!({
        "RuleArn": RULE, "Priority": "10", "IsDefault": false, "Transforms": [],
        "Conditions": [{"Field": "http-header", "Values": [], "HttpHeaderConfig": {"HttpHeaderName": "X-Env", "Values": ["zeta", "mike", "alpha"]}},
                       {"Field": "path-pattern", "Values": ["/a/*", "/b/*"], "PathPatternConfig": {"Values": ["/a/*", "/b/*"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": "a", "Order": 1, "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "a", "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}}],
        "Tags": [{"Key": "team", "Value": "shop"}, {"Key": "trueup:digest", "Value": "x"}]
    });
    assert_eq!(paths(Kind::ListenerRule, &desired, &live, &Context::default()), [""; 0]);
}

#[test]
fn fields_of_the_rule() {
    let rewrite = |regex: &str, replace: &str| json!({"Transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": regex, "Replace": replace}]}}]});
    let rows: &[Row] = &[
        ("the listener is part of the rule's ARN", json!({"ListenerArn": LISTENER}), json!({"RuleArn": RULE}), &[]),
        (
            "another listener",
            json!({"ListenerArn": LISTENER}),
            json!({"RuleArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/lb/1/9/3"}),
            &["/ListenerArn"],
        ),
        (
            "a listener of another region",
            json!({"ListenerArn": LISTENER}),
            json!({"RuleArn": RULE.replace("eu-west-1", "eu-west-2")}),
            &["/ListenerArn"],
        ),
        ("a priority is a string in answers", json!({"Priority": 10}), json!({"Priority": "10"}), &[]),
        ("another priority", json!({"Priority": 10}), json!({"Priority": "20"}), &["/Priority"]),
        ("the default rule", json!({"Priority": 10}), json!({"Priority": "default"}), &["/Priority"]),
        ("no transforms", json!({}), json!({"Transforms": []}), &[]),
        ("a transform added", json!({}), rewrite("a", "b"), &["/Transforms/url-rewrite"]),
        (
            "a transform changed",
            rewrite("a", "b"),
            rewrite("a", "c"),
            &["/Transforms/url-rewrite/UrlRewriteConfig/Rewrites"],
        ),
        (
            "an empty replacement is one",
            rewrite("a", ""),
            rewrite("a", "b"),
            &["/Transforms/url-rewrite/UrlRewriteConfig/Rewrites"],
        ),
        (
            "transforms are a set",
            json!({"Transforms": [{"Type": "url-rewrite"}, {"Type": "host-header-rewrite"}]}),
            json!({"Transforms": [{"Type": "host-header-rewrite"}, {"Type": "url-rewrite"}]}),
            &[],
        ),
        (
            "a tag",
            json!({"Tags": [{"Key": "a", "Value": "1"}]}),
            json!({"Tags": [{"Key": "a", "Value": "2"}]}),
            &["/Tags/a"],
        ),
        (
            "an action added",
            json!({"Actions": [{"Type": "forward", "TargetGroupArn": "a"}]}),
            json!({"Actions": [{"Type": "authenticate-cognito", "Order": 1}, {"Type": "forward", "TargetGroupArn": "a", "Order": 2}]}),
            &["/Actions/0/TargetGroupArn", "/Actions/0/Type", "/Actions/1"],
        ),
        (
            "actions are in their order",
            json!({"Actions": [{"Type": "forward", "TargetGroupArn": "a", "Order": 2}, {"Type": "authenticate-cognito", "Order": 1}]}),
            json!({"Actions": [{"Type": "authenticate-cognito", "Order": 1}, {"Type": "forward", "TargetGroupArn": "a", "Order": 2}]}),
            &[],
        ),
        (
            "actions without an order are in the list's",
            json!({"Actions": [{"Type": "authenticate-cognito"}, {"Type": "forward", "TargetGroupArn": "a"}]}),
            json!({"Actions": [{"Type": "authenticate-cognito", "Order": 1}, {"Type": "forward", "TargetGroupArn": "a", "Order": 2}]}),
            &[],
        ),
        (
            "an action taken away",
            json!({"Actions": [{"Type": "authenticate-cognito"}, {"Type": "forward", "TargetGroupArn": "a"}]}),
            json!({"Actions": [{"Type": "authenticate-cognito", "Order": 1}]}),
            &["/Actions/1"],
        ),
    ];
    check(Kind::ListenerRule, "", rule, rows);
}

#[test]
fn forwards() {
    let short = |arn: &str| json!({"Type": "forward", "TargetGroupArn": arn});
    let long = |groups: Value, more: Value| json!({"Type": "forward", "ForwardConfig": over(json!({"TargetGroups": groups}), &more)});
    let one = |arn: &str| {
        over(
            long(
                json!([{"TargetGroupArn": arn, "Weight": 1}]),
                json!({"TargetGroupStickinessConfig": {"Enabled": false}}),
            ),
            &json!({"TargetGroupArn": arn}),
        )
    };
    let two = |a: i64, b: i64| {
        long(
            json!([{"TargetGroupArn": "a", "Weight": a}, {"TargetGroupArn": "b", "Weight": b}]),
            json!({"TargetGroupStickinessConfig": {"Enabled": false}}),
        )
    };
    let sticky = |config: Value| long(json!([{"TargetGroupArn": "a"}]), json!({"TargetGroupStickinessConfig": config}));
    let rows: &[Row] = &[
        ("the short form is the long one", short("a"), one("a"), &[]),
        ("the long form is both", long(json!([{"TargetGroupArn": "a"}]), json!({})), one("a"), &[]),
        ("both forms are both", one("a"), one("a"), &[]),
        ("both forms are the short one", one("a"), short("a"), &[]),
        (
            "one group's weight has no effect",
            long(json!([{"TargetGroupArn": "a", "Weight": 100}]), json!({})),
            one("a"),
            &[],
        ),
        (
            "but 0 may",
            long(json!([{"TargetGroupArn": "a", "Weight": 0}]), json!({})),
            one("a"),
            &["/ForwardConfig/TargetGroups/a/Weight"],
        ),
        ("another group", short("a"), one("b"), &["/TargetGroupArn"]),
        ("another group, both forms", one("a"), one("b"), &["/TargetGroupArn"]),
        (
            "another group, long form",
            long(json!([{"TargetGroupArn": "a"}]), json!({})),
            one("b"),
            &["/ForwardConfig/TargetGroups/a", "/ForwardConfig/TargetGroups/b"],
        ),
        (
            "groups are a set",
            two(1, 2),
            long(json!([{"TargetGroupArn": "b", "Weight": 2}, {"TargetGroupArn": "a", "Weight": 1}]), json!({})),
            &[],
        ),
        (
            "a weight left out is 1",
            long(json!([{"TargetGroupArn": "a"}, {"TargetGroupArn": "b"}]), json!({})),
            two(1, 1),
            &[],
        ),
        (
            "weights are real",
            two(90, 10),
            two(10, 90),
            &["/ForwardConfig/TargetGroups/a/Weight", "/ForwardConfig/TargetGroups/b/Weight"],
        ),
        ("0 is a weight", two(1, 0), two(1, 1), &["/ForwardConfig/TargetGroups/b/Weight"]),
        ("a group added", short("a"), two(1, 1), &["/ForwardConfig/TargetGroups/b"]),
        ("a group taken away", two(1, 1), one("a"), &["/ForwardConfig/TargetGroups/b"]),
        ("not sticky", sticky(json!({"Enabled": false, "DurationSeconds": 60})), one("a"), &[]),
        (
            "sticky",
            short("a"),
            sticky(json!({"Enabled": true, "DurationSeconds": 60})),
            &["/ForwardConfig/TargetGroupStickinessConfig/Enabled"],
        ),
        (
            "no longer sticky",
            sticky(json!({"Enabled": true, "DurationSeconds": 60})),
            one("a"),
            &["/ForwardConfig/TargetGroupStickinessConfig/Enabled"],
        ),
        (
            "sticky for longer",
            sticky(json!({"Enabled": true, "DurationSeconds": 60})),
            sticky(json!({"Enabled": true, "DurationSeconds": 90})),
            &["/ForwardConfig/TargetGroupStickinessConfig/DurationSeconds"],
        ),
        ("order alone", over(short("a"), &json!({"Order": 1})), short("a"), &[]),
        (
            "a maintenance page in its place",
            short("a"),
            json!({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}),
            &["/FixedResponseConfig", "/TargetGroupArn", "/Type"],
        ),
    ];
    check(Kind::ListenerRule, "/Actions/0", action, rows);
}

#[test]
fn weights_that_ecs_shifts() {
    let short = action(&json!({"Type": "forward", "TargetGroupArn": "a"}));
    let pair = |a: &str, b: &str| {
        action(
            &json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": a, "Weight": 0}, {"TargetGroupArn": b, "Weight": 100}]}}),
        )
    };
    let delegated = Context { delegated_weights: true, ..Context::default() };
    for (desired, live, told) in [
        (&short, pair("a", "b"), &[][..]),
        (&pair("b", "a"), pair("a", "b"), &[]),
        (&short, pair("c", "b"), &["/Actions/0/ForwardConfig/TargetGroups/a"]),
    ] {
        assert_eq!(paths(Kind::ListenerRule, desired, &live, &delegated), told, "{live}");
    }
    assert_eq!(
        paths(Kind::ListenerRule, &short, &pair("a", "b"), &Context::default()),
        ["/Actions/0/ForwardConfig/TargetGroups/a/Weight", "/Actions/0/ForwardConfig/TargetGroups/b"]
    );
}

#[test]
fn other_actions() {
    let redirect =
        |more: Value| json!({"Type": "redirect", "RedirectConfig": over(json!({"StatusCode": "HTTP_301"}), &more)});
    let full = || {
        redirect(
            json!({"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}),
        )
    };
    let fixed = |config: Value| json!({"Type": "fixed-response", "FixedResponseConfig": config});
    let oidc = |more: Value| json!({"Type": "authenticate-oidc", "AuthenticateOidcConfig": over(json!({"Issuer": "i", "ClientId": "c"}), &more)});
    let cognito = |more: Value| json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig": over(json!({"UserPoolArn": "u"}), &more)});
    let jwt = |claims: Value| json!({"Type": "jwt-validation", "JwtValidationConfig": {"JwksEndpoint": "j", "Issuer": "i", "AdditionalClaims": claims}});
    let defaults = || json!({"Scope": "openid", "SessionCookieName": "AWSELBAuthSessionCookie", "SessionTimeout": 604_800, "OnUnauthenticatedRequest": "authenticate"});
    let rows: &[Row] = &[
        ("a redirect completed", redirect(json!({})), full(), &[]),
        ("a redirect's port is text", redirect(json!({"Port": 443})), redirect(json!({"Port": "443"})), &[]),
        ("another redirect protocol", redirect(json!({"Protocol": "HTTPS"})), full(), &["/RedirectConfig/Protocol"]),
        (
            "another redirect host",
            redirect(json!({})),
            redirect(json!({"Host": "example.com"})),
            &["/RedirectConfig/Host"],
        ),
        ("another redirect path", redirect(json!({})), redirect(json!({"Path": "/x"})), &["/RedirectConfig/Path"]),
        ("another redirect port", redirect(json!({"Port": "443"})), full(), &["/RedirectConfig/Port"]),
        ("dropping the query is not keeping it", redirect(json!({"Query": ""})), full(), &["/RedirectConfig/Query"]),
        ("dropping the query alike", redirect(json!({"Query": ""})), redirect(json!({"Query": ""})), &[]),
        (
            "another redirect status",
            redirect(json!({})),
            redirect(json!({"StatusCode": "HTTP_302"})),
            &["/RedirectConfig/StatusCode"],
        ),
        ("a status is text", fixed(json!({"StatusCode": 200})), fixed(json!({"StatusCode": "200"})), &[]),
        (
            "empty texts are none",
            fixed(json!({"StatusCode": "200", "ContentType": "", "MessageBody": ""})),
            fixed(json!({"StatusCode": "200"})),
            &[],
        ),
        (
            "another body",
            fixed(json!({"StatusCode": "200", "MessageBody": "a"})),
            fixed(json!({"StatusCode": "200", "MessageBody": "b"})),
            &["/FixedResponseConfig/MessageBody"],
        ),
        (
            "another status",
            fixed(json!({"StatusCode": "200"})),
            fixed(json!({"StatusCode": "503"})),
            &["/FixedResponseConfig/StatusCode"],
        ),
        ("OIDC completed", oidc(json!({"AuthenticationRequestExtraParams": {}})), oidc(defaults()), &[]),
        (
            "a client secret never comes back",
            oidc(json!({"ClientSecret": "x", "UseExistingClientSecret": false})),
            oidc(defaults()),
            &[],
        ),
        ("another scope", oidc(json!({})), oidc(json!({"Scope": "openid email"})), &["/AuthenticateOidcConfig/Scope"]),
        ("another client", oidc(json!({})), oidc(json!({"ClientId": "d"})), &["/AuthenticateOidcConfig/ClientId"]),
        (
            "extra parameters",
            oidc(json!({"AuthenticationRequestExtraParams": {"a": "1"}})),
            oidc(json!({"AuthenticationRequestExtraParams": {"a": "2"}})),
            &["/AuthenticateOidcConfig/AuthenticationRequestExtraParams/a"],
        ),
        ("a session timeout as text", oidc(json!({"SessionTimeout": "60"})), oidc(json!({"SessionTimeout": 60})), &[]),
        ("Cognito completed", cognito(json!({})), cognito(defaults()), &[]),
        (
            "a denied request",
            cognito(json!({})),
            cognito(json!({"OnUnauthenticatedRequest": "deny"})),
            &["/AuthenticateCognitoConfig/OnUnauthenticatedRequest"],
        ),
        (
            "claims are a set",
            jwt(
                json!([{"Format": "f", "Name": "a", "Values": ["1", "2"]}, {"Format": "f", "Name": "b", "Values": ["1"]}]),
            ),
            jwt(
                json!([{"Format": "f", "Name": "b", "Values": ["1"]}, {"Format": "f", "Name": "a", "Values": ["2", "1"]}]),
            ),
            &[],
        ),
        (
            "another claim",
            jwt(json!([{"Format": "f", "Name": "a", "Values": ["1"]}])),
            jwt(json!([{"Format": "f", "Name": "a", "Values": ["2"]}])),
            &["/JwtValidationConfig/AdditionalClaims/a/Values"],
        ),
    ];
    check(Kind::ListenerRule, "/Actions/0", action, rows);
}

#[test]
fn conditions() {
    let legacy = |field: &str, values: Value| json!({"Field": field, "Values": values});
    let config = |field: &str, member: &str, config: Value| json!({"Field": field, member: config});
    let host = |values: Value| config("host-header", "HostHeaderConfig", json!({"Values": values}));
    let path =
        |values: Value| json!({"Field": "path-pattern", "Values": values, "PathPatternConfig": {"Values": values}});
    let header = |name: &str, values: Value| json!({"Field": "http-header", "Values": [], "HttpHeaderConfig": {"HttpHeaderName": name, "Values": values}});
    let method = |values: Value| config("http-request-method", "HttpRequestMethodConfig", json!({"Values": values}));
    let query = |values: Value| config("query-string", "QueryStringConfig", json!({"Values": values}));
    let source = |values: Value| config("source-ip", "SourceIpConfig", json!({"Values": values}));
    let rows: &[Row] = &[
        ("the legacy form is both", legacy("path-pattern", json!(["/a", "/b"])), path(json!(["/b", "/a"])), &[]),
        (
            "the config form is both",
            config("path-pattern", "PathPatternConfig", json!({"Values": ["/a"]})),
            path(json!(["/a"])),
            &[],
        ),
        ("the config form is the legacy one", host(json!(["a"])), legacy("host-header", json!(["a"])), &[]),
        (
            "another path, legacy form",
            legacy("path-pattern", json!(["/a"])),
            path(json!(["/b"])),
            &["/path-pattern/Values"],
        ),
        (
            "another path, config form",
            config("path-pattern", "PathPatternConfig", json!({"Values": ["/a"]})),
            path(json!(["/b"])),
            &["/path-pattern/PathPatternConfig/Values"],
        ),
        (
            "paths have case",
            legacy("path-pattern", json!(["/Api/*"])),
            path(json!(["/api/*"])),
            &["/path-pattern/Values"],
        ),
        ("a path added", legacy("path-pattern", json!(["/a"])), path(json!(["/a", "/b"])), &["/path-pattern/Values"]),
        ("hosts have no case", host(json!(["WWW.Example.com"])), host(json!(["www.example.com"])), &[]),
        (
            "another host",
            host(json!(["a.example.com"])),
            host(json!(["b.example.com"])),
            &["/host-header/HostHeaderConfig/Values"],
        ),
        ("headers have no case", header("X-Env", json!(["A"])), header("x-env", json!(["a"])), &[]),
        (
            "another header",
            header("X-Env", json!(["a"])),
            header("X-Test", json!(["a"])),
            &["/http-header/HttpHeaderConfig/HttpHeaderName"],
        ),
        (
            "another header value",
            header("X-Env", json!(["a"])),
            header("X-Env", json!(["b"])),
            &["/http-header/HttpHeaderConfig/Values"],
        ),
        ("methods are a set", method(json!(["GET", "POST"])), method(json!(["POST", "GET"])), &[]),
        (
            "methods have case",
            method(json!(["GET"])),
            method(json!(["get"])),
            &["/http-request-method/HttpRequestMethodConfig/Values"],
        ),
        (
            "queries are a set without case",
            query(json!([{"Key": "A", "Value": "1"}, {"Value": "x"}])),
            query(json!([{"Value": "X"}, {"Key": "a", "Value": "1"}])),
            &[],
        ),
        (
            "another query",
            query(json!([{"Key": "a", "Value": "1"}])),
            query(json!([{"Key": "a", "Value": "2"}])),
            &["/query-string/QueryStringConfig/Values"],
        ),
        (
            "a key is not a value",
            query(json!([{"Key": "a", "Value": "1"}])),
            query(json!([{"Value": "1"}])),
            &["/query-string/QueryStringConfig/Values"],
        ),
        (
            "networks are a set",
            source(json!(["10.0.0.0/8", "192.168.0.0/16"])),
            source(json!(["192.168.0.0/16", "10.0.0.0/8"])),
            &[],
        ),
        (
            "networks are text",
            source(json!(["10.0.0.0/8"])),
            source(json!(["10.0.0.0/08"])),
            &["/source-ip/SourceIpConfig/Values"],
        ),
        (
            "expressions have an order",
            config("path-pattern", "PathPatternConfig", json!({"RegexValues": ["a", "b"]})),
            config("path-pattern", "PathPatternConfig", json!({"RegexValues": ["b", "a"]})),
            &["/path-pattern/PathPatternConfig/RegexValues"],
        ),
        (
            "expressions with their legacy mirror",
            config("path-pattern", "PathPatternConfig", json!({"RegexValues": ["^/a"]})),
            json!({"Field": "path-pattern", "Values": [], "RegexValues": ["^/a"], "PathPatternConfig": {"RegexValues": ["^/a"]}}),
            &[],
        ),
        (
            "another field",
            legacy("path-pattern", json!(["/a"])),
            host(json!(["a"])),
            &["/host-header", "/path-pattern"],
        ),
    ];
    check(Kind::ListenerRule, "/Conditions", condition, rows);
    let lists: &[Row] = &[
        (
            "they are a set",
            json!({"Conditions": [host(json!(["a"])), method(json!(["GET"]))]}),
            json!({"Conditions": [method(json!(["GET"])), host(json!(["a"]))]}),
            &[],
        ),
        (
            "one added",
            json!({"Conditions": [host(json!(["a"]))]}),
            json!({"Conditions": [method(json!(["GET"])), host(json!(["a"]))]}),
            &["/http-request-method"],
        ),
        (
            "repeated headers are a set",
            json!({"Conditions": [header("X-A", json!(["1"])), header("X-B", json!(["2"]))]}),
            json!({"Conditions": [header("x-b", json!(["2"])), header("x-a", json!(["1"]))]}),
            &[],
        ),
        (
            "one of repeated headers",
            json!({"Conditions": [header("X-A", json!(["1"])), header("X-B", json!(["2"]))]}),
            json!({"Conditions": [header("X-B", json!(["3"])), header("X-A", json!(["1"]))]}),
            &["/http-header:X-B/HttpHeaderConfig/Values"],
        ),
        (
            "a repeated header taken away",
            json!({"Conditions": [header("X-A", json!(["1"])), header("X-B", json!(["2"]))]}),
            json!({"Conditions": [header("X-A", json!(["1"]))]}),
            &["/http-header:X-B"],
        ),
        (
            "one header twice, which must match both, in any order",
            json!({"Conditions": [header("X-A", json!(["z", "a"])), header("X-A", json!(["q"]))]}),
            json!({"Conditions": [header("X-A", json!(["q"])), header("X-A", json!(["a", "z"]))]}),
            &[],
        ),
        (
            "repeated queries",
            json!({"Conditions": [query(json!([{"Key": "a", "Value": "1"}])), query(json!([{"Key": "b", "Value": "1"}]))]}),
            json!({"Conditions": [query(json!([{"Key": "b", "Value": "1"}])), query(json!([{"Key": "a", "Value": "2"}]))]}),
            &["/query-string:a/QueryStringConfig/Values"],
        ),
    ];
    check(Kind::ListenerRule, "/Conditions", rule, lists);
}
