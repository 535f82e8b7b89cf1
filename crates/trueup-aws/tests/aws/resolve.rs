//! Lookups: what is found, what is absent, what is unknown and why, and how long it is believed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use trueup_core::desired::Lookup;
use trueup_core::live::{FailureKind, Observed};
use trueup_ports::Cloud as _;

use crate::fake::{Fake, Reply, Request, elb, elb_error, error};

fn image(repository: &str, tag: &str, platform: &str) -> Lookup {
    Lookup::Image { repository: repository.into(), tag: tag.into(), platform: platform.into() }
}

fn listener(load_balancer: &str, port: u16) -> Lookup {
    Lookup::Listener { load_balancer: load_balancer.into(), port }
}

fn output(stack: &str, key: &str) -> Lookup {
    Lookup::StackOutput { stack: stack.into(), key: key.into() }
}

fn resource(stack: &str, logical_id: &str) -> Lookup {
    Lookup::StackResource { stack: stack.into(), logical_id: logical_id.into() }
}

fn xml(status: u16, body: &str) -> Reply {
    Reply::Xml(status, body.to_owned())
}

fn world(request: &Request) -> Reply {
    match request.operation.as_str() {
        "BatchGetImage" => {
            let body = request.json();
            if body["repositoryName"] == "nowhere" {
                return error("RepositoryNotFoundException", "no repository");
            }
            let index = json!({"manifests": [
                {"platform": {"os": "linux", "architecture": "arm64"}},
                {"platform": {"os": "unknown", "architecture": "unknown"}},
            ]});
            let (mut images, mut failures) = (Vec::new(), Vec::new());
            for id in body["imageIds"].as_array().unwrap() {
                let tag = &id["imageTag"];
                match tag.as_str().unwrap() {
                    "absent" => failures.push(json!({"imageId": {"imageTag": tag}, "failureCode": "ImageNotFound"})),
                    _ => images.push(json!({
                        "imageId": {"imageTag": tag, "imageDigest": "sha256:abc"}, "imageManifest": index.to_string(),
                    })),
                }
            }
            Reply::Json(200, json!({"images": images, "failures": failures}))
        }
        "DescribeTargetGroups" if request.list("Names") == ["web"] => elb(
            "DescribeTargetGroups",
            "<TargetGroups><member><TargetGroupName>web</TargetGroupName><TargetGroupArn>arn:tg</TargetGroupArn></member></TargetGroups>",
        ),
        "DescribeLoadBalancers" if request.list("Names") == ["public"] => elb(
            "DescribeLoadBalancers",
            "<LoadBalancers><member><LoadBalancerArn>arn:lb</LoadBalancerArn></member></LoadBalancers>",
        ),
        "DescribeLoadBalancers" => elb_error(400, "LoadBalancerNotFound"),
        "DescribeListeners" => elb(
            "DescribeListeners",
            "<Listeners><member><Port>80</Port><ListenerArn>arn:80</ListenerArn></member>\
             <member><Port>443</Port><ListenerArn>arn:443</ListenerArn></member></Listeners>",
        ),
        "DescribeSecret" => match request.json()["SecretId"].as_str().unwrap() {
            "there" => Reply::Json(200, json!({"ARN": "arn:secret:there-AbCdEf", "Name": "there"})),
            "dying" => Reply::Json(200, json!({"ARN": "arn:secret:dying-AbCdEf", "DeletedDate": 1_700_000_000})),
            _ => error("ResourceNotFoundException", "no secret"),
        },
        "DescribeParameters" => {
            assert_eq!(request.json()["ParameterFilters"][0]["Option"], "Equals");
            Reply::Json(
                200,
                json!({"Parameters": [
                    {"Name": "/app/key", "ARN": "arn:aws:ssm:r:1:parameter/app/key"}, {"Name": "plain"},
                ]}),
            )
        }
        "DescribeStacks" => match request.pairs()["StackName"].as_str() {
            "base" => stack("UPDATE_COMPLETE"),
            "busy" => stack("UPDATE_IN_PROGRESS"),
            _ => xml(
                400,
                "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                 <Message>Stack with id gone does not exist</Message></Error></ErrorResponse>",
            ),
        },
        "ListStackResources" => match request.pairs().get("NextToken") {
            None => resources("Subnet1", "subnet-1", "<NextToken>2</NextToken>"),
            Some(_) => resources("Group", "sg-1", ""),
        },
        other => panic!("{other}"),
    }
}

