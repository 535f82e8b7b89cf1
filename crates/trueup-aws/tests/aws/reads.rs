//! Observing: batches, what is absent and what is unknown, what is remembered, and how many reads it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use trueup_core::digest::Digest;
use trueup_core::kind::Kind;
use trueup_core::live::{FailureKind, Live, Observed};
use trueup_core::names::{Arn, InstanceName, ServiceId};
use trueup_core::plan::{Call, Operation};
use trueup_ports::{Cloud as _, ObserveRequest};

use crate::fake::{Fake, Reply, Request, elb, elb_error, error};

fn id(name: &str) -> ServiceId {
    ServiceId { cluster: "main".into(), name: name.into() }
}

fn services(count: usize) -> ObserveRequest {
    ObserveRequest { services: (0..count).map(|n| id(&format!("s{n:04}"))).collect(), ..ObserveRequest::default() }
}

fn family_of(service: &str) -> String {
    format!("arn:aws:ecs:ap-northeast-1:123456789012:task-definition/{service}:1")
}

fn service(name: &str) -> Value {
    json!({
        "serviceName": name, "status": "ACTIVE", "serviceArn": format!("arn:service/main/{name}"),
        "taskDefinition": family_of(name), "newerThanTheSdk": {"kept": true},
        "tags": [{"key": "trueup:instance", "value": "i"}],
    })
}

fn names(request: &Request) -> Vec<String> {
    let names = request.json()["services"].as_array().unwrap().clone();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn describe_services(request: &Request) -> Reply {
    let services: Vec<Value> = names(request).iter().map(|name| service(name)).collect();
    Reply::Json(200, json!({"services": services, "failures": []}))
}

fn describe_task_definition(request: &Request, digest: &str) -> Reply {
    let text = request.json()["taskDefinition"].as_str().unwrap().to_owned();
    let arn = if text.starts_with("arn:") { text } else { family_of(text.split(':').next().unwrap()) };
    let description = json!({"taskDefinitionArn": arn, "newerThanTheSdk": 1});
    Reply::Json(200, json!({"taskDefinition": description, "tags": [{"key": "trueup:digest", "value": digest}]}))
}

fn group_arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/{name}/0")
}

