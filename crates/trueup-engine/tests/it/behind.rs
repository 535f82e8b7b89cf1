//! Several copies of trueup: one that is behind writes nothing.

use std::time::Duration;

use trueup_core::live::FailureKind;
use trueup_core::names::Revision;
use trueup_core::plan::{Health, Operation, Sync};

use crate::cloud::{FakeCloud, Fault};
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

const SYNCED: (Sync, Health, Vec<&str>) = (Sync::Synced, Health::Healthy, Vec::new());

fn commit(source: &FakeSource, tag: &str) -> Revision {
    source.commit(&files(&tree(&[application("web", tag)])))
}

fn is_behind(copy: &World) -> bool {
    let (sync, health, reasons) = copy.standing("web");
    (sync, health, reasons.as_slice()) == (Sync::Unknown, Health::Unknown, ["Behind"].as_slice())
}

/// Two copies at rest at the first commit. Each has a repository of its own, so that one may lag behind. The second asks
/// git by itself only once in an hour.
async fn two_copies() -> (World, World) {
    let mut first = World::new();
    commit(&first.source, "1");
    first.settle().await;
    let source = FakeSource::new();
    commit(&source, "1");
    let mut second = World::with(first.cloud.clone(), source, |options| options.git_interval = Duration::from_hours(1));
    second.settle().await;
    assert_eq!(second.standing("web"), SYNCED);
    first.cloud.take_calls();
    second.take_events();
    (first, second)
}

