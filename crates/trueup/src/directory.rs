//! Reads a tree of desired state from a directory, under the rules that hold for git trees as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use trueup_core::desired::{FILES_MAX, FileTree};
use trueup_core::document::FILE_SIZE_MAX;
use trueup_core::report::{printable, steers};

use crate::terminal::Hinted;

/// How deep directories may be nested; deeper than any tree of desired state is.
const DEPTH_MAX: usize = 16;

/// Finds the tree that `check` is asked about: `given`, or `desired-state` in it when that is where `trueup.toml` is.
///
/// # Errors
/// When there is no such directory.
pub fn locate(given: Option<&Path>) -> Result<PathBuf> {
    let start = given.unwrap_or(Path::new("."));
    if !start.is_dir() {
        return Err(Hinted::new(
            format!("`{}` is not a directory", start.display()),
            "name the directory that holds `trueup.toml`",
        )
        .into());
    }
    let inner = start.join("desired-state");
    if !start.join("trueup.toml").exists() && inner.is_dir() { Ok(inner) } else { Ok(start.to_owned()) }
}

/// Reads all files below `root`. Only TOML and JSON files are read; of others the name alone is kept, and nothing of
/// directories and files whose name begins with a dot.
///
/// # Errors
/// When something cannot be read, is a symbolic link, or the tree is beyond the bounds.
pub fn read(root: &Path) -> Result<FileTree> {
    let mut files = FileTree::new();
    walk(root, "", 0, &mut files)?;
    Ok(files)
}

fn walk(directory: &Path, prefix: &str, depth: usize, files: &mut FileTree) -> Result<()> {
    if depth > DEPTH_MAX {
        let hint = format!("at most {DEPTH_MAX} levels are read");
        return Err(Hinted::new(format!("`{prefix}` is nested too deeply"), hint).into());
    }
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read `{}`", directory.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read `{}`", directory.display()))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(
                Hinted::new(format!("the name of `{}` is not UTF-8", entry.path().display()), "rename it").into()
            );
        };
        if name.starts_with('.') {
            continue;
        }
        if name.chars().any(steers) {
            let path = entry.path().display().to_string();
            let message = format!("the name of `{}` contains control or direction characters", printable(&path));
            return Err(Hinted::new(message, "the daemon refuses such names: rename it").into());
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().with_context(|| format!("cannot read `{path}`"))?;
        if kind.is_symlink() {
            let hint = "the daemon refuses symbolic links: put the file itself there";
            return Err(Hinted::new(format!("`{path}` is a symbolic link"), hint).into());
        }
        if kind.is_dir() {
            walk(&entry.path(), &path, depth + 1, files)?;
            continue;
        }
        if files.len() >= FILES_MAX {
            let hint = "is this the directory that holds `trueup.toml`?";
            return Err(Hinted::new(format!("there are more than {FILES_MAX} files"), hint).into());
        }
        let bytes = if has_documents_ending(name) {
            let size = entry.metadata().with_context(|| format!("cannot read `{path}`"))?.len();
            if size > FILE_SIZE_MAX as u64 {
                let hint = format!("a document may have {FILE_SIZE_MAX} bytes at most");
                return Err(Hinted::new(format!("`{path}` has {size} bytes"), hint).into());
            }
            fs::read(entry.path()).with_context(|| format!("cannot read `{path}`"))?
        } else {
            Vec::new()
        };
        files.insert(path, Arc::from(bytes));
    }
    Ok(())
}

fn has_documents_ending(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("toml" | "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_their_path_in_the_tree_and_links_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("app/target-groups")).unwrap();
        fs::write(dir.path().join("trueup.toml"), "x = 1").unwrap();
        fs::write(dir.path().join("app/target-groups/web.toml"), "").unwrap();
        fs::write(dir.path().join("app/README.md"), "words").unwrap();
        fs::write(dir.path().join(".hidden"), "words").unwrap();
        let files = read(dir.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["app/README.md", "app/target-groups/web.toml", "trueup.toml"]);
        assert_eq!(&*files["trueup.toml"], b"x = 1");
        assert!(files["app/README.md"].is_empty());

        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("app/service.toml")).unwrap();
        assert_eq!(read(dir.path()).unwrap_err().to_string(), "`app/service.toml` is a symbolic link");
    }

    #[test]
    fn names_that_steer_a_terminal_are_refused_as_the_daemon_does() {
        for name in ["a\u{1b}[2Jb", "a\u{9b}b", "a\u{202e}b", "a\u{2028}b", "a\nb"] {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join(name)).unwrap();
            let refused = read(dir.path()).unwrap_err().to_string();
            assert!(refused.ends_with("contains control or direction characters"), "{refused:?}");
        }
    }
}
