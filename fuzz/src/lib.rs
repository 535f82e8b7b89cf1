//! The fuzz targets, one function each: it takes any bytes and panics where a promise is broken. The corpora are run through the same functions as ordinary tests (`tests/corpora.rs`); `README.md` says how to
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
