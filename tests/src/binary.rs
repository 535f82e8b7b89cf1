//! Where the real binary is, built when it is not there or older than its sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// The `trueup` binary: `TRUEUP_BIN`, or the one that cargo builds with this test.
///
/// # Errors
/// When it cannot be built.
pub fn trueup() -> Result<PathBuf> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = BINARY.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.clone().map_err(anyhow::Error::msg)
}

/// The target directory that this program was built in.
///
/// # Errors
/// When this program was moved out of it.
pub fn target_directory() -> Result<PathBuf> {
    Ok(profile_directory()?.parent().context("a profile's directory lies in the target directory")?.to_owned())
}

fn profile_directory() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot find this program")?;
    let directory = own.parent().context("a program lies in a directory")?;
    // Tests are in `deps`, examples in `examples`, binaries one above.
    let is_below = ["deps", "examples"].iter().any(|name| directory.ends_with(name));
    let profile = if is_below { directory.parent() } else { Some(directory) };
    Ok(profile.with_context(|| format!("`{}` is not in a profile's directory", directory.display()))?.to_owned())
}

fn find() -> Result<PathBuf> {
    if let Some(given) = env::var_os("TRUEUP_BIN") {
        return Ok(given.into());
    }
    let directory = profile_directory()?;
    let binary = directory.join("trueup");
    // `cargo test` has just built it. Building it again would select other features of its dependencies (tests have
    // more of them) and compile the AWS SDK a second time.
    if modified(&binary).is_some_and(|built| newest(&workspace().join("crates")) < Some(built)) {
        return Ok(binary);
    }
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--bin", "trueup", "--profile", profile, "--target-dir"])
        .arg(target_directory()?)
        .current_dir(workspace())
        .status()
        .context("cannot start cargo to build trueup")?;
    if !status.success() {
        bail!("trueup does not build ({status})");
    }
    Ok(binary)
}

/// When the newest source below `directory` was changed.
fn newest(directory: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(directory).ok()?.filter_map(Result::ok);
    let times = entries
        .map(|entry| entry.path())
        .filter_map(|path| if path.is_dir() { newest(&path) } else { modified(&path) });
    times.max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
