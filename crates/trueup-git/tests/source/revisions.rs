//! An application's revision: the last commit that changed its files, or `trueup.toml`.

use std::collections::BTreeMap;

use git2::Oid;
use trueup_git::{Bounds, Config, Repository};
use trueup_ports::{Snapshot, Source as _};

use crate::world::{FILE, Tree, World, revision};

/// Plays a history. A row is `NAME PARENT… : CHANGE…`, and after `=>` the applications with the commit that changed each
/// last. Changes are against the first parent's files: `path=content`, `-path` and `from>to` for a renamed directory.
///
/// Commit times tell nothing, so each history is played with clocks that run forward, stand still and run backward; and
/// each row is read by one reader that reads them all and by one that begins there.
async fn check(history: &str) {
    for step in [60, 0, -60] {
        let world = World::with(true, step);
        let mut commits: BTreeMap<&str, (Oid, Tree)> = BTreeMap::new();
        let reader = world.reader();
        for row in history.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (left, expected) = row.split_once("=>").expect("a row has `=>`");
            let (names, changes) = left.split_once(':').expect("a row has `:`");
            let mut names = names.split_whitespace();
            let name = names.next().expect("a row has a name");
            let parents: Vec<_> = names.map(|parent| &commits[parent]).collect();
            let mut tree = parents.first().map(|(_, tree)| tree.clone()).unwrap_or_default();
            for change in changes.split_whitespace() {
                apply(&mut tree, change);
            }
            let parents: Vec<_> = parents.iter().map(|(id, _)| *id).collect();
            let id = world.commit(&parents, &tree, name);
            world.set("main", id);
            commits.insert(name, (id, tree));

            let names: BTreeMap<_, _> = commits.iter().map(|(name, (id, _))| (revision(*id), *name)).collect();
            let fresh = Repository::open(Config { cache_dir: world.cache().join("fresh"), ..world.config() })
                .expect("can be read");
            for (reader, who) in [(&reader, "one reader"), (&fresh, "a fresh reader")] {
                reader.poll().await.expect("can be polled");
                let snapshot = reader.snapshot(&revision(id)).await.expect("can be read");
                assert_eq!(shown(&snapshot, &names), expected.trim(), "{who}, step {step}, at: {row}");
            }
        }
    }
}

fn apply(tree: &mut Tree, change: &str) {
    if let Some(path) = change.strip_prefix('-') {
        tree.remove(path).expect("was there");
    } else if let Some((from, to)) = change.split_once('>') {
        let moved: Tree = tree
            .iter()
            .filter_map(|(path, file)| {
                Some((format!("{to}/{}", path.strip_prefix(from)?.strip_prefix('/')?), file.clone()))
            })
            .collect();
        tree.retain(|path, _| !path.starts_with(&format!("{from}/")));
        tree.extend(moved);
    } else {
        let (path, content) = change.split_once('=').expect("path=content");
        tree.insert(path.to_owned(), (FILE, content.as_bytes().to_vec()));
    }
}

