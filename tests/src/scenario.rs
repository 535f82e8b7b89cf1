//! One end-to-end test: an AWS, a repository and the real binary, and a verdict on every request at the end.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::process::Process;
use crate::repository::Repository;
use crate::world::World;
use crate::{binary, example};

/// How long a command that observes once may take.
const COMMAND_LIMIT: Duration = Duration::from_mins(2);

/// How many lines of each kind are shown when a test failed.
const LINES_SHOWN_MAX: usize = 30;

/// How often a daemon under test polls, so that a test takes seconds.
const INTERVAL: &str = "1s";

/// An AWS with the example's infrastructure, an empty repository, and the binary.
pub struct Scenario {
    /// The AWS.
    pub world: World,
    /// The repository of desired state.
    pub repository: Repository,
    directory: TempDir,
    binary: PathBuf,
    started: Cell<u32>,
    /// The id and the secret of the key that trueup acts with.
    key: RefCell<[String; 2]>,
}

/// What a command that ended left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

/// Runs one end-to-end test, then has every request that trueup sent checked against AWS's own models.
///
/// # Panics
/// When the test fails, or a request is not what the models allow.
pub fn scenario(test: impl FnOnce(&Scenario) -> Result<()>) {
    let run = || -> Result<()> {
        let scenario = Scenario::start()?;
        scenario.world.create_infrastructure()?;
        // Panics while the scenario is there, so that it can say what it knows.
        test(&scenario).and_then(|()| scenario.judge_requests()).unwrap_or_else(|error| panic!("{error:?}"));
        Ok(())
    };
    run().unwrap_or_else(|error| panic!("{error:?}"));
}

impl Scenario {
    /// Starts an empty AWS and makes an empty repository.
    ///
    /// # Errors
    /// When Python, git or the binary are not to be had.
    pub fn start() -> Result<Self> {
        let binary = binary::trueup()?;
        let directory = TempDir::with_prefix("trueup-e2e-").context("cannot make a directory")?;
        let world = World::start(directory.path())?;
        let repository = Repository::create(directory.path())?;
        Ok(Self {
            world,
            repository,
            directory,
            binary,
            started: 0.into(),
            key: ["test", "test"].map(str::to_owned).into(),
        })
    }

    /// Pushes the example as the repository's first commit. Gives its id.
    ///
    /// # Errors
    /// When git fails.
    pub fn push_example(&self) -> Result<String> {
        self.repository.copy(&example(), "desired-state")?;
        self.repository.push("The e-learning system")
    }

