//! The Python that moto runs in: a virtual environment that the tests make for themselves.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};

use crate::binary::target_directory;

/// What is installed, each package at one version.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The interpreter with moto and botocore in it.
///
/// Makes the virtual environment in the target directory when it is not there: once for all test processes, again when
/// `requirements.txt` changes. That takes half a minute and the network; afterwards neither.
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

fn make() -> Result<PathBuf> {
    let target = target_directory()?;
    let mut hasher = DefaultHasher::new();
    REQUIREMENTS.hash(&mut hasher);
    let directory = target.join(format!("e2e-venv-{:016x}", hasher.finish()));
    let interpreter = directory.join("bin/python");
    let complete = directory.join("complete");

    // Test processes run at the same time; the first one installs and the others wait.
    let lock = File::create(target.join("e2e-venv.lock")).context("cannot write to the target directory")?;
    lock.lock().context("cannot lock the virtual environment")?;
    if complete.exists() {
        return Ok(interpreter);
    }
    eprintln!("making a virtual environment with moto in {}", directory.display());
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory)).context(
        "the end-to-end tests run against moto and need Python 3.10 or newer with `venv` (Debian: python3-venv)",
    )?;
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.txt");
    run(Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&requirements))?;
    fs::write(&complete, "")?;
    Ok(interpreter)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{command:?} failed ({}):\n{}", output.status, String::from_utf8_lossy(&said));
    }
    Ok(())
}
