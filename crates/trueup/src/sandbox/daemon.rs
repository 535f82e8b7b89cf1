//! AWS, repository and engine put together, and kept running until Ctrl-C.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use trueup_aws::{AwsClouds, Keys};
use trueup_core::names::InstanceName;
use trueup_core::report::Event;
use trueup_engine::{Engine, Options, Sink};
use trueup_git::{Config, Repository, clone_to_work_in, publish};
use trueup_ports::Clock;
use trueup_sim::serve::{Pace, Server};

use super::SandboxArgs;
use super::by_hand::ENDPOINT_FILE;
use super::progress::{self, Start};
use super::{guide, site, tour};
use crate::args::Format;
use crate::events::Printer;
use crate::terminal::Hinted;
use crate::{logs, wiring};

/// How often the daemon polls git, in real time: the repository is on the same disk.
const GIT_INTERVAL: Duration = Duration::from_secs(1);

/// How often live state is observed, in virtual time.
const INTERVAL: Duration = Duration::from_mins(1);

/// How often the daemon observes a rollout, in virtual time.
const ROLLOUT_INTERVAL: Duration = Duration::from_secs(10);

/// The branch that the daemon follows.
pub const BRANCH: &str = "main";

/// The running sandbox.
pub struct Sandbox {
    /// The directory of the sandbox.
    pub dir: PathBuf,
    /// Whether this process created the repository.
    is_new: bool,
    /// The simulated AWS.
    pub server: Server,
    /// The daemon.
    pub engine: Engine,
    /// The file with the address of the simulated AWS; its lock marks the directory as in use.
    endpoint: File,
}

