//! A text that outlives the process, where there is storage for it.

use std::fmt::Debug;

use async_trait::async_trait;

/// Stores one text for the next process. Nothing may depend on it: where it is lost, conditions that last are reported again,
/// and nothing else is different.
#[async_trait]
pub trait Notebook: Debug + Send + Sync {
    /// The text that was written last, by this process or an earlier one.
    async fn read(&self) -> Option<String>;

    /// Writes it, whole or not at all. The notebook itself logs a failure.
    async fn write(&self, text: String);
}