fn stack(status: &str) -> Reply {
    xml(
        200,
        &format!(
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>\
         <Outputs><member><OutputKey>Vpc</OutputKey><OutputValue>vpc-1</OutputValue></member></Outputs>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        ),
    )
}

fn resources(logical: &str, physical: &str, rest: &str) -> Reply {
    xml(
        200,
        &format!(
            "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member>\
         <LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
         <ResourceType>t</ResourceType><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp>\
         <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries>{rest}\
         </ListStackResourcesResult></ListStackResourcesResponse>"
        ),
    )
}

fn describe(observed: &Observed<String>) -> String {
    match observed {
        Observed::Present(value) => value.clone(),
        Observed::Absent => "absent".to_owned(),
        Observed::Unknown(failure) => format!("unknown: {}", failure.message),
    }
}

#[tokio::test]
async fn every_kind_of_lookup_is_found_absent_or_unknown_with_its_reason() {
    let registry = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com";
    let cases = [
        (image("web", "latest", "linux/arm64"), format!("{registry}/web@sha256:abc")),
        (
            image("web", "latest", "linux/amd64"),
            "unknown: the image has no manifest for linux/amd64 (it has linux/arm64): build it with --platform linux/amd64"
                .to_owned(),
        ),
        (image("web", "absent", "linux/arm64"), "absent".to_owned()),
        (image("nowhere", "latest", "linux/arm64"), "absent".to_owned()),
        (image(&format!("{registry}/web"), "latest", "linux/arm64"), format!("{registry}/web@sha256:abc")),
        (Lookup::TargetGroup("web".into()), "arn:tg".to_owned()),
        (listener("public", 443), "arn:443".to_owned()),
        (listener("public", 8080), "absent".to_owned()),
        (listener("gone", 80), "absent".to_owned()),
        (Lookup::Secret("there".into()), "arn:secret:there-AbCdEf".to_owned()),
        (Lookup::Secret("dying".into()), "absent".to_owned()),
        (Lookup::Secret("gone".into()), "absent".to_owned()),
        (Lookup::Parameter("/app/key".into()), "arn:aws:ssm:r:1:parameter/app/key".to_owned()),
        (Lookup::Parameter("plain".into()), "arn:aws:ssm:ap-northeast-1:123456789012:parameter/plain".to_owned()),
        (Lookup::Parameter("gone".into()), "absent".to_owned()),
        (output("base", "Vpc"), "vpc-1".to_owned()),
        (output("base", "Gone"), "absent".to_owned()),
        (resource("base", "Subnet1"), "subnet-1".to_owned()),
        (resource("base", "Group"), "sg-1".to_owned()),
        (resource("base", "Gone"), "absent".to_owned()),
        (
            output("busy", "Vpc"),
            "unknown: the stack `busy` is UPDATE_IN_PROGRESS: its values are read when that is over".to_owned(),
        ),
        (output("gone", "Vpc"), "absent".to_owned()),
    ];
    let fake = Fake::new(world);
    let resolved = fake.cloud().await.resolve(&cases.iter().map(|(lookup, _)| lookup.clone()).collect()).await;
    for (lookup, expected) in &cases {
        assert_eq!(&describe(&resolved[lookup]), expected, "{lookup:?}");
    }
    assert_eq!(resolved.len(), cases.len());
    assert_eq!(fake.count("BatchGetImage"), 3, "one call per repository");
    assert_eq!(
        (fake.count("DescribeStacks"), fake.count("ListStackResources")),
        (3, 2),
        "one stack's resources, two pages"
    );
    assert_eq!((fake.count("DescribeParameters"), fake.count("DescribeSecret")), (1, 3));
    for request in fake.asked().iter().filter(|request| request.operation == "BatchGetImage") {
        assert!(request.json()["acceptedMediaTypes"].to_string().contains("image.index.v1"), "{}", request.body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_found_is_believed_for_a_while_and_what_was_not_is_asked_for_again() {
    let fake = Fake::new(world);
    let cloud = fake.cloud().await;
    let lookups = BTreeSet::from([
        image("web", "latest", "linux/arm64"),
        Lookup::Secret("there".into()),
        Lookup::TargetGroup("web".into()),
        output("gone", "Vpc"),
    ]);
    let counts =
        || ["BatchGetImage", "DescribeSecret", "DescribeTargetGroups", "DescribeStacks"].map(|o| fake.count(o));
    cloud.resolve(&lookups).await;
    assert_eq!(counts(), [1, 1, 1, 1]);
    cloud.resolve(&lookups).await;
    assert_eq!(counts(), [1, 1, 2, 2]);
    tokio::time::advance(Duration::from_secs(61)).await;
    cloud.resolve(&lookups).await;
    assert_eq!(counts(), [2, 1, 3, 3]);
    tokio::time::advance(Duration::from_secs(241)).await;
    cloud.resolve(&lookups).await;
    assert_eq!(counts(), [3, 2, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_lookup_is_unknown_and_delays_no_other() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "DescribeSecret" => Reply::Html(500),
        "BatchGetImage" => error("AccessDeniedException", "not authorized to perform: ecr:BatchGetImage"),
        _ => world(request),
    });
    let lookups = BTreeSet::from([
        image("web", "latest", "linux/arm64"),
        image("docker.io/library/nginx", "1", "linux/amd64"),
        Lookup::Secret("there".into()),
        output("base", "Vpc"),
    ]);
    let resolved = fake.cloud().await.resolve(&lookups).await;
    let kind = |lookup: &Lookup| match &resolved[lookup] {
        Observed::Unknown(failure) => Some(failure.kind),
        Observed::Present(_) | Observed::Absent => None,
    };
    assert_eq!(kind(&image("web", "latest", "linux/arm64")), Some(FailureKind::AccessDenied));
    assert_eq!(kind(&image("docker.io/library/nginx", "1", "linux/amd64")), Some(FailureKind::Rejected));
    assert_eq!(kind(&Lookup::Secret("there".into())), Some(FailureKind::Unavailable));
    assert_eq!(describe(&resolved[&output("base", "Vpc")]), "vpc-1");
}

#[tokio::test]
async fn many_target_groups_are_found_by_following_the_pages_of_all() {
    let fake = Fake::new(|request| {
        assert_eq!(request.pairs()["PageSize"], "400");
        let (from, to, next) = match request.pairs().get("Marker") {
            None => (0, 400, "<NextMarker>next</NextMarker>"),
            Some(_) => (400, 450, ""),
        };
        let mut xml = "<TargetGroups>".to_owned();
        for n in from..to {
            write!(
                xml,
                "<member><TargetGroupName>g{n}</TargetGroupName><TargetGroupArn>arn:{n}</TargetGroupArn></member>"
            )
            .unwrap();
        }
        elb("DescribeTargetGroups", &(xml + "</TargetGroups>" + next))
    });
    let lookups = [0, 7, 399, 400, 449, 450].into_iter().chain(1_000..1_020);
    let lookups: BTreeSet<Lookup> = lookups.map(|n| Lookup::TargetGroup(format!("g{n}"))).collect();
    let resolved = fake.cloud().await.resolve(&lookups).await;
    assert_eq!(fake.count("DescribeTargetGroups"), 2);
    for (n, expected) in [(0, "arn:0"), (400, "arn:400"), (449, "arn:449"), (450, "absent"), (1_019, "absent")] {
        assert_eq!(describe(&resolved[&Lookup::TargetGroup(format!("g{n}"))]), expected);
    }
}
