//! Evidence: which calls are made, what is left out, and that a part that cannot be read is unknown by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trueup_core::diagnosis::Evidence;
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::{Arn, ServiceId};
use trueup_core::service_deployment::Status;
use trueup_ports::{Cloud as _, EvidenceRequest};

use crate::fake::{Fake, Reply, Request, elb, error};

const GROUP: &str = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/0123";

fn request() -> EvidenceRequest {
    EvidenceRequest {
        service: ServiceId { cluster: "main".into(), name: "web".into() },
        deployment: "ecs-svc/2".into(),
        target_groups: BTreeSet::from([Arn::new(GROUP)]),
    }
}

/// A task with the number `n`: even ones are of the deployment in question.
fn task(arn: &str) -> Value {
    let n: usize = arn.rsplit('/').next().unwrap().parse().unwrap();
    json!({"taskArn": arn, "startedBy": if n.is_multiple_of(2) { "ecs-svc/2" } else { "ecs-svc/1" }, "lastStatus": "STOPPED",
           "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
           "stoppedAt": 1_800_000_000.5, "attachments": [{"details": [{"name": "privateIPv4Address", "value": "10.0.0.1"}]}],
           "overrides": {"containerOverrides": [{"environment": [{"name": "TOKEN", "value": "hunter2"}]}]},
           "containers": [{"name": "app", "exitCode": 1, "image": "web:2"}]})
}

/// 150 stopped tasks on two pages, one running.
fn world(request: &Request) -> Reply {
    let arns = |numbers: std::ops::Range<usize>| numbers.map(|n| format!("arn:task/{n}")).collect::<Vec<_>>();
    match request.operation.as_str() {
        "ListTasks" => {
            let input = request.json();
            assert_eq!((&input["serviceName"], &input["startedBy"]), (&json!("web"), &Value::Null));
            Reply::Json(
                200,
                match (input["desiredStatus"].as_str().unwrap(), input["nextToken"].as_str()) {
                    ("STOPPED", None) => json!({"taskArns": arns(0..100), "nextToken": "more"}),
                    ("STOPPED", Some(_)) => json!({"taskArns": arns(100..150), "nextToken": "and more"}),
                    _ => json!({"taskArns": arns(150..151)}),
                },
            )
        }
        "DescribeTasks" => {
            let asked = request.json()["tasks"].as_array().unwrap().clone();
            assert!(asked.len() <= 100);
            let tasks: Vec<Value> = asked.iter().map(|arn| task(arn.as_str().unwrap())).collect();
            Reply::Json(200, json!({"tasks": tasks, "failures": []}))
        }
        "DescribeServices" => Reply::Json(
            200,
            json!({"services": [{"serviceName": "web",
            "deployments": [{"id": "ecs-svc/2", "status": "PRIMARY", "rolloutState": "FAILED", "failedTasks": 3}],
            "events": [{"message": "(service web) is unable to consistently start tasks successfully.", "createdAt": 1}]}]}),
        ),
        "ListServiceDeployments" => Reply::Json(
            200,
            json!({"serviceDeployments": [
            {"serviceDeploymentArn": "d/1", "status": "ROLLBACK_SUCCESSFUL", "statusReason": "circuit breaker",
             "createdAt": 1}]}),
        ),
        "DescribeTargetHealth" => {
            assert_eq!(request.pairs()["TargetGroupArn"], GROUP);
            elb(
                "DescribeTargetHealth",
                "<TargetHealthDescriptions><member><HealthCheckPort>8000</HealthCheckPort>\
                <Target><Id>10.0.0.1</Id><Port>8000</Port></Target><TargetHealth><State>unhealthy</State>\
                <Reason>Target.ResponseCodeMismatch</Reason>\
                <Description>Health checks failed with these codes: [503]</Description></TargetHealth></member>\
                </TargetHealthDescriptions>",
            )
        }
        other => panic!("{other} was not to be asked for"),
    }
}

