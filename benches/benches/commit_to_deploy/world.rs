//! A fleet that is as git wants it: a repository, an AWS, and `trueup run` between them, at rest.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use trueup_bench::applications;
use trueup_e2e::binary;
use trueup_e2e::daemon::Daemon;
use trueup_e2e::git_server::GitServer;
use trueup_e2e::process::Process;
use trueup_git::{amend_file, publish};
use trueup_sim::setup::{self, ELEARNING};
use trueup_sim::{Simulator, Time};

use crate::aws::{Aws, Call};

/// The branch that is followed.
pub const BRANCH: &str = "main";
/// The secret that webhooks are signed with.
pub const SECRET: &str = "the-secret-of-the-webhook";
/// The bare repository, in the directory of the fleet.
const BARE: &str = "fleet.git";
/// What a person fetches into, there as well.
const FETCHED: &str = "fetched.git";
/// The document that is changed.
const DOCUMENT: &str = "app-0/target-groups/backend.toml";
/// The line of it that is changed.
const LINE: &str = "HealthCheckIntervalSeconds = 60";

/// How long ago the fleet was deployed: rollouts take a minute or two, and what is older than a quarter of an hour is
/// observed in the same way as a younger one.
const AGE: Duration = Duration::from_mins(20);
/// How long any wait may last.
const LIMIT: Duration = Duration::from_mins(2);
/// When nothing is asked of AWS for so long, the daemon is at rest: what was written is observed again five seconds later.
const QUIET: Duration = Duration::from_secs(7);
/// When AWS was asked once more after a write, and then not for so long, that was the cycle that follows a write.
const LOOKED: Duration = Duration::from_millis(700);
/// That cycle comes no sooner.
const FOLLOWS: Duration = Duration::from_secs(4);

/// How trueup gets to know of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// By a signed webhook; the repository is read from a server over HTTP.
    ByWebhook,
    /// By watching the files of the repository, which is on the same machine.
    ByWatching,
}

/// All that runs.
pub struct World {
    /// What everything lies in; it is removed in the end.
    directory: TempDir,
    /// The document that is changed, as it is in the first commit.
    document: String,
    /// AWS.
    pub aws: Aws,
    /// The server of the repository.
    pub git: GitServer,
    /// Where webhooks are received.
    pub webhooks: SocketAddr,
    /// How trueup gets to know of a push.
    pub told: Told,
    daemon: Daemon,
}