fn shown(snapshot: &Snapshot, names: &BTreeMap<trueup_core::names::Revision, &str>) -> String {
    let shown = |(application, revision)| format!("{application}={}", names[revision]);
    snapshot.application_revisions.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_commit_touches_the_applications_whose_files_it_changes() {
    check(
        "
        a   : shop/app.toml=1 wiki/app.toml=1      => shop=a wiki=a
        b a : README.md=hello                      => shop=a wiki=a
        c b : shop/service.toml=1                  => shop=c wiki=a
        d c : wiki/environments/staging/x.toml=1   => shop=c wiki=d
        e d : -shop/service.toml                   => shop=e wiki=d
        f e : new/app.toml=1                       => new=f shop=e wiki=d
        g f : -wiki/app.toml                       => new=f shop=e
        h g :                                      => new=f shop=e
        ",
    )
    .await;
}

#[tokio::test]
async fn the_common_file_touches_everyone() {
    check(
        "
        a   : shop/app.toml=1 wiki/app.toml=1 trueup.toml=1 => shop=a wiki=a
        b a : trueup.toml=2                                 => shop=b wiki=b
        c b : shop/app.toml=2                               => shop=c wiki=b
        d c : trueup.toml=1                                 => shop=d wiki=d
        e d : wiki/trueup.toml=1                            => shop=d wiki=e
        f e : -trueup.toml                                  => shop=f wiki=f
        ",
    )
    .await;
}

#[tokio::test]
async fn a_revert_is_a_change() {
    check(
        "
        a   : shop/app.toml=1 wiki/app.toml=1 => shop=a wiki=a
        b a : shop/app.toml=2                 => shop=b wiki=a
        c b : shop/app.toml=1                 => shop=c wiki=a
        d c : wiki/app.toml=2                 => shop=c wiki=d
        ",
    )
    .await;
}

#[tokio::test]
async fn a_merge_that_takes_an_application_from_a_parent_did_not_change_it() {
    check(
        "
        a     : shop/app.toml=1 wiki/app.toml=1  => shop=a wiki=a
        b a   : shop/app.toml=2                  => shop=b wiki=a
        c a   : wiki/app.toml=2                  => shop=a wiki=c
        m b c : wiki/app.toml=2                  => shop=b wiki=c
        d m   : README=1                         => shop=b wiki=c
        e a   : shop/app.toml=3                  => shop=e wiki=a
        n d e : shop/app.toml=23                 => shop=n wiki=c
        f n   : wiki/app.toml=3                  => shop=n wiki=f
        ",
    )
    .await;
}

#[tokio::test]
async fn branches_that_meet_again_lead_to_the_commit_before_them() {
    check(
        "
        a     : shop/app.toml=1 wiki/app.toml=1 blog/app.toml=1 => blog=a shop=a wiki=a
        b a   : README=1                                        => blog=a shop=a wiki=a
        c b   : blog/app.toml=2                                 => blog=c shop=a wiki=a
        d b   : wiki/app.toml=2                                 => blog=a shop=a wiki=d
        m c d : wiki/app.toml=2                                 => blog=c shop=a wiki=d
        e b   : OTHER=1                                         => blog=a shop=a wiki=a
        n m e :                                                 => blog=c shop=a wiki=d
        ",
    )
    .await;
}

#[tokio::test]
async fn a_renamed_directory_was_changed_by_the_commit_that_renamed_it() {
    check(
        "
        a   : shop/app.toml=1 wiki/app.toml=1 => shop=a wiki=a
        b a : shop>store                      => store=b wiki=a
        c b : wiki/app.toml=2                 => store=b wiki=c
        d c : store>shop                      => shop=d wiki=c
        ",
    )
    .await;
}

#[tokio::test]
async fn applications_may_lie_deeper_and_in_each_other() {
    check(
        "
        a   : teams/x/shop/app.toml=1 teams/y/app.toml=1 => teams/x/shop=a teams/y=a
        b a : teams/y/inner/app.toml=1                   => teams/x/shop=a teams/y=b teams/y/inner=b
        c b : teams/x/shop/jobs/j.toml=1                 => teams/x/shop=c teams/y=b teams/y/inner=b
        d c : teams/y/app.toml=2                         => teams/x/shop=c teams/y=d teams/y/inner=b
        e d : app.toml=1                                 => teams/x/shop=c teams/y=d teams/y/inner=b
        ",
    )
    .await;
}

#[tokio::test]
async fn an_older_layout_ends_the_history_of_its_applications() {
    check(
        "
        a   : shop/app.toml=1 trueup.toml=1               => shop=a
        b a : desired-state/shop/app.toml=1               => shop=b
        c b : shop/app.toml=2                             => shop=b
        d c : desired-state/trueup.toml=1                 => shop=d
        e d : trueup.toml=2                               => shop=d
        ",
    )
    .await;
}

#[tokio::test]
async fn a_rewritten_history_is_answered_by_itself() {
    check(
        "
        a   : shop/app.toml=1 => shop=a
        b a : shop/app.toml=2 => shop=b
        x   : shop/app.toml=2 => shop=x
        y x : README=1        => shop=x
        c a : README=1        => shop=a
        ",
    )
    .await;
}

#[tokio::test]
async fn a_bounded_search_answers_with_the_oldest_commit_it_saw() {
    let world = World::new();
    for n in 0..10 {
        world.push(&[("shop/app.toml", "1"), ("README", &n.to_string())]);
    }
    let bounds = Bounds { commits_max: 4, ..Bounds::default() };
    let source = Repository::open(Config { bounds, ..world.config() }).unwrap();
    let head = source.poll().await.unwrap().revision;
    let expected = world.git.revparse_single("main~4").unwrap().id();
    let snapshot = source.snapshot(&head).await.unwrap();
    assert_eq!(snapshot.application_revisions.into_values().collect::<Vec<_>>(), [revision(expected)]);
}
