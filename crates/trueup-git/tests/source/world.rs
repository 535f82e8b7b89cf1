//! A remote repository on disk, and readers of it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository as Git, Signature, Time};
use tempfile::TempDir;
use trueup_core::names::Revision;
use trueup_git::{Config, Repository};

/// Files of a commit: mode and content, by path.
pub type Tree = BTreeMap<String, (u32, Vec<u8>)>;

pub const FILE: u32 = 0o100_644;
pub const SYMLINK: u32 = 0o120_000;
pub const SUBMODULE: u32 = 0o160_000;

/// A remote with a branch `main`, and a cache directory.
pub struct World {
    directory: TempDir,
    pub git: Git,
    /// The next commit's time, in seconds, and what is added to it then.
    time: Cell<i64>,
    step: i64,
}

impl World {
    /// An empty bare repository.
    pub fn new() -> Self {
        Self::with(true, 60)
    }

    /// An empty repository, bare or with a work tree, whose commits are this many seconds apart.
    pub fn with(bare: bool, step: i64) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path().join("remote");
        let git = if bare { Git::init_bare(path) } else { Git::init(path) }.expect("a repository");
        Self { directory, git, time: Cell::new(1_700_000_000), step }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("remote")
    }

    pub fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    /// The one directory in the cache.
    pub fn cache_entry(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.cache()).expect("a cache");
        entries.next().expect("an entry").expect("readable").path()
    }

    pub fn config(&self) -> Config {
        Config::new(self.path().to_str().expect("UTF-8"), "main", self.cache())
    }

    /// A reader, as a process that just started.
    pub fn reader(&self) -> Repository {
        Repository::open(self.config()).expect("opens")
    }

    /// Makes the remote unreachable, or reachable again.
    pub fn take_down(&self, down: bool) {
        let (up, aside) = (self.path(), self.directory.path().join("aside"));
        let (from, to) = if down { (up, aside) } else { (aside, up) };
        std::fs::rename(from, to).expect("can be moved");
    }

    /// A commit with exactly this tree.
    pub fn commit(&self, parents: &[Oid], tree: &Tree, message: &str) -> Oid {
        let time = self.time.get();
        self.time.set(time + self.step);
        let who = Signature::new("A", "a@example.com", &Time::new(time, 540)).expect("a signature");
        let tree = write_tree(&self.git, tree);
        let tree = self.git.find_tree(tree).expect("just written");
        let parents: Vec<_> = parents.iter().map(|id| self.git.find_commit(*id).expect("a parent")).collect();
        let parents: Vec<_> = parents.iter().collect();
        self.git.commit(None, &who, &who, message, &tree, &parents).expect("a commit")
    }

    /// Moves a branch, forced.
    pub fn set(&self, branch: &str, id: Oid) {
        self.git.reference(&format!("refs/heads/{branch}"), id, true, "test").expect("a branch");
    }

    /// A commit with exactly these files on top of `main`.
    pub fn push(&self, files: &[(&str, &str)]) -> Revision {
        self.push_tree(&tree(files))
    }

    /// A commit with exactly this tree on top of `main`.
    pub fn push_tree(&self, tree: &Tree) -> Revision {
        let parents: Vec<_> = self.git.refname_to_id("refs/heads/main").into_iter().collect();
        let id = self.commit(&parents, tree, "change");
        self.set("main", id);
        revision(id)
    }
}

pub fn revision(id: Oid) -> Revision {
    Revision::new(id.to_string())
}

/// Ordinary files.
pub fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, content)| ((*path).to_owned(), (FILE, content.as_bytes().to_vec()))).collect()
}

/// Writes a tree byte by byte, since libgit2 refuses to build those that must be refused when read.
fn write_tree(git: &Git, tree: &Tree) -> Oid {
    let mut entries: BTreeMap<Vec<u8>, (u32, Oid)> = BTreeMap::new();
    let mut directories: BTreeMap<&str, Tree> = BTreeMap::new();
    for (path, (mode, content)) in tree {
        if let Some((directory, rest)) = path.split_once('/') {
            directories.entry(directory).or_default().insert(rest.to_owned(), (*mode, content.clone()));
            continue;
        }
        let id = match *mode {
            SUBMODULE => Oid::from_bytes(&[7; 20]).expect("20 bytes"),
            _ => git.blob(content).expect("a blob"),
        };
        entries.insert(path.clone().into_bytes(), (*mode, id));
    }
    for (name, tree) in directories {
        // Git sorts directories as if their names ended in a slash.
        entries.insert(format!("{name}/").into_bytes(), (0o040_000, write_tree(git, &tree)));
    }
    let mut bytes = Vec::new();
    for (name, (mode, id)) in entries {
        bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
        bytes.extend_from_slice(name.strip_suffix(b"/").unwrap_or(&name));
        bytes.push(0);
        bytes.extend_from_slice(id.as_bytes());
    }
    git.odb().and_then(|odb| odb.write(ObjectType::Tree, &bytes)).expect("a tree")
}

/// All files below a directory, sorted.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
