//! Digests: which spellings of a desired document are one document.

use serde_json::{Value, json};
use trueup_core::kind::Kind;
use trueup_core::kind::{canonical, digest};

#[test]
fn spellings_of_one_document_have_one_digest_and_defaults_are_not_completed() {
    let task = |members: Value| (Kind::TaskDefinition, members);
    let service = |members: Value| (Kind::Service, members);
    let rule = |members: Value| (Kind::ListenerRule, members);
    let container = |members: Value| task(json!({"containerDefinitions": [members]}));
    let rows = [
        (true, "sizes", task(json!({"cpu": "256", "memory": "1024"})), json!({"cpu": ".25 vCPU", "memory": "1GB"})),
        (true, "numbers as text", task(json!({"cpu": "256"})), json!({"cpu": 256})),
        (false, "another size", task(json!({"cpu": "256"})), json!({"cpu": "512"})),
        (
            true,
            "a decimal point",
            task(json!({"ephemeralStorage": {"sizeInGiB": 30}})),
            json!({"ephemeralStorage": {"sizeInGiB": 30.0}}),
        ),
        (true, "nothing in many ways", task(json!({"volumes": [], "runtimePlatform": {}, "pidMode": null})), json!({})),
        (true, "tags of a task definition", task(json!({"tags": [{"key": "a", "value": "b"}]})), json!({})),
        (false, "tags of a service", service(json!({"tags": [{"key": "a", "value": "b"}]})), json!({})),
        (
            true,
            "tags in another order",
            service(json!({"tags": [{"key": "a", "value": "b"}, {"key": "b", "value": "b"}]})),
            json!({"tags": [{"value": "b", "key": "b"}, {"key": "a", "value": "b"}]}),
        ),
        (false, "an empty list of a service says none", service(json!({"loadBalancers": []})), json!({})),
        (true, "null in a service", service(json!({"loadBalancers": null})), json!({})),
        (
            true,
            "subnets",
            service(json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a", "b"]}}})),
            json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["b", "a"]}}}),
        ),
        (
            false,
            "a default spelt out",
            container(json!({"name": "web", "essential": true})),
            json!({"containerDefinitions": [{"name": "web"}]}),
        ),
        (
            true,
            "environment",
            container(json!({"environment": [{"name": "A", "value": "1"}, {"name": "B"}]})),
            json!({"containerDefinitions": [{"environment": [{"name": "A", "value": "1"}]}]}),
        ),
        (
            false,
            "an empty value",
            container(json!({"environment": [{"name": "A", "value": ""}]})),
            json!({"containerDefinitions": [{"environment": []}]}),
        ),
        (
            false,
            "a command's order",
            container(json!({"command": ["a", "b"]})),
            json!({"containerDefinitions": [{"command": ["b", "a"]}]}),
        ),
        (
            false,
            "an empty argument",
            container(json!({"command": ["a", ""]})),
            json!({"containerDefinitions": [{"command": ["a"]}]}),
        ),
        (
            false,
            "tags that look like numbers",
            container(json!({"image": "a:1.10"})),
            json!({"containerDefinitions": [{"image": "a:1.1"}]}),
        ),
        (true, "priorities", rule(json!({"Priority": 10})), json!({"Priority": "10"})),
        (
            true,
            "conditions",
            rule(json!({"Conditions": [{"Field": "path-pattern", "Values": ["/a", "/b"]}, {"Field": "host-header"}]})),
            json!({"Conditions": [{"Field": "host-header"}, {"Field": "path-pattern", "Values": ["/b", "/a"]}]}),
        ),
        (true, "newer fields", service(json!({"newField": {"a": 1, "b": null}})), json!({"newField": {"a": 1}})),
    ];
    for (is_same, name, (kind, one), other) in rows {
        assert_eq!(digest(kind, &one) == digest(kind, &other), is_same, "{name}: {}", canonical(kind, &one));
    }
}
