//! The servers that others wrote: whether they are there, and one of them as a child on a loopback port.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::Process;

/// How long a server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a port is tried that another process takes in the moment between it was free and the server's start.
const PORTS_MAX: usize = 5;

/// Has `tests/servers` install what is missing, once.
///
/// # Errors
/// When something is missing and cannot be installed, with the names of Debian's packages.
pub fn install() -> Result<()> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    INSTALLED
        .get_or_init(|| {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
            let output =
                Command::new(script).output().map_err(|error| format!("cannot run `tests/servers`: {error}"))?;
            if output.status.success() {
                return Ok(());
            }
            Err(format!("`tests/servers` failed:\n{}", String::from_utf8_lossy(&output.stderr)))
        })
        .clone()
        .map_err(anyhow::Error::msg)
}

/// Starts a server on a port that is free, and waits until it says on stderr that it listens. `configure` writes its
/// configuration for a port and gives the program with its arguments.
///
/// # Errors
/// When it ends, or does not say so in time.
pub(crate) fn start(
    output: &Path,
    listens: &str,
    configure: impl Fn(u16) -> Result<Vec<String>>,
) -> Result<(Process, u16)> {
    let mut last_words = String::new();
    for _ in 0..PORTS_MAX {
        let port = TcpListener::bind("127.0.0.1:0").context("no port is left")?.local_addr()?.port();
        let mut command = Command::new("/bin/sh");
        // What servers say goes to stderr, and what can be waited for comes from stdout.
        command.args(["-c", "exec \"$@\" 2>&1", "sh"]).args(configure(port)?);
        command.env("PATH", search_path());
        let mut process = Process::start(command, output)?;
        let deadline = Instant::now() + START_LIMIT;
        while let Some(line) = process.next_line(deadline)? {
            if line.contains(listens) {
                return Ok((process, port));
            }
            last_words.push_str(&line);
            last_words.push('\n');
        }
    }
    bail!("a server does not start:\n{last_words}")
}

/// Where programs are looked for: servers are not on every user's `PATH`.
pub(crate) fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// The place of a program.
pub(crate) fn program(name: &str) -> Result<String> {
    let path = search_path();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file());
    Ok(found.with_context(|| format!("`{name}` is not installed"))?.to_str().context("a path is text")?.to_owned())
}

/// Runs a program to its end and gives what it printed.
pub(crate) fn output(program: &str, arguments: &[&(impl AsRef<OsStr> + ?Sized)]) -> Result<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).output().with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        bail!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout).context("it prints text")?.trim().to_owned())
}