    /// A directory for what else a test needs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts `trueup run` on the repository, looking every second.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon(&self, arguments: &[&str]) -> Result<Daemon> {
        let mut command = self.command("run");
        command.args(["--log-format", "json"]);
        command.args(["--git-interval", INTERVAL, "--interval", INTERVAL]).args(arguments);
        self.daemon_of(command)
    }

    /// Starts a daemon by a command that was made with [`Scenario::command`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon_of(&self, command: Command) -> Result<Daemon> {
        Ok(Daemon::new(self.start_process(command)?))
    }

    /// Starts a command that was made with [`Scenario::command`], whatever it prints.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_process(&self, command: Command) -> Result<Process> {
        Process::start(command, &self.output_file())
    }

    /// Starts `trueup run` on a repository by its URL, looking at AWS every second and at git once a day: so it has to be
    /// notified of a push.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn daemon_on(&self, repository: impl AsRef<OsStr>, arguments: &[&str]) -> Result<Daemon> {
        let mut command = self.command_on("run", repository);
        command.args(["--log-format", "json", "--git-interval", "24h", "--interval", INTERVAL]).args(arguments);
        Ok(Daemon::new(self.start_process(command)?))
    }

    /// Starts a daemon and waits until the example, pushed before, is there and nothing more is written.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn daemon_at_rest(&self) -> Result<Daemon> {
        let daemon = self.daemon(&[])?;
        self.world.wait_for("CreateService", 0, 1)?;
        self.world.wait_for_rest(0).with_context(|| daemon.last_words())?;
        Ok(daemon)
    }

    /// Runs a command on the repository to its end: `plan`, `apply`, `status`, with more arguments.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn run(&self, subcommand: &str, arguments: &[&str]) -> Result<Finished> {
        let mut command = self.command(subcommand);
        command.args(arguments);
        self.finish(command)
    }

    /// Runs a command without a repository and without AWS.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn run_offline(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = self.bare_command();
        command.args(arguments);
        self.finish(command)
    }

    /// Enforces IAM from now on, with trueup as a user who has this policy and no other.
    ///
    /// # Errors
    /// When moto refuses.
    pub fn enforce(&self, policy: &Value) -> Result<()> {
        *self.key.borrow_mut() = self.world.enforce()?;
        self.world.allow(policy, None)
    }

    /// Fails when a request that trueup sent is not what AWS's own models allow.
    ///
    /// # Errors
    /// With every violation.
    pub fn judge_requests(&self) -> Result<()> {
        let found = self.world.violations()?;
        ensure!(found.is_empty(), "requests that AWS's models do not allow:\n{}", found.join("\n"));
        Ok(())
    }

    /// The environment variables with which trueup reaches this AWS and nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let [id, secret] = self.key.borrow().clone();
        vec![
            ("AWS_ENDPOINT_URL", self.world.recorded.clone()),
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ]
    }

    /// `trueup SUBCOMMAND` with the flags that all commands on a repository share.
    pub fn command(&self, subcommand: &str) -> Command {
        self.command_on(subcommand, self.repository.url())
    }

    /// The same on another repository, by its URL.
    pub fn command_on(&self, subcommand: &str, repository: impl AsRef<OsStr>) -> Command {
        let mut command = self.bare_command();
        command.arg(subcommand).arg("--repository").arg(repository);
        command.arg("--cache-dir").arg(self.cache());
        command
    }

    /// The cache directory of all processes.
    pub fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    /// `trueup`, in a directory of its own and with this AWS alone within reach.
    pub fn bare_command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        // The developer's own AWS must be out of reach.
        command.env_clear().envs(self.environment()).env("HOME", self.directory.path());
        // Tests run side by side: the one address that is the default would be for one of them.
        command.env("TRUEUP_LISTEN", "off");
        command.current_dir(self.directory.path());
        command
    }

    /// Runs a command that was made with [`Scenario::command`] to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn finish(&self, command: Command) -> Result<Finished> {
        let output = self.output_file();
        let mut process = Process::start(command, &output)?;
        let deadline = Instant::now() + COMMAND_LIMIT;
        let mut stdout = String::new();
        while let Some(line) = process.next_line(deadline)? {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        let code = process.wait(COMMAND_LIMIT)?.code();
        Ok(Finished { code, stdout, stderr: std::fs::read_to_string(output.with_extension("stderr"))? })
    }

    /// What all processes printed so far, as one text.
    pub fn everything_said(&self) -> String {
        self.printed().into_iter().map(|(_, text)| text).collect::<Vec<_>>().concat()
    }

    /// What every process printed so far, by its number and stream.
    pub fn printed(&self) -> Vec<(String, String)> {
        let processes = (1..=self.started.get()).flat_map(|number| ["stdout", "stderr"].map(|stream| (number, stream)));
        let read = |(number, stream)| {
            let text = std::fs::read_to_string(self.output_of(number).with_extension(stream)).unwrap_or_default();
            (format!("{stream} of process {number}"), text)
        };
        processes.map(read).collect()
    }

    /// Files of its own for every process, without their ending.
    fn output_file(&self) -> PathBuf {
        self.started.set(self.started.get() + 1);
        self.output_of(self.started.get())
    }

    fn output_of(&self, number: u32) -> PathBuf {
        self.directory.path().join(format!("trueup-{number}"))
    }
}

/// A test that fails shows what a person needs to find out why: what every process printed, and the last requests.
impl Drop for Scenario {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (what, text) in self.printed() {
            eprintln!("-- {what}\n{}", tail(text.lines()));
        }
        let requests = self.world.requests(0).unwrap_or_default();
        let requests: Vec<String> = requests.iter().map(|request| format!("{request:?}")).collect();
        eprintln!("-- the last requests\n{}", tail(requests.iter().map(String::as_str)));
    }
}

/// The last lines.
fn tail<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(LINES_SHOWN_MAX)..].join("\n")
}
