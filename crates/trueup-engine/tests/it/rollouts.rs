//! Rollouts over time: one deployment for one change, and none again of what ECS threw out.

use std::time::Duration;

use trueup_core::plan::{Health, Sync};
use trueup_engine::RetryOutcome;
use trueup_ports::ObserveRequest;

use crate::cloud::FakeCloud;
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

const SYNCED: (Sync, Health, Vec<&str>) = (Sync::Synced, Health::Healthy, Vec::new());
const HELD: (Sync, Health, Vec<&str>) = (Sync::OutOfSync, Health::Degraded, Vec::new());

fn commit(tag: &str) -> Vec<(String, String)> {
    tree(&[application("web", tag)])
}

/// A running daemon with `web:1` at rest.
async fn at_rest() -> World {
    let mut world = World::new();
    world.source.commit(&files(&commit("1")));
    world.settle().await;
    world.pass(120).await;
    assert_eq!(world.standing("web"), SYNCED);
    assert_eq!(world.cloud.take_deployments(), ["web:1"]);
    world.cloud.take_calls();
    world.cloud.take_observations();
    world.take_events();
    world
}

/// The same, after `web:2` was deployed and rolled back between two observations.
async fn rolled_back(event: bool) -> World {
    let world = at_rest().await;
    world.push(&files(&commit("2"))).await;
    assert_eq!(world.cloud.take_deployments(), ["web:2"]);
    world.pass(60).await;
    world.take_events();
    world.cloud.take_calls();
    world.cloud.roll_back("web", event);
    world.pass(90).await;
    world
}

fn held(world: &World) {
    let (sync, health, reasons) = world.standing("web");
    assert_eq!((sync, health, Vec::new()), HELD);
    assert_eq!(reasons, ["RevisionFailed"]);
}

/// A process that begins where that one ended.
async fn restarted(world: &mut World) -> World {
    world.stop().await;
    let mut next = World::with(world.cloud.clone(), world.source.restarted(), |_| {});
    next.settle().await;
    next
}

