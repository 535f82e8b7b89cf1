//! Listings and their pages, tags, tasks that run by themselves, and what is not simulated.

use serde_json::{Value, json};

use super::{definition, ok, refused, service, with, world, world_with_service};

#[test]
fn describe_services_takes_ten_names_and_tells_who_is_missing() {
    let mut world = world_with_service(1);
    let names = |count: usize| json!({ "cluster": "prod", "services": (0..count).map(|n| format!("s{n}")).collect::<Vec<_>>() });
    assert_eq!(refused(&mut world, "DescribeServices", names(0)).message, "Services cannot be empty.");
    assert_eq!(refused(&mut world, "DescribeServices", names(11)).code, "InvalidParameterException");
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web";
    let told = ok(&mut world, "DescribeServices", json!({ "cluster": "prod", "services": [arn, "none"] }));
    assert_eq!(told["services"][0]["serviceArn"], arn);
    let missing = json!([{ "arn": "arn:aws:ecs:eu-west-1:123456789012:service/prod/none", "reason": "MISSING" }]);
    assert_eq!(told["failures"], missing);
}

#[test]
fn pages_together_tell_everything_once_and_a_foreign_token_is_refused() {
    let mut world = world(4);
    ok(&mut world, "RegisterTaskDefinition", definition());
    for number in 0..25 {
        let change = json!({ "serviceName": format!("s{number:02}"), "desiredCount": 0 });
        ok(&mut world, "CreateService", with(&service(), &change));
    }
    let (mut all, mut token, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let page = ok(&mut world, "ListServices", json!({ "cluster": "prod", "nextToken": token }));
        let arns = page["serviceArns"].as_array().expect("a list");
        assert!(arns.len() <= 10, "{}", arns.len());
        all.extend(arns.clone());
        pages += 1;
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!((all.len(), pages), (25, 3));
    assert!(all.is_sorted_by(|one, other| one.as_str() < other.as_str()));
    for (action, token) in [("ListServices", json!("bm9uc2Vuc2U=")), ("ListTasks", token)] {
        let error = refused(&mut world, action, json!({ "cluster": "prod", "nextToken": token }));
        assert_eq!(error.code, "InvalidParameterException", "{action}");
    }
    let error = refused(&mut world, "ListServices", json!({ "cluster": "prod", "maxResults": 101 }));
    assert_eq!(error.code, "InvalidParameterException");
}

#[test]
fn tags_are_added_replaced_and_taken_away_on_every_resource() {
    let mut world = world_with_service(1);
    let run = json!({ "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE",
        "networkConfiguration": service()["networkConfiguration"] });
    let task = ok(&mut world, "RunTask", run)["tasks"][0]["taskArn"].clone();
    let prefix = "arn:aws:ecs:eu-west-1:123456789012";
    for arn in [
        json!(format!("{prefix}:cluster/prod")),
        json!(format!("{prefix}:service/prod/web")),
        json!(format!("{prefix}:task-definition/web:1")),
        task,
    ] {
        let tag = |key: &str, value: &str| json!({ "resourceArn": arn, "tags": [{ "key": key, "value": value }] });
        ok(&mut world, "TagResource", tag("team", "a"));
        ok(&mut world, "TagResource", tag("stage", "x"));
        ok(&mut world, "TagResource", tag("team", "b"));
        ok(&mut world, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["stage", "none"] }));
        let told = ok(&mut world, "ListTagsForResource", json!({ "resourceArn": arn }));
        assert_eq!(told["tags"], json!([{ "key": "team", "value": "b" }]), "{arn}");
        let many: Vec<Value> = (0..50).map(|n| json!({ "key": format!("k{n}"), "value": "" })).collect();
        let error = refused(&mut world, "TagResource", json!({ "resourceArn": arn, "tags": many }));
        assert_eq!(error.code, "InvalidParameterException", "{arn}");
        assert_eq!(refused(&mut world, "TagResource", tag("AWS:x", "1")).code, "InvalidParameterException");
    }
    let gone = json!({ "resourceArn": format!("{prefix}:service/prod/none") });
    assert_eq!(refused(&mut world, "ListTagsForResource", gone).code, "ResourceNotFoundException");
}

#[test]
fn run_task_starts_once_per_client_token() {
    let mut world = world_with_service(1);
    let run = json!({ "cluster": "prod", "taskDefinition": "web", "launchType": "FARGATE", "count": 2, "clientToken": "t",
        "startedBy": "me", "networkConfiguration": service()["networkConfiguration"] });
    let arns = |answer: &Value| -> Vec<Value> {
        answer["tasks"].as_array().expect("a list").iter().map(|task| task["taskArn"].clone()).collect()
    };
    let first = ok(&mut world, "RunTask", run.clone());
    assert_eq!(arns(&first).len(), 2);
    assert_eq!(arns(&ok(&mut world, "RunTask", run.clone())), arns(&first));
    let error = refused(&mut world, "RunTask", with(&run, &json!({ "count": 1 })));
    assert_eq!(error.code, "ConflictException");
    assert_eq!(error.members["resourceIds"], json!(arns(&first)));

    let mut listed = ok(&mut world, "ListTasks", json!({ "cluster": "prod", "startedBy": "me" }))["taskArns"].clone();
    let mut started = arns(&first);
    listed.as_array_mut().expect("a list").sort_by_key(ToString::to_string);
    started.sort_by_key(ToString::to_string);
    assert_eq!(listed, json!(started));
    let told = ok(&mut world, "DescribeTasks", json!({ "cluster": "prod", "tasks": [started[0], "none"] }));
    for (pointer, wanted) in [
        ("/tasks/0/lastStatus", json!("PROVISIONING")),
        ("/tasks/0/desiredStatus", json!("RUNNING")),
        ("/tasks/0/launchType", json!("FARGATE")),
        ("/tasks/0/group", json!("family:web")),
        ("/tasks/0/cpu", json!("256")),
        ("/tasks/0/containers/0/name", json!("app")),
        ("/tasks/0/healthStatus", json!("UNKNOWN")),
        ("/failures/0/reason", json!("MISSING")),
    ] {
        assert_eq!(told.pointer(pointer), Some(&wanted), "{pointer}");
    }
    for (change, words) in [
        (json!({ "count": 11 }), "Count must be between 1 and 10."),
        (json!({ "startedBy": "a b" }), "startedBy"),
        (json!({ "overrides": { "containerOverrides": [{ "name": "x" }] } }), "not a container in the TaskDefinition"),
        (json!({ "overrides": { "containerOverrides": [{ "name": "app", "command": ["x".repeat(9000)] }] } }), "8192"),
    ] {
        let error = refused(&mut world, "RunTask", with(&run, &with(&change, &json!({ "clientToken": "u" }))));
        assert!(error.message.contains(words), "{change}: {}", error.message);
    }
}

#[test]
fn what_is_not_simulated_is_an_unknown_operation() {
    for action in ["UpdateServicePrimaryTaskSet", "Tag", "describeServices"] {
        assert_eq!(refused(&mut world(1), action, json!({})).code, "UnknownOperationException", "{action}");
    }
}
