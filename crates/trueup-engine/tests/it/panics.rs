//! A panic is reported without its message: a message that is formatted at run time may contain a value.

use crate::logs::Logs;
use crate::world::{World, application, files, tree};

/// A part of a panic's message.
const CANARY: &str = "canary-2e71-of-a-panic";

/// All events and logs, which do not contain the canary.
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
    let output = harmless(&world, &logs);
    assert!(output.contains("An apply pass failed.") && output.contains("it panicked"), "{output}");
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
    let output = harmless(&world, &logs);
    assert!(output.contains("A read in the background failed.") && output.contains("it panicked"), "{output}");
}
