//! Small broken documents, and what is said about them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PROBLEMS_MAX, References, Validation, compile, validate_document};
use crate::document::problem::render;
use crate::document::{SourceFile, parse};
use crate::kind::Kind;
use crate::model::{Api, Model, Shape};
use crate::pointer::Pointer;

fn told_with(kind: Kind, path: &str, text: &str, options: &Validation) -> String {
    let node = parse(&SourceFile::new(path, text)).unwrap_or_else(|problems| panic!("{}", render(&problems)));
    render(&validate_document(&node, kind, options))
}

fn told(kind: Kind, path: &str, text: &str) -> String {
    told_with(kind, path, text, &Validation::default())
}

const TASK_DEFINITION: &str = r#"
family = "web"
cpu = "256"
memory = "512"
networkMode = "awsvpc"
requiresCompatibilities = ["FARGATE"]

[[containerDefinitions]]
name = "web"
image = "${image.web}"
portMappings = [{ containerPort = 80 }]
essential = true
environment = [{ name = "LOG_LEVEL", value = "info" }]
dockerLabels = { "com.example/team" = "web" }
healthCheck = { command = ["CMD-SHELL", "curl -f http://localhost/"], interval = 30 }
"#;

#[test]
fn legal_documents_have_no_problems() {
    let cases = [
        (Kind::TaskDefinition, "a.toml", TASK_DEFINITION),
        (
            Kind::Service,
            "a.json",
            r#"{"serviceName": "web", "desiredCount": 1, "role": null, "cluster": "c",
            "deploymentConfiguration": {"lifecycleHooks": [{"hookDetails": {"any": [1, "thing"]}}]}}"#,
        ),
        (
            Kind::TargetGroup,
            "a.toml",
            "Name = 'web'\nMatcher.HttpCode = '200'\n[[Attributes]]\nKey = 'slow_start.duration_seconds'\nValue = '30'\n",
        ),
        (
            Kind::ListenerRule,
            "a.toml",
            "ListenerArn = '${listener.lb.443}'\nPriority = 10\nConditions = []\nActions = []\nTags = [{ Key = 'Größe', Value = 'a b' }]\n",
        ),
    ];
    for (kind, path, text) in cases {
        assert_eq!(told(kind, path, text), "");
    }
}

