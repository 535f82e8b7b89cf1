//! What is not read, by name.

use trueup_git::{Bounds, Config, Repository};
use trueup_ports::{Snapshot, Source as _, SourceError};

use crate::world::{FILE, SUBMODULE, SYMLINK, Tree, World, tree};

async fn read(world: &World, config: Config) -> Result<Snapshot, SourceError> {
    let source = Repository::open(config)?;
    let head = source.poll().await?;
    let read = source.snapshot(&head.revision).await;
    // A refusal is no damage: the store stays as it is.
    assert!(source.poll().await.is_ok() && world.cache_entry().join("repo.git").is_dir());
    read
}

#[tokio::test]
async fn everything_that_leaves_the_tree_is_refused_by_name_and_at_once() {
    let world = World::new();
    let mut files = tree(&[("shop/app.toml", "")]);
    files.insert("shop/secret.toml".into(), (SYMLINK, b"/etc/passwd".to_vec()));
    files.insert("library".into(), (SUBMODULE, Vec::new()));
    for name in ["..", ".git", ".GIT", "back\\slash.toml", "con\u{1b}trol.toml"] {
        files.insert(format!("shop/{name}"), (FILE, Vec::new()));
    }
    files.insert("../up.toml".into(), (FILE, Vec::new()));
    world.push_tree(&files);
    let error = read(&world, world.config()).await.unwrap_err();
    let expected = [
        "`shop/secret.toml` is a symlink",
        "`library` is a submodule",
        "`..` leaves the tree",
        "`shop/..` leaves the tree",
        "`shop/.git` is a git repository",
        "`shop/.GIT` is a git repository",
        "`shop/back\\slash.toml` has a path for a name",
        "`shop/con\u{fffd}trol.toml` has characters in its name that steer",
    ];
    for part in expected {
        assert!(error.message.contains(part), "no {part} in {}", error.message);
    }
    assert!(!error.transient);
}

#[tokio::test]
async fn a_long_list_of_refusals_is_cut() {
    let world = World::new();
    let files: Tree = (0..30).map(|n| (format!("{n:02}.toml"), (SYMLINK, b"x".to_vec()))).collect();
    world.push_tree(&files);
    let message = read(&world, world.config()).await.unwrap_err().message;
    assert!(message.contains("`19.toml` is a symlink; and 10 more") && !message.contains("`20.toml`"), "{message}");
}

/// The files | what the refusal says.
type Bounded<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);

#[tokio::test]
async fn sizes_counts_and_depths_are_bounded() {
    let bounds =
        Bounds { file_bytes_max: 100, total_bytes_max: 250, entries_max: 6, depth_max: 2, ..Bounds::default() };
    let text = |bytes: usize| "x".repeat(bytes);
    let (ok, big) = (text(100), text(101));
    let table: [Bounded<'_>; 8] = [
        (&[("a.toml", &ok), ("b.json", &ok)], None),
        (&[("a.toml", &big)], Some("`a.toml` has 101 bytes")),
        (&[("a/b.TOML", &big)], Some("`a/b.TOML` has 101 bytes")),
        (&[("photo.png", &big), ("README", &big), ("notes.md", &big)], None),
        (&[("a.toml", &ok), ("b.toml", &ok), ("c.toml", &ok)], Some("300 bytes together")),
        (&[("a/b/c.toml", "")], None),
        (&[("a/b/c/d.toml", "")], Some("`a/b/c` is deeper than 2 directories")),
        (
            &[("a/1", ""), ("a/2", ""), ("a/3", ""), ("a/4", ""), ("a/5", ""), ("a/6", "")],
            Some("more than 6 files and directories"),
        ),
    ];
    for (files, expected) in table {
        let world = World::new();
        world.push(files);
        let read = read(&world, Config { bounds, ..world.config() }).await.map_err(|error| error.message);
        match expected {
            None => assert_eq!(read.unwrap().files.len(), files.len()),
            Some(part) => assert!(read.as_ref().is_err_and(|error| error.contains(part)), "{part}: {read:?}"),
        }
    }
}

