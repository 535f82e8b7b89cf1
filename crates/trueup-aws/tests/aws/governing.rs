//! Who else governs a service: scalable targets, and who changed something last.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::advance;
use trueup_core::kind::Kind;
use trueup_core::live::{FailureKind, Observed};
use trueup_core::names::{Arn, ServiceId};
use trueup_core::plan::Resource;
use trueup_ports::{Cloud as _, ObserveRequest};

use crate::fake::{Fake, Reply, Request, error};

fn id(number: usize) -> ServiceId {
    ServiceId { cluster: "main".into(), name: format!("s{number:04}") }
}

fn scaling(count: usize, refresh: &[&str]) -> ObserveRequest {
    let refresh = refresh.iter().map(|&resource| resource.to_owned()).collect();
    ObserveRequest { scaling: (0..count).map(id).collect(), refresh, ..ObserveRequest::default() }
}

fn ids(request: &Request) -> Vec<String> {
    let ids = request.json()["ResourceIds"].as_array().unwrap().clone();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Every service whose number ends with 7 has a scalable target; one target a page.
fn targets(request: &Request) -> Reply {
    let body = request.json();
    assert_eq!(
        (&body["ServiceNamespace"], &body["ScalableDimension"]),
        (&json!("ecs"), &json!("ecs:service:DesiredCount"))
    );
    assert!(ids(request).len() <= 50);
    let found: Vec<Value> = ids(request)
        .iter()
        .filter(|id| id.ends_with('7'))
        .map(|id| {
            json!({"ServiceNamespace": "ecs", "ResourceId": id, "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": 1, "MaxCapacity": 9, "RoleARN": "arn:r", "CreationTime": 1.0})
        })
        .collect();
    let (first, rest) = found.split_at(found.len().min(1));
    match body["NextToken"].as_str() {
        None => Reply::Json(200, json!({"ScalableTargets": first, "NextToken": "more"})),
        Some(_) => Reply::Json(200, json!({"ScalableTargets": rest})),
    }
}

#[tokio::test(start_paused = true)]
async fn scalable_targets_are_asked_for_fifty_a_call_and_then_in_turns() {
    let fake = Fake::new(targets);
    let cloud = fake.cloud().await;
    let live = cloud.observe(&scaling(120, &[])).await;
    assert_eq!(fake.count("DescribeScalableTargets"), 6, "three calls of two pages");
    assert_eq!(live.autoscaled.len(), 120);
    let governed: BTreeSet<&ServiceId> =
        live.autoscaled.iter().filter(|(_, answer)| **answer == Observed::Present(())).map(|(id, _)| id).collect();
    assert_eq!(governed.len(), 12);
    assert!(live.autoscaled.values().all(|answer| !matches!(answer, Observed::Unknown(_))));

    advance(Duration::from_mins(1)).await;
    assert_eq!(cloud.observe(&scaling(120, &[])).await.autoscaled, live.autoscaled);
    assert_eq!(fake.count("DescribeScalableTargets"), 6, "it is remembered");

    advance(Duration::from_mins(5)).await;
    let mut asked = BTreeSet::new();
    for cycle in 1..=3 {
        cloud.observe(&scaling(120, &[])).await;
        assert_eq!(fake.count("DescribeScalableTargets"), 6 + cycle * 2, "one call a cycle");
        asked.extend(ids(fake.asked().last().unwrap()));
    }
    assert_eq!(asked.len(), 120, "every service has its turn");
    cloud.observe(&scaling(120, &[])).await;
    assert_eq!(fake.count("DescribeScalableTargets"), 12);

    cloud.observe(&scaling(1, &["service/main/s0000"])).await;
    assert_eq!(ids(fake.asked().last().unwrap()), ["service/main/s0000"], "about to be written");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_the_api_makes_its_part_unknown_and_is_not_asked_each_time() {
    for (reply, kind) in [
        ((|| error("AccessDeniedException", "no")) as fn() -> Reply, FailureKind::AccessDenied),
        (|| Reply::Html(500), FailureKind::Unavailable),
        (|| error("UnknownOperationException", "what"), FailureKind::Rejected),
    ] {
        let fake = Fake::new(move |_| reply());
        let cloud = fake.cloud().await;
        for _ in 0..3 {
            let live = cloud.observe(&scaling(2, &[])).await;
            let Some(Observed::Unknown(failure)) = live.autoscaled.get(&id(1)) else { panic!("{:?}", live.autoscaled) };
            assert_eq!(failure.kind, kind);
            assert_eq!(failure.operation, "application-autoscaling:DescribeScalableTargets");
        }
        let once = fake.count("DescribeScalableTargets");
        assert!(once <= 3, "the tries of one read: {once}");
        advance(Duration::from_secs(61)).await;
        cloud.observe(&scaling(2, &[])).await;
        assert_eq!(fake.count("DescribeScalableTargets"), once * 2);
    }
}

fn service() -> Resource {
    let arn = Some(Arn::new("arn:aws:ecs:ap-northeast-1:123456789012:service/main/web"));
    Resource { kind: Kind::Service, name: "service".into(), arn }
}

#[tokio::test(start_paused = true)]
async fn the_last_change_is_somebody_else_s_and_a_change() {
    let event = |name: &str, user: &str, agent: &str| {
        let event = json!({"userAgent": agent}).to_string();
        json!({"EventId": "1", "EventName": name, "Username": user, "EventTime": 1_800_000_000, "CloudTrailEvent": event})
    };
    let events = [
        event("DescribeServices", "carol", "console"),
        event("UpdateService", "trueup-production", "aws-sdk-rust/1 app/trueup"),
        event("UpdateService", "alice", "console"),
        event("UpdateService", "bob", "console"),
    ];
    let fake = Fake::new(move |_| Reply::Json(200, json!({"Events": events})));
    let cloud = fake.cloud().await;
    let words = "alice at 2027-01-15T08:00:00Z by UpdateService";
    assert_eq!(cloud.last_change(&service()).await, Observed::Present(words.to_owned()));
    let asked = fake.asked().pop().unwrap().json();
    assert_eq!(asked["LookupAttributes"], json!([{"AttributeKey": "ResourceName", "AttributeValue": "web"}]));

    let nobody = Fake::new(|_| Reply::Json(200, json!({"Events": []})));
    assert_eq!(nobody.cloud().await.last_change(&service()).await, Observed::Absent);
    let denied = Fake::new(|_| error("AccessDeniedException", "no"));
    assert!(matches!(denied.cloud().await.last_change(&service()).await, Observed::Unknown(_)));
    let nameless = Resource { arn: None, ..service() };
    assert_eq!(nobody.cloud().await.last_change(&nameless).await, Observed::Absent);
}
