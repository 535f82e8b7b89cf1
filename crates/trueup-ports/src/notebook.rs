//! What may outlive the process, where there is a place for it.

use std::fmt::Debug;

use async_trait::async_trait;

/// Keeps one text for the process that comes after this one. Nothing may depend on it: where it is lost, what lasts is told
/// once more, and nothing else is different.
#[async_trait]
pub trait Notebook: Debug + Send + Sync {
    /// What was written last, also by a process before this one.
    async fn read(&self) -> Option<String>;

    /// Writes it, whole or not at all. A failure is the notebook's own to tell.
    async fn write(&self, text: String);
}
