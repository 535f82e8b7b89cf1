//! The Python that moto runs in: a virtual environment that the tests make for themselves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};

use crate::binary::target_directory;

/// The interpreter with moto and botocore in it; `tests/venv` makes it when it is not there.
///
/// # Errors
/// When there is no `python3` with `venv`, or the packages cannot be installed.
pub fn interpreter() -> Result<PathBuf> {
    static INTERPRETER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = INTERPRETER.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

/// A script of `tests/python`.
pub fn script(name: &str) -> PathBuf {
    tests().join("python").join(name)
}

fn make() -> Result<PathBuf> {
    let mut command = Command::new("python3");
    command.arg(tests().join("venv")).arg(target_directory()?);
    let needs =
        "the end-to-end tests run against moto and need Python 3.10 or newer with `venv` (Debian: python3-venv)";
    let output = command.output().context(needs)?;
    if !output.status.success() {
        bail!("{needs}; it failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let directory = String::from_utf8(output.stdout).context("the directory's name is text")?;
    Ok(Path::new(directory.trim_end()).join("bin/python"))
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