/// The first copy follows a commit, and the second has time to see what came of it.
async fn first_follows(first: &World, tag: &str) {
    commit(&first.source, tag);
    first.engine.trigger().commit();
    first.pass(90).await;
    assert_eq!(first.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_cannot_reach_git_writes_nothing_over_a_newer_commit() {
    let (mut first, second) = two_copies().await;
    second.source.set_dead(true);
    second.engine.trigger().commit();
    first_follows(&first, "2").await;
    first.cloud.take_calls();
    assert!(is_behind(&second), "{}", second.prints());
    let held = &second.plan("web").held[0].reason;
    assert!(held.message().contains("has been unreachable since 2027-01-15T08:00:30Z"), "{}", held.message());
    // Not even drift is repaired: this copy does not know what git wants.
    first.stop().await;
    first.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    second.pass(3 * 3600).await;
    assert_eq!(second.cloud.take_calls(), Vec::<String>::new());
    commit(&second.source, "2");
    second.source.set_dead(false);
    second.engine.trigger().commit();
    second.pass(30).await;
    assert_eq!(second.cloud.take_calls(), ["UpdateService web"]);
    assert_eq!(second.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_sees_a_commit_which_it_does_not_have_asks_git_at_once() {
    let (first, second) = two_copies().await;
    commit(&second.source, "2");
    first_follows(&first, "2").await;
    assert_eq!(first.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(second.standing("web"), SYNCED);
    assert_eq!(
        second.take_events(),
        ["hold.started web", "revision.accepted", "rollout.completed web", "hold.ended web"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_git_does_not_have_even_when_asked_is_no_newer_one() {
    let (mut first, second) = two_copies().await;
    first_follows(&first, "2").await;
    first.stop().await;
    second.pass(90).await;
    // The branch was rewritten: what it has now goes.
    assert_eq!(second.standing("web"), SYNCED);
    assert_eq!(second.cloud.service_tags("web")["trueup:revision"], format!("{:040x}", 1));
    let asked = second.take_events();
    second.cloud.take_calls();
    second.pass(600).await;
    assert_eq!((second.take_events(), second.cloud.take_calls()), (vec![], vec![]), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_older_commit_on_purpose_is_not_held() {
    let (mut first, mut second) = two_copies().await;
    second.stop().await;
    let old = Revision::new(format!("{:040x}", 1));
    first_follows(&first, "2").await;
    first.stop().await;
    first.cloud.take_calls();
    let mut pinned =
        World::with(first.cloud.clone(), second.source.restarted(), |options| options.revision = Some(old));
    pinned.settle().await;
    assert_eq!(pinned.cloud.take_calls(), ["UpdateService web", "TagResource web"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_missed_the_valid_commit_before_a_broken_one_writes_nothing() {
    let (mut first, second) = two_copies().await;
    second.source.set_dead(true);
    commit(&second.source, "2");
    let mut broken = tree(&[application("web", "3")]);
    broken.retain(|(path, _)| path != "web/service.toml");
    broken.push(("web/service.toml".to_owned(), "serviceName = 7".to_owned()));
    second.source.commit(&files(&broken));
    first_follows(&first, "2").await;
    first.stop().await;
    first.cloud.take_calls();
    second.source.set_dead(false);
    second.engine.trigger().commit();
    second.pass(600).await;
    assert_eq!(second.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(second.standing("web"), (Sync::Unknown, Health::Unknown, vec!["Behind", "InvalidDocument"]));
    commit(&second.source, "4");
    second.engine.trigger().commit();
    second.pass(30).await;
    assert_eq!(second.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_a_while_ago_is_looked_at_once_more_before_it_is_written_to() {
    let (mut first, second) = two_copies().await;
    first.stop().await;
    // The registration takes its time, and meanwhile another copy applies a commit that is newer.
    second.cloud.delay(Duration::from_secs(10));
    commit(&second.source, "2");
    second.engine.trigger().commit();
    second.pass(5).await;
    second.cloud.tag_service("web", "trueup:revision", &format!("{:040x}", 3));
    second.source.set_dead(true);
    second.pass(300).await;
    assert_eq!(second.cloud.take_calls(), ["RegisterTaskDefinition web"]);
    assert!(is_behind(&second), "{:?}", second.standing("web"));
}

#[tokio::test(start_paused = true)]
async fn what_a_newer_commit_of_another_application_took_away_is_not_made_again() {
    let mut copy = World::new();
    copy.source.commit(&files(&tree(&[application("jobs", "1"), application("web", "1")])));
    copy.settle().await;
    copy.cloud.take_calls();
    // Another copy follows a commit that changes one application and no longer has the other.
    copy.source.set_dead(true);
    copy.engine.trigger().commit();
    copy.cloud.tag_service("web", "trueup:revision", &format!("{:040x}", 2));
    copy.cloud.delete_service("jobs");
    copy.pass(900).await;
    assert_eq!(copy.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(copy.standing("jobs"), (Sync::Unknown, Health::Unknown, vec!["Behind"]));
    // It was a stranger's after all: the branch does not have it.
    copy.source.set_dead(false);
    copy.engine.trigger().commit();
    copy.pass(300).await;
    assert_eq!(copy.cloud.take_calls().first().map(String::as_str), Some("CreateService jobs"));
    assert_eq!((copy.standing("web"), copy.standing("jobs")), (SYNCED, SYNCED));
}

#[tokio::test(start_paused = true)]
async fn a_command_asks_git_once_more_before_it_takes_a_commit_for_a_stranger() {
    let (mut first, mut second) = two_copies().await;
    second.stop().await;
    first.stop().await;
    first.cloud.tag_service("web", "trueup:revision", &format!("{:040x}", 9));
    commit(&second.source, "2");
    let command = World::with(first.cloud.clone(), second.source.restarted(), |_| {});
    let planned = command.engine.plan_once().await.unwrap();
    let operations: Vec<Operation> = planned[0].steps.iter().map(|step| step.call.operation).collect();
    assert_eq!(operations, [Operation::RegisterTaskDefinition, Operation::UpdateService]);
    let outcome = command.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert!(outcome.is_settled(), "{outcome:?}");
    // The same while something else goes wrong: it ends all the same.
    first.cloud.tag_service("web", "trueup:revision", &format!("{:040x}", 8));
    commit(&second.source, "3");
    first.cloud.fault(Operation::UpdateService, "web", Fault::Refuse(FailureKind::Rejected));
    let outcome = command.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert!(!outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_without_git_does_not_go_back() {
    let (mut first, mut second) = two_copies().await;
    second.stop().await;
    first_follows(&first, "2").await;
    first.stop().await;
    first.cloud.take_calls();
    second.source.set_dead(true);
    let mut next = World::with(FakeCloud::clone(&first.cloud), second.source.restarted(), |_| {});
    next.settle().await;
    next.pass(600).await;
    assert_eq!(next.cloud.take_calls(), Vec::<String>::new());
    assert!(is_behind(&next));
}
