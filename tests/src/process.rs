//! A child process whose lines and exit can be waited for, each wait with a limit.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// How much of what a child wrote to stderr is shown when something went wrong.
const STDERR_LINES_SHOWN_MAX: usize = 40;

/// A running child. It is killed when it is dropped.
pub struct Process {
    name: String,
    pid: Pid,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    exit: Receiver<ExitStatus>,
    exited: Option<ExitStatus>,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command`. Its stdout comes to us line by line and goes to the file `output` with the ending `stdout`, its
    /// stderr to the one with `stderr`.
    ///
    /// It gets a process group of its own, so that Ctrl-C in a terminal reaches us alone and we end it in order.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, output: &Path) -> Result<Self> {
        use std::os::unix::process::CommandExt as _;

        let name = command.get_program().to_string_lossy().into_owned();
        let stderr = output.with_extension("stderr");
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(create(&stderr)?);
        let mut child = command.spawn().with_context(|| format!("cannot start `{name}`"))?;
        let pid = Pid::from_child(&child);
        let stdin = child.stdin.take();

        let (send_line, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            let mut copy = create(&output.with_extension("stdout"))?;
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if writeln!(copy, "{line}").is_err() || send_line.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let (send_exit, exit) = channel();
        thread::spawn(move || {
            if let Ok(status) = child.wait() {
                // Nobody may be left who wants to know.
                let _ = send_exit.send(status);
            }
        });
        Ok(Self { name, pid, stdin, lines, exit, exited: None, stderr })
    }

    /// Writes a line to its stdin.
    ///
    /// # Errors
    /// When it no longer reads.
    pub fn write_line(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its stdin was closed")?;
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).with_context(|| self.last_words())
    }

    /// The next line of its stdout; `None` when it has closed it.
    ///
    /// # Errors
    /// When none came until `deadline`.
    pub fn next_line(&mut self, deadline: Instant) -> Result<Option<String>> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                bail!("`{}` printed nothing more in time\n{}", self.name, self.last_words())
            }
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        if self.exited.is_none() {
            let status = self.exit.recv_timeout(limit);
            let status =
                status.with_context(|| format!("`{}` still ran after {limit:?}\n{}", self.name, self.last_words()))?;
            self.exited = Some(status);
        }
        self.exited.context("it has ended")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it has ended before.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.exited.is_none() {
            self.exited = self.exit.try_recv().ok();
        }
        if let Some(status) = self.exited {
            bail!("`{}` had ended before ({status})\n{}", self.name, self.last_words());
        }
        kill_process(self.pid, signal).with_context(|| format!("cannot send {signal:?} to `{}`", self.name))
    }

    /// What it wrote to stderr last.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(STDERR_LINES_SHOWN_MAX)..];
        format!("stderr of `{}` ended with:\n{}", self.name, shown.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when it has ended already, and then there is nothing to do.
        if self.exited.is_none() && self.signal(Signal::KILL).is_ok() {
            let _ = self.exit.recv_timeout(Duration::from_secs(10));
        }
    }
}

fn create(file: &Path) -> Result<File> {
    File::create(file).with_context(|| format!("cannot write `{}`", file.display()))
}
