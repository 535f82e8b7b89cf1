//! What the end-to-end tests need: an AWS that others wrote, a git repository, and the real binary between them.
//!
//! ```text
//! test ── Scenario ─┬─ World       moto behind a recorder, one Python process, ruled by JSON lines
//!                   ├─ Repository  a bare git repository, and a clone to commit in
//!                   └─ Daemon      `trueup run` as a child, its events as data
//! ```
//!
//! Nothing here knows trueup's crates: what is tested is what a user runs. No wait sleeps: each waits for a line, an
//! exit or a request, has a limit, and says what it saw last.

pub mod authority;
pub mod binary;
pub mod canary;
pub mod daemon;
pub mod git_server;
pub mod https_server;
pub mod process;
pub mod python;
pub mod receiver;
pub mod repository;
pub mod scenario;
pub mod servers;
pub mod ssh_server;
pub mod webhook;
pub mod world;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The example of desired state that comes with trueup.
pub fn example() -> PathBuf {
    workspace().join("desired-state")
}
