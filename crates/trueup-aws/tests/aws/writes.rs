//! Writes: what is sent, what is repeated, and what a failure means.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::time::Instant;
use trueup_aws::Pace;
use trueup_core::live::FailureKind;
use trueup_core::plan::{Call, Operation};
use trueup_ports::{Cloud as _, Clouds as _, Effect};

use crate::fake::{self, Fake, Reply, elb_error, error};

fn call(operation: Operation, input: Value) -> Call {
    Call { operation, input }
}

fn update() -> Call {
    call(Operation::UpdateService, json!({"cluster": "main", "service": "web"}))
}

#[tokio::test]
async fn an_ecs_request_carries_the_documents_bytes_and_the_answer_comes_back_whole() {
    let input = json!({
        "family": "web", "newerThanTheSdk": {"deep": [1, 2.50, null]}, "cpu": "1 vCPU",
        "containerDefinitions": [{"name": "web", "image": "web@sha256:0", "fromNextYear": true}],
    });
    for (operation, name) in [
        (Operation::RegisterTaskDefinition, "RegisterTaskDefinition"),
        (Operation::CreateService, "CreateService"),
        (Operation::UpdateService, "UpdateService"),
        (Operation::DeleteService, "DeleteService"),
        (Operation::TagResource, "TagResource"),
        (Operation::UntagResource, "UntagResource"),
    ] {
        let output = json!({"service": {"serviceName": "web", "addedByAwsToday": {"x": 1e3}}, "also": []});
        let reply = output.clone();
        let fake = Fake::new(move |_| Reply::Json(200, reply.clone()));
        let answer = fake.cloud().await.execute(&call(operation, input.clone())).await.unwrap();
        let asked = &fake.asked()[0];
        assert_eq!(asked.body, input.to_string(), "{name}");
        assert_eq!(asked.headers["x-amz-target"], format!("AmazonEC2ContainerServiceV20141113.{name}"));
        assert_eq!(asked.headers["content-type"], "application/x-amz-json-1.1");
        assert_eq!(asked.headers["content-length"], input.to_string().len().to_string());
        assert!(asked.headers["authorization"].contains("/ap-northeast-1/ecs/"), "{:?}", asked.headers);
        assert!(asked.headers["user-agent"].contains("app/trueup"), "{:?}", asked.headers);
        assert_eq!(asked.uri, "https://ecs.ap-northeast-1.amazonaws.com/");
        assert_eq!(answer.output.to_string(), output.to_string(), "{name}");
        assert_eq!(answer.request_id.as_deref(), Some("r-1"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_is_repeated_only_when_it_certainly_had_no_effect() {
    type Case = (&'static str, fn() -> Reply, usize, FailureKind, Effect);
    let cases: [Case; 9] = [
        ("throttled", || error("ThrottlingException", "Rate exceeded"), 3, FailureKind::Throttled, Effect::None),
        ("never connected", || Reply::Refused, 3, FailureKind::Unavailable, Effect::None),
        ("no answer in time", || Reply::Hang, 1, FailureKind::TimedOut, Effect::Unknown),
        ("reset after sending", || Reply::Reset, 1, FailureKind::Unavailable, Effect::Unknown),
        (
            "server fault",
            || Reply::Json(500, json!({"__type": "ServerException"})),
            1,
            FailureKind::Unavailable,
            Effect::Unknown,
        ),
        ("a page", || Reply::Html(500), 1, FailureKind::Unavailable, Effect::Unknown),
        ("refused", || error("InvalidParameterException", "no"), 1, FailureKind::Rejected, Effect::None),
        ("denied", || error("AccessDeniedException", "not authorized"), 1, FailureKind::AccessDenied, Effect::None),
        ("expired", || error("ExpiredTokenException", "expired"), 1, FailureKind::Credentials, Effect::None),
    ];
    for (what, reply, attempts, kind, effect) in cases {
        let fake = Fake::new(move |_| reply());
        let error = fake.cloud().await.execute(&update()).await.unwrap_err();
        assert_eq!(
            (fake.count("UpdateService"), error.kind, error.effect),
            (attempts, kind, effect),
            "{what}: {error}"
        );
        assert_eq!(error.operation, "ecs:UpdateService");
    }
}

#[tokio::test(start_paused = true)]
async fn awss_code_words_and_request_id_come_through() {
    let fake = Fake::new(|_| error("ServiceNotActiveException", "Service was not ACTIVE."));
    let failure = fake.cloud().await.execute(&update()).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("ServiceNotActiveException"));
    assert_eq!(failure.message, "Service was not ACTIVE.");
    assert_eq!(failure.request_id.as_deref(), Some("r-1"));

    let fake = Fake::new(|_| elb_error(400, "PriorityInUse"));
    let failure = fake.cloud().await.execute(&call(Operation::CreateRule, json!({}))).await.unwrap_err();
    assert_eq!((failure.code.as_deref(), failure.kind), (Some("PriorityInUse"), FailureKind::Rejected));
    assert_eq!((failure.message.as_str(), failure.effect), ("so it is", Effect::None));
    assert_eq!(failure.request_id.as_deref(), Some("r-1"));
}

#[tokio::test]
async fn a_value_that_aws_repeats_is_not_told() {
    let refusal = "Value '[{name=A, value=hunter2-hunter2}]' at 'environment' failed to satisfy constraint";
    let fake = Fake::new(move |_| error("InvalidParameterException", refusal));
    let variables = json!([{"name": "A", "value": "hunter2-hunter2"}]);
    let input = json!({"family": "web", "containerDefinitions": [{"name": "web", "environment": variables}]});
    let error = fake.cloud().await.execute(&call(Operation::RegisterTaskDefinition, input)).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("failed to satisfy constraint") && !told.contains("hunter2"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_write_goes_through_when_the_throttle_ends() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::new(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => error("ThrottlingException", "Rate exceeded"),
        _ => Reply::Json(200, json!({"service": {}})),
    });
    let answer = fake.cloud().await.execute(&update()).await.unwrap();
    assert_eq!((fake.count("UpdateService"), answer.output), (2, json!({"service": {}})));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_for_its_turn_is_not_sent_when_the_process_stops() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let fake = Fake::new(move |_| match seen.fetch_add(1, Ordering::Relaxed) {
        0 => error("ThrottlingException", "Rate exceeded"),
        _ => Reply::Json(200, json!({"service": {}})),
    });
    let clouds = Arc::new(fake.clouds(Pace::Unlimited));
    let cloud = clouds.cloud(&fake::environment()).await;
    // Stopped while it waits to repeat the throttled call.
    let stop = async {
        while asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        clouds.stop_writing();
    };
    let call = update();
    let (outcome, ()) = tokio::join!(cloud.execute(&call), stop);
    let failure = outcome.unwrap_err();
    assert_eq!((fake.count("UpdateService"), failure.effect), (1, Effect::None), "{failure}");
    // None begins either.
    cloud.execute(&call).await.unwrap_err();
    assert_eq!(fake.count("UpdateService"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_write_ends_with_its_time_out() {
    let fake = Fake::new(|_| Reply::Hang);
    let cloud = fake.cloud().await;
    cloud.account().await.unwrap();
    let start = Instant::now();
    cloud.execute(&update()).await.unwrap_err();
    assert!(start.elapsed().as_secs() <= 12, "{:?}", start.elapsed());
}

#[tokio::test]
async fn nothing_is_written_into_another_account() {
    let fake = Fake::new(|_| Reply::Json(200, json!({})));
    fake.switch_account("999999999999");
    let cloud = fake.cloud().await;
    assert_eq!(cloud.account().await.unwrap(), "999999999999");
    let error = cloud.execute(&update()).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (FailureKind::Credentials, Effect::None));
    assert_eq!(error.message, "the credentials are of account 999999999999, not of 123456789012");
    assert!(fake.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_account_is_asked_again_after_a_while_and_after_failed_credentials() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "UpdateService" => error("ExpiredTokenException", "expired"),
        _ => Reply::Json(200, json!({})),
    });
    let cloud = fake.cloud().await;
    for _ in 0..3 {
        cloud.account().await.unwrap();
    }
    assert_eq!(fake.count("GetCallerIdentity"), 1);
    cloud.execute(&update()).await.unwrap_err();
    cloud.account().await.unwrap();
    assert_eq!(fake.count("GetCallerIdentity"), 2);
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    cloud.account().await.unwrap();
    assert_eq!(fake.count("GetCallerIdentity"), 3);
}

#[tokio::test(start_paused = true)]
async fn registrations_keep_below_awss_rate_and_calls_are_counted() {
    let fake = Fake::new(|_| Reply::Json(200, json!({})));
    let clouds = fake.clouds(Pace::Published);
    let cloud = clouds.cloud(&fake::environment()).await;
    let start = Instant::now();
    for _ in 0..20 {
        cloud.execute(&call(Operation::RegisterTaskDefinition, json!({}))).await.unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    assert!((4.5..6.0).contains(&seconds), "16 at once, 4 more at 0.8 per second: {seconds}");
    assert_eq!(clouds.calls()["ecs:RegisterTaskDefinition"].calls, 20);
    assert_eq!(clouds.calls()["sts:GetCallerIdentity"].calls, 1);
}

#[tokio::test]
async fn the_cloud_of_an_unchanged_environment_is_the_same_one() {
    let clouds = Fake::new(|_| Reply::Hang).clouds(Pace::Published);
    let environment = fake::environment();
    let first = clouds.aws(&environment).await;
    assert!(std::sync::Arc::ptr_eq(&first, &clouds.aws(&environment).await));
    let moved = trueup_core::desired::Environment { region: "eu-central-1".into(), ..environment };
    assert!(!std::sync::Arc::ptr_eq(&first, &clouds.aws(&moved).await));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_aws_does_not_take_are_looked_for_again_after_a_while() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "AssumeRole" => elb_error(403, "AccessDenied"),
        other => panic!("{other}"),
    });
    let role = Some("arn:aws:iam::123456789012:role/trueup".to_owned());
    let environment = trueup_core::desired::Environment { role, ..fake::environment() };
    let clouds = fake.clouds(Pace::Unlimited);
    let first = clouds.aws(&environment).await;
    let failure = first.account().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Credentials, "{failure}");
    let error = first.execute(&update()).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (FailureKind::Credentials, Effect::None));
    assert!(std::sync::Arc::ptr_eq(&first, &clouds.aws(&environment).await));
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    assert!(!std::sync::Arc::ptr_eq(&first, &clouds.aws(&environment).await));
}

#[tokio::test]
async fn an_environments_role_is_assumed_under_its_name() {
    let fake = Fake::new(|request| match request.operation.as_str() {
        "AssumeRole" => Reply::Xml(
            200,
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>not-a-secret</SecretAccessKey>\
             <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleResult></AssumeRoleResponse>"
                .to_owned(),
        ),
        _ => Reply::Json(200, json!({})),
    });
    let role = "arn:aws:iam::123456789012:role/trueup";
    let environment = trueup_core::desired::Environment {
        name: trueup_core::names::EnvironmentName::new("prod/eu west"),
        role: Some(role.to_owned()),
        ..fake::environment()
    };
    fake.clouds(Pace::Unlimited).cloud(&environment).await.execute(&update()).await.unwrap();
    let asked = fake.asked();
    assert_eq!(asked[0].operation, "AssumeRole");
    assert_eq!(
        (asked[0].pairs()["RoleArn"].as_str(), asked[0].pairs()["RoleSessionName"].as_str()),
        (role, "trueup-prod-eu-west")
    );
    let authorization = &asked.last().unwrap().headers["authorization"];
    assert!(authorization.contains("ASIAROLE") && !authorization.contains("AKIDEXAMPLE"), "{authorization}");
    assert_eq!(fake.count("AssumeRole"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transports_failure_is_told_in_the_causes_own_words() {
    for (reply, words) in
        [((|| Reply::Reset) as fn() -> Reply, "connection reset"), (|| Reply::Hang, "attempt timeout")]
    {
        let fake = Fake::new(move |_| reply());
        let error = fake.cloud().await.execute(&update()).await.unwrap_err();
        assert!(error.message.contains(words), "{error}");
        assert!(!error.message.contains("dispatch failure"), "{error}");
    }
}
