//! What is reported of rollouts that ended in another way than by success.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use trueup_histories::{ACCOUNT, Application, CLUSTER, Copy, Desired, Scene, Stage, run, surroundings};
use trueup_sim::ecs::api::answer;
use trueup_sim::wire::Api;
use trueup_sim::writers::{Deed, Writer};

use crate::SEEDS;

/// The events of these names since the first so many, with all that belongs to them.
fn told(copy: &Copy, from: usize, names: &[&str]) -> Vec<Value> {
    let lines = copy.lines().split_off(from);
    let events = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("an event is JSON"));
    events.filter(|event| names.iter().any(|name| event["event"] == *name)).collect()
}

#[test]
fn a_rollout_that_a_person_stopped_is_not_blamed_on_an_unknown_cause() {
    for seed in 0..SEEDS {
        run(seed, async {
            let stage = Stage::new(&Scene::new(surroundings(seed)));
            let one = Desired::of([("web", Application::default())]);
            stage.commit(&one);
            let copy = stage.start("trueup-1");
            stage.settle_well(&copy).await.expect("the first one comes up");
            let from = copy.lines().len();
            stage.commit(&one.with("web", |web| web.tag = "2".into()));
            sleep(Duration::from_secs(45)).await;
            {
                let mut aws = stage.aws();
                let input = json!({"cluster": CLUSTER, "service": "web"});
                let list = answer(aws.world_mut(), "judge", "ListServiceDeployments", &input).expect("it is there");
                let input = json!({"serviceDeploymentArn": list["serviceDeployments"][0]["serviceDeploymentArn"]});
                let stop = Deed::Call { service: Api::Ecs, action: "StopServiceDeployment".to_owned(), input };
                let now = aws.now();
                aws.script(now, &Writer::person(ACCOUNT, "ann"), stop);
            }
            sleep(Duration::from_mins(15)).await;
            let ended = told(&copy, from, &["rollout.rolled_back", "rollout.failed", "rollout.completed"]);
            assert_eq!(ended.len(), 1, "seed {seed}: {ended:#?}");
            assert_eq!((&ended[0]["event"], &ended[0]["finding"]), (&json!("rollout.rolled_back"), &Value::Null));
            let status = copy.engine.status();
            let plan = &status.applications.values().next().expect("there is one").plan;
            assert_eq!(serde_json::to_value(&plan.rollout).expect("it is data")["state"], "stopped", "seed {seed}");
            assert!(plan.finding.is_none(), "seed {seed}: {:?}", plan.finding);
        });
    }
}

#[test]
fn a_commit_that_ends_a_rollout_without_end_is_not_told_as_timed_out() {
    // An hour of a crash loop is a long history: few seeds.
    for seed in 0..2 {
        run(seed, async {
            let stage = Stage::new(&Scene::new(surroundings(seed)));
            // Without a circuit breaker ECS never gives up.
            let bad = Application { breaker: None, count: Some(1), tag: "crash".to_owned(), ..Application::default() };
            let bad = Desired::of([("web", bad)]);
            stage.commit(&bad);
            let copy = stage.start("trueup-1");
            sleep(Duration::from_mins(35)).await;
            assert_eq!(told(&copy, 0, &["rollout.timed_out"]).len(), 1, "seed {seed}");
            let from = copy.lines().len();
            stage.commit(&bad.with("web", |web| web.tag = "2".into()));
            stage.settle_well(&copy).await.expect("the corrected one comes up");
            let late = told(&copy, from, &["rollout.timed_out"]);
            assert_eq!(late, Vec::<Value>::new(), "seed {seed}");
            let started = told(&copy, from, &["rollout.started"]);
            assert_eq!(started.len(), 1, "seed {seed}: {started:#?}");
        });
    }
}
