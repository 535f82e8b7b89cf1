//! Trees of a git repository that an attacker has written.

use std::path::Path;

use git2::{ObjectType, Oid, Repository as Bare};
use trueup_git::{Bounds, Config, Repository};
use trueup_ports::Source as _;

/// Modes of entries: those that git writes, and some that it does not.
const MODES: [&str; 8] = ["100644", "100755", "40000", "120000", "160000", "100664", "0", "777777"];

/// Small, so that they are reached.
const BOUNDS: Bounds = Bounds {
    file_bytes_max: 64,
    total_bytes_max: 256,
    entries_max: 12,
    depth_max: 3,
    fetch_bytes_max: 1024 * 1024,
    fetch_objects_max: 1000,
    fetch_time_max: std::time::Duration::from_secs(20),
    commits_max: 10,
};

/// The bytes describe a tree (`Reader`), which is written as raw objects, so that git's own checks are bypassed.
/// Following it gives its files within the bounds, or reports why not; no path leaves the tree.
pub fn git_trees(data: &[u8]) {
    let directory = tempfile::tempdir().expect("there is a place for files");
    let bare = directory.path().join("bare.git");
    if write(&bare, data).is_err() {
        return;
    }
    let config = Config {
        bounds: BOUNDS,
        path: Some(".".to_owned()),
        ..Config::new(bare.to_string_lossy(), "main", directory.path().join("cache"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
    runtime.block_on(async {
        let Ok(source) = Repository::open(config) else { return };
        let Ok(head) = source.poll().await else { return };
        let Ok(snapshot) = source.snapshot(&head.revision).await else { return };
        let bytes: usize = snapshot.files.values().map(|file| file.len()).sum();
        assert!(bytes <= BOUNDS.total_bytes_max && snapshot.files.len() <= BOUNDS.entries_max);
        for path in snapshot.files.keys() {
            let leaves = path.split('/').any(|part| matches!(part, "" | "." | ".."));
            assert!(!leaves && !path.starts_with('/'), "{path:?} leaves the tree");
        }
        assert!(!snapshot.subject.chars().any(char::is_control), "{:?}", snapshot.subject);
    });
}

fn write(bare: &Path, data: &[u8]) -> Result<(), git2::Error> {
    let repository = Bare::init_bare(bare)?;
    let tree = Reader { data, repository: &repository }.tree(0)?;
    let commit = format!(
        "tree {tree}\nauthor A <a@example.com> 1800000000 +0000\ncommitter A <a@example.com> 1800000000 +0000\n\n{}",
        String::from_utf8_lossy(data)
    );
    let commit = repository.odb()?.write(ObjectType::Commit, commit.as_bytes())?;
    repository.reference("refs/heads/main", commit, true, "")?;
    Ok(())
}

/// Reads entries: a byte for the mode, a byte for the name's length, the name, a byte for the content's length, the content.
/// A directory has entries instead of content, until a byte of 255.
struct Reader<'a> {
    data: &'a [u8],
    repository: &'a Bare,
}

impl Reader<'_> {
    fn tree(&mut self, depth: usize) -> Result<Oid, git2::Error> {
        let mut raw = Vec::new();
        while let Some(mode) = self.byte().filter(|byte| *byte != 255) {
            let mode = MODES[usize::from(mode) % MODES.len()];
            let length = usize::from(self.byte().unwrap_or(1) % 32);
            let name: Vec<u8> = self.take(length).iter().copied().filter(|byte| *byte != 0).collect();
            let id = if mode == "40000" && depth < 6 {
                self.tree(depth + 1)?
            } else {
                let length = usize::from(self.byte().unwrap_or(0));
                let content = self.take(length).to_vec();
                self.repository.odb()?.write(ObjectType::Blob, &content)?
            };
            raw.extend_from_slice(mode.as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(&name);
            raw.push(0);
            raw.extend_from_slice(id.as_bytes());
        }
        self.repository.odb()?.write(ObjectType::Tree, &raw)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let (taken, rest) = self.data.split_at(length.min(self.data.len()));
        self.data = rest;
        taken
    }
}
