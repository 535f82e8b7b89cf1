//! A day without git: what was accepted last is kept true, and the newest commit is deployed when git is back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use trueup_histories::{
    ACCOUNT, Application, Balanced, CLUSTER, Copy, Desired, Failing, Scene, Stage, image, parallel, run, surroundings,
    violations,
};
use trueup_ports::SourceError;
use trueup_sim::ecs::model::ServiceKey;
use trueup_sim::writers::{Deed, Writer};

const HOUR: Duration = Duration::from_hours(1);

/// How long drift may last: two cycles, and the call.
const REPAIR: Duration = Duration::from_mins(3);

/// How git fails, and how long a question takes until it does: as `trueup-git` reports it. That servers that do so are reported
/// in this way is shown there, by `tests/source/http.rs`, `slow.rs` and `tls.rs`.
fn failures() -> [(&'static str, Failing); 4] {
    let failing = |after, message: &str, hint: &str, transient| Failing {
        after: Duration::from_secs(after),
        error: SourceError { message: message.to_owned(), hint: Some(hint.to_owned()), transient },
    };
    let passes = "the network or the server is at fault; trueup asks again";
    [
        (
            "outage",
            failing(10, "cannot read `https://git/x`: failed to connect to git: Operation timed out", passes, true),
        ),
        (
            "401",
            failing(
                1,
                "`https://git/x` refused the token",
                "the token has expired, was revoked, or may not read this repository",
                false,
            ),
        ),
        (
            "TLS",
            failing(
                1,
                "cannot read `https://git/x`: the SSL certificate is invalid",
                "the server's certificate has expired, or was not signed by a trusted authority: have it renewed, install \
                 the CA certificates, or name a bundle that has the server's CA in SSL_CERT_FILE",
                false,
            ),
        ),
        (
            "1 byte/s",
            failing(
                360,
                "`https://git/x` did not answer within 360 s",
                "the server or the network hangs; trueup asks again",
                true,
            ),
        ),
    ]
}

/// Somebody changes the service and the target group by hand.
fn meddle(stage: &Stage) {
    let person = Writer::person(ACCOUNT, "ann");
    let configuration = json!({"deploymentConfiguration": {"minimumHealthyPercent": 0, "maximumPercent": 150}});
    let edit = Deed::Edit {
        service: ServiceKey { cluster: CLUSTER.to_owned(), name: "web".to_owned() },
        members: configuration.as_object().expect("it is written as one").clone(),
    };
    let mut aws = stage.aws();
    let groups = trueup_sim::elb::api::answer(aws.world_mut(), "judge", "DescribeTargetGroups", &json!({}));
    let arn = groups.expect("there is one")["TargetGroups"][0]["TargetGroupArn"].clone();
    let input = json!({"TargetGroupArn": arn, "HealthCheckIntervalSeconds": "77"});
    let action = "ModifyTargetGroup".to_owned();
    let modify = Deed::Call { service: trueup_sim::wire::Api::ElasticLoadBalancing, action, input };
    let now = aws.now();
    aws.script(now, &person, edit);
    aws.script(now, &person, modify);
}

/// What was meddled with, as AWS has it: minimum percent, and the interval of health checks.
fn settings(stage: &Stage) -> (Value, Value) {
    let mut aws = stage.aws();
    let world = aws.world_mut();
    let input = json!({"cluster": CLUSTER, "services": ["web"]});
    let services = trueup_sim::ecs::api::answer(world, "judge", "DescribeServices", &input).expect("it is there");
    let groups = trueup_sim::elb::api::answer(world, "judge", "DescribeTargetGroups", &json!({})).expect("it is there");
    let configuration = &services["services"][0]["deploymentConfiguration"];
    let interval = &groups["TargetGroups"][0]["HealthCheckIntervalSeconds"];
    (configuration["minimumHealthyPercent"].clone(), interval.clone())
}

/// How many events of a name a copy emitted.
fn told(copy: &Copy, name: &str) -> usize {
    copy.told().iter().filter(|event| event.what.name() == name).count()
}

/// How many deployments of an image trueup began.
fn deployments(stage: &Stage, image: &str) -> usize {
    let aws = stage.aws();
    let begun = aws.recorder.mutations().filter_map(|record| record.truth.as_ref());
    begun.flat_map(|truth| &truth.deployments).filter(|deployed| deployed.images.iter().any(|one| one == image)).count()
}

/// Drift is put right, again and again, while git cannot be read.
async fn is_kept_true(stage: &Stage, what: &str) {
    let (good, from) = (settings(stage), stage.now());
    meddle(stage);
    sleep(Duration::from_millis(10)).await;
    assert_ne!(settings(stage), good, "{what}: it was not meddled with");
    sleep(REPAIR).await;
    assert_eq!(settings(stage), good, "{what}: drift of {} is not corrected", from.iso());
}

#[test]
fn drift_is_corrected_through_a_day_without_git_and_then_the_newest_commit_is_deployed() {
    parallel(&failures(), |(what, failing)| {
        run(10, async {
            let stage = Stage::new(&Scene::new(surroundings(10)));
            let web = Application { balanced: Some(Balanced::at(10)), ..Application::default() };
            let good = Desired::of([("web", web), ("api", Application::default())]);
            stage.commit(&good);
            let mut copy = stage.start("trueup-1");
            stage.settle_well(&copy).await.expect("it comes up");

            stage.repository.set_failing(Some(failing.clone()));
            // Two commits that no copy sees; the first of them is never deployed.
            stage.commit(&good.with("web", |web| web.tag = "2".into()));
            for hour in 0_u32..24 {
                if hour % 4 == 1 {
                    is_kept_true(&stage, what).await;
                    sleep(HOUR.checked_sub(REPAIR).expect("it is shorter")).await;
                } else {
                    sleep(HOUR).await;
                }
                if hour == 10 {
                    let told = (told(&copy, "source.failed"), told(&copy, "source.recovered"));
                    assert_eq!(told, (1, 0), "{what}: it is told once");
                }
                if hour == 11 {
                    // A new process has the cache of the one before, and as little of git. The old one ends in time,
                    // whatever it is waiting for.
                    let asked = stage.now();
                    copy.stop().await;
                    assert!(stage.now().since(asked) < Duration::from_secs(25), "{what}: it does not end");
                    copy = stage.start("trueup-2");
                }
            }
            assert_eq!(deployments(&stage, &image("web", "2")), 0, "{what}: nobody could know of it");
            assert_eq!(told(&copy, "source.failed"), 1, "{what}: it is told once");

            stage.commit(&good.with("web", |web| web.tag = "3".into()));
            stage.repository.set_failing(None);
            stage.settle_well(&copy).await.unwrap_or_else(|unsettled| panic!("{what}: {unsettled:#?}"));
            let deployed = ["1", "2", "3"].map(|tag| deployments(&stage, &image("web", tag)));
            assert_eq!(deployed, [1, 0, 1], "{what}: the newest commit alone, once");
            assert_eq!(told(&copy, "source.recovered"), 1, "{what}");
            copy.stop().await;
            assert_eq!(violations(&stage), Vec::<String>::new(), "{what}");
        });
    });
}
