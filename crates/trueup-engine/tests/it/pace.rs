//! Who waits for whom: applications for each other, and what a disturbance leaves behind.

use std::fmt::Write as _;
use std::time::Duration;

use trueup_core::plan::Sync;
use trueup_ports::Priority;

use crate::world::{World, application, files, tree};

/// An application that takes this many steps before its service.
fn with_target_groups(name: &str, count: usize) -> Vec<(String, String)> {
    let mut application = application(name, "1");
    application.extend((0..count).map(|n| {
        let group = format!(
            "Name = \"{name}-{n}\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\nTargetType = \"ip\"\n"
        );
        (format!("{name}/target-groups/g{n}.toml"), group)
    }));
    application
}

#[tokio::test(start_paused = true)]
async fn applications_with_many_steps_take_turns_with_one_that_has_few() {
    let mut world = World::new();
    world.cloud.delay(Duration::from_secs(1));
    // More of them than the most calls at a time, and all before the last one in the alphabet.
    let mut applications: Vec<_> = (0..20).map(|n| with_target_groups(&format!("many-{n:02}"), 30)).collect();
    applications.push(application("web", "1"));
    world.source.commit(&files(&tree(&applications)));
    world.settle().await;
    let calls = world.cloud.take_calls();
    let at = calls.iter().position(|call| call == "CreateService web");
    assert!(at.is_some_and(|at| at < 3 * 21), "its second of two steps comes within three rounds: {at:?} of {calls:?}");
    world.pass(60).await;
    assert_eq!(world.plan("many-19").sync, Sync::Synced, "{:?}", world.plan("many-19").held);
}

#[tokio::test(start_paused = true)]
async fn looks_are_as_urgent_as_what_they_are_for() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    world.settle().await;
    world.pass(90).await;
    let priorities = |world: &World, services: usize| {
        let seen = world.cloud.take_observations();
        seen.iter().filter(|wanted| wanted.services.len() == services).map(|wanted| wanted.priority).collect::<Vec<_>>()
    };
    priorities(&world, 2);
    world.pass(60).await;
    assert_eq!(priorities(&world, 2), [Priority::Rest], "a steady full cycle");

    world.cloud.keep_rolling(true);
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "2")])));
    world.engine.trigger().commit();
    world.pass(16).await;
    let seen = priorities(&world, 1);
    assert_eq!(
        seen[..4],
        [Priority::Deploy, Priority::Safety, Priority::Safety, Priority::Rollout],
        "a new commit, what became of it, and its rollout: {seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_blackout_applications_do_not_all_ask_at_once_and_again() {
    let mut world = World::new();
    let applications: Vec<_> = (0..200).map(|n| application(&format!("a{n:03}"), "1")).collect();
    world.source.commit(&files(&tree(&applications)));
    world.settle().await;
    world.pass(120).await;
    world.cloud.fail_reads(true);
    world.pass(600).await;
    let during: usize = world.cloud.take_observations().iter().map(|wanted| wanted.services.len().div_ceil(10)).sum();
    // Ten steady full cycles are 200 calls.
    assert!(during < 800, "{during} calls in ten minutes without an answer");
    world.cloud.fail_reads(false);
    let mut calls = Vec::new();
    for _ in 0..120 {
        world.pass(1).await;
        let seen = world.cloud.take_observations();
        calls.push(seen.iter().map(|wanted| wanted.services.len().div_ceil(10)).sum::<usize>());
    }
    assert!(calls.iter().all(|calls| *calls <= 25), "in one second not more than a full cycle: {calls:?}");
    assert!(calls.iter().sum::<usize>() < 150, "{calls:?}");
    assert_eq!(world.plan("a199").sync, Sync::Synced);
    let mut line = String::new();
    for call in world.cloud.take_calls().iter().skip(400) {
        let _ = writeln!(line, "{call}");
    }
    assert_eq!(line, "", "nothing is written because of it");
}

#[tokio::test(start_paused = true)]
async fn an_application_at_rest_is_looked_at_and_wakes_with_every_change() {
    let mut world = World::new();
    world.source.commit(&files(&tree(&[application("api", "1"), application("web", "1")])));
    world.settle().await;
    world.pass(300).await;
    world.cloud.take_calls();
    let observed = |world: &World| world.engine.status().applications.values().map(|s| s.observed).max();
    let before = observed(&world);
    world.pass(120).await;
    assert!(observed(&world) > before, "it is observed");
    for count in [2, 3] {
        world.cloud.change_service("web", |service| service["desiredCount"] = count.into());
        world.pass(120).await;
        assert_eq!(world.cloud.take_calls(), ["UpdateService web"], "{count}");
    }
    // The same again, after a disturbance in which nothing could be read.
    world.cloud.fail_reads(true);
    world.pass(120).await;
    assert_eq!(world.plan("web").sync, Sync::Unknown);
    world.cloud.fail_reads(false);
    world.pass(300).await;
    assert_eq!(world.plan("web").sync, Sync::Synced);
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
}
