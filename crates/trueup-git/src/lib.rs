//! The git adapter of trueup: the only crate that names git2.
//!
//! [`Repository`] keeps one bare repository in a cache directory true to one branch of a remote, and reads the desired
//! state from its object store; there is never a checkout, and no git binary is needed. It implements
//! [`trueup_ports::Source`].
//!
//! - `location`: which URLs there are, and which are refused
//! - `addresses`: where a server's name leads, and where it may not
//! - `credentials`, `known_hosts`: who we are to the server, and whether the server is who it should be
//! - `publish`: a repository to follow where there is none, for the sandbox
//! - `remote`: one conversation with the server, bounded in bytes, objects and time
//! - `cache`: the directory that outlives the process, its locks, its repair
//! - `tree`: the files at a commit, and what is refused there
//! - `history`: the last commit that changed an application
//! - `verification`: which commits may be applied, by who signed them
//! - `watch`: a push to a repository on this machine, noticed when it happens
//!
//! What is absent on purpose: a checkout, a merge, a push, hooks, tags that nobody asked for, submodules, Git LFS.

mod addresses;
mod cache;
mod config;
mod credentials;
mod fault;
mod history;
mod known_hosts;
mod location;
mod publish;
mod remote;
mod repository;
mod timeouts;
mod tree;
mod verification;
mod watch;

pub use config::{Bounds, Config};
pub use credentials::{Credentials, Key, Secret, Token};
pub use publish::{amend_file, clone_to_work_in, publish};
pub use repository::Repository;
pub use verification::{Commits, Rule, Rules, Verification};
pub use watch::watch;
