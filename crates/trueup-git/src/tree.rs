//! The files of the desired state at a commit, and what is refused there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use git2::{ObjectType, Oid, Repository, Tree};
use trueup_core::desired::FileTree;
use trueup_core::report::steers;
use trueup_ports::SourceError;

use crate::config::Bounds;
use crate::fault::{Fault, lasting, one_line};

/// The default path of the desired state, if the commit has this directory.
const DEFAULT_PATH: &str = "desired-state";

/// The file that marks a directory as an application.
const APPLICATION_FILE: &str = "app.toml";

/// A directory's own object may have this many bytes: 20,000 entries of 100 characters.
const TREE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An error names this many entries at most.
const NAMED_MAX: usize = 20;

/// What a directory of desired state holds.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// All files by path. Only possible documents (`.toml`, `.json`) carry their bytes, so that a picture in a README
    /// does not count against the limits.
    pub files: FileTree,
    /// The tree of every directory below the root that has an `app.toml`, by path.
    pub applications: BTreeMap<String, Oid>,
}

/// The directory that `--path` means, as given: no part empty, `.` or `..`. The root is the empty string.
///
/// # Errors
/// When it leaves the repository.
pub(crate) fn normal_path(path: &str) -> Result<String, SourceError> {
    let refused = || {
        lasting(
            format!("`{}` is not a directory in the repository", one_line(path)),
            "`--path` is relative to the repository's root, with `/` between its parts and no `..`",
        )
    };
    if path.starts_with('/') || path.contains('\\') || path.chars().any(steers) {
        return Err(refused());
    }
    let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.iter().any(|part| *part == ".." || part.eq_ignore_ascii_case(".git")) {
        return Err(refused());
    }
    Ok(parts.join("/"))
}

/// The directory of the desired state in a commit's tree: its path and its tree.
///
/// # Errors
/// When the commit does not have the directory that was asked for.
pub(crate) fn root<'r>(
    repository: &'r Repository,
    tree: Tree<'r>,
    path: Option<&str>,
) -> Result<(String, Tree<'r>), Fault> {
    let wanted = path.unwrap_or(DEFAULT_PATH);
    let mut here = tree.clone();
    for (depth, part) in wanted.split('/').filter(|part| !part.is_empty()).enumerate() {
        let (kind, id) = match here.get_name(part) {
            Some(entry) => (entry.filemode_raw(), entry.id()),
            None if path.is_none() => return Ok((String::new(), tree)),
            None => {
                let there: Vec<_> = here
                    .iter()
                    .filter(|entry| entry.kind() == Some(ObjectType::Tree))
                    .map(|entry| format!("`{}`", one_line(&String::from_utf8_lossy(entry.name_bytes()))))
                    .take(NAMED_MAX)
                    .collect();
                let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                return Err(Fault::Refused(lasting(
                    format!("the commit has no directory `{wanted}`"),
                    format!("check `--path`; the directories next to `{part}` are: {there}"),
                )));
            }
        };
        if kind != DIRECTORY {
            if path.is_none() && depth == 0 && is_file(kind) {
                return Ok((String::new(), tree));
            }
            return Err(Fault::Refused(lasting(
                format!("`{wanted}` is {}, not a directory", describe(kind)),
                "desired state is read from ordinary directories only",
            )));
        }
        here = repository.find_tree(id)?;
    }
    Ok((wanted.to_owned(), here))
}

const DIRECTORY: i32 = 0o040_000;
const SYMLINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;

/// Ordinary and executable files, with group permissions as old versions of git wrote them.
fn is_file(mode: i32) -> bool {
    matches!(mode, 0o100_644 | 0o100_755 | 0o100_664)
}

fn describe(mode: i32) -> String {
    match mode {
        SYMLINK => "a symlink".to_owned(),
        SUBMODULE => "a submodule".to_owned(),
        mode if is_file(mode) => "a file".to_owned(),
        mode => format!("of the unknown mode {mode:o}"),
    }
}

