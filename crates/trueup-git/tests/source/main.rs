//! The port `Source` over repositories on disk, built with git2: no git binary, no network.

mod following;
mod refusals;
mod revisions;
mod store;
mod world;
