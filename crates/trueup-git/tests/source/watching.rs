//! A push to a repository on this machine is noticed by its files.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trueup_git::{Config, Repository, watch};

use crate::world::{World, tree};

/// How long a change may take to be noticed; it takes milliseconds, and half a minute where watching has to begin anew.
const LIMIT: Duration = Duration::from_mins(1);

/// Somebody who watches.
struct Watching {
    told: UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watching {
    /// Begins, and waits until the files are being watched.
    async fn begin(repository: Repository) -> Self {
        let (tell, told) = unbounded_channel();
        let task = tokio::spawn(async move { watch(&repository, || _ = tell.send(())).await });
        let mut watching = Self { told, task };
        watching.wait().await;
        watching
    }

    async fn wait(&mut self) {
        timeout(LIMIT, self.told.recv()).await.expect("the change is noticed").expect("it watches");
    }

    /// Forgets what was told until now, and what the change before still brings.
    async fn rest(&mut self) {
        while timeout(Duration::from_millis(200), self.told.recv()).await.is_ok() {}
    }
}

#[tokio::test]
async fn every_way_in_which_a_branch_moves_is_noticed() {
    for bare in [true, false] {
        let world = World::with(bare, 60);
        let first = world.commit(&[], &tree(&[("a", "1")]), "first");
        world.set("main", first);
        let mut watching = Watching::begin(world.reader()).await;

        let second = world.commit(&[first], &tree(&[("a", "2")]), "second");
        watching.rest().await;
        world.set("main", second);
        watching.wait().await;

        // A name with a directory that was not there when watching began, and then once more in it.
        for id in [first, second] {
            watching.rest().await;
            world.set("team/next", id);
            watching.wait().await;
        }

        // `git pack-refs`: the file is written beside and moved into place.
        watching.rest().await;
        let common = world.git.commondir().to_owned();
        std::fs::write(common.join("packed-refs.lock"), format!("{first} refs/heads/main\n")).unwrap();
        std::fs::rename(common.join("packed-refs.lock"), common.join("packed-refs")).unwrap();
        watching.wait().await;

        watching.rest().await;
        world.git.find_reference("refs/heads/main").unwrap().delete().unwrap();
        watching.wait().await;
    }
}

#[tokio::test]
async fn reading_and_what_is_no_branch_is_not_told() {
    let world = World::new();
    let first = world.commit(&[], &tree(&[("a", "1")]), "first");
    world.set("main", first);
    let reader = world.reader();
    let mut watching = Watching::begin(reader.clone()).await;
    watching.rest().await;
    trueup_ports::Source::poll(&reader).await.expect("it can be read");
    world.commit(&[first], &tree(&[("a", "2")]), "objects alone");
    std::fs::write(world.path().join("FETCH_HEAD"), "").unwrap();
    let told = timeout(Duration::from_millis(500), watching.told.recv()).await;
    assert!(told.is_err(), "whoever is told polls, and polling is reading");
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_is_not_there_yet_is_watched_once_it_is() {
    let world = World::new();
    world.push(&[("a", "1")]);
    world.take_down(true);
    let (tell, mut told) = unbounded_channel();
    let reader = world.reader();
    let task = tokio::spawn(async move { watch(&reader, || _ = tell.send(())).await });
    let nothing = timeout(Duration::from_mins(10), told.recv()).await;
    assert!(nothing.is_err(), "there is nothing to watch");
    world.take_down(false);
    timeout(Duration::from_mins(2), told.recv()).await.expect("it is found within half a minute");
    task.abort();
}

#[tokio::test]
async fn another_repository_under_the_same_name_is_watched_instead() {
    let (world, other) = (World::new(), World::new());
    world.push(&[("a", "1")]);
    other.push(&[("a", "2")]);
    let mut watching = Watching::begin(world.reader()).await;
    watching.rest().await;
    std::fs::rename(world.path(), world.path().with_extension("old")).unwrap();
    std::fs::rename(other.path(), world.path()).unwrap();
    // Once for what happened, and once because watching begins anew.
    watching.wait().await;
    watching.wait().await;
    watching.rest().await;
    let moved = git2::Repository::open(world.path()).unwrap();
    let head = moved.refname_to_id("refs/heads/main").unwrap();
    moved.reference("refs/heads/next", head, true, "push").unwrap();
    watching.wait().await;
}

#[tokio::test]
async fn a_repository_elsewhere_is_not_watched() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = Config::new("https://git.example.com/state", "main", directory.path());
    let repository = Repository::open(elsewhere).unwrap();
    timeout(LIMIT, watch(&repository, || panic!("there is nothing to tell"))).await.expect("it ends at once");
}
