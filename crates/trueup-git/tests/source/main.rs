//! The port `Source` over repositories on disk, built with git2, and over servers on loopback that are well, ill or hostile:
//! no git binary, no network beyond loopback.

mod following;
mod http;
mod refusals;
mod revisions;
mod server;
mod slow;
mod smart;
mod store;
mod tls;
mod verification;
mod watching;
mod world;
