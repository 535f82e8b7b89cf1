//! Following a branch: heads, how they move, what survives.

use trueup_git::{Config, Repository};
use trueup_ports::{Movement, Source as _};

use crate::world::{World, files_below, revision, tree};

#[tokio::test]
async fn a_branch_is_followed_in_bare_repositories_work_trees_and_file_urls() {
    for bare in [true, false] {
        let world = World::with(bare, 60);
        let first = world.push(&[("desired-state/trueup.toml", "applications = [\"*\"]\n")]);
        for url in [world.path().display().to_string(), format!("file://{}", world.path().display())] {
            let source = Repository::open(Config { url, ..world.config() }).unwrap();
            let head = source.poll().await.unwrap();
            assert_eq!((&head.revision, head.movement), (&first, Movement::First), "bare: {bare}");
            let snapshot = source.snapshot(&first).await.unwrap();
            assert_eq!(snapshot.files.keys().collect::<Vec<_>>(), ["trueup.toml"]);
            assert_eq!(&*snapshot.files["trueup.toml"], b"applications = [\"*\"]\n");
        }
    }
}

#[tokio::test]
async fn every_movement_of_a_head_is_told() {
    let world = World::new();
    let a = world.commit(&[], &tree(&[("a.toml", "1")]), "a");
    let b = world.commit(&[a], &tree(&[("a.toml", "2")]), "b");
    let c = world.commit(&[b], &tree(&[("a.toml", "3")]), "c");
    let other = world.commit(&[a], &tree(&[("a.toml", "4")]), "other");
    let unrelated = world.commit(&[], &tree(&[("a.toml", "5")]), "unrelated");
    let source = world.reader();
    let table = [
        (a, Movement::First),
        (a, Movement::Still),
        (c, Movement::Forward),
        (other, Movement::Rewritten),
        (unrelated, Movement::Rewritten),
        (unrelated, Movement::Still),
        (a, Movement::Rewritten),
        (b, Movement::Forward),
    ];
    for (head, expected) in table {
        world.set("main", head);
        let polled = source.poll().await.unwrap();
        assert_eq!((polled.revision, polled.movement), (revision(head), expected));
        source.snapshot(&revision(head)).await.unwrap();
    }
    // Whatever was a head, or led to one, stays known; what merely exists in the remote does not.
    for id in [a, b, c, other, unrelated] {
        assert!(source.knows(&revision(id)).await, "{id}");
    }
    let elsewhere = world.commit(&[b], &tree(&[]), "elsewhere");
    assert!(!source.knows(&revision(elsewhere)).await);
    // Ancestry, whatever was a head when.
    for (head, id, expected) in
        [(b, b, true), (b, a, true), (a, b, false), (b, unrelated, false), (b, elsewhere, false), (elsewhere, b, false)]
    {
        assert_eq!(source.contains(&revision(head), &revision(id)).await, expected, "{head} {id}");
    }
    assert!(!source.knows(&trueup_core::names::Revision::new("not a commit")).await);
}

#[tokio::test]
async fn a_branch_that_was_rewritten_while_nobody_looked_is_told_at_the_next_start() {
    let world = World::new();
    let a = world.push(&[("a.toml", "1")]);
    world.reader().poll().await.unwrap();
    let b = world.push(&[("a.toml", "2")]);
    let restarted = world.reader().poll().await.unwrap();
    assert_eq!((restarted.revision, restarted.movement), (b.clone(), Movement::First));
    let other = world.commit(&[], &tree(&[("a.toml", "3")]), "other");
    world.set("main", other);
    let source = world.reader();
    assert_eq!(source.poll().await.unwrap().movement, Movement::Rewritten);
    assert!(source.knows(&a).await && source.knows(&b).await);
}

#[tokio::test]
async fn a_poll_writes_nothing_when_the_head_has_not_moved() {
    let world = World::new();
    world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    let stamps = || {
        let stamp = |path: &std::path::PathBuf| (path.clone(), path.metadata().unwrap().modified().unwrap());
        files_below(&world.cache()).iter().map(stamp).collect::<Vec<_>>()
    };
    let before = stamps();
    assert!(before.iter().any(|(path, _)| path.extension().is_some_and(|extension| extension == "pack")));
    for _ in 0..3 {
        assert_eq!(source.poll().await.unwrap().movement, Movement::Still);
    }
    assert_eq!(stamps(), before);
}

#[tokio::test]
async fn the_accepted_revision_survives_a_dead_remote_and_a_restart() {
    let world = World::new();
    let good = world.push(&[("trueup.toml", "good"), ("shop/app.toml", "")]);
    let source = world.reader();
    assert_eq!(source.accepted().await, None);
    source.poll().await.unwrap();
    source.accept(&good).await.unwrap();
    world.push(&[("trueup.toml", "bad")]);
    source.poll().await.unwrap();
    world.take_down(true);
    for source in [source, world.reader()] {
        let error = source.poll().await.unwrap_err();
        assert!(error.transient && error.message.contains("no git repository at"), "{error:?}");
        assert_eq!(source.accepted().await, Some(good.clone()));
        let snapshot = source.snapshot(&good).await.unwrap();
        assert_eq!(&*snapshot.files["trueup.toml"], b"good");
        assert_eq!(snapshot.application_revisions.len(), 1);
        assert!(source.knows(&good).await);
    }
    world.take_down(false);
    assert_eq!(world.reader().poll().await.unwrap().movement, Movement::First);
}

