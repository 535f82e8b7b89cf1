//! The loop: what it does, when, and above all what it does not do.

use std::time::Duration;

use trueup_core::live::FailureKind;
use trueup_core::plan::{Health, Operation, Sync};

use crate::cloud::{FakeCloud, Fault};
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

const SYNCED: (Sync, Health, Vec<&str>) = (Sync::Synced, Health::Healthy, Vec::new());

/// A running daemon with the application `web` at rest.
async fn at_rest() -> World {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "CreateService web"]);
    assert_eq!(world.standing("web"), SYNCED);
    world.take_events();
    world
}

#[tokio::test(start_paused = true)]
async fn an_empty_cluster_becomes_synced_and_then_nothing_is_written() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "CreateService web"]);
    assert_eq!(world.standing("web"), SYNCED);
    let events = world.take_events();
    assert_eq!(
        events,
        ["daemon.started", "revision.accepted", "plan.made web", "step.applied web", "step.applied web"],
        "{}",
        world.prints()
    );
    world.pass(600).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.take_events(), Vec::<String>::new());
    assert!(world.stop().await < Duration::from_millis(250));
    assert_eq!(world.take_events(), ["daemon.stopping"]);
}

#[tokio::test(start_paused = true)]
async fn a_commit_makes_exactly_the_calls_it_needs() {
    let world = at_rest().await;
    world.push(&files(&tree(&[application("web", "2")]))).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(world.standing("web"), SYNCED);
    // Back to content that was registered before.
    world.push(&files(&tree(&[application("web", "1")]))).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web", "TagResource web"]);
    assert_eq!(world.cloud.task_definitions(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_does_not_concern_an_application_touches_nothing() {
    let world = at_rest().await;
    let mut tree = tree(&[application("web", "1")]);
    tree.push(("README.md".to_owned(), "hello".to_owned()));
    world.cloud.take_observations();
    world.push(&files(&tree)).await;
    assert_eq!(world.take_events(), ["revision.accepted"]);
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn drift_is_told_healed_and_told_as_resolved() {
    let world = at_rest().await;
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    assert_eq!(world.take_events(), ["drift.detected web", "plan.made web", "step.applied web", "drift.resolved web"]);
    assert_eq!(world.cloud.service("web").unwrap()["desiredCount"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_only_reports_writes_nothing() {
    let world = at_rest().await;
    let mut tree = tree(&[application("web", "1")]);
    tree[1].1 = "[policy]\nheal = \"report\"\n".to_owned();
    world.push(&files(&tree)).await;
    world.take_events();
    world.cloud.take_calls();
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(300).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.take_events(), ["drift.detected web", "hold.started web"]);
    assert_eq!(world.standing("web").0, Sync::OutOfSync);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_only_reports_writes_nothing() {
    let mut world = World::with(FakeCloud::new(), FakeSource::new(), |options| options.report_only = true);
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.pass(300).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web"), (Sync::OutOfSync, Health::Missing, Vec::new()));
    assert_eq!(world.take_events(), ["daemon.started", "revision.accepted", "plan.made web"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_document_keeps_the_last_valid_one_and_others_follow() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    world.settle().await;
    world.cloud.take_calls();
    world.take_events();

    let mut broken = tree(&[application("api", "2"), application("web", "2")]);
    let at = broken.iter().position(|(path, _)| path == "web/service.toml").unwrap();
    broken[at].1 = "serviceName = \"web\"\ndesired_count = 1\n".to_owned();
    world.push(&files(&broken)).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition api", "UpdateService api", "TagResource api"]);
    assert_eq!(world.standing("web"), (Sync::OutOfSync, Health::Healthy, vec!["InvalidDocument"]));
    assert!(world.prints().contains("web/service.toml:2:1"), "{}", world.prints());

    // What was valid last is still kept true.
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);

    world.push(&files(&tree(&[application("api", "2"), application("web", "2")]))).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_broken_configuration_rejects_the_revision_once_and_the_last_one_stays() {
    let world = at_rest().await;
    let mut broken = tree(&[application("web", "2")]);
    broken[0].1.push_str("nonsense = 1\n");
    world.push(&files(&broken)).await;
    world.pass(300).await;
    assert_eq!(world.take_events(), ["revision.rejected"]);
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_delays_no_other_application_and_is_tried_again_slowly() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    for _ in 0..100 {
        world.cloud.fault(Operation::CreateService, "api", Fault::Refuse(FailureKind::AccessDenied));
    }
    world.settle().await;
    assert_eq!(world.standing("web"), SYNCED);
    assert_eq!(world.standing("api").2, ["AccessDenied"]);
    world.cloud.take_calls();
    world.take_events();
    world.pass(3600).await;
    let tries = world.cloud.take_calls();
    assert!((10..=20).contains(&tries.len()), "every five minutes: {tries:?}");
    assert!(tries.iter().all(|call| call == "CreateService api"), "{tries:?}");
    assert!(world.take_events().iter().all(|event| event == "step.failed api"), "the hold was reported before");

    world.cloud.heal();
    world.pass(400).await;
    assert_eq!(world.standing("api"), SYNCED);
    assert_eq!(world.take_events(), ["step.applied api", "hold.ended api"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_commit_is_tried_at_once_though_the_one_before_was_refused() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    for _ in 0..100 {
        world.cloud.fault(Operation::CreateService, "web", Fault::Refuse(FailureKind::Rejected));
    }
    world.settle().await;
    world.pass(300).await;
    world.cloud.heal();
    world.cloud.take_calls();
    world.source.commit(&files(&tree(&[application("web", "2")])));
    world.engine.trigger().commit();
    world.pass(1).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "CreateService web"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_delays_no_other_application() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    world.cloud.hang("api");
    world.settle().await;
    assert_eq!(world.standing("web"), SYNCED);
    world.cloud.take_calls();
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    world.cloud.release();
    world.pass(30).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition api", "CreateService api"]);
    assert_eq!(world.standing("api"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn another_account_is_not_written_to_and_the_right_one_ends_that() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.answer_as(Some("999999999999"));
    world.settle().await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web"), (Sync::Unknown, Health::Unknown, vec!["AccountMismatch"]));
    world.cloud.answer_as(None);
    world.pass(90).await;
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn without_git_the_last_good_state_is_kept_true() {
    let world = at_rest().await;
    world.source.set_dead(true);
    world.pass(120).await;
    assert_eq!(world.take_events(), ["source.failed"]);
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["UpdateService web"]);
    world.take_events();
    world.source.set_dead(false);
    world.pass(60).await;
    assert_eq!(world.take_events(), ["source.recovered"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_without_git_begins_with_what_was_accepted_last() {
    let mut world = at_rest().await;
    world.stop().await;
    world.source.set_dead(true);
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    let mut next = World::with(world.cloud.clone(), world.source.restarted(), |_| {});
    next.settle().await;
    assert_eq!(next.cloud.take_calls(), ["UpdateService web"]);
}

#[tokio::test(start_paused = true)]
async fn a_cold_start_without_git_writes_nothing_and_is_not_ready() {
    let mut world = World::new();
    world.source.set_dead(true);
    world.settle().await;
    world.pass(300).await;
    assert!(!world.engine.status().is_ready());
    assert_eq!(world.cloud.take_observations().len(), 0);
    assert_eq!(world.take_events(), ["daemon.started", "source.failed"]);
}

#[tokio::test(start_paused = true)]
async fn the_board_says_when_an_environment_was_looked_at_whatever_came_of_it() {
    let mut world = World::new();
    assert!(world.engine.status().environments.is_empty());
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fail_reads(true);
    world.settle().await;
    let looked_at = |world: &World| {
        let environments = world.engine.status().environments;
        assert_eq!(environments.len(), 1);
        environments.into_values().find_map(|environment| environment.cycled)
    };
    let first = looked_at(&world).expect("reads that fail end a cycle as well");
    world.pass(300).await;
    assert!(looked_at(&world) > Some(first));
}

#[tokio::test(start_paused = true)]
async fn after_the_shutdown_is_requested_no_call_begins_and_the_one_under_way_finishes() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.hang("web");
    world.start();
    world.pass(10).await;
    let shutdown = world.engine.shutdown();
    shutdown.request();
    world.pass(5).await;
    assert!(world.cloud.is_stopped(), "calls that wait for their turn must not be sent any more");
    world.cloud.release();
    let took = world.stop().await;
    assert!(took < Duration::from_millis(250), "{took:?}");
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web"], "the first call finished, no second began");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_does_not_hold_the_shutdown_up() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.hang("web");
    world.start();
    world.pass(10).await;
    let took = world.stop().await;
    assert!(took < Duration::from_secs(25), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_was_lost_is_read_back_and_not_repeated() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fault(Operation::CreateService, "web", Fault::LoseAnswer);
    world.settle().await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "CreateService web"]);
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_was_lost_is_not_repeated_while_reads_show_the_time_before_it() {
    let world = at_rest().await;
    world.cloud.fault(Operation::UpdateService, "web", Fault::LoseAnswer);
    world.cloud.show_stale(3);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_registration_whose_answer_was_lost_is_found_and_not_repeated() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fault(Operation::RegisterTaskDefinition, "web", Fault::LoseAnswer);
    world.settle().await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "CreateService web"]);
    assert_eq!(world.cloud.task_definitions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_lost_on_the_way_is_made_again() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fault(Operation::CreateService, "web", Fault::LoseRequest);
    world.settle().await;
    world.pass(180).await;
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_shows_the_time_before_an_own_write_makes_no_second_one() {
    let world = at_rest().await;
    world.cloud.show_stale(3);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
    assert_eq!(world.standing("web"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn failed_reads_lead_to_no_write() {
    let world = at_rest().await;
    world.cloud.fail_reads(true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.pass(120).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert_eq!(world.standing("web").0, Sync::Unknown);
    world.cloud.fail_reads(false);
    world.pass(90).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition web", "UpdateService web", "TagResource web"]);
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_comes_during_a_pass_is_not_lost() {
    let world = at_rest().await;
    world.cloud.hang("web");
    world.source.commit(&files(&tree(&[application("web", "2")])));
    world.engine.trigger().commit();
    world.pass(1).await;
    // The registration for the second commit hangs; the third comes.
    world.source.commit(&files(&tree(&[application("web", "3")])));
    world.engine.trigger().commit();
    world.pass(1).await;
    world.cloud.release();
    world.pass(1).await;
    assert_eq!(
        world.cloud.take_calls(),
        ["RegisterTaskDefinition web", "RegisterTaskDefinition web", "UpdateService web", "TagResource web"],
        "the second commit is pre-empted before it is deployed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_watched_every_few_seconds_and_only_where_it_runs() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    world.settle().await;
    world.take_events();
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("api", "1"), application("web", "2")]))).await;
    assert_eq!(world.standing("web").1, Health::Progressing);
    world.cloud.take_observations();
    world.pass(20).await;
    let mut watched = world.cloud.take_observations();
    // The record of service deployments is read besides, and less often.
    watched.retain(|wanted| wanted.service_deployments.is_empty());
    assert!((3..=6).contains(&watched.len()), "{}", watched.len());
    let services = |wanted: &trueup_ports::ObserveRequest| wanted.services.len();
    assert!(watched.iter().filter(|wanted| services(wanted) == 2).count() <= 1, "the rest is read once a minute");
    world.cloud.finish_rollouts();
    world.pass(10).await;
    assert_eq!(world.standing("web"), SYNCED);
    assert_eq!(
        world.take_events(),
        [
            "revision.accepted",
            "plan.made web",
            "step.applied web",
            "step.applied web",
            "rollout.started web",
            "step.applied web",
            "rollout.completed web"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn dependents_wait_until_what_they_need_is_synced_and_healthy() {
    let mut world = World::new();
    let mut tree = tree(&[application("api", "1"), application("shared", "1")]);
    tree[1].1 = "depends_on = [\"shared\"]\n".to_owned();
    world.source.commit(&files(&tree));
    world.cloud.keep_rolling(true);
    world.settle().await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition shared", "CreateService shared"]);
    assert!(world.standing("api").2.contains(&"WaitsFor"));
    world.cloud.finish_rollouts();
    world.pass(30).await;
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition api", "CreateService api"]);
    assert_eq!(world.standing("api"), SYNCED);
}

#[tokio::test(start_paused = true)]
async fn environment_values_are_never_told() {
    let world = at_rest().await;
    let mut tree = tree(&[application("web", "1")]);
    tree[3].1 = tree[3].1.replace("hunter2", "hunter3");
    world.push(&files(&tree)).await;
    let prints = world.prints();
    assert!(prints.contains("step.applied") && prints.contains("redacted"), "{prints}");
    assert!(!prints.contains("hunter"), "{prints}");
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_does_not_answer_delays_no_other() {
    let mut world = World::new();
    let mut tree = tree(&[application("web", "1")]);
    tree[0]
        .1
        .push_str("[environments.staging]\naccount = \"123456789012\"\nregion = \"eu-west-1\"\ncluster = \"main\"\n");
    world.cloud.hang_reads("staging");
    world.source.commit(&files(&tree));
    world.settle().await;
    assert_eq!(world.standing("web"), SYNCED);
    assert!(world.stop().await < Duration::from_millis(250), "a read is not waited for");
}

#[tokio::test(start_paused = true)]
async fn drift_is_healed_beside_a_pending_change_that_is_only_reported() {
    let world = at_rest().await;
    let mut tree = tree(&[application("web", "2")]);
    tree[1].1 = "[policy]\nfollow = \"report\"\n".to_owned();
    world.push(&files(&tree)).await;
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    assert!(world.standing("web").2.contains(&"ReportOnly"), "{:?}", world.standing("web"));
    world.cloud.change_service("web", |service| service["desiredCount"] = 3.into());
    world.pass(90).await;
    // What was applied last is read from git by the tag, so that the two are distinguished.
    assert_eq!(world.cloud.service("web").expect("it exists")["desiredCount"], 1);
    assert_eq!(world.cloud.task_definitions(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_git_no_longer_has_is_not_looked_at_without_a_pause() {
    let world = at_rest().await;
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    // It was due again in a few seconds, and no cycle includes it. A loop that does not pause stops the paused
    // clock: this test would then never end.
    let tree: Vec<_> = tree(&[application("web", "2")])
        .into_iter()
        .map(|(path, text)| (path, text.replace("[environments.production]", "[environments.other]")))
        .collect();
    world.push(&files(&tree)).await;
    world.cloud.take_calls();
    world.pass(600).await;
    assert!(world.cloud.take_calls().is_empty(), "what belongs to the environment that is gone is not touched");
}
