//! A commit whose image does not come up, for a day, with restarts.

use std::time::Duration;

use tokio::time::sleep;
use trueup_core::plan::{Health, Hold, Sync};
use trueup_histories::{Application, Desired, Scene, Stage, image, run, surroundings, violations};

/// Deployments that a trueup began of an image.
fn deployments(stage: &Stage, image: &str) -> usize {
    let aws = stage.aws();
    let begun = aws.recorder.mutations().filter_map(|record| record.truth.as_ref());
    begun.flat_map(|truth| &truth.deployments).filter(|deployed| deployed.images.iter().any(|one| one == image)).count()
}

#[test]
fn a_bad_commit_is_deployed_once_in_a_day_with_three_restarts() {
    for (seed, breaker) in [(1, Some(true)), (2, Some(false)), (3, None)] {
        run(seed, async {
            let stage = Stage::new(&Scene::new(surroundings(seed)));
            let good = Desired::of([("web", Application { breaker, ..Application::default() })]);
            stage.commit(&good);
            let mut copy = stage.start("trueup-1");
            stage.settle_well(&copy).await.expect("the good one comes up");
            stage.commit(&good.with("web", |web| web.tag = "crash".into()));
            for restart in 0..4 {
                sleep(Duration::from_hours(6)).await;
                let status = copy.engine.status();
                let plan = &status.applications.values().next().expect("there is one").plan;
                assert_ne!(plan.health, Health::Healthy, "{breaker:?}");
                if breaker.is_some() {
                    assert_eq!(plan.sync, Sync::OutOfSync, "{breaker:?}: {plan:#?}");
                    let held = plan.held.iter().any(|held| matches!(held.reason, Hold::RevisionFailed { .. }));
                    assert!(held, "{breaker:?}: {:?}", plan.held);
                }
                // Once gently, once by force, once without the cache.
                if restart == 0 {
                    copy.stop().await;
                } else {
                    copy.kill().await;
                    stage.facts().killed(stage.now());
                }
                let name = format!("trueup-{}", restart + 2);
                copy = if restart == 2 { stage.start_without_cache(&name) } else { stage.start(&name) };
            }
            assert_eq!(deployments(&stage, &image("web", "crash")), 1, "{breaker:?}");
            assert_eq!(violations(&stage), Vec::<String>::new());
        });
    }
}

#[test]
fn a_new_commit_ends_the_hold_and_an_equal_one_does_not() {
    run(4, async {
        let stage = Stage::new(&Scene::new(surroundings(4)));
        let good = Desired::of([("web", Application::default())]);
        let bad = good.with("web", |web| web.tag = "crash".into());
        stage.commit(&good);
        let copy = stage.start("trueup-1");
        stage.settle_well(&copy).await.expect("the good one comes up");
        stage.commit(&bad);
        sleep(Duration::from_hours(1)).await;
        // Another commit with the same content: a new id, and one more application.
        let beside = Desired::of([("web", bad.applications["web"].clone()), ("api", Application::default())]);
        stage.commit(&beside);
        sleep(Duration::from_hours(1)).await;
        assert_eq!(deployments(&stage, &image("web", "crash")), 1);
        stage.commit(&beside.with("web", |web| web.tag = "2".into()));
        stage.settle_well(&copy).await.expect("the corrected one comes up");
        assert_eq!(deployments(&stage, &image("web", "crash")), 1);
        assert_eq!(violations(&stage), Vec::<String>::new());
    });
}