/// Runs until Ctrl-C, or until the tour is over.
///
/// # Errors
/// When the directory or the port cannot be used; with a tour, when a part of it fails.
pub fn run(args: &SandboxArgs) -> Result<ExitCode> {
    logs::start(Format::Text);
    wiring::block_on(async {
        let begin = Start::now();
        let (sandbox, events) = Sandbox::start(args, &begin).await?;
        wiring::stop_on_signal(&sandbox.engine)?;
        let Sandbox { dir, is_new, server, .. } = &sandbox;
        let program = guide::program().context("cannot find this program")?;
        println!("{}", guide::guide(&program, dir, &server.url(), args.speed, args.tour, *is_new));
        let engine = sandbox.engine.clone();
        let daemon = tokio::spawn(async move { engine.run().await });
        let reporting = tokio::spawn(progress::report(sandbox.engine.clone()));
        let outcome = match events {
            Some(events) => {
                let outcome = tour::tour(&sandbox, events).await;
                sandbox.engine.shutdown().request();
                outcome
            }
            None => Ok(()),
        };
        let ended = daemon.await;
        reporting.abort();
        ended.context("the daemon panicked")?;
        sandbox.end().await;
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

impl Sandbox {
    /// Starts everything but the daemon's loop; with a tour, returns the events as they come.
    async fn start(args: &SandboxArgs, begin: &Start) -> Result<(Self, Option<UnboundedReceiver<Event>>)> {
        let unusable = || format!("cannot use the directory `{}`", args.dir.display());
        fs::create_dir_all(&args.dir).with_context(unusable)?;
        let dir = fs::canonicalize(&args.dir).with_context(unusable)?;
        let mut endpoint = lock(&dir)?;
        let (bare, work) = (dir.join("site.git"), dir.join("work"));
        if args.tour && bare.exists() {
            let message = format!("there is already a sandbox in `{}`, and the tour needs a new one", dir.display());
            return Err(Hinted::new(message, "choose another directory with `--dir`, or remove that one").into());
        }
        // What was pushed in an earlier sandbox stays.
        let is_new = !bare.exists();
        if is_new {
            free(&work)?;
            publish(&bare, BRANCH, &site::files()).map_err(wiring::hinted)?;
            begin.done(&format!("created the repository with the example: {}", bare.display()));
        }
        // The tour commits to the repository itself: a clone made before would be behind it and could not push.
        if !args.tour && !work.exists() {
            clone_to_work_in(&bare, &work, BRANCH).map_err(wiring::hinted)?;
            begin.done(&format!("cloned it for your own commits: {}", work.display()));
        }
        let address = SocketAddr::from(([127, 0, 0, 1], args.port));
        let clock = Began { real: Instant::now(), time: wiring::SystemClock.now(), speed: args.speed };
        let server = Server::start(address, site::aws(clock.time), Pace { speed: args.speed }).await;
        let server = server.map_err(|error| {
            let hint = "choose another `--port`, or omit it to use any free port";
            Hinted::new(format!("cannot listen on {address}: {error}"), hint)
        })?;
        begin.done(&format!("started the simulated AWS: {}", server.url()));
        endpoint.set_len(0).and_then(|()| write!(endpoint, "{}", server.address())).with_context(unusable)?;
        let (send, events) = unbounded_channel();
        let (send, events) = if args.tour { (Some(send), Some(events)) } else { (None, None) };
        let sink = Arc::new(Events { printer: Printer::new(Format::Text), tour: send });
        let engine = engine(&dir, &server, clock, sink)?;
        begin.done("prepared the daemon");
        Ok((Self { dir, is_new, server, engine, endpoint }, events))
    }

    async fn end(self) {
        // Only the lock says whether a sandbox is running: a file that stays does no harm.
        let _ = fs::remove_file(self.dir.join(ENDPOINT_FILE));
        drop(self.endpoint);
        self.server.stop().await;
    }
}

/// Fails when the clone's directory exists although the repository does not: trueup did not create it.
fn free(work: &Path) -> Result<()> {
    if work.exists() {
        let message = format!("`{}` already exists, but there is no repository next to it", work.display());
        return Err(Hinted::new(message, "choose another directory with `--dir`, or remove this one").into());
    }
    Ok(())
}

/// Locks the directory for this process, for as long as the file is open.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(ENDPOINT_FILE);
    let unusable = || format!("cannot write `{}`", path.display());
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path).with_context(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("a sandbox is already running in `{}`", dir.display());
            Err(Hinted::new(message, "stop it with Ctrl-C, or choose another directory with `--dir`").into())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
    }
}

/// The daemon as in `trueup run`, with the clock of the simulated AWS.
fn engine(dir: &Path, server: &Server, clock: Began, sink: Arc<dyn Sink>) -> Result<Engine> {
    let config = Config::new(dir.join("site.git").to_string_lossy(), BRANCH, dir.join("cache"));
    let repository = Repository::open(config).map_err(wiring::hinted)?;
    let clouds = AwsClouds::new(trueup_aws::Options {
        endpoint_url: Some(server.url()),
        keys: Some(Keys::new("trueup", "none")),
        ..trueup_aws::Options::default()
    });
    let mut options = Options::new(InstanceName::new("trueup"));
    options.git_interval = GIT_INTERVAL;
    options.interval = INTERVAL / clock.speed;
    options.rollout_interval = ROLLOUT_INTERVAL / clock.speed;
    Ok(Engine::new(Arc::new(repository), Arc::new(clouds), Arc::new(clock), sink, options))
}

/// Prints events, and passes them to the tour.
struct Events {
    printer: Printer,
    tour: Option<UnboundedSender<Event>>,
}

impl Sink for Events {
    fn emit(&self, event: &Event) {
        self.printer.emit(event);
        if let Some(tour) = &self.tour {
            // The tour may be over.
            let _ = tour.send(event.clone());
        }
    }
}

/// The clock of the simulated AWS: as fast, and starting now.
#[derive(Clone, Copy)]
struct Began {
    real: Instant,
    time: Timestamp,
    /// At least 1.
    speed: u32,
}

impl Clock for Began {
    fn now(&self) -> Timestamp {
        let passed = self.real.elapsed().saturating_mul(self.speed);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.time.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}
