//! What a repository is opened with.

use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::Credentials;

/// Which repository, which branch and directory in it, and how it is reached.
#[derive(Clone, Debug)]
pub struct Config {
    /// A path, `file://`, `https://`, `ssh://` or `user@host:path`. Without credentials in it: they are refused here.
    pub url: String,
    /// The branch's short name, such as `main`.
    pub branch: String,
    /// The directory of the desired state, `/` between its parts, `.` for the root. When absent: `desired-state` where
    /// the commit has that directory, else the root.
    pub path: Option<String>,
    /// Where fetched objects and the accepted revision outlive the process. Several repositories and several processes
    /// may share it.
    pub cache_dir: PathBuf,
    /// Who we are to the server.
    pub credentials: Credentials,
    /// How much is read at most.
    pub bounds: Bounds,
}

impl Config {
    /// This repository and branch, and the default for everything else.
    pub fn new(url: impl Into<String>, branch: impl Into<String>, cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            url: url.into(),
            branch: branch.into(),
            path: None,
            cache_dir: cache_dir.into(),
            credentials: Credentials::default(),
            bounds: Bounds::default(),
        }
    }
}

/// How much is read at most; whatever is beyond is refused by name, and the last good revision stays.
///
/// The defaults are far above what people write by hand and far below what would hurt a task of 512 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// One document's size, in bytes: 1 MiB.
    pub file_bytes_max: usize,
    /// All documents' size together, in bytes: 64 MiB.
    pub total_bytes_max: usize,
    /// Files and directories below the desired state's root: 80,000: 5,000 applications of a dozen files in a few
    /// directories each.
    pub entries_max: usize,
    /// Directories in directories below the desired state's root: 16.
    pub depth_max: usize,
    /// What one fetch may receive, in bytes: 512 MiB.
    pub fetch_bytes_max: usize,
    /// What one fetch may receive, in objects: 5,000,000.
    pub fetch_objects_max: usize,
    /// How long a conversation with the server may last: 5 minutes. A server that merely hangs is left much earlier.
    pub fetch_time_max: Duration,
    /// How many commits are searched for the applications' revisions: 100,000. Beyond that, the oldest commit
    /// searched is the answer.
    pub commits_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            file_bytes_max: 1024 * 1024,
            total_bytes_max: 64 * 1024 * 1024,
            entries_max: 80_000,
            depth_max: 16,
            fetch_bytes_max: 512 * 1024 * 1024,
            fetch_objects_max: 5_000_000,
            fetch_time_max: Duration::from_mins(5),
            commits_max: 100_000,
        }
    }
}
