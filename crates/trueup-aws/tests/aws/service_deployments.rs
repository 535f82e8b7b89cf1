//! The record of service deployments: pages, what is missing, what is remembered, and emulators that do not know it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::{Arn, ServiceId};
use trueup_core::service_deployment::{ServiceDeployment, Status};
use trueup_ports::{Cloud as _, ObserveRequest};

use crate::fake::{Fake, Reply, Request, error};

fn id() -> ServiceId {
    ServiceId { cluster: "main".into(), name: "web".into() }
}

fn wanted() -> ObserveRequest {
    ObserveRequest { service_deployments: BTreeSet::from([id()]), ..ObserveRequest::default() }
}

fn asked(request: &Request, member: &str) -> Vec<String> {
    let arns = request.json()[member].as_array().expect("a list").clone();
    assert!(arns.len() <= 20, "{}", arns.len());
    arns.iter().map(|arn| arn.as_str().expect("text").to_owned()).collect()
}

fn number(arn: &str) -> usize {
    arn.rsplit('/').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// `count` deployments, one a page; number `failed` was rolled back and the last one goes on.
fn world(count: usize, failed: usize) -> impl Fn(&Request) -> Reply + Send + Sync {
    let status = move |n: usize| match n {
        n if n == count => "IN_PROGRESS",
        n if n == failed => "ROLLBACK_SUCCESSFUL",
        _ => "SUCCESSFUL",
    };
    let deployment = move |n: usize| json!({"serviceDeploymentArn": format!("arn:sd/{n}"), "createdAt": 1000 + n, "status": status(n)});
    move |request| match request.operation.as_str() {
        "ListServiceDeployments" => {
            let page = request.json()["nextToken"].as_str().map_or(1, |token| token.parse().expect("a number"));
            let mut entry = deployment(page);
            entry["targetServiceRevisionArn"] = json!(format!("arn:sr/{page}"));
            let mut answer = json!({"serviceDeployments": [entry]});
            if page < count {
                answer["nextToken"] = json!((page + 1).to_string());
            }
            Reply::Json(200, answer)
        }
        "DescribeServiceDeployments" => {
            let described: Vec<Value> = asked(request, "serviceDeploymentArns")
                .iter()
                .map(|arn| {
                    let mut whole = deployment(number(arn));
                    whole["targetServiceRevision"] = json!({"arn": format!("arn:sr/{}", number(arn))});
                    whole["lifecycleStage"] = json!("BAKE_TIME");
                    whole
                })
                .collect();
            Reply::Json(200, json!({"serviceDeployments": described, "failures": []}))
        }
        "DescribeServiceRevisions" => {
            let revisions: Vec<Value> = asked(request, "serviceRevisionArns")
                .iter()
                .map(|arn| json!({"serviceRevisionArn": arn, "taskDefinition": format!("arn:task-definition/web:{}", number(arn))}))
                .collect();
            Reply::Json(200, json!({"serviceRevisions": revisions, "failures": []}))
        }
        "DescribeTaskDefinition" => {
            let arn = request.json()["taskDefinition"].clone();
            let description = json!({"taskDefinitionArn": arn, "status": "INACTIVE"});
            Reply::Json(200, json!({"taskDefinition": description, "tags": [{"key": "trueup:digest", "value": "d"}]}))
        }
        other => panic!("{other}"),
    }
}

fn numbers(record: &[ServiceDeployment]) -> Vec<usize> {
    record.iter().map(|entry| number(&entry.arn)).collect()
}

#[tokio::test]
async fn all_pages_are_read_and_only_what_can_decide_is_looked_into() {
    let fake = Fake::new(world(6, 3));
    let live = fake.cloud().await.observe(&wanted()).await;
    let record = live.service_deployments[&id()].present().expect("it was read");
    assert_eq!(numbers(record), [6, 5, 4, 3], "newest first, and nothing before the failure");
    assert_eq!((record[0].status, record[3].status), (Status::InProgress, Status::RollbackSuccessful));
    assert_eq!(record[0].stage.as_deref(), Some("BAKE_TIME"));
    let target = record[3].target.as_ref().expect("it was described");
    assert_eq!(target.task_definition(), Some("arn:task-definition/web:3"));
    let failed = live.task_definitions[&Arn::new("arn:task-definition/web:3")].present().expect("it was read");
    assert_eq!(failed.tags["trueup:digest"], "d");
    assert_eq!(fake.count("ListServiceDeployments"), 6);
    assert_eq!((fake.count("DescribeServiceDeployments"), fake.count("DescribeServiceRevisions")), (1, 1));
}

#[tokio::test]
async fn what_is_over_is_not_read_again() {
    let fake = Fake::new(world(2, 1));
    let cloud = fake.cloud().await;
    let first = cloud.observe(&wanted()).await;
    let before = fake.asked().len();
    let second = cloud.observe(&wanted()).await;
    assert_eq!(first.service_deployments, second.service_deployments);
    let again: Vec<String> = fake.asked()[before..].iter().map(|request| request.operation.clone()).collect();
    assert_eq!(
        again,
        ["ListServiceDeployments", "ListServiceDeployments", "DescribeServiceDeployments"],
        "two pages, and the one that goes on"
    );
    let last = fake.asked().pop().expect("a request");
    assert_eq!(asked(&last, "serviceDeploymentArns"), ["arn:sd/2"]);
}

#[tokio::test]
async fn more_than_twenty_are_described_in_several_calls() {
    let fake = Fake::new(world(25, 1));
    let live = fake.cloud().await.observe(&wanted()).await;
    // More pages than are followed would be no record at all.
    assert!(
        matches!(&live.service_deployments[&id()], Observed::Unknown(failure) if failure.kind == FailureKind::Unavailable)
    );
    let one_page = |request: &Request| match request.operation.as_str() {
        "ListServiceDeployments" => {
            let entry = |n: usize| {
                json!({"serviceDeploymentArn": format!("arn:sd/{n}"), "createdAt": n, "status": "ROLLBACK_SUCCESSFUL",
                       "targetServiceRevisionArn": format!("arn:sr/{n}")})
            };
            Reply::Json(200, json!({"serviceDeployments": (1..=25).map(entry).collect::<Vec<_>>()}))
        }
        _ => world(25, 1)(request),
    };
    let fake = Fake::new(one_page);
    let live = fake.cloud().await.observe(&wanted()).await;
    assert_eq!(live.service_deployments[&id()].present().expect("it was read").len(), 25);
    assert_eq!((fake.count("DescribeServiceDeployments"), fake.count("DescribeServiceRevisions")), (2, 2));
}

#[tokio::test]
async fn what_a_description_lacks_stands_with_what_the_list_says() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeServiceDeployments" => {
            Reply::Json(200, json!({"serviceDeployments": [], "failures": [{"arn": "arn:sd/1", "reason": "MISSING"}]}))
        }
        "DescribeServiceRevisions" => {
            Reply::Json(200, json!({"serviceRevisions": [], "failures": [{"arn": "arn:sr/1", "reason": "MISSING"}]}))
        }
        _ => world(1, 9)(request),
    });
    let live = fake.cloud().await.observe(&wanted()).await;
    let record = live.service_deployments[&id()].present().expect("it was read");
    assert_eq!((record.len(), record[0].status, &record[0].target), (1, Status::InProgress, &None));
}

