//! How many tasks of a rollout are healthy: counted while it runs, now and then, and never in the way.

use trueup_core::plan::Rollout;

use crate::world::{World, application, files, tree};

/// A running daemon whose application `web` rolls out its second revision.
async fn rolling() -> World {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.pass(120).await;
    world.cloud.take_counts();
    world.pass(120).await;
    assert_eq!(world.cloud.take_counts(), 0, "nothing is counted at rest");
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.cloud.take_calls();
    world
}

/// Healthy tasks, as the status has them.
fn healthy(world: &World) -> Option<i64> {
    match world.plan("web").rollout {
        Some(Rollout::Running { progress, .. }) => progress.healthy,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn healthy_tasks_are_counted_while_a_rollout_runs_and_not_at_rest() {
    let world = rolling().await;
    assert_eq!(healthy(&world), Some(0));
    world.cloud.run_task("web");
    world.pass(30).await;
    assert_eq!(healthy(&world), Some(0), "without a check it is healthy after 40 seconds");
    world.pass(20).await;
    assert_eq!(healthy(&world), Some(1));
    world.cloud.take_counts();
    world.pass(60).await;
    let counts = world.cloud.take_counts();
    assert!((6..=12).contains(&counts), "at most every five seconds of sixty: {counts}");

    world.push(&files(&tree(&[application("web", "3")]))).await;
    assert_eq!(healthy(&world), Some(0), "those of the deployment before do not count");
    world.cloud.finish_rollouts();
    world.pass(90).await;
    world.cloud.take_counts();
    world.pass(300).await;
    assert_eq!(world.cloud.take_counts(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_does_not_come_is_unknown_and_delays_nothing() {
    let mut world = rolling().await;
    world.cloud.hang_evidence(true);
    world.pass(30).await;
    assert_eq!(healthy(&world), None);
    world.source.commit(&files(&tree(&[application("web", "3")])));
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert!(world.stop().await.as_millis() < 250);
}
