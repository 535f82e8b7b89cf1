//! No trigger is lost: one that comes during a poll or a cycle causes another one.

use std::time::Duration;

use trueup_core::plan::{Health, Sync};

use crate::cloud::FakeCloud;
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

const SYNCED: (Sync, Health, Vec<&str>) = (Sync::Synced, Health::Healthy, Vec::new());
const RELEASE: [&str; 3] = ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"];

/// A daemon with the application `web` at rest that would not observe on its own for a day.
async fn at_rest() -> World {
    let day = Duration::from_hours(24);
    let mut world = World::with(FakeCloud::new(), FakeSource::new(), |options| {
        options.git_interval = day;
        options.interval = day;
    });
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    // A write is observed again until it has settled.
    world.pass(600).await;
    assert_eq!(world.standing("web"), SYNCED);
    world.cloud.take_calls();
    world.cloud.take_observations();
    world.source.take_polls();
    world.pass(600).await;
    assert_eq!((world.source.take_polls(), world.cloud.take_observations().len()), (0, 0), "it rests");
    world
}

/// Commits a release.
fn commit(world: &World, tag: &str) {
    world.source.commit(&files(&tree(&[application("web", tag)])));
}

#[tokio::test(start_paused = true)]
async fn a_push_is_deployed_at_once() {
    let world = at_rest().await;
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_calls(), RELEASE);
    world.pass(3600).await;
    assert_eq!(world.source.take_polls(), 1, "once is enough where the push was seen");
}

#[tokio::test(start_paused = true)]
async fn without_a_trigger_nothing_is_asked_before_its_time() {
    let world = at_rest().await;
    commit(&world, "2");
    world.pass(3600).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_push_while_git_is_being_asked_makes_it_be_asked_once_more() {
    let world = at_rest().await;
    world.source.delay(Duration::from_secs(20));
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(10).await;
    // The answer that is on its way does not have this one.
    commit(&world, "3");
    world.engine.trigger().commit();
    world.pass(11).await;
    assert_eq!(world.cloud.take_calls(), RELEASE, "the first commit");
    world.pass(20).await;
    assert_eq!(world.cloud.take_calls(), RELEASE, "the second");
    assert_eq!(world.source.take_polls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_pushes_while_git_is_being_asked_make_it_be_asked_once_more() {
    let world = at_rest().await;
    world.source.delay(Duration::from_secs(20));
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(10).await;
    for number in 3..103 {
        commit(&world, &number.to_string());
        world.engine.trigger().commit();
    }
    world.pass(60).await;
    assert_eq!(world.source.take_polls(), 2);
    assert_eq!(world.cloud.task_definitions(), 3, "the first release, the one on its way, the last");
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_push_during_a_cycle_causes_another_one() {
    let world = at_rest().await;
    world.cloud.delay_reads(Duration::from_secs(20));
    world.engine.trigger().observe();
    world.pass(10).await;
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(5).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "the cycle goes on");
    world.pass(200).await;
    assert_eq!(world.cloud.take_calls(), RELEASE);
}

#[tokio::test(start_paused = true)]
async fn a_push_while_an_earlier_one_is_being_written_is_written_next() {
    let world = at_rest().await;
    world.cloud.hang("web");
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(10).await;
    commit(&world, "3");
    world.engine.trigger().commit();
    world.pass(10).await;
    world.cloud.release();
    world.pass(60).await;
    assert_eq!(world.standing("web"), SYNCED);
    let service = world.cloud.service("web").expect("it exists");
    assert!(service["taskDefinition"].as_str().is_some_and(|arn| arn.ends_with(":3")), "{service}");
}

#[tokio::test(start_paused = true)]
async fn a_change_in_aws_during_a_cycle_is_found_by_another_one() {
    let world = at_rest().await;
    world.cloud.delay_reads(Duration::from_secs(20));
    world.engine.trigger().observe();
    world.pass(10).await;
    // The observation that is on its way does not show this.
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.engine.trigger().observe();
    world.pass(300).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    assert_eq!(world.cloud.service("web").expect("it exists")["desiredCount"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_push_to_a_git_that_does_not_answer_is_found_seconds_after_it_does() {
    let world = at_rest().await;
    world.source.set_dead(true);
    commit(&world, "2");
    world.engine.trigger().commit();
    world.pass(20).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    world.source.set_dead(false);
    world.pass(20).await;
    assert_eq!(world.cloud.take_calls(), RELEASE);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_told_before_the_server_shows_it_is_found_seconds_later() {
    let world = at_rest().await;
    commit(&world, "2");
    world.source.hide(1);
    world.engine.trigger().commit();
    world.pass(5).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    world.source.hide(0);
    world.pass(10).await;
    assert_eq!(world.cloud.take_calls(), RELEASE);
}

#[tokio::test(start_paused = true)]
async fn triggers_without_a_change_cost_a_few_questions_and_no_call() {
    let world = at_rest().await;
    world.engine.trigger().commit();
    world.pass(3600).await;
    assert_eq!(world.source.take_polls(), 4);
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.cloud.take_observations().len(), 0, "AWS is not asked");
}

#[tokio::test(start_paused = true)]
async fn a_push_before_the_daemon_begins_is_not_asked_for_twice() {
    let mut world = World::new();
    commit(&world, "1");
    world.engine.trigger().commit();
    world.settle().await;
    assert_eq!(world.standing("web"), SYNCED);
    assert!(world.source.take_polls() <= 3);
}
