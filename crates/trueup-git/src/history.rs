//! The last commit that changed an application: any file in its directory, or `trueup.toml`, which is everyone's.
//!
//! The answer is that of `git log -1 -- DIRECTORY trueup.toml`, with git's history simplification: a merge that has an
//! application from one of its parents unchanged did not change it, and the search goes on in that parent. A revert is a
//! change like any other; a directory that was renamed was changed by the commit that renamed it.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Commit, ObjectType, Oid, Repository, Tree};

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

/// A commit's desired state, reduced to what shows whether something changed.
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
                let (same, changed) = unchanged(repository, layout, before, names, applications)?;
                names = changed;
                if same.is_empty() {
                    continue;
                }
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

/// Parts `names` into those that the commit before has as well, and the others.
fn unchanged<'n>(
    repository: &Repository,
    after: Layout,
    before: Layout,
    names: Vec<&'n str>,
    applications: &BTreeMap<String, Oid>,
) -> Result<(Vec<&'n str>, Vec<&'n str>), git2::Error> {
    if after == before {
        return Ok((names, Vec::new()));
    }
    let (Some(root), Some(root_after), true) = (before.root, after.root, after.config == before.config) else {
        return Ok((Vec::new(), names));
    };
    let odb = repository.odb()?;
    let (tree, tree_after) = (odb.read(root)?, odb.read(root_after)?);
    let changed = changed_entries(tree.data(), tree_after.data());
    let root = repository.find_tree(root)?;
    names.into_iter().try_fold((Vec::new(), Vec::new()), |(mut same, mut others), name| {
        let (top, rest) = name.split_once('/').unwrap_or((name, ""));
        let is_same = !changed.contains(top.as_bytes())
            || (!rest.is_empty() && below(repository, &root, name)? == Some(applications[name]));
        if is_same {
            same.push(name);
        } else {
            others.push(name);
        }
        Ok((same, others))
    })
}

/// The names in the second tree that the first one has otherwise or not at all.
///
/// A commit changes few of a thousand directories. Looking each up through libgit2 would cost a microsecond per
/// application and commit, which is seconds at the first start with a long history; this costs one pass over the bytes.
fn changed_entries<'t>(before: &[u8], after: &'t [u8]) -> BTreeSet<&'t [u8]> {
    let (before, after) = (entries(before), entries(after));
    let front = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
    let (before, after) = (&before[front..], &after[front..]);
    let back = before.iter().rev().zip(after.iter().rev()).take_while(|(before, after)| before == after).count();
    let before: BTreeSet<_> = before[..before.len() - back].iter().collect();
    after[..after.len() - back].iter().filter(|entry| !before.contains(entry)).map(|(name, _)| *name).collect()
}

/// The entries of a tree object: `MODE SP NAME NUL ID` one after the other. Name, and the entry as a whole.
fn entries(tree: &[u8]) -> Vec<(&[u8], &[u8])> {
    const ID_BYTES: usize = 20;
    let mut entries = Vec::new();
    let mut rest = tree;
    while let Some(nul) = rest.iter().position(|byte| *byte == 0) {
        let Some((entry, next)) = rest.split_at_checked(nul + 1 + ID_BYTES) else { break };
        let name = entry[..nul].iter().position(|byte| *byte == b' ').map_or(nul, |space| space + 1);
        entries.push((&entry[name..nul], entry));
        rest = next;
    }
    entries
}

/// The tree at `path` below the tree `id`, if there is a directory. The empty path is the tree itself.
fn subtree(repository: &Repository, id: Oid, path: &str) -> Result<Option<Oid>, git2::Error> {
    if path.is_empty() { Ok(Some(id)) } else { below(repository, &repository.find_tree(id)?, path) }
}

/// The tree at `path`, which is not empty, below `tree`.
fn below(repository: &Repository, tree: &Tree<'_>, path: &str) -> Result<Option<Oid>, git2::Error> {
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    match tree.get_name(name) {
        Some(entry) if entry.kind() == Some(ObjectType::Tree) => subtree(repository, entry.id(), rest),
        Some(_) | None => Ok(None),
    }
}
