//! The cache directory: damage, locks, growth.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use trueup_git::{Config, Repository};
use trueup_ports::{Movement, Source as _};

use crate::world::{World, files_below};

fn packs(world: &World) -> Vec<PathBuf> {
    let packs = files_below(&world.cache_entry().join("repo.git/objects/pack"));
    packs.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
}

/// Files in a store are read-only; damage is not.
fn overwrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).expect("was there");
    fs::write(path, bytes).expect("can be written");
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_anew() {
    type Damage = fn(&World);
    let table: [(&str, Damage); 9] = [
        ("nothing", |_| {}),
        ("a truncated pack", |world| {
            let pack = &packs(world)[0];
            let bytes = fs::read(pack).unwrap();
            overwrite(pack, &bytes[..bytes.len() / 2]);
        }),
        ("a pack of zeros", |world| {
            let pack = &packs(world)[0];
            overwrite(pack, &vec![0; fs::read(pack).unwrap().len()]);
        }),
        ("no packs", |world| fs::remove_dir_all(world.cache_entry().join("repo.git/objects/pack")).unwrap()),
        ("no objects", |world| fs::remove_dir_all(world.cache_entry().join("repo.git/objects")).unwrap()),
        ("no HEAD", |world| fs::remove_file(world.cache_entry().join("repo.git/HEAD")).unwrap()),
        ("a broken config", |world| fs::write(world.cache_entry().join("repo.git/config"), "[core\n\0").unwrap()),
        ("a broken ref", |world| fs::write(world.cache_entry().join("repo.git/refs/trueup/head"), "x").unwrap()),
        ("no store", |world| fs::remove_dir_all(world.cache_entry().join("repo.git")).unwrap()),
    ];
    for (what, damage) in table {
        for restart in [true, false] {
            let world = World::new();
            let first = world.push(&[("shop/app.toml", "1")]);
            let source = world.reader();
            source.poll().await.unwrap();
            source.accept(&first).await.unwrap();
            damage(&world);
            let source = if restart { world.reader() } else { source };
            // The head has not moved, and it moves; each may be what finds the damage.
            let mut last = first.clone();
            for content in ["1", "2"] {
                if content == "2" {
                    last = world.push(&[("shop/app.toml", content)]);
                }
                // One read that fails is what it may take to notice.
                if source.snapshot(&last).await.is_err() {
                    assert_eq!(source.poll().await.unwrap().revision, last, "{what}, restart: {restart}");
                }
                let snapshot = source.snapshot(&last).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
                assert_eq!(&*snapshot.files["shop/app.toml"], content.as_bytes(), "{what}, restart: {restart}");
            }
            source.accept(&last).await.unwrap();
            assert_eq!(world.reader().accepted().await, Some(last), "{what}, restart: {restart}");
        }
    }
}

#[tokio::test]
async fn the_accepted_revision_goes_along_when_the_store_is_replaced() {
    let world = World::new();
    let accepted = world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    source.accept(&accepted).await.unwrap();
    let head = world.push(&[("a.toml", "2")]);
    source.poll().await.unwrap();
    for pack in packs(&world) {
        overwrite(&pack, b"damage");
    }
    assert!(source.snapshot(&head).await.unwrap_err().transient);
    assert_eq!(source.poll().await.unwrap().revision, head);
    assert_eq!(source.accepted().await, Some(accepted.clone()));
    source.snapshot(&accepted).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_process_leaves_is_put_right() {
    let world = World::new();
    let head = world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    source.accept(&head).await.unwrap();
    let entry = world.cache_entry();

    // Killed while writing a pack and while writing refs.
    fs::write(entry.join("repo.git/objects/pack/pack_git2_0123456"), "half a pack").unwrap();
    fs::write(entry.join("repo.git/refs/trueup/head.lock"), "").unwrap();
    fs::write(entry.join("repo.git/refs/trueup/accepted.lock"), "").unwrap();
    // Killed while replacing the store: before it was complete.
    fs::create_dir(entry.join("next.git")).unwrap();
    let source = world.reader();
    let next = world.push(&[("a.toml", "2")]);
    source.poll().await.unwrap();
    source.accept(&next).await.unwrap();
    let left = files_below(&entry);
    assert!(!left.iter().any(|path| path.to_string_lossy().contains("pack_git2")), "{left:?}");
    assert!(!entry.join("next.git").exists());

    // Killed between the two renames of a replacement.
    fs::rename(entry.join("repo.git"), entry.join("old.git")).unwrap();
    let source = world.reader();
    assert_eq!(source.accepted().await, Some(next));
    assert!(!entry.join("old.git").exists());
}

#[tokio::test]
async fn packs_do_not_pile_up() {
    let world = World::new();
    let source = world.reader();
    let mut revisions = Vec::new();
    let mut most = 0;
    for n in 0..50 {
        revisions.push(world.push(&[("shop/app.toml", &n.to_string())]));
        source.poll().await.unwrap();
        most = most.max(packs(&world).len());
    }
    assert!(most < 45 && packs(&world).len() < 20, "{most} packs");
    for (n, revision) in revisions.iter().enumerate() {
        let snapshot = source.snapshot(revision).await.unwrap();
        assert_eq!(&*snapshot.files["shop/app.toml"], n.to_string().as_bytes());
    }
}

#[tokio::test]
async fn two_processes_may_share_a_cache() {
    let world = World::new();
    let (one, two) = (world.reader(), world.reader());
    for n in 0..5 {
        let head = world.push(&[("a.toml", &n.to_string())]);
        let expected = if n == 0 { Movement::First } else { Movement::Forward };
        let (first, second) = tokio::join!(one.poll(), two.poll());
        for polled in [first.unwrap(), second.unwrap()] {
            assert_eq!((&polled.revision, polled.movement), (&head, expected));
        }
        one.accept(&head).await.unwrap();
        assert_eq!(two.accepted().await, Some(head));
    }
}

#[tokio::test]
async fn readers_do_not_wait_for_a_fetch() {
    let world = World::new();
    let head = world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    // Another process talks to a server that does not answer.
    let fetching = File::open(world.cache_entry().join("fetch.lock")).unwrap();
    fetching.lock().unwrap();
    let restarted = world.reader();
    restarted.snapshot(&head).await.unwrap();
    restarted.accept(&head).await.unwrap();
    assert_eq!(restarted.accepted().await, Some(head.clone()));
    assert!(restarted.knows(&head).await);
    drop(fetching);
    restarted.poll().await.unwrap();
}

#[tokio::test]
async fn branches_and_repositories_have_caches_of_their_own_which_others_cannot_read() {
    let world = World::new();
    let head = world.push(&[("a.toml", "1")]);
    let id = git2::Oid::from_str(head.as_str()).unwrap();
    world.set("staging", id);
    let main = world.reader();
    let staging = Repository::open(Config { branch: "staging".into(), ..world.config() }).unwrap();
    for source in [&main, &staging] {
        source.poll().await.unwrap();
    }
    main.accept(&head).await.unwrap();
    assert_eq!(staging.accepted().await, None);
    let entries: Vec<_> = fs::read_dir(world.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", entry.display());
    }
}

#[tokio::test]
async fn a_cache_directory_that_cannot_be_is_said_so() {
    let world = World::new();
    let file = world.path().join("config");
    let error = Repository::open(Config { cache_dir: file.clone(), ..world.config() }).unwrap_err();
    assert!(error.message.contains(file.to_str().unwrap()) && error.hint.unwrap().contains("--cache-dir"));
}
