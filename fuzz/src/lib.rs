//! What the fuzzers do with their bytes, one function a target: each takes whatever comes and panics where a promise is
//! broken. The corpora are run through the same functions as ordinary tests (`tests/corpora.rs`); `README.md` says how to
//! fuzz.

mod documents;
mod git_trees;
mod references;
mod signatures;
mod webhook;

pub use self::documents::{desired, documents};
pub use self::git_trees::git_trees;
pub use self::references::references;
pub use self::signatures::signatures;
pub use self::webhook::webhook;
