//! Why a rollout fails: found out while it runs, kept when the tasks are gone, and never in the way.

use trueup_core::diagnosis::Source;
use trueup_core::plan::Health;

use crate::cloud::FakeCloud;
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

const MISSING: &str = "CannotPullContainerError: failed to resolve ref registry.example.com/web:2: not found";

/// A running daemon whose application `web` rolls out its second revision.
async fn rolling() -> World {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.cloud.take_calls();
    assert!(world.cloud.take_evidence().is_empty(), "nothing has failed yet");
    world
}

/// The class and the cause in the status.
fn found(world: &World) -> Option<(&'static str, String)> {
    world.plan("web").finding.map(|finding| (finding.class.name(), finding.cause))
}

#[tokio::test(start_paused = true)]
async fn a_failed_rollout_is_told_with_what_was_found_before_the_tasks_disappeared() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 1, MISSING);
    world.pass(10).await;
    let (class, cause) = found(&world).expect("it was read while the rollout runs");
    assert_eq!(class, "image_not_found");
    assert!(cause.contains("`registry.example.com/web:2` does not exist"), "{cause}");
    assert_eq!(world.failures(), [""; 0], "ECS has not given up yet");

    world.cloud.forget_tasks();
    world.cloud.give_up("web");
    world.pass(90).await;
    assert_eq!(world.failures(), ["image_not_found"]);
    let prints = world.prints();
    for part in
        ["cause: the image", "evidence: task", MISSING, "remedy: push that tag", "\"class\":\"image_not_found\""]
    {
        assert!(prints.contains(part), "{part}: {prints}");
    }
    assert!(!prints.contains("hunter2"));
    assert_eq!(found(&world).expect("it is kept").0, "image_not_found");
    assert_eq!(world.plan("web").health, Health::Degraded);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_seen_only_when_it_is_over_waits_for_its_evidence() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 3, MISSING);
    world.cloud.give_up("web");
    world.pass(90).await;
    assert_eq!(world.failures(), ["image_not_found"]);
    assert_eq!(world.cloud.take_evidence().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn evidence_is_read_when_more_tasks_failed_and_not_at_every_look() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 1, MISSING);
    world.pass(600).await;
    assert_eq!(world.cloud.take_evidence().len(), 1);
    for count in 2..32 {
        world.cloud.fail_tasks("web", count, MISSING);
        world.pass(2).await;
    }
    let read = world.cloud.take_evidence().len();
    assert!((3..=6).contains(&read), "at most every ten seconds of sixty: {read}");
    world.cloud.give_up("web");
    world.pass(600).await;
    assert_eq!(world.cloud.take_evidence().len(), 1, "once more when ECS gave up");
}

#[tokio::test(start_paused = true)]
async fn evidence_that_does_not_come_delays_no_write_and_no_event_for_long() {
    let mut world = rolling().await;
    world.cloud.hang_evidence(true);
    world.cloud.fail_tasks("web", 3, MISSING);
    world.cloud.give_up("web");
    world.pass(70).await;
    assert_eq!(world.cloud.take_evidence().len(), 1, "it is being read");
    assert_eq!(world.cloud.take_calls(), ["TagResource web"], "what failed is remembered meanwhile");
    let begun = tokio::time::Instant::now();
    world.source.commit(&files(&tree(&[application("web", "3")])));
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert!(begun.elapsed().as_secs() < 2);
    world.pass(60).await;
    assert_eq!(world.failures().first(), Some(&"-"), "emitted without one");
    assert!(world.stop().await.as_millis() < 250);
}

#[tokio::test(start_paused = true)]
async fn what_was_found_of_one_deployment_is_not_told_of_the_next() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 1, MISSING);
    world.pass(10).await;
    assert!(found(&world).is_some());
    world.push(&files(&tree(&[application("web", "3")]))).await;
    assert_eq!(found(&world), None);
    world.cloud.finish_rollouts();
    world.pass(90).await;
    assert_eq!(found(&world), None);
}

#[tokio::test(start_paused = true)]
async fn a_commit_over_a_failed_deployment_has_no_failure_of_its_own() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 3, MISSING);
    world.cloud.give_up("web");
    world.pass(90).await;
    assert_eq!(world.failures(), ["image_not_found"]);
    world.push(&files(&tree(&[application("web", "3")]))).await;
    world.pass(90).await;
    world.cloud.finish_rollouts();
    world.pass(90).await;
    assert_eq!(world.failures(), ["image_not_found"]);
    assert_eq!(world.plan("web").health, Health::Healthy);
    let events = world.take_events();
    assert_eq!(events.iter().filter(|name| **name == "rollout.completed web").count(), 1, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_over_is_told_with_what_was_found_before() {
    let world = rolling().await;
    world.cloud.fail_tasks("web", 1, MISSING);
    world.pass(10).await;
    world.cloud.forget_tasks();
    world.cloud.roll_back("web", false);
    world.pass(90).await;
    assert_eq!(world.failures(), ["image_not_found"]);
    assert!(world.prints().contains("rollout.rolled_back"));
    assert_eq!(found(&world).expect("it is kept").0, "image_not_found");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_runs_too_few_tasks_is_looked_into_slowly_and_one_at_rest_not_at_all() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.pass(3600).await;
    assert!(world.cloud.take_evidence().is_empty(), "at rest nothing is read");
    let oom = "OutOfMemoryError: Container killed due to memory usage";
    world.cloud.fail_tasks("web", 1, oom);
    world.cloud.change_service("web", |service| service["runningCount"] = 0.into());
    world.pass(3600).await;
    let read = world.cloud.take_evidence().len();
    assert!((9..=13).contains(&read), "every five minutes: {read}");
    assert_eq!(found(&world).expect("it is in the status").0, "out_of_memory");
    assert!(world.cloud.take_calls().iter().all(|call| !call.starts_with("Update")));
    world.cloud.change_service("web", |service| service["runningCount"] = 1.into());
    world.pass(90).await;
    assert_eq!(found(&world), None);
}

#[tokio::test(start_paused = true)]
async fn a_command_reads_the_evidence_itself() {
    let mut world = rolling().await;
    world.cloud.fail_tasks("web", 3, MISSING);
    world.cloud.give_up("web");
    world.stop().await;
    let command = World::with(FakeCloud::clone(&world.cloud), FakeSource::clone(&world.source), |_| {});
    let plans = command.engine.plan_once().await.expect("git and AWS answer");
    let finding = plans[0].finding.as_ref().expect("it was read before the command ended");
    let task = finding.evidence.iter().find(|fact| fact.source == Source::Task).expect("a task shows it");
    assert_eq!((finding.class.name(), task.count), ("image_not_found", 3));
}
