//! The last commit that changed an application: any file in its directory, or `trueup.toml`, which is everyone's.
//!
//! The answer is that of `git log -1 -- DIRECTORY trueup.toml`, with git's history simplification: a merge that has an
//! application from one of its parents unchanged did not change it, and the search goes on in that parent. A revert is a
//! change like any other; a directory that was renamed was changed by the commit that renamed it.

use std::collections::BTreeMap;

use git2::{Commit, Oid, Repository};

/// The file at the desired state's root that belongs to every application.
const CONFIG_FILE: &str = "trueup.toml";

/// The applications of a commit, as the answer for it and for commits after it.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// The commit they are true for.
    pub head: Oid,
    path: String,
    config: Option<Oid>,
    applications: BTreeMap<String, Answer>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    tree: Oid,
    changed_by: Oid,
}

impl Answers {
    /// The commit that changed it last, by the application's directory.
    pub(crate) fn changed_by(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.applications.iter().map(|(name, answer)| (name.as_str(), answer.changed_by))
    }
}

/// A commit's desired state, as far as it tells whether something changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    root: Option<Oid>,
    config: Option<Oid>,
}

impl Layout {
    /// The layout of a commit whose desired state is at `path`; nothing where an old commit was laid out otherwise.
    fn of(repository: &Repository, commit: &Commit<'_>, path: &str) -> Result<Self, git2::Error> {
        let Some(root) = subtree(repository, commit.tree_id(), path)? else {
            return Ok(Self { root: None, config: None });
        };
        let config = repository.find_tree(root)?.get_name(CONFIG_FILE).map(|entry| entry.id());
        Ok(Self { root: Some(root), config })
    }
}

/// Finds the commit that changed each of `applications` (path and tree, as they are at `head`) last.
///
/// Costs are linear in the commits that are new since `known`, the answers for another commit, and without those in the
/// commits back to the oldest answer; newest first, so that branches which meet again are walked once. After
/// `commits_max` commits the oldest one looked at is the answer.
///
/// # Errors
/// When the store lacks objects.
pub(crate) fn answers(
    repository: &Repository,
    head: Oid,
    path: &str,
    applications: &BTreeMap<String, Oid>,
    known: Option<&Answers>,
    commits_max: usize,
) -> Result<Answers, git2::Error> {
    let commit = repository.find_commit(head)?;
    let wanted = Layout::of(repository, &commit, path)?;
    let known = known.filter(|known| known.path == path && known.config == wanted.config);
    let mut found: BTreeMap<String, Answer> = BTreeMap::new();
    // The commits that have these applications as `head` has them, and may have made them so.
    let mut pending: BTreeMap<(i64, Oid), (Layout, Vec<&str>)> = BTreeMap::new();
    pending.insert((commit.time().seconds(), head), (wanted, applications.keys().map(String::as_str).collect()));
    let mut looked_at = 0;

    while let Some(((_, id), (layout, mut names))) = pending.pop_last() {
        let mut settle = |name: &str, changed_by| {
            found.insert(name.to_owned(), Answer { tree: applications[name], changed_by });
        };
        if let Some(known) = known.filter(|known| known.head == id) {
            names.retain(|name| match known.applications.get(*name) {
                Some(answer) if answer.tree == applications[*name] => {
                    settle(name, answer.changed_by);
                    false
                }
                Some(_) | None => true,
            });
        }
        looked_at += 1;
        if looked_at <= commits_max {
            let commit = repository.find_commit(id)?;
            for parent in commit.parent_ids() {
                if names.is_empty() {
                    break;
                }
                let parent = repository.find_commit(parent)?;
                let before = Layout::of(repository, &parent, path)?;
                let same = unchanged(repository, layout, before, &names, applications)?;
                if same.is_empty() {
                    continue;
                }
                names.retain(|name| !same.contains(name));
                let place = pending.entry((parent.time().seconds(), parent.id())).or_insert((before, Vec::new()));
                place.1.extend(same);
            }
        }
        for name in names {
            settle(name, id);
        }
    }
    Ok(Answers { head, path: path.to_owned(), config: wanted.config, applications: found })
}

/// Those of `names`, sorted, that the commit before has as well.
fn unchanged<'n>(
    repository: &Repository,
    after: Layout,
    before: Layout,
    names: &[&'n str],
    applications: &BTreeMap<String, Oid>,
) -> Result<Vec<&'n str>, git2::Error> {
    if after == before {
        return Ok(names.to_vec());
    }
    let (Some(root), true) = (before.root, after.config == before.config) else { return Ok(Vec::new()) };
    let mut same = Vec::new();
    for name in names {
        if subtree(repository, root, name)? == Some(applications[*name]) {
            same.push(*name);
        }
    }
    Ok(same)
}

/// The tree at `path` below `tree`, if there is a directory.
fn subtree(repository: &Repository, tree: Oid, path: &str) -> Result<Option<Oid>, git2::Error> {
    let mut here = tree;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let tree = repository.find_tree(here)?;
        match tree.get_name(part) {
            Some(entry) if entry.kind() == Some(git2::ObjectType::Tree) => here = entry.id(),
            Some(_) | None => return Ok(None),
        }
    }
    Ok(Some(here))
}