#[tokio::test(start_paused = true)]
async fn a_bad_commit_is_deployed_exactly_once_over_a_day_with_three_restarts() {
    for (record, event) in [(true, false), (true, true), (false, true)] {
        let world = at_rest().await;
        world.cloud.show_record(record);
        world.push(&files(&commit("2"))).await;
        world.cloud.roll_back("web", event);
        world.pass(90).await;
        held(&world);
        let mut world = world;
        for _ in 0..3 {
            world.pass(6 * 3600).await;
            world = restarted(&mut world).await;
            held(&world);
            let events = world.take_events();
            assert!(!events.iter().any(|event| event.starts_with("rollout.")), "no old rollback is news: {events:?}");
        }
        world.pass(6 * 3600).await;
        assert_eq!(world.cloud.take_deployments(), ["web:2"], "record {record}, event {event}");
        let calls = world.cloud.take_calls();
        let deploys = calls.iter().filter(|call| call.starts_with("UpdateService")).count();
        assert_eq!((deploys, calls.len()), (1, 4), "register, update, digest, the tag of the failure: {calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_nobody_saw_is_told_once_and_remembered_in_a_tag() {
    let world = rolled_back(false).await;
    held(&world);
    assert_eq!(world.cloud.take_calls(), ["TagResource web"]);
    assert!(world.cloud.service_tags("web").contains_key("trueup:failed"));
    assert_eq!(world.take_events(), ["hold.started web", "rollout.rolled_back web", "step.applied web"]);
    let message = world.plan("web").held[0].reason.message();
    assert!(message.contains("circuit breaker threshold was exceeded"), "{message}");
    world.pass(3600).await;
    assert_eq!(world.take_events(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_tag_alone_is_memory_enough() {
    let mut world = rolled_back(false).await;
    world.cloud.show_record(false);
    let world = restarted(&mut world).await;
    world.pass(3600).await;
    held(&world);
    assert_eq!(world.cloud.take_deployments(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_content_equal_commit_stays_held_and_other_content_ends_it_at_once() {
    let world = rolled_back(false).await;
    world.cloud.take_calls();
    let mut equal = commit("2");
    equal[1].1 = "# another commit\n".to_owned();
    world.push(&files(&equal)).await;
    world.pass(300).await;
    held(&world);
    assert_eq!(world.cloud.take_deployments(), Vec::<String>::new());

    world.source.commit(&files(&commit("3")));
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_deployments(), ["web:3"], "at once");
    world.pass(90).await;
    assert_eq!(world.standing("web"), SYNCED);
    assert!(!world.cloud.service_tags("web").contains_key("trueup:failed"));

    // Back to what failed: the tag is gone, and the record of service deployments remembers.
    world.push(&files(&commit("2"))).await;
    world.pass(90).await;
    assert_eq!(world.cloud.take_deployments(), Vec::<String>::new());
    assert_eq!(world.standing("web").2, ["RevisionFailed"]);
    // Back to what serves.
    world.push(&files(&commit("3"))).await;
    world.pass(90).await;
    assert_eq!((world.cloud.take_deployments(), world.standing("web")), (vec![], SYNCED));
}

#[tokio::test(start_paused = true)]
async fn a_retry_by_another_process_makes_the_daemon_deploy_exactly_once_more() {
    let world = rolled_back(false).await;
    world.cloud.take_calls();
    let command = World::with(world.cloud.clone(), world.source.restarted(), |_| {});
    let retried = command.engine.retry_once().await.expect("git can be read");
    assert_eq!(retried.len(), 1);
    assert_eq!(retried[0].outcome, RetryOutcome::Ended);
    assert_eq!(world.cloud.take_calls(), ["TagResource web", "UntagResource web"]);
    world.cloud.keep_rolling(true);
    world.pass(90).await;
    assert_eq!(world.cloud.take_deployments(), ["web:2"]);
    // It fails again.
    world.cloud.roll_back("web", false);
    world.pass(3600).await;
    held(&world);
    assert_eq!(world.cloud.take_deployments(), Vec::<String>::new());
    assert!(!world.cloud.service_tags("web").contains_key("trueup:retry"));
    // Once more, and now it comes up.
    assert_eq!(command.engine.retry_once().await.expect("git can be read")[0].outcome, RetryOutcome::Ended);
    world.pass(90).await;
    world.cloud.finish_rollouts();
    world.pass(90).await;
    assert_eq!((world.cloud.take_deployments(), world.standing("web")), (vec!["web:2".to_owned()], SYNCED));
    let tags = world.cloud.service_tags("web");
    assert!(!tags.contains_key("trueup:failed") && !tags.contains_key("trueup:retry"), "{tags:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_where_nothing_is_held_or_nothing_can_be_read_writes_nothing() {
    let world = at_rest().await;
    let outcome = |retried: Vec<trueup_engine::Retried>| retried.into_iter().next().expect("one application").outcome;
    let command = World::with(world.cloud.clone(), world.source.restarted(), |_| {});
    assert_eq!(outcome(command.engine.retry_once().await.expect("git can be read")), RetryOutcome::NothingHeld);
    world.cloud.fail_reads(true);
    assert!(matches!(outcome(command.engine.retry_once().await.expect("git can be read")), RetryOutcome::Unknown(_)));
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_newer_commit_pre_empts_a_rollout_at_once_and_the_same_one_is_not_begun_anew() {
    let world = at_rest().await;
    world.cloud.keep_rolling(true);
    world.push(&files(&commit("2"))).await;
    world.pass(600).await;
    assert_eq!(world.cloud.take_deployments(), ["web:2"]);
    let mut equal = commit("2");
    equal[1].1 = "# another commit\n".to_owned();
    world.push(&files(&equal)).await;
    assert_eq!(world.cloud.take_deployments(), Vec::<String>::new(), "the same content");
    world.source.commit(&files(&commit("3")));
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_deployments(), ["web:3"]);
    world.cloud.finish_rollouts();
    world.pass(60).await;
    assert_eq!((world.cloud.take_deployments(), world.standing("web")), (vec![], SYNCED));
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_the_middle_of_a_rollout_deploys_nothing_and_tells_its_end() {
    let mut world = at_rest().await;
    world.cloud.keep_rolling(true);
    world.push(&files(&commit("2"))).await;
    assert_eq!(world.cloud.take_deployments(), ["web:2"]);
    let next = restarted(&mut world).await;
    next.pass(120).await;
    assert_eq!(next.cloud.take_deployments(), Vec::<String>::new());
    let events = next.take_events();
    assert!(!events.contains(&"rollout.started web".to_owned()), "it was emitted before: {events:?}");
    next.cloud.finish_rollouts();
    next.pass(60).await;
    assert_eq!(next.take_events(), ["rollout.completed web"]);
}

#[tokio::test(start_paused = true)]
async fn the_record_is_read_only_while_git_s_revision_does_not_serve() {
    let world = at_rest().await;
    let reads =
        |observed: Vec<ObserveRequest>| observed.iter().filter(|wanted| !wanted.service_deployments.is_empty()).count();
    world.pass(600).await;
    assert_eq!(reads(world.cloud.take_observations()), 0, "at rest");
    world.cloud.keep_rolling(true);
    world.push(&files(&commit("2"))).await;
    assert!(reads(world.cloud.take_observations()) > 0, "before a deployment");
    world.pass(60).await;
    let watched = reads(world.cloud.take_observations());
    assert!((3..=6).contains(&watched), "every 15 seconds while it is only watched: {watched}");
    world.cloud.finish_rollouts();
    world.pass(60).await;
    world.cloud.take_observations();
    world.pass(600).await;
    assert_eq!(reads(world.cloud.take_observations()), 0, "at rest again");
}

#[tokio::test(start_paused = true)]
async fn apply_ends_when_ecs_gave_up_or_takes_too_long() {
    let world = World::new();
    world.source.commit(&files(&commit("1")));
    assert!(world.engine.apply_once(Duration::from_mins(10)).await.expect("git can be read").is_settled());
    world.cloud.keep_rolling(true);
    world.source.commit(&files(&commit("2")));
    let (cloud, begun) = (world.cloud.clone(), tokio::time::Instant::now());
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        cloud.roll_back("web", false);
    });
    let outcome = world.engine.apply_once(Duration::from_hours(1)).await.expect("git can be read");
    later.await.expect("it does not panic");
    assert!(!outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
    assert_eq!(outcome.plans[0].held[0].reason.reason(), "RevisionFailed");
    assert!(begun.elapsed() < Duration::from_mins(3), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_without_an_end_is_told_once_and_neither_repeated_nor_forgotten() {
    let mut world = World::with(FakeCloud::new(), FakeSource::new(), |_| {});
    let mut files_of = commit("1");
    files_of[1].1 = "[policy]\nrollout_timeout = \"10m\"\n".to_owned();
    world.source.commit(&files(&files_of));
    world.cloud.keep_rolling(true);
    world.settle().await;
    world.take_events();
    world.pass(900).await;
    assert_eq!(world.standing("web"), (Sync::Synced, Health::Degraded, Vec::new()));
    assert_eq!(world.take_events(), ["rollout.timed_out web"]);
    world.pass(6 * 3600).await;
    assert_eq!(world.cloud.take_deployments(), ["web:1"]);
    assert_eq!(world.take_events(), Vec::<String>::new());
    assert!(!world.cloud.service_tags("web").contains_key("trueup:failed"));
    world.cloud.finish_rollouts();
    world.pass(90).await;
    assert_eq!((world.standing("web"), world.take_events()), (SYNCED, vec!["rollout.completed web".to_owned()]));
}