/// Answers for everything that exists: services, their task definitions, `groups` target groups, two rules a listener.
fn world(groups: usize) -> impl Fn(&Request) -> Reply + Send + Sync {
    move |request| match request.operation.as_str() {
        "DescribeServices" => describe_services(request),
        "DescribeTaskDefinition" => describe_task_definition(request, "d"),
        "DescribeTargetGroups" => {
            let mut wanted = request.list("Names");
            if wanted.is_empty() {
                wanted = (0..groups).map(|n| format!("s{n:04}")).collect();
            }
            let start = request.pairs().get("Marker").map_or(0, |marker| marker.parse().unwrap());
            let mut xml = "<TargetGroups>".to_owned();
            for name in wanted.iter().skip(start).take(400) {
                write!(
                    xml,
                    "<member><TargetGroupName>{name}</TargetGroupName><TargetGroupArn>{}</TargetGroupArn>",
                    group_arn(name)
                )
                .unwrap();
                xml.push_str("<HealthCheckIntervalSeconds>30</HealthCheckIntervalSeconds><LoadBalancerArns/></member>");
            }
            xml.push_str("</TargetGroups>");
            if wanted.len() > start + 400 {
                write!(xml, "<NextMarker>{}</NextMarker>", start + 400).unwrap();
            }
            elb("DescribeTargetGroups", &xml)
        }
        "DescribeTargetGroupAttributes" => elb(
            "DescribeTargetGroupAttributes",
            "<Attributes><member><Key>stickiness.enabled</Key><Value>false</Value></member></Attributes>",
        ),
        "DescribeRules" => {
            let listener = &request.pairs()["ListenerArn"];
            elb(
                "DescribeRules",
                &format!(
                    "<Rules><member><RuleArn>{listener}/rule/1</RuleArn><Priority>1</Priority><IsDefault>false</IsDefault></member>\
                 <member><RuleArn>{listener}/rule/d</RuleArn><Priority>default</Priority><IsDefault>true</IsDefault></member></Rules>"
                ),
            )
        }
        "DescribeTags" => {
            let arns = request.list("ResourceArns");
            assert!(arns.len() <= 20, "{}", arns.len());
            let mut xml = "<TagDescriptions>".to_owned();
            for arn in arns {
                write!(xml, "<member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>trueup:instance</Key><Value>i</Value></member></Tags></member>").unwrap();
            }
            elb("DescribeTags", &(xml + "</TagDescriptions>"))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn twenty_five_services_are_three_calls_and_come_back_whole() {
    let fake = Fake::new(world(0));
    let live = fake.cloud().await.observe(&services(25)).await;
    assert_eq!(fake.count("DescribeServices"), 3);
    assert_eq!(live.services.len(), 25);
    let found = live.services[&id("s0007")].present().unwrap();
    assert_eq!(found.description, service("s0007"));
    assert_eq!(found.tags["trueup:instance"], "i");
    for request in fake.asked().iter().filter(|request| request.operation == "DescribeServices") {
        assert_eq!((&request.json()["cluster"], &request.json()["include"]), (&json!("main"), &json!(["TAGS"])));
    }
}

#[tokio::test]
async fn what_is_missing_or_inactive_is_absent_and_anything_else_is_unknown() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeServices" => Reply::Json(
            200,
            json!({
                "services": [
                    {"serviceName": "here", "status": "DRAINING"},
                    {"serviceName": "gone", "status": "INACTIVE"},
                ],
                "failures": [
                    {"arn": "arn:aws:ecs:r:1:service/main/missing", "reason": "MISSING"},
                    {"arn": "arn:aws:ecs:r:1:service/odd", "reason": "ODD", "detail": "who knows"},
                ],
            }),
        ),
        other => panic!("{other}"),
    });
    let wanted = ["here", "gone", "missing", "odd", "silent"].map(id);
    let live =
        fake.cloud().await.observe(&ObserveRequest { services: wanted.into(), ..ObserveRequest::default() }).await;
    let of = |name: &str| &live.services[&id(name)];
    assert!(of("here").present().is_some());
    assert_eq!(of("gone"), &Observed::Absent);
    assert_eq!(of("missing"), &Observed::Absent);
    let Observed::Unknown(odd) = of("odd") else { panic!("{:?}", of("odd")) };
    assert_eq!((odd.kind, odd.message.as_str()), (FailureKind::Rejected, "ODD: who knows"));
    let Observed::Unknown(silent) = of("silent") else { panic!("{:?}", of("silent")) };
    assert_eq!(silent.message, "the answer does not mention `silent`");
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_leaves_its_own_services_unknown_and_no_others() {
    type Case = (fn() -> Reply, FailureKind, usize);
    let cases: [Case; 4] = [
        (|| error("ThrottlingException", "Rate exceeded"), FailureKind::Throttled, 3),
        (|| Reply::Html(500), FailureKind::Unavailable, 3),
        (|| Reply::Hang, FailureKind::TimedOut, 2),
        (|| error("AccessDeniedException", "no"), FailureKind::AccessDenied, 1),
    ];
    for (reply, kind, attempts) in cases {
        let fake = Fake::new(move |request| match request.operation.as_str() {
            "DescribeServices" if names(request).contains(&"s0012".to_owned()) => reply(),
            _ => world(0)(request),
        });
        let live = fake.cloud().await.observe(&services(25)).await;
        for (id, service) in &live.services {
            match service {
                Observed::Unknown(failure) => {
                    assert!(("s0010".."s0020").contains(&id.name.as_str()), "{id}");
                    assert_eq!(failure.kind, kind, "{failure}");
                }
                other @ (Observed::Absent | Observed::Present(_)) => {
                    assert!(other.present().is_some() && !("s0010".."s0020").contains(&id.name.as_str()), "{id}")
                }
            }
        }
        assert_eq!(fake.count("DescribeServices"), 2 + attempts, "{kind}: the SDK repeats what may pass");
    }
}

#[tokio::test]
async fn a_missing_cluster_is_not_a_missing_service() {
    let fake = Fake::new(|_| error("ClusterNotFoundException", "Cluster not found."));
    let live = fake.cloud().await.observe(&services(1)).await;
    let Observed::Unknown(failure) = &live.services[&id("s0000")] else { panic!() };
    assert_eq!(failure.kind, FailureKind::Rejected);
    assert_eq!(failure.message, "ClusterNotFoundException: cluster `main` does not exist: Cluster not found.");
}