#[tokio::test]
async fn files_that_are_no_documents_are_named_and_not_loaded() {
    let world = World::new();
    world.push(&[("README.md", "hello"), ("a/service.json", "{}"), ("a/picture.png", "\u{0}")]);
    let snapshot = read(&world, world.config()).await.unwrap();
    let sizes: Vec<_> = snapshot.files.iter().map(|(path, bytes)| (path.as_str(), bytes.len())).collect();
    assert_eq!(sizes, [("README.md", 0), ("a/picture.png", 0), ("a/service.json", 2)]);
}

#[tokio::test]
async fn a_fetch_that_is_too_large_is_refused_and_the_last_good_stays() {
    let world = World::new();
    let good = world.push(&[("a.toml", "1")]);
    let source = world.reader();
    source.poll().await.unwrap();
    world.push(&[("a.toml", "2"), ("b.toml", "3"), ("c.toml", "4")]);
    let bounds = Bounds { fetch_objects_max: 3, ..Bounds::default() };
    let bounded = Repository::open(Config { bounds, ..world.config() }).unwrap();
    let error = bounded.poll().await.unwrap_err();
    assert!(error.message.contains("more than 3 objects"), "{error:?}");
    bounded.snapshot(&good).await.unwrap();
    source.poll().await.unwrap();
}

#[tokio::test]
async fn desired_state_is_read_from_its_directory() {
    let world = World::new();
    let files = tree(&[
        ("desired-state/trueup.toml", "default"),
        ("trueup.toml", "root"),
        ("deploy/aws/trueup.toml", "nested"),
        ("deploy/file", ""),
    ]);
    let mut with_link = files.clone();
    with_link.insert("link".into(), (SYMLINK, b"deploy".to_vec()));
    world.push_tree(&with_link);
    // `--path` | the trueup.toml that is found, or what the refusal says
    let table = [
        (None, Ok("default")),
        (Some("desired-state"), Ok("default")),
        (Some("deploy/aws"), Ok("nested")),
        (Some("deploy/aws/"), Ok("nested")),
        (Some("."), Err("`link` is a symlink")),
        (Some("nowhere"), Err("no directory `nowhere`")),
        (Some("deploy/nowhere"), Err("no directory `deploy/nowhere`")),
        (Some("deploy/file"), Err("`deploy/file` is a file, not a directory")),
        (Some("link"), Err("`link` is a symlink, not a directory")),
        (Some("link/aws"), Err("`link/aws` is a symlink, not a directory")),
        (Some("../remote"), Err("`../remote` is not a directory in the repository")),
    ];
    for (path, expected) in table {
        let config = Config { path: path.map(str::to_owned), ..world.config() };
        let found = read(&world, config).await.map_err(|error| error.message);
        match expected {
            Ok(content) => assert_eq!(&*found.unwrap().files["trueup.toml"], content.as_bytes(), "{path:?}"),
            Err(part) => assert!(found.as_ref().is_err_and(|error| error.contains(part)), "{path:?}: {found:?}"),
        }
    }
    let missing = Config { path: Some("nowhere".into()), ..world.config() };
    let hint = read(&world, missing).await.unwrap_err().hint.unwrap();
    assert!(hint.contains("`deploy`, `desired-state`"), "{hint}");

    let mut plain = tree(&[("trueup.toml", "root"), ("desired-state", "a file")]);
    world.push_tree(&plain);
    assert_eq!(&*read(&world, world.config()).await.unwrap().files["trueup.toml"], b"root");
    plain.remove("desired-state");
    world.push_tree(&plain);
    assert_eq!(&*read(&world, world.config()).await.unwrap().files["trueup.toml"], b"root");
}

#[tokio::test]
async fn branches_that_could_not_be_are_refused() {
    let world = World::new();
    for branch in ["", "*", "a b", "a..b", "-/", "a:b", "main\n"] {
        let error = Repository::open(Config { branch: branch.into(), ..world.config() }).unwrap_err();
        assert!(error.message.contains("is not the name of a branch"), "{branch}: {error:?}");
    }
}

#[tokio::test]
async fn a_shallow_clone_is_refused() {
    let world = World::with(true, 60);
    let head = world.push(&[("a.toml", "1")]);
    std::fs::write(world.path().join("shallow"), format!("{head}\n")).unwrap();
    let error = world.reader().poll().await.unwrap_err();
    assert!(error.message.contains("shallow clone") && !error.transient, "{error:?}");
}