type Refusal = fn() -> Reply;

#[tokio::test]
async fn where_the_operation_is_refused_or_not_known_the_rest_goes_on() {
    let describe = |request: &Request| {
        let services = json!([{"serviceName": "web", "status": "ACTIVE", "serviceArn": "arn:service/main/web"}]);
        assert_eq!(request.operation, "DescribeServices");
        Reply::Json(200, json!({"services": services, "failures": []}))
    };
    let cases: [(Refusal, FailureKind); 4] = [
        (|| error("AccessDeniedException", "not you"), FailureKind::AccessDenied),
        (|| Reply::Html(500), FailureKind::Unavailable),
        (|| error("ThrottlingException", "Rate exceeded"), FailureKind::Throttled),
        (|| Reply::Json(200, json!({})), FailureKind::Unavailable),
    ];
    for (refuse, kind) in cases {
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let fake = Fake::new(move |request| {
            if request.operation == "ListServiceDeployments" {
                counted.fetch_add(1, Ordering::Relaxed);
                refuse()
            } else {
                describe(request)
            }
        });
        let both = ObserveRequest { services: BTreeSet::from([id()]), ..wanted() };
        let live = fake.cloud().await.observe(&both).await;
        assert!(live.services[&id()].present().is_some());
        let Observed::Unknown(failure) = &live.service_deployments[&id()] else { panic!("it was not read") };
        assert_eq!(failure.kind, kind);
        assert!(tries.load(Ordering::Relaxed) > 0);
    }
}
