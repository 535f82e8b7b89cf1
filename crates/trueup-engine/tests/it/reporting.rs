//! Events when one cause holds many applications, and after a restart of the process.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use trueup_ports::Notebook;

use crate::cloud::FakeCloud;
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

/// A notebook in memory; clones share it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Option<String>>>);

#[async_trait]
impl Notebook for Memory {
    async fn read(&self) -> Option<String> {
        self.0.lock().expect("no test panics while it holds the lock").clone()
    }

    async fn write(&self, text: String) {
        *self.0.lock().expect("no test panics while it holds the lock") = Some(text);
    }
}

fn begin(cloud: FakeCloud, source: FakeSource, notebook: &Memory) -> World {
    World::with(cloud, source, |options| options.notebook = Some(Arc::new(notebook.clone())))
}

/// Three applications at rest.
async fn three(notebook: &Memory) -> World {
    let mut world = begin(FakeCloud::new(), FakeSource::new(), notebook);
    world.source.commit(&files(&tree(&[application("a", "1"), application("b", "1"), application("c", "1")])));
    world.settle().await;
    world.pass(120).await;
    world.take_events();
    world
}

/// The process ends and another one begins, after something happened.
async fn restarted(mut world: World, notebook: &Memory, meanwhile: impl FnOnce(&World)) -> World {
    world.stop().await;
    meanwhile(&world);
    let mut next = begin(world.cloud.clone(), world.source.restarted(), notebook);
    next.settle().await;
    next.pass(120).await;
    next
}

#[tokio::test(start_paused = true)]
async fn a_wrong_account_is_told_once_for_the_environment_and_once_when_it_ends() {
    let world = three(&Memory::default()).await;
    world.cloud.answer_as(Some("210987654321"));
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.started"]);
    world.cloud.answer_as(None);
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.ended"]);
}

#[tokio::test(start_paused = true)]
async fn reads_that_fail_for_all_are_one_message() {
    let world = three(&Memory::default()).await;
    world.cloud.fail_reads(true);
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.started"]);
    world.cloud.fail_reads(false);
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_process_tells_nothing_again_that_the_one_before_it_told() {
    let notebook = Memory::default();
    let world = three(&notebook).await;
    world.cloud.answer_as(Some("210987654321"));
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.started"]);
    let world = restarted(world, &notebook, |_| {}).await;
    assert_eq!(world.take_events(), ["daemon.started", "revision.accepted"]);
    world.cloud.answer_as(None);
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.ended"]);
}

#[tokio::test(start_paused = true)]
async fn what_ended_while_no_process_was_there_is_told_as_ended() {
    let notebook = Memory::default();
    let world = three(&notebook).await;
    let mut broken = application("b", "1");
    broken[1].1 = "serviceName = 1".to_owned();
    world.push(&files(&tree(&[application("a", "1"), broken, application("c", "1")]))).await;
    assert_eq!(world.take_events(), ["revision.accepted", "hold.started b"]);
    let world = restarted(world, &notebook, |world| {
        world.source.commit(&files(&tree(&[application("a", "1"), application("b", "1"), application("c", "1")])));
    })
    .await;
    let events = world.take_events();
    assert!(events.contains(&"hold.ended b".to_owned()), "{events:?}");
    assert!(!events.iter().any(|event| event.starts_with("hold.started")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_ends_while_no_process_is_there_is_told_by_the_next_one() {
    let notebook = Memory::default();
    let world = three(&notebook).await;
    world.cloud.keep_rolling(true);
    world.push(&files(&tree(&[application("a", "2"), application("b", "1"), application("c", "1")]))).await;
    assert!(world.take_events().contains(&"rollout.started a".to_owned()));
    let world = restarted(world, &notebook, |world| world.cloud.finish_rollouts()).await;
    assert_eq!(world.take_events(), ["daemon.started", "revision.accepted", "rollout.completed a"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_notebook_what_lasts_is_told_once_more() {
    let world = three(&Memory::default()).await;
    world.cloud.answer_as(Some("210987654321"));
    world.pass(600).await;
    world.take_events();
    let world = restarted(world, &Memory::default(), |_| {}).await;
    assert_eq!(world.take_events(), ["daemon.started", "revision.accepted", "hold.started"]);
}

#[tokio::test(start_paused = true)]
async fn a_notebook_that_holds_something_else_is_as_none() {
    let notebook = Memory(Arc::new(Mutex::new(Some("{\"version\":1,\"applications\":[[]]}".to_owned()))));
    let world = three(&notebook).await;
    world.cloud.answer_as(Some("210987654321"));
    world.pass(600).await;
    assert_eq!(world.take_events(), ["hold.started"]);
}