#[tokio::test]
async fn a_task_definition_is_described_once_and_again_after_its_tags_were_written() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "TagResource" => Reply::Json(200, json!({})),
        _ => world(0)(request),
    });
    let cloud = fake.cloud().await;
    let arn = Arn::new(family_of("s0000"));
    for _ in 0..3 {
        let live = cloud.observe(&services(1)).await;
        let revision = live.task_definitions[&arn].present().unwrap();
        assert_eq!(
            (&revision.description["newerThanTheSdk"], revision.tags["trueup:digest"].as_str()),
            (&json!(1), "d")
        );
    }
    assert_eq!(fake.count("DescribeTaskDefinition"), 1);

    let input = json!({"resourceArn": arn, "tags": [{"key": "trueup:failed", "value": "d"}]});
    cloud.execute(&Call { operation: Operation::TagResource, input }).await.unwrap();
    cloud.observe(&services(1)).await;
    assert_eq!(fake.count("DescribeTaskDefinition"), 2);

    let refresh = ObserveRequest { refresh: [arn.to_string()].into(), ..services(1) };
    cloud.observe(&refresh).await;
    assert_eq!(fake.count("DescribeTaskDefinition"), 3);
}

#[tokio::test]
async fn a_revision_is_found_by_the_text_that_the_service_shows_and_by_its_arn() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeServices" => Reply::Json(
            200,
            json!({"services": [
                {"serviceName": "s0000", "status": "ACTIVE", "taskDefinition": "s0000:1",
                 "deployments": [{"taskDefinition": family_of("older")}]},
            ]}),
        ),
        _ => world(0)(request),
    });
    let live = fake.cloud().await.observe(&services(1)).await;
    let known: Vec<&str> = live.task_definitions.keys().map(Arn::as_str).collect();
    assert_eq!(known, [&*family_of("older"), &*family_of("s0000"), "s0000:1"]);
}

#[tokio::test]
async fn a_family_is_listed_only_when_what_runs_has_another_digest() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "ListTaskDefinitions" => Reply::Json(
            200,
            json!({"taskDefinitionArns": [
                "arn:task-definition/s0000:9", "arn:task-definition/s0000:10", "arn:task-definition/s0000-other:3",
            ]}),
        ),
        _ => world(0)(request),
    });
    let cloud = fake.cloud().await;
    let wanted = |family: &str, digest: &str| ObserveRequest {
        families: [(family.to_owned(), Digest::from_tag(digest))].into(),
        ..services(1)
    };
    assert_eq!(cloud.observe(&wanted("s0000", "d")).await.families, BTreeMap::new());
    assert_eq!(fake.count("ListTaskDefinitions"), 0);

    let live = cloud.observe(&wanted("s0000", "another")).await;
    let newest: Vec<&str> = live.families["s0000"]
        .present()
        .unwrap()
        .iter()
        .map(|r| r.description["taskDefinitionArn"].as_str().unwrap())
        .collect();
    assert_eq!(newest, ["arn:task-definition/s0000:10", "arn:task-definition/s0000:9"]);

    let live = cloud.observe(&wanted("s0", "another")).await;
    assert_eq!(live.families["s0"], Observed::Present(Vec::new()), "a prefix is no family");
}

#[tokio::test]
async fn a_listing_of_a_family_goes_on_where_aws_ends_a_page_early() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "ListTaskDefinitions" => match request.json()["nextToken"].as_str() {
            None => {
                Reply::Json(200, json!({"taskDefinitionArns": ["arn:task-definition/s0000:10"], "nextToken": "more"}))
            }
            Some(_) => Reply::Json(200, json!({"taskDefinitionArns": ["arn:task-definition/s0000:9"]})),
        },
        _ => world(0)(request),
    });
    let families = [("s0000".to_owned(), Digest::from_tag("another"))].into();
    let live = fake.cloud().await.observe(&ObserveRequest { families, ..services(1) }).await;
    assert_eq!(live.families["s0000"].present().unwrap().len(), 2);
}

fn groups(count: usize) -> ObserveRequest {
    ObserveRequest {
        target_groups: (0..count).map(|n| format!("s{n:04}")).collect(),
        listeners: [Arn::new("arn:l1"), Arn::new("arn:l2")].into(),
        ..services(count)
    }
}

#[tokio::test]
async fn target_groups_and_rules_come_with_attributes_and_tags_and_without_the_default_rule() {
    let fake = Fake::new(world(1));
    let live = fake.cloud().await.observe(&groups(1)).await;
    let group = live.target_groups["s0000"].present().unwrap();
    assert_eq!(
        group.description,
        json!({
            "TargetGroupName": "s0000", "TargetGroupArn": group_arn("s0000"),
            "HealthCheckIntervalSeconds": 30, "LoadBalancerArns": [],
        })
    );
    assert_eq!(group.attributes.present().unwrap()["stickiness.enabled"], "false");
    assert_eq!(group.tags.present().unwrap()["trueup:instance"], "i");
    let rules = live.rules[&Arn::new("arn:l1")].present().unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].description, json!({"RuleArn": "arn:l1/rule/1", "Priority": "1", "IsDefault": false}));
    assert_eq!(rules[0].tags.present().unwrap()["trueup:instance"], "i");
}

