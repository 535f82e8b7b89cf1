//! The port `Source` over repositories on disk, built with git2: and canned HTTP answers: no git binary, no network beyond loopback.

mod following;
mod http;
mod refusals;
mod revisions;
mod store;
mod verification;
mod watching;
mod world;