#[tokio::test(start_paused = true)]
async fn all_parts_are_read_in_few_calls_and_other_deployments_tasks_are_left_out() {
    let fake = Fake::new(world);
    let evidence = fake.cloud().await.evidence(&request()).await;
    let tasks = evidence.tasks.present().unwrap();
    assert_eq!(tasks.len(), 76);
    assert!(tasks.iter().all(|task| task.started_by.as_deref() == Some("ecs-svc/2") && task.stopped_at.is_some()));
    assert_eq!((tasks[0].addresses[0].as_str(), tasks[0].containers[0].exit_code), ("10.0.0.1", Some(1)));
    let targets = evidence.targets[&Arn::new(GROUP)].present().unwrap();
    assert_eq!((targets[0].port, targets[0].reason.as_deref()), (Some(8000), Some("Target.ResponseCodeMismatch")));
    assert_eq!(evidence.events.present().unwrap().len(), 1);
    assert_eq!(evidence.deployments.present().unwrap()[0].failed_tasks, 3);
    assert_eq!(evidence.service_deployments.present().unwrap()[0].status, Status::RollbackSuccessful);
    assert!(!format!("{evidence:?}").contains("hunter2"));
    let calls = ["ListTasks", "DescribeTasks", "DescribeServices", "ListServiceDeployments", "DescribeTargetHealth"];
    assert_eq!(calls.map(|call| fake.count(call)), [3, 2, 1, 1, 1]);
}

/// 150 running tasks on two pages, or pages without end where `more`.
fn running(request: &Request, more: bool) -> Reply {
    if request.operation != "ListTasks" {
        return world(request);
    }
    let input = request.json();
    let members: BTreeSet<&str> = input.as_object().unwrap().keys().map(String::as_str).collect();
    let filters: Vec<&str> = members.into_iter().filter(|m| !["maxResults", "nextToken"].contains(m)).collect();
    assert_eq!(filters, ["cluster", "startedBy"], "`startedBy` must be the only filter");
    assert_eq!(input["startedBy"], "ecs-svc/2");
    let arns = |numbers: std::ops::Range<usize>| numbers.map(|n| format!("arn:task/{n}")).collect::<Vec<_>>();
    let last = input["nextToken"].is_string() && !more;
    Reply::Json(
        200,
        if last { json!({"taskArns": arns(100..150)}) } else { json!({"taskArns": arns(0..100), "nextToken": "t"}) },
    )
}

#[tokio::test(start_paused = true)]
async fn running_tasks_are_read_by_who_started_them_and_all_or_none() {
    let fake = Fake::new(|request| running(request, false));
    let read = fake.cloud().await.running_tasks(&request()).await;
    assert_eq!(read.tasks.present().unwrap().len(), 150);
    assert_eq!(read.targets[&Arn::new(GROUP)].present().unwrap()[0].id, "10.0.0.1");
    assert_eq!(["ListTasks", "DescribeTasks", "DescribeTargetHealth"].map(|call| fake.count(call)), [2, 2, 1]);

    let fake = Fake::new(|request| running(request, true));
    let read = fake.cloud().await.running_tasks(&request()).await;
    assert_eq!(kind(&read.tasks), Some(FailureKind::Rejected), "a part would be a wrong number");
    assert_eq!((fake.count("ListTasks"), fake.count("DescribeTasks")), (5, 0));

    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeTasks" | "DescribeTargetHealth" => error("AccessDeniedException", "no"),
        _ => running(request, false),
    });
    let read = fake.cloud().await.running_tasks(&request()).await;
    assert_eq!(kind(&read.tasks), Some(FailureKind::AccessDenied));
    assert!(kind(&read.targets[&Arn::new(GROUP)]).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_read_is_unknown_and_the_others_are_there() {
    for refused in ["ListTasks", "DescribeTasks", "DescribeServices", "ListServiceDeployments"] {
        let fake =
            Fake::new(
                move |request| {
                    if request.operation == refused { error("AccessDeniedException", "no") } else { world(request) }
                },
            );
        let Evidence { tasks, targets, events, deployments, service_deployments } =
            fake.cloud().await.evidence(&request()).await;
        let is_denied = [
            kind(&tasks) == Some(FailureKind::AccessDenied),
            kind(&events) == Some(FailureKind::AccessDenied),
            kind(&deployments) == Some(FailureKind::AccessDenied),
            kind(&service_deployments) == Some(FailureKind::AccessDenied),
        ];
        let expected = match refused {
            "DescribeServices" => [false, true, true, false],
            "ListServiceDeployments" => [false, false, false, true],
            _ => [true, false, false, false],
        };
        assert_eq!(is_denied, expected, "{refused}");
        assert!(targets[&Arn::new(GROUP)].present().is_some());
    }
}

fn kind<T>(part: &Observed<T>) -> Option<FailureKind> {
    match part {
        Observed::Unknown(failure) => Some(failure.kind),
        Observed::Present(_) | Observed::Absent => None,
    }
}
