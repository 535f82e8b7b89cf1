//! What AWS has at the end of a history, in a form that can be compared: ids, revision numbers and times are left out.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use trueup_sim::Simulator;

use crate::ask::ask;

/// Members that differ between two histories with the same end.
const BY_CHANCE: [&str; 15] = [
    "createdAt",
    "deployments",
    "events",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "registeredAt",
    "registeredBy",
    "createdBy",
    "revision",
    "taskDefinitionArn",
    "taskSets",
    "serviceRevisionArn",
    "RuleArn",
    "ListenerArn",
    "LoadBalancerArns",
];

/// Everything that is in AWS and that trueup could have written.
pub fn end_state(aws: &mut Simulator) -> Value {
    let mut services = Map::new();
    for name in strings(&ask(aws, "ecs", "ListServices", &json!({"cluster": "main", "maxResults": 100})), "serviceArns")
    {
        let answer =
            ask(aws, "ecs", "DescribeServices", &json!({"cluster": "main", "services": [name], "include": ["TAGS"]}));
        let mut service = answer["services"][0].clone();
        let revision = service["taskDefinition"].clone();
        let definition =
            ask(aws, "ecs", "DescribeTaskDefinition", &json!({"taskDefinition": revision, "include": ["TAGS"]}));
        service["taskDefinition"] = definition;
        services.insert(service["serviceName"].to_string(), service);
    }
    let groups = ask(aws, "elasticloadbalancing", "DescribeTargetGroups", &json!({}));
    let mut target_groups = Map::new();
    for group in groups["TargetGroups"].as_array().into_iter().flatten() {
        let arn = &group["TargetGroupArn"];
        let attributes =
            ask(aws, "elasticloadbalancing", "DescribeTargetGroupAttributes", &json!({"TargetGroupArn": arn}));
        let tags = ask(aws, "elasticloadbalancing", "DescribeTags", &json!({"ResourceArns": [arn]}));
        let tags = &tags["TagDescriptions"][0]["Tags"];
        target_groups.insert(
            group["TargetGroupName"].to_string(),
            json!({"group": group, "attributes": attributes, "tags": tags}),
        );
    }
    let mut rules = Vec::new();
    let balancers = ask(aws, "elasticloadbalancing", "DescribeLoadBalancers", &json!({}));
    for balancer in balancers["LoadBalancers"].as_array().into_iter().flatten() {
        let of = json!({"LoadBalancerArn": balancer["LoadBalancerArn"]});
        let listeners = ask(aws, "elasticloadbalancing", "DescribeListeners", &of);
        for listener in listeners["Listeners"].as_array().into_iter().flatten() {
            let of = json!({"ListenerArn": listener["ListenerArn"]});
            let answer = ask(aws, "elasticloadbalancing", "DescribeRules", &of);
            for rule in answer["Rules"].as_array().into_iter().flatten() {
                let tags =
                    ask(aws, "elasticloadbalancing", "DescribeTags", &json!({"ResourceArns": [rule["RuleArn"]]}));
                rules.push(json!({"rule": rule, "tags": tags["TagDescriptions"][0]["Tags"]}));
            }
        }
    }
    rules.sort_by_key(|rule| rule["rule"]["Priority"].to_string());
    let mut state = json!({"services": services, "targetGroups": target_groups, "rules": rules});
    normalize(&mut state);
    state
}

/// Leaves out what chance gave, and turns ARNs of target groups into their names.
fn normalize(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in BY_CHANCE {
                members.shift_remove(name);
            }
            members.values_mut().for_each(normalize);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(normalize);
            if items.iter().all(|item| item.get("key").or(item.get("Key")).is_some()) {
                items.sort_by_key(ToString::to_string);
            }
        }
        Value::String(text) => {
            if let Some((before, _)) = text.split_once(":targetgroup/").and_then(|(_, name)| name.split_once('/')) {
                *text = before.to_owned();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn strings(value: &Value, member: &str) -> Vec<String> {
    value[member].as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Where two ends differ first, in words.
pub fn first_difference(wanted: &Value, found: &Value) -> String {
    let mut path = String::new();
    descend(wanted, found, &mut path).unwrap_or_else(|| "they are equal".to_owned())
}

fn descend(wanted: &Value, found: &Value, path: &mut String) -> Option<String> {
    if wanted == found {
        return None;
    }
    let length = path.len();
    let inner = match (wanted, found) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).find_map(|member| {
            path.truncate(length);
            path.push('/');
            path.push_str(member);
            descend(a.get(member).unwrap_or(&Value::Null), b.get(member).unwrap_or(&Value::Null), path)
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(index, (a, b))| {
                path.truncate(length);
                write!(path, "/{index}").expect("a string takes everything");
                descend(a, b, path)
            })
        }
        _ => None,
    };
    inner.or_else(|| Some(format!("{path} is {found}, not {wanted}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{end_state, first_difference};
    use crate::{Application, Balanced, Desired, Scene, Stage, run, surroundings};

    #[test]
    fn an_end_holds_everything_that_a_commit_can_change() {
        let end = |tag: &str, level: &str, interval: u64, path: &str, delay: u64, count: u64| {
            let balanced = Balanced { interval, delay, path: path.to_owned(), ..Balanced::at(10) };
            let (tag, level) = (tag.to_owned(), level.to_owned());
            let web =
                Application { tag, level, count: Some(count), balanced: Some(balanced), ..Application::default() };
            run(1, async {
                let stage = Stage::new(&Scene::new(surroundings(1)));
                stage.commit(&Desired::of([("web", web)]));
                let copy = stage.start("trueup-1");
                stage.settle_well(&copy).await.expect("it comes up");
                copy.stop().await;
                end_state(&mut stage.aws())
            })
        };
        let base = end("1", "info", 10, "/a/*", 20, 1);
        assert_eq!(base, end("1", "info", 10, "/a/*", 20, 1));
        let others = [
            ("image", end("2", "info", 10, "/a/*", 20, 1)),
            ("environment", end("1", "debug", 10, "/a/*", 20, 1)),
            ("health check", end("1", "info", 15, "/a/*", 20, 1)),
            ("path", end("1", "info", 10, "/b/*", 20, 1)),
            ("attribute", end("1", "info", 10, "/a/*", 30, 1)),
            ("count", end("1", "info", 10, "/a/*", 20, 2)),
        ];
        for (what, other) in others {
            assert_ne!(base, other, "{what}");
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let (wanted, found) = (json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 3}]}));
        assert_eq!(first_difference(&wanted, &found), "/a/1/b is 3, not 2");
    }
}
