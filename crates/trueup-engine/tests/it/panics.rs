//! A defect tells that there was one, and never its message: a message that is made at run time may have a value in it.

use crate::logs::Logs;
use crate::world::{World, application, files, tree};

/// What a panic's message is made of.
const CANARY: &str = "canary-2e71-of-a-panic";

/// What was told and logged, in which there is no canary.
fn harmless(world: &World, logs: &Logs) -> String {
    let all = format!("{}\n{}\n{:?}", logs.text(), world.prints(), world.engine.status().applications);
    assert!(!all.contains(CANARY), "{all}");
    all
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_panics_is_told_without_its_message_and_is_made_again() {
    let (logs, mut world) = (Logs::keep(), World::new());
    world.cloud.panic_with(Some(CANARY));
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    let told = harmless(&world, &logs);
    assert!(told.contains("An apply pass failed.") && told.contains("it panicked"), "{told}");
    world.cloud.panic_with(None);
    world.pass(120).await;
    assert!(world.cloud.service("web").is_some(), "{}", harmless(&world, &logs));
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_panics_is_told_without_its_message() {
    let (logs, mut world) = (Logs::keep(), World::new());
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("web", "2")]))).await;
    world.cloud.panic_with(Some(CANARY));
    world.cloud.fail_tasks("web", 1, "it does not start");
    world.pass(10).await;
    let told = harmless(&world, &logs);
    assert!(told.contains("A read in the background failed.") && told.contains("it panicked"), "{told}");
}
