//! `environments/NAME/FILE` over `FILE`.

use super::{ONE_ENVIRONMENT, application, check, tree};
use crate::desired::load;
use crate::kind::Kind;

/// Merges an overlay over a base and prints one document.
#[track_caller]
fn merged(kind: Kind, file: &str, base: &str, overlay: &str, member: &str) -> String {
    let text = format!(
        "{ONE_ENVIRONMENT}\n== web/app.toml\nallow_plaintext = []\n== web/{file}\n{base}\n== web/environments/production/{file}\n{overlay}\n"
    );
    let loaded = load(&tree(&text));
    let application = application(&loaded, "production", "web");
    application.documents.iter().find(|document| document.kind == kind).unwrap().body()[member].to_string()
}

const TASK: &str = r#"{"family": "web", "containerDefinitions": [
  {"name": "a", "image": "a:1", "memory": 64, "command": ["x", "y"], "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
  {"name": "b", "image": "b:1", "memory": 64, "portMappings": [{"containerPort": 80, "name": "http"}]}
]}"#;

#[test]
fn keyed_sets_merge_by_key_other_lists_are_replaced_and_null_takes_away() {
    let task =
        |overlay: &str| merged(Kind::TaskDefinition, "task-definition.json", TASK, overlay, "containerDefinitions");
    let a = r#"{"name":"a","image":"a:1","memory":64,"command":["x","y"],"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}"#;
    let b = r#"{"name":"b","image":"b:1","memory":64,"portMappings":[{"containerPort":80,"name":"http"}]}"#;
    let table = [
        ("{}", format!("[{a},{b}]")),
        (r#"{"containerDefinitions": [{"name": "b", "image": "b:2"}]}"#, format!("[{a},{}]", b.replace("b:1", "b:2"))),
        (
            r#"{"containerDefinitions": [{"name": "a", "environment": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}]}"#,
            format!("[{},{b}]", a.replace(r#""value":"2"}]"#, r#""value":"3"},{"name":"C","value":"4"}]"#)),
        ),
        (
            r#"{"containerDefinitions": [{"name": "a", "command": ["z"]}]}"#,
            format!("[{},{b}]", a.replace(r#""x","y""#, r#""z""#)),
        ),
        (
            r#"{"containerDefinitions": [{"name": "a", "command": null, "environment": []}]}"#,
            format!(r#"[{{"name":"a","image":"a:1","memory":64,"environment":[]}},{b}]"#),
        ),
        (
            r#"{"containerDefinitions": [{"name": "b", "portMappings": [{"containerPort": 80, "name": null}, {"containerPort": 81}]}]}"#,
            format!("[{a},{}]", b.replace(r#","name":"http"}]"#, r#"},{"containerPort":81}]"#)),
        ),
        (
            r#"{"containerDefinitions": [{"name": "b", "linuxParameters": {"maxSwap": 1, "swappiness": null}}]}"#,
            format!("[{a},{}]", b.replace("}]}", r#"}],"linuxParameters":{"maxSwap":1}}"#)),
        ),
        (
            r#"{"containerDefinitions": [{"name": "c", "image": "c:1", "memory": 8}]}"#,
            format!(r#"[{a},{b},{{"name":"c","image":"c:1","memory":8}}]"#),
        ),
    ];
    for (overlay, expected) in table {
        assert_eq!(task(overlay), expected, "{overlay}");
    }
}

#[test]
fn elements_that_share_a_key_merge_with_their_own_kind() {
    let ports = |base: &str, overlay: &str| {
        let with = |ports: &str| {
            format!(
                r#"{{"family": "x", "containerDefinitions": [{{"name": "a", "image": "i", "memory": 8, "portMappings": {ports}}}]}}"#
            )
        };
        merged(Kind::TaskDefinition, "task-definition.json", &with(base), &with(overlay), "containerDefinitions")
    };
    let both = r#"[{"containerPort":53,"protocol":"tcp"},{"containerPort":53,"protocol":"udp"}]"#;
    let named = r#"[{"containerPort":53,"protocol":"tcp"},{"containerPort":53,"protocol":"udp","name":"dns"}]"#;
    let udp = r#"[{"containerPort":53,"protocol":"udp","name":"dns"}]"#;
    assert!(ports(both, udp).contains(named), "{}", ports(both, udp));
    let one = r#"[{"containerPort":53,"protocol":"udp"}]"#;
    assert!(
        ports(one, named)
            .contains(r#"[{"containerPort":53,"protocol":"udp","name":"dns"},{"containerPort":53,"protocol":"tcp"}]"#)
    );

    let rule = |conditions: &str| {
        format!(
            r#"{{"ListenerArn": "${{listener.alb.80}}", "Priority": 1, "Conditions": [{conditions}],
                "Actions": [{{"Type": "fixed-response", "FixedResponseConfig": {{"StatusCode": "404"}}}}]}}"#
        )
    };
    let header = |name: &str, value: &str| {
        format!(r#"{{"Field":"http-header","HttpHeaderConfig":{{"HttpHeaderName":"{name}","Values":["{value}"]}}}}"#)
    };
    let base = rule(&format!("{},{}", header("X-A", "1"), header("X-B", "2")));
    let merged = merged(Kind::ListenerRule, "listener-rules/x.json", &base, &rule(&header("X-B", "3")), "Conditions");
    assert_eq!(merged, format!("[{},{}]", header("X-A", "1"), header("X-B", "3")));
}

#[test]
fn attributes_of_target_groups_merge_by_key() {
    let base = "Name = \"web\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\n\
                Attributes = [{ Key = \"stickiness.enabled\", Value = \"true\" }, { Key = \"a\", Value = \"1\" }]";
    let overlay = "Attributes = [{ Key = \"a\", Value = \"2\" }]";
    assert_eq!(
        merged(Kind::TargetGroup, "target-groups/web.toml", base, overlay, "Attributes"),
        r#"[{"Key":"stickiness.enabled","Value":"true"},{"Key":"a","Value":"2"}]"#
    );
}

#[test]
fn a_problem_in_an_overlay_points_into_the_overlay_and_one_in_the_base_is_told_once() {
    let text = r#"
== trueup.toml
[environments.production]
account = "210987654321"
region = "eu-central-1"
[environments.staging]
account = "109876543210"
region = "eu-central-1"
== web/app.toml
== web/task-definition.json
{ "family": "web", "networkMod": "bridge",
  "containerDefinitions": [{ "name": "web", "image": "web:1", "memory": 64 }] }
== web/environments/staging/task-definition.toml
[[containerDefinitions]]
name = "web"
essental = true
"#;
    check(
        text,
        "
        web/environments/staging/task-definition.toml:3:1: unknown-member: `essental` is not known here
          help: did you mean `essential`?
        web/task-definition.json:1:20: unknown-member: `networkMod` is not known here
          help: did you mean `networkMode`?
        ",
    );
}

#[test]
fn a_file_that_only_an_environment_has_is_the_document_there() {
    let text = format!(
        "{ONE_ENVIRONMENT}\n== web/app.toml\n== web/environments/production/target-groups/web.toml\n\
         Name = \"web-${{environment}}\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\n"
    );
    let loaded = load(&tree(&text));
    let document = &application(&loaded, "production", "web").documents[0];
    assert_eq!(document.path, "web/environments/production/target-groups/web.toml");
    assert_eq!(document.body()["Name"], "web-production");
}