#[tokio::test]
async fn an_accepted_revision_stays_readable_after_the_branch_was_rewritten() {
    let world = World::new();
    let good = world.push(&[("trueup.toml", "good")]);
    let source = world.reader();
    source.poll().await.unwrap();
    source.accept(&good).await.unwrap();
    let other = revision(world.commit(&[], &tree(&[("trueup.toml", "other")]), "other"));
    world.set("main", git2::Oid::from_str(other.as_str()).unwrap());
    source.poll().await.unwrap();
    assert_eq!(source.accepted().await, Some(good.clone()));
    assert_eq!(&*source.snapshot(&good).await.unwrap().files["trueup.toml"], b"good");
    source.accept(&other).await.unwrap();
    assert_eq!(world.reader().accepted().await, Some(other));
    assert!(source.knows(&good).await);
}

#[tokio::test]
async fn a_revision_that_is_not_here_cannot_be_accepted_or_read() {
    let world = World::new();
    let known = world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    for absent in ["0123456789012345678901234567890123456789", "main", ""] {
        let absent = trueup_core::names::Revision::new(absent);
        let error = source.accept(&absent).await.unwrap_err();
        assert!(error.message.contains("has no commit") && !error.transient, "{error:?}");
        source.snapshot(&absent).await.unwrap_err();
    }
    source.accept(&known).await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_said_with_a_hint() {
    let world = World::new();
    let source = world.reader();
    let empty = source.poll().await.unwrap_err();
    assert!(empty.message.contains("no branches yet") && empty.transient, "{empty:?}");
    assert!(empty.hint.unwrap().contains("branch `main`"));

    let id = world.commit(&[], &tree(&[("a.toml", "1")]), "a");
    world.set("trunk", id);
    let missing = source.poll().await.unwrap_err();
    assert!(missing.message.contains("no branch `main`") && !missing.transient, "{missing:?}");
    assert!(missing.hint.unwrap().contains("there are: trunk"));

    world.set("main", id);
    source.poll().await.unwrap();
    world.git.find_reference("refs/heads/main").unwrap().delete().unwrap();
    let deleted = source.poll().await.unwrap_err();
    assert!(deleted.message.contains("no branch `main`"), "{deleted:?}");
    source.snapshot(&revision(id)).await.unwrap();
}

#[tokio::test]
async fn a_repository_may_appear_later() {
    let world = World::new();
    world.take_down(true);
    let source = world.reader();
    assert!(source.poll().await.unwrap_err().transient);
    assert_eq!(source.accepted().await, None);
    world.take_down(false);
    let first = world.push(&[("a.toml", "1")]);
    assert_eq!(source.poll().await.unwrap().revision, first);
}

#[tokio::test]
async fn a_commit_of_the_branch_is_found_where_nothing_was_fetched_yet() {
    let world = World::new();
    let first = world.push(&[("a.toml", "1")]);
    let second = world.push(&[("a.toml", "2")]);
    for (text, expected) in [(first.as_str(), &first), (&second.as_str()[..7], &second), ("main", &second)] {
        std::fs::remove_dir_all(world.cache()).ok();
        assert_eq!(world.reader().find(text).await.as_ref(), Ok(expected), "{text}");
    }
}

#[tokio::test]
async fn a_revision_is_found_by_digits_branch_and_tag() {
    let world = World::new();
    let first = world.push(&[("a.toml", "1")]);
    let second = world.push(&[("a.toml", "2")]);
    let side = world.commit(&[git2::Oid::from_str(first.as_str()).unwrap()], &tree(&[("a.toml", "3")]), "side");
    let object = world.git.find_object(side, None).unwrap();
    let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    world.git.tag("v1", &object, &who, "annotated", false).unwrap();
    world.git.tag_lightweight("v0", &world.git.revparse_single(first.as_str()).unwrap(), false).unwrap();
    world.set("feature/x", side);
    let source = world.reader();
    source.poll().await.unwrap();
    let table = [
        ("main", Some(&second)),
        (first.as_str(), Some(&first)),
        (&first.as_str()[..7], Some(&first)),
        (&second.as_str()[..12], Some(&second)),
        ("v0", Some(&first)),
        (&first.as_str()[..6], None),
        ("nothing", None),
        ("0123456789012345678901234567890123456789", None),
        ("refs/heads/*", None),
        ("*", None),
        ("", None),
        ("v1^{}", None),
    ];
    for (text, expected) in table {
        assert_eq!(source.find(text).await.ok().as_ref(), expected, "{text}");
    }
    // A commit of another branch is not found by its digits before its tag or branch was asked for.
    assert!(source.find(&side.to_string()).await.is_err());
    for text in ["v1", "feature/x", &side.to_string()] {
        assert_eq!(source.find(text).await.unwrap(), revision(side), "{text}");
    }
    source.snapshot(&revision(side)).await.unwrap();
}

#[tokio::test]
async fn the_subject_and_the_time_of_a_commit_are_fit_to_show() {
    let world = World::new();
    let table = [
        ("shop: more memory\n\nBecause.", "shop: more memory"),
        ("\n\n  late \u{1b}[31mred\u{7}\n", "late \u{fffd}[31mred\u{fffd}"),
        ("a\u{202e}b\u{9b}c\u{2066}d\u{61c}", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}"),
        ("", ""),
    ];
    for (message, expected) in table {
        let id = world.commit(&[], &tree(&[("a.toml", "1")]), message);
        world.set("main", id);
        let source = world.reader();
        source.poll().await.unwrap();
        let snapshot = source.snapshot(&revision(id)).await.unwrap();
        assert_eq!(snapshot.subject, expected);
        assert_eq!(snapshot.committed.as_second(), world.git.find_commit(id).unwrap().time().seconds());
    }
}
