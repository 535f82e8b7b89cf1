//! The reported state, in a file of the cache directory: for the next process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use trueup_core::digest::Digest;
use trueup_ports::Notebook;

use crate::args::SourceArgs;

/// How large a notebook may be, in bytes: 10,000 applications that are held take some megabytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One file, replaced as a whole. If it is lost, lasting states are reported once more.
#[derive(Debug)]
pub struct NotebookFile {
    path: PathBuf,
    /// Whether a failure to write it was logged.
    complained: AtomicBool,
}

impl NotebookFile {
    /// The notebook of a daemon: each installation has its own for each repository, branch and selection of environments.
    pub fn of(args: &SourceArgs, cache_dir: &Path) -> Self {
        let SourceArgs { instance, repository, branch, path, environments, .. } = args;
        let identity = format!("{:?}", (instance, repository, branch, path, environments));
        let digest = Digest::of(identity.as_bytes());
        let name = digest.as_str().get(..16).unwrap_or_default();
        Self { path: cache_dir.join(format!("told-{name}.json")), complained: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Notebook for NotebookFile {
    async fn read(&self) -> Option<String> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || read(&path)).await.ok().flatten()
    }

    async fn write(&self, text: String) {
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write(&path, &text)).await;
        match written {
            Ok(Ok(())) => self.complained.store(false, Ordering::Relaxed),
            Ok(Err(error)) if !self.complained.swap(true, Ordering::Relaxed) => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "The record of emitted events cannot be written; after a restart, events may be emitted again.");
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

fn read(path: &Path) -> Option<String> {
    let is_small = std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= BYTES_MAX);
    is_small.then(|| std::fs::read_to_string(path).ok()).flatten()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
        // What is left of it is only in the way.
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(directory: &Path) -> NotebookFile {
        NotebookFile { path: directory.join("cache/told.json"), complained: AtomicBool::new(false) }
    }

    #[tokio::test]
    async fn what_is_written_is_read_by_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(notebook(directory.path()).read().await, None);
        notebook(directory.path()).write("one".to_owned()).await;
        notebook(directory.path()).write("two".to_owned()).await;
        assert_eq!(notebook(directory.path()).read().await.as_deref(), Some("two"));
        let files = std::fs::read_dir(directory.path().join("cache")).unwrap();
        assert_eq!(files.count(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cache"), "a file where the directory should be").unwrap();
        let notebook = notebook(directory.path());
        notebook.write("one".to_owned()).await;
        assert!(notebook.complained.load(Ordering::Relaxed));
        assert_eq!(notebook.read().await, None);
    }
}