#[tokio::test]
async fn a_steady_cycle_stays_within_the_promised_number_of_reads() {
    for count in [1, 10, 200] {
        let fake = Fake::new(world(count));
        let cloud = fake.cloud().await;
        let wanted = groups(count);
        cloud.observe(&wanted).await;
        for cycle in 0..4 {
            let before = fake.total();
            cloud.account().await.unwrap();
            let live = cloud.observe(&wanted).await;
            let reads = fake.total() - before;
            let promised = count.div_ceil(10) + count.div_ceil(100) + 5;
            assert!(reads <= promised, "{count} services, cycle {cycle}: {reads} reads of {promised}");
            assert!(is_complete(&live), "{count}");
        }
    }
}

fn is_complete(live: &Live) -> bool {
    live.target_groups
        .values()
        .all(|group| group.present().is_some_and(|g| g.attributes.present().is_some() && g.tags.present().is_some()))
        && live
            .rules
            .values()
            .all(|rules| rules.present().is_some_and(|r| r.iter().all(|r| r.tags.present().is_some())))
}

#[tokio::test]
async fn what_was_just_written_is_read_again_whatever_the_budget() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "ModifyTargetGroupAttributes" => elb("ModifyTargetGroupAttributes", ""),
        _ => world(200)(request),
    });
    let cloud = fake.cloud().await;
    cloud.observe(&groups(200)).await;
    let of_group = |fake: &Fake| {
        let asked = fake.asked().into_iter().filter(|request| request.operation == "DescribeTargetGroupAttributes");
        asked.filter(|request| request.pairs()["TargetGroupArn"] == group_arn("s0123")).count()
    };
    assert_eq!(of_group(&fake), 1);
    cloud.observe(&ObserveRequest { refresh: ["s0123".to_owned()].into(), ..groups(200) }).await;
    assert_eq!(of_group(&fake), 2);
    let input = json!({"TargetGroupArn": group_arn("s0123"), "Attributes": []});
    cloud.execute(&Call { operation: Operation::ModifyTargetGroupAttributes, input }).await.unwrap();
    cloud.observe(&groups(200)).await;
    assert_eq!(of_group(&fake), 3);
}