impl World {
    /// Has trueup deploy so many applications, lets them grow older, and restarts it.
    ///
    /// # Errors
    /// When that does not work.
    pub fn at_rest(count: usize, told: Told) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let files = applications(count);
        let files: BTreeMap<&str, &str> =
            files.iter().map(|(path, text)| Ok((path.as_str(), str::from_utf8(text)?))).collect::<Result<_>>()?;
        let document = files[DOCUMENT].to_owned();
        ensure!(document.matches(LINE).count() == 1, "`{DOCUMENT}` has the line that is changed");
        publish(&directory.path().join(BARE), BRANCH, &files)?;
        std::fs::write(directory.path().join("secret"), SECRET)?;
        let git = GitServer::start(directory.path())?;
        let aws = Aws::start(simulator(count)?)?;
        // A port that is free; should another process take it in between, the daemon waits for it.
        let webhooks = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let daemon = run(&directory, &aws, &git, webhooks, told)?;
        let mut world = Self { directory, document, aws, git, webhooks, told, daemon };
        for _ in 0..count {
            // The last step of an application; it may be tried twice.
            world.daemon.wait_for("a service that is made", |event| event["event"] == "rollout.started")?;
        }
        world.daemon.terminate()?;
        world.aws.pass(AGE);
        let begun = Instant::now();
        world.daemon = run(&world.directory, &world.aws, &world.git, world.webhooks, told)?;
        let calls = world.aws.wait(begun, QUIET, LIMIT, |calls| !calls.is_empty())?;
        let written: Vec<&str> = calls.iter().filter(|call| call.mutates).map(|call| call.action.as_str()).collect();
        ensure!(written.is_empty(), "the fleet is not as git wants it: {written:?}\n{}", world.daemon.last_words());
        Ok(world)
    }

    /// Commits another interval of a health check, as a push would. Gives the commit.
    ///
    /// # Errors
    /// When git does not take it.
    pub fn commit(&self, seconds: usize) -> Result<String> {
        let text = self.document.replace(LINE, &format!("HealthCheckIntervalSeconds = {seconds}"));
        let message = format!("Look every {seconds} seconds");
        let bare = self.directory.path().join(BARE);
        Ok(amend_file(&bare, BRANCH, DOCUMENT, &text, &message)?.to_string())
    }

    /// The URL that trueup reads.
    pub fn repository(&self) -> String {
        url(&self.directory, &self.git, self.told)
    }

    /// Waits until a call is made that changes something. Gives the calls up to that one.
    ///
    /// # Errors
    /// When none is made in time.
    pub fn first_write(&self, begun: Instant) -> Result<Vec<Call>> {
        let first = |calls: &[Call]| calls.iter().position(|call| call.mutates);
        let mut calls = self.aws.wait(begun, Duration::ZERO, LIMIT, |calls| first(calls).is_some())?;
        calls.truncate(first(&calls).context("it is among them")? + 1);
        Ok(calls)
    }

    /// Waits until what was written since `begun` was observed once more, and nothing is asked any longer.
    ///
    /// # Errors
    /// When that does not come.
    pub fn rest(&self, begun: Instant) -> Result<()> {
        let is_over = |calls: &[Call]| {
            let written = calls.iter().rfind(|call| call.mutates).and_then(|call| call.went);
            calls.last().zip(written).is_some_and(|(last, written)| last.came > written + FOLLOWS)
        };
        self.aws.wait(begun, LOOKED, LIMIT, is_over).map(drop)
    }

    /// Has git itself fetch what was committed, from where trueup fetches it. Gives what that took.
    ///
    /// # Errors
    /// When git cannot.
    pub fn fetch(&self) -> Result<Duration> {
        let fetched = self.directory.path().join(FETCHED);
        if !fetched.exists() {
            git(Command::new("git").args(["init", "--quiet", "--bare"]).arg(&fetched))?;
        }
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&fetched).args(["-c", "maintenance.auto=false", "fetch", "--quiet", "--no-tags"]);
        command.arg(self.repository()).arg(format!("+refs/heads/{BRANCH}:refs/heads/{BRANCH}"));
        let begun = Instant::now();
        git(&mut command)?;
        Ok(begun.elapsed())
    }
}

/// Everything that the applications refer to, and nothing of themselves.
fn simulator(count: usize) -> Result<Simulator> {
    #[expect(clippy::disallowed_methods, reason = "the daemon has the system's clock, and AWS's must agree with it")]
    let now = jiff::Timestamp::now().as_millisecond();
    let (account, region) = ELEARNING;
    let mut simulator = Simulator::starting(account, region, 1, Time(u64::try_from(now)?) - AGE);
    let world = simulator.world_mut();
    setup::elearning(world);
    for number in 0..count {
        setup::load_balancer(world, &format!("alb-{number}"), 80);
    }
    Ok(simulator)
}

fn url(directory: &TempDir, git: &GitServer, told: Told) -> String {
    match told {
        Told::ByWebhook => git.url(BARE),
        Told::ByWatching => directory.path().join(BARE).display().to_string(),
    }
}

/// Starts the real binary, which asks no server unless it is configured to.
fn run(directory: &TempDir, aws: &Aws, git: &GitServer, webhooks: SocketAddr, told: Told) -> Result<Daemon> {
    let path = directory.path();
    let mut command = Command::new(binary::trueup()?);
    command.env_clear().env("HOME", path).current_dir(path);
    command.envs([("AWS_ACCESS_KEY_ID", "bench"), ("AWS_SECRET_ACCESS_KEY", "none"), ("TRUEUP_LISTEN", "off")]);
    command.env("AWS_ENDPOINT_URL", aws.url()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.args(["run", "--log-format", "json", "--git-interval", "24h", "--interval", "24h"]);
    command.arg("--repository").arg(url(directory, git, told)).arg("--cache-dir").arg(path.join("cache"));
    if told == Told::ByWebhook {
        command.args(["--webhook-listen", &webhooks.to_string(), "--webhook-secret-file", "secret"]);
    }
    Ok(Daemon::new(Process::start(command, &path.join("trueup"))?))
}

/// Runs git without any user's configuration.
fn git(command: &mut Command) -> Result<()> {
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")]).stdout(Stdio::null());
    let status = command.status().context("cannot start git, which this benchmark compares with")?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