/// Reads all files below `root`, the bytes of those that can be documents.
///
/// # Errors
/// `Refused` with everything in it that is refused, by name; nothing is read then.
pub(crate) fn read(repository: &Repository, root: &Tree<'_>, bounds: &Bounds) -> Result<Files, Fault> {
    let odb = repository.odb()?;
    let mut files = Files::default();
    let mut blobs: Vec<(String, Oid)> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    let (mut entries, mut total) = (0, 0);
    let mut queue = VecDeque::from([(String::new(), root.id(), 0)]);
    'tree: while let Some((directory, id, depth)) = queue.pop_front() {
        if odb.read_header(id)?.0 > TREE_BYTES_MAX {
            refused.push(format!("`{directory}` has more entries than are read"));
            continue;
        }
        let tree = repository.find_tree(id)?;
        if !directory.is_empty() && tree.get_name(APPLICATION_FILE).is_some() {
            files.applications.insert(directory.clone(), id);
        }
        for entry in &tree {
            entries += 1;
            if entries > bounds.entries_max {
                refused.push(format!("there are more than {} files and directories", bounds.entries_max));
                break 'tree;
            }
            let name = match checked_name(entry.name_bytes()) {
                Ok(name) => name,
                Err(why) => {
                    let name = one_line(&String::from_utf8_lossy(entry.name_bytes()));
                    refused.push(format!("`{}` {why}", join(&directory, &name)));
                    continue;
                }
            };
            let path = join(&directory, name);
            match entry.filemode_raw() {
                DIRECTORY if depth >= bounds.depth_max => {
                    refused.push(format!("`{path}` is deeper than {} directories", bounds.depth_max));
                }
                DIRECTORY => queue.push_back((path, entry.id(), depth + 1)),
                mode if !is_file(mode) => refused.push(format!("`{path}` is {}", describe(mode))),
                _ if !may_be_document(name) => {
                    files.files.insert(path, Arc::from([]));
                }
                _ => {
                    let (bytes, _) = odb.read_header(entry.id())?;
                    total += bytes;
                    if bytes > bounds.file_bytes_max {
                        refused.push(format!(
                            "`{path}` has {bytes} bytes, more than the {} that a document may have",
                            bounds.file_bytes_max
                        ));
                    }
                    blobs.push((path, entry.id()));
                }
            }
        }
    }
    if total > bounds.total_bytes_max {
        refused.push(format!(
            "the documents have {total} bytes together, more than the {} that are read",
            bounds.total_bytes_max
        ));
    }
    if !refused.is_empty() {
        return Err(Fault::Refused(refusal(&refused)));
    }
    for (path, id) in blobs {
        let blob = repository.find_blob(id)?;
        files.files.insert(path, Arc::from(blob.content()));
    }
    Ok(files)
}

fn refusal(refused: &[String]) -> SourceError {
    let named = refused.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = refused.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    lasting(
        format!("the desired state holds what is refused: {named}{more}"),
        "desired state is ordinary files in ordinary directories, read from git's objects and never checked out: put \
         the contents in place of links, and large or unrelated files outside of the desired state's directory",
    )
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn may_be_document(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| ["toml", "json"].iter().any(|document| extension.eq_ignore_ascii_case(document)))
}

/// A name that stays where it is and can be printed.
fn checked_name(name: &[u8]) -> Result<&str, &'static str> {
    let name = std::str::from_utf8(name).map_err(|_| "has a name that is not UTF-8")?;
    match name {
        "" | "." | ".." => Err("leaves the tree"),
        name if name.contains(['/', '\\']) => Err("has a path for a name, which may leave the tree"),
        name if name.eq_ignore_ascii_case(".git") => Err("is a git repository inside the tree"),
        name if name.chars().any(steers) => Err("has characters in its name that steer a terminal or turn text around"),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_repository() {
        let table = [
            ("desired-state", Some("desired-state")),
            ("a/b/", Some("a/b")),
            ("./a//b", Some("a/b")),
            (".", Some("")),
            ("", Some("")),
            ("/a", None),
            ("../a", None),
            ("a/../b", None),
            ("a\\b", None),
            ("a/.git", None),
            ("a\nb", None),
            ("a\u{202e}b", None),
        ];
        for (given, expected) in table {
            assert_eq!(normal_path(given).ok().as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn names_stay_where_they_are() {
        let refused: [&[u8]; 9] = [b"", b".", b"..", b"a/b", b"a\\b", b".git", b".GIT", b"a\x1bb", b"\xff"];
        let steering = ["a\u{9b}b", "a\u{202e}b", "a\u{2028}b", "a\u{61c}b", "a\u{2066}b"].map(str::as_bytes);
        for name in refused.into_iter().chain(steering) {
            assert!(checked_name(name).is_err(), "{}", name.escape_ascii());
        }
        for name in ["app.toml", ".github", "été.json", "..a", "a b"] {
            assert_eq!(checked_name(name.as_bytes()), Ok(name));
        }
    }
}