#[test]
fn every_problem_of_a_task_definition_is_told_at_once() {
    insta::assert_snapshot!(told(Kind::TaskDefinition, "web.toml", r#"
networkmode = "awsvpc"
requiresCompatibilities = "FARGATE"
cpu = 256
tags = [{ key = "a!", value = "b" }, { key = "", value = "c" }]
volumes = { name = "data" }
subnets = []
entirely_unknown = 1

[[containerDefinitions]]
name = "web"
essential = "true"
memory = "512"
cpu = 1.0
command = ["a", 1]
family = "x"
startTimeout = 3000000000
portMappings = [{ containerPort = "http", protocol = "tpc" }]

[[containerDefinitions.healthCheck]]
command = "true"
"#), @r#"
    web.toml:1:1  `family` is missing | write `family = "…"` (You must specify a family for a task definition)
    web.toml:2:1 /networkmode `networkmode` is not known here | AWS spells it `networkMode`
    web.toml:3:27 /requiresCompatibilities `requiresCompatibilities` is a string, not a list | write it in brackets: `[…]`
    web.toml:4:7 /cpu `cpu` is a number, not a string | write `"256"`
    web.toml:5:17 /tags/0/key the text has a form or characters that AWS does not accept here | it must match `([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`
    web.toml:5:46 /tags/1/key there are 0 characters here | write at least 1 character
    web.toml:6:11 /volumes `volumes` is an object, not a list | write `[[name]]` instead of `[name]`, or `[{ … }]`
    web.toml:7:1 /subnets `subnets` is not known here | if AWS has it, put `"task-definition:/subnets"` into `allow_unknown` in `app.toml`
    web.toml:8:1 /entirely_unknown `entirely_unknown` is not known here | if AWS has it, put `"task-definition:/entirely_unknown"` into `allow_unknown` in `app.toml`
    web.toml:12:13 /containerDefinitions/0/essential `essential` is a string, not a boolean | write `true` without quotes
    web.toml:13:10 /containerDefinitions/0/memory `memory` is a string, not a whole number | write `512` without quotes
    web.toml:14:7 /containerDefinitions/0/cpu `1.0` is not a whole number | write `1`
    web.toml:15:17 /containerDefinitions/0/command/1 this item is a number, not a string | write `"1"`
    web.toml:16:1 /containerDefinitions/0/family `family` is not known here | `family` belongs to the outermost object
    web.toml:17:16 /containerDefinitions/0/startTimeout `3000000000` does not fit here | write a whole number from -2147483648 to 2147483647
    web.toml:18:35 /containerDefinitions/0/portMappings/0/containerPort `containerPort` is a string, not a whole number | write decimal digits, without quotes
    web.toml:18:54 /containerDefinitions/0/portMappings/0/protocol `tpc` is not a legal value here | did you mean `tcp`? The legal values are `tcp`, `udp`
    web.toml:20:1 /containerDefinitions/0/healthCheck `healthCheck` is a list, not an object | write `[name]` or `{ … }` instead of `[[name]]` or `[…]`
    "#);
}

#[test]
fn every_problem_of_a_target_group_is_told_at_once() {
    insta::assert_snapshot!(told(Kind::TargetGroup, "tg.json", r#"{
  "name": "web",
  "HealthCheckIntervalSeconds": 400,
  "HealthCheckTimeoutSeconds": 1,
  "HealthyThresholdCount": null,
  "Protocol": "http",
  "Port": 70000,
  "HealthCheckPath": "",
  "TargetType": "fargate",
  "Tags": [],
  "Attribute": [],
  "Attributes": [{"Key": "slow_start.duration_seconds", "Value": 300}, {"key": "stickiness.enabled"}, {"Key": "a b"}]
}"#), @r#"
    tg.json:1:1  `Name` is missing | write `"Name": "…"` (The name of the target group)
    tg.json:2:3 /name `name` is not known here | AWS spells it `Name`
    tg.json:3:33 /HealthCheckIntervalSeconds `400` is more than AWS accepts here | write a number from 5 to 300
    tg.json:4:32 /HealthCheckTimeoutSeconds `1` is less than AWS accepts here | write a number from 2 to 120
    tg.json:6:15 /Protocol `http` is not a legal value here | did you mean `HTTP`? The legal values are `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, `TCP_UDP`, `GENEVE`, `QUIC`, `TCP_QUIC`
    tg.json:7:11 /Port `70000` is more than AWS accepts here | write a number from 1 to 65535
    tg.json:8:22 /HealthCheckPath there are 0 characters here | write at least 1 character
    tg.json:9:17 /TargetType `fargate` is not a legal value here | the legal values are `instance`, `ip`, `lambda`, `alb`
    tg.json:10:11 /Tags there are 0 items here | write at least 1 item
    tg.json:11:3 /Attribute `Attribute` is not known here | did you mean `Attributes`?
    tg.json:12:66 /Attributes/0/Value `Value` is a number, not a string | write `"300"`
    tg.json:12:73 /Attributes/1/key `key` is not known here | AWS spells it `Key`
    tg.json:12:111 /Attributes/2/Key the text has a form or characters that AWS does not accept here | it must match `^[a-zA-Z0-9._]+$`
    "#);
}

#[test]
fn what_trueup_sets_may_not_stand_in_a_service() {
    insta::assert_snapshot!(told(Kind::Service, "service.toml", "taskDefinition = 'web:1'\nclientToken = 'a'\n"), @r#"
    service.toml:1:1  `serviceName` is missing | write `serviceName = "…"` (The name of your service)
    service.toml:1:1 /taskDefinition `taskDefinition` is set by trueup and not allowed in a document | remove it: the service runs the application's own task definition document
    service.toml:2:1 /clientToken `clientToken` is set by trueup and not allowed in a document | remove it: a token in git would make AWS take every later request for a repetition of the first
    "#);
}

#[test]
fn misplaced_members_are_sent_where_they_belong() {
    insta::assert_snapshot!(told(Kind::Service, "service.json", r#"{
  "serviceName": "web",
  "assignPublicIp": "ENABLED",
  "ContainerPort": 80,
  "rollback": true,
  "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a"], "desiredCount": 1, "SecurityGroups": []}}
}"#), @r#"
    service.json:3:3 /assignPublicIp `assignPublicIp` is not known here | `assignPublicIp` belongs in `networkConfiguration.awsvpcConfiguration`
    service.json:4:3 /ContainerPort `ContainerPort` is not known here | `containerPort` belongs in `loadBalancers`
    service.json:5:3 /rollback `rollback` is not known here | `rollback` belongs in `deploymentConfiguration.deploymentCircuitBreaker`
    service.json:6:70 /networkConfiguration/awsvpcConfiguration/desiredCount `desiredCount` is not known here | `desiredCount` belongs to the outermost object
    service.json:6:89 /networkConfiguration/awsvpcConfiguration/SecurityGroups `SecurityGroups` is not known here | AWS spells it `securityGroups`
    "#);
}

#[test]
fn references_are_judged_by_what_they_become() {
    let text = r#"
serviceName = "web"
desiredCount = "${var.count}"
enableExecuteCommand = "${var.exec}"
launchType = "${var.launch}"
healthCheckGracePeriodSeconds = "${var.a}0"
networkConfiguration = "${var.network}"
tags = [{ key = "!${environment}", value = "$${literal}" }]
"#;
    insta::assert_snapshot!(told(Kind::Service, "service.toml", text), @r#"
    service.toml:6:33 /healthCheckGracePeriodSeconds `healthCheckGracePeriodSeconds` is a string, not a whole number | write decimal digits, without quotes
    service.toml:7:24 /networkConfiguration `networkConfiguration` is a string, not an object | write an object: `{ … }`
    "#);
    let resolved = Validation { references: References::Resolved, ..Validation::default() };
    insta::assert_snapshot!(told_with(Kind::Service, "service.toml", text, &resolved), @r#"
    service.toml:3:16 /desiredCount `desiredCount` is a string, not a whole number | write decimal digits, without quotes
    service.toml:4:24 /enableExecuteCommand `enableExecuteCommand` is a string, not a boolean | write `true` or `false`
    service.toml:5:14 /launchType `${var.launch}` is not a legal value here | the legal values are `EC2`, `FARGATE`, `EXTERNAL`, `MANAGED_INSTANCES`
    service.toml:6:33 /healthCheckGracePeriodSeconds `healthCheckGracePeriodSeconds` is a string, not a whole number | write decimal digits, without quotes
    service.toml:7:24 /networkConfiguration `networkConfiguration` is a string, not an object | write an object: `{ … }`
    service.toml:8:17 /tags/0/key the text has a form or characters that AWS does not accept here | it must match `([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`
    service.toml:8:44 /tags/0/value the text has a form or characters that AWS does not accept here | it must match `([\p{L}\p{Z}\p{N}_.:/=+\-@]*)`
    "#);
}

#[test]
fn unknown_members_go_through_where_they_are_allowed() {
    let text = r#"
family = "web"
new = 1
[[containerDefinitions]]
name = "web"
newer = { a = 1 }
[[containerDefinitions]]
name = "side"
newer = { a = 1 }
"#;
    let allowed = |pointers: &[&str]| Validation {
        allow_unknown: pointers.iter().map(|pointer| Pointer::parse(pointer).unwrap()).collect(),
        ..Validation::default()
    };
    let lines = |pointers: &[&str]| told_with(Kind::TaskDefinition, "a.toml", text, &allowed(pointers)).lines().count();
    let table = [
        (3, &[][..]),
        (2, &["/new"]),
        (2, &["/containerDefinitions/web/newer"]),
        (2, &["/containerDefinitions/1/newer"]),
        (1, &["/containerDefinitions/*/newer"]),
        (0, &["/new", "/containerDefinitions"]),
        (3, &["/containerDefinitions/web/newer/a", "/ne"]),
    ];
    for (count, pointers) in table {
        assert_eq!(lines(pointers), count, "{pointers:?}");
    }
}

#[test]
fn values_of_environment_variables_are_not_told() {
    let told = told(
        Kind::TaskDefinition,
        "a.json",
        r#"{"family": "web", "containerDefinitions": [
        {"environment": [{"name": "PIN", "value": 7391}]}, {"environment": [{"name": "PIN", "value": ["7391"]}]}]}"#,
    );
    insta::assert_snapshot!(told, @r#"
    a.json:2:51 /containerDefinitions/0/environment/0/value `value` is a number, not a string | write it in quotes
    a.json:2:102 /containerDefinitions/1/environment/0/value `value` is a list, not a string | write text in quotes
    "#);
    assert!(!told.contains("7391"));
}

#[test]
fn a_document_of_nothing_but_mistakes_has_a_bounded_number_of_problems() {
    let members: Vec<String> = (0..20_000).map(|index| format!("\"unknown{index}\": 1")).collect();
    let told = told(Kind::Service, "a.json", &format!("{{\"serviceName\": \"web\", {}}}", members.join(", ")));
    assert_eq!(told.lines().count(), PROBLEMS_MAX);
}

#[test]
fn what_is_no_object_is_told() {
    // A caller may judge a part of a document.
    let node = parse(&SourceFile::new("a.toml", "service = 'x'")).ok().unwrap();
    let problems = validate_document(node.get("service").unwrap(), Kind::Service, &Validation::default());
    insta::assert_snapshot!(render(&problems), @r#"a.toml:1:11  the document is a string, not an object | write an object: `{ … }`"#);
}

#[test]
fn every_pattern_of_the_model_is_one_that_we_can_match() {
    let mut count = 0;
    for (_, shape) in Model::aws().shapes() {
        if let Shape::String(string) = shape
            && let Some(pattern) = &string.pattern
        {
            compile(pattern).unwrap();
            count += 1;
        }
    }
    assert!(count > 5);
    // Java's `find` and the `^…$` that some patterns have do not let a second line through.
    assert!(!super::matches("^[a-z]+$", "a\n"));
    let Shape::String(key) = Model::aws().shape(Api::Ecs, "TagKey") else { panic!() };
    assert!(super::matches(key.pattern.as_ref().unwrap(), "Größe: a/b@c"));
}

/// Documents of AWS's words in places that are mostly wrong.
fn jumbled() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 14] = [
        "family",
        "containerDefinitions",
        "environment",
        "portMappings",
        "name",
        "value",
        "tags",
        "networkConfiguration",
        "awsvpcConfiguration",
        "Actions",
        "Matcher",
        "Attributes",
        "Key",
        "nmae",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        "[a-zé${}.]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(&WORDS[..]), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn every_problem_has_a_place_in_its_document(document in jumbled(), kind in prop::sample::select(&Kind::ALL[..])) {
        let text = json!({ "containerDefinitions": document, "Actions": document, "tags": document }).to_string();
        let node = parse(&SourceFile::new("a.json", text.as_str())).ok().unwrap();
        for problem in validate_document(&node, kind, &Validation::default()) {
            let (span, field) = (problem.span.unwrap(), problem.field.unwrap());
            prop_assert!(text.get(span.range).is_some());
            prop_assert!(node.at(&field).is_some(), "{field}");
        }
    }
}