#[tokio::test]
async fn a_missing_target_group_is_absent_and_hides_no_other() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeTargetGroups" if !request.list("Names").is_empty() => elb_error(400, "TargetGroupNotFound"),
        _ => world(1)(request),
    });
    let mut wanted = groups(1);
    wanted.target_groups.insert("new".into());
    let live = fake.cloud().await.observe(&wanted).await;
    assert!(live.target_groups["s0000"].present().is_some());
    assert_eq!(live.target_groups["new"], Observed::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_of_attributes_tags_or_rules_is_unknown_by_itself() {
    for (operation, expected) in [
        ("DescribeTargetGroupAttributes", [true, false, false, false]),
        ("DescribeTags", [false, true, true, false]),
        ("DescribeRules", [false, false, false, true]),
    ] {
        let fake =
            Fake::new(
                move |request| {
                    if request.operation == operation { elb_error(400, "Throttling") } else { world(1)(request) }
                },
            );
        let live = fake.cloud().await.observe(&groups(1)).await;
        let group = live.target_groups["s0000"].present().unwrap();
        let rules = &live.rules[&Arn::new("arn:l1")];
        let unknown = [
            matches!(group.attributes, Observed::Unknown(_)),
            matches!(group.tags, Observed::Unknown(_)),
            rules.present().is_some_and(|rules| matches!(rules[0].tags, Observed::Unknown(_))),
            matches!(rules, Observed::Unknown(_)),
        ];
        assert_eq!(unknown, expected, "{operation}");
    }
}

#[tokio::test]
async fn a_listener_that_does_not_exist_is_absent() {
    let fake = Fake::new(|_| elb_error(400, "ListenerNotFound"));
    let wanted = ObserveRequest { listeners: [Arn::new("arn:l1")].into(), ..ObserveRequest::default() };
    assert_eq!(fake.cloud().await.observe(&wanted).await.rules[&Arn::new("arn:l1")], Observed::Absent);
}

fn with_inventory() -> ObserveRequest {
    ObserveRequest { inventory: Some((InstanceName::new("i"), BTreeSet::from(["main".to_owned()]))), ..groups(1) }
}

fn inventory_world(request: &Request) -> Reply {
    match request.operation.as_str() {
        "DescribeServices" if request.json()["cluster"] == "elsewhere" => error("ClusterNotFoundException", "no"),
        "ListServices" => match request.json().get("nextToken") {
            None => Reply::Json(200, json!({"serviceArns": ["arn:service/main/s0000"], "nextToken": "2"})),
            Some(_) => Reply::Json(200, json!({"serviceArns": ["arn:service/main/orphan"]})),
        },
        // Nothing that is wanted refers to the listener `l3`.
        "DescribeLoadBalancers" => elb(
            "DescribeLoadBalancers",
            "<LoadBalancers><member><LoadBalancerArn>arn:b1</LoadBalancerArn><Type>application</Type></member>\
             <member><LoadBalancerArn>arn:b2</LoadBalancerArn><Type>network</Type></member></LoadBalancers>",
        ),
        "DescribeListeners" => {
            assert_eq!(request.pairs()["LoadBalancerArn"], "arn:b1", "a network load balancer has no rules");
            elb(
                "DescribeListeners",
                "<Listeners><member><ListenerArn>arn:l1</ListenerArn></member>\
                 <member><ListenerArn>arn:l3</ListenerArn></member></Listeners>",
            )
        }
        _ => world(3)(request),
    }
}

#[tokio::test]
async fn the_inventory_holds_what_carries_the_tag_and_nothing_twice() {
    let fake = Fake::new(inventory_world);
    let mut wanted = with_inventory();
    wanted.services.insert(ServiceId { cluster: "elsewhere".into(), name: "x".into() });
    let live = fake.cloud().await.observe(&wanted).await;
    let owned = live.inventory.unwrap();
    let owned: Vec<(Kind, &str)> =
        owned.present().unwrap().iter().map(|resource| (resource.kind, resource.arn.as_str())).collect();
    let group = |n: usize| group_arn(&format!("s{n:04}"));
    assert_eq!(
        owned,
        [
            (Kind::Service, "arn:service/main/s0000"),
            (Kind::Service, "arn:service/main/orphan"),
            (Kind::TargetGroup, &*group(0)),
            (Kind::TargetGroup, &*group(1)),
            (Kind::TargetGroup, &*group(2)),
            (Kind::ListenerRule, "arn:l1/rule/1"),
            (Kind::ListenerRule, "arn:l2/rule/1"),
            (Kind::ListenerRule, "arn:l3/rule/1"),
        ]
    );
}

#[tokio::test]
async fn a_tag_that_was_taken_away_ends_ownership_at_once() {
    let released = Arc::new(AtomicBool::new(false));
    let is_released = Arc::clone(&released);
    let fake = Fake::new(move |request| {
        if request.operation == "DescribeTags" && is_released.load(Ordering::Relaxed) {
            let mut xml = "<TagDescriptions>".to_owned();
            for arn in request.list("ResourceArns") {
                write!(xml, "<member><ResourceArn>{arn}</ResourceArn><Tags/></member>").unwrap();
            }
            return elb("DescribeTags", &(xml + "</TagDescriptions>"));
        }
        inventory_world(request)
    });
    let cloud = fake.cloud().await;
    cloud.observe(&with_inventory()).await;
    released.store(true, Ordering::Relaxed);
    let live = cloud.observe(&with_inventory()).await;
    let owned = live.inventory.unwrap();
    let kinds: BTreeSet<Kind> = owned.present().unwrap().iter().map(|resource| resource.kind).collect();
    assert_eq!(kinds, BTreeSet::from([Kind::Service]));
}

#[tokio::test(start_paused = true)]
async fn an_inventory_of_which_a_part_could_not_be_read_is_unknown() {
    let operations = ["ListServices", "DescribeServices", "DescribeTargetGroups", "DescribeTags", "DescribeRules"];
    for operation in operations.into_iter().chain(["DescribeLoadBalancers", "DescribeListeners"]) {
        let fake = Fake::new(move |request| match request.operation.as_str() {
            asked if asked == operation && operation.starts_with("DescribeT") => elb_error(400, "Throttling"),
            "DescribeRules" if operation == "DescribeRules" => elb_error(400, "Throttling"),
            asked if asked == operation => error("ThrottlingException", "Rate exceeded"),
            _ => inventory_world(request),
        });
        let live = fake.cloud().await.observe(&with_inventory()).await;
        assert!(matches!(live.inventory, Some(Observed::Unknown(_))), "{operation}: {:?}", live.inventory);
    }
}
