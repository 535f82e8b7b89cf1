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

use super::by_hand::ENDPOINT_FILE;
use super::{guide, site, tour};
use crate::cli::{Format, SandboxArgs};
use crate::events::Printer;
use crate::terminal::Hinted;
use crate::{logs, wiring};

/// How often git is asked, in real time: it is on the same disk.
const GIT_INTERVAL: Duration = Duration::from_secs(1);

/// How often live state is observed, in virtual time.
const INTERVAL: Duration = Duration::from_mins(1);

/// How often a rollout is looked at, in virtual time.
const ROLLOUT_INTERVAL: Duration = Duration::from_secs(10);

/// The branch that is followed.
pub const BRANCH: &str = "main";

/// Everything that runs.
pub struct Sandbox {
    /// Where it is.
    pub dir: PathBuf,
    /// Whether its repository was made just now.
    is_new: bool,
    /// Its AWS.
    pub server: Server,
    /// The daemon.
    pub engine: Engine,
    /// Holds the lock of the directory, and tells others where AWS listens.
    endpoint: File,
}

/// Runs until Ctrl-C, or until the tour is over.
///
/// # Errors
/// When the directory or the port cannot be used; with a tour, when it did not go as it should.
pub fn run(args: &SandboxArgs) -> Result<ExitCode> {
    logs::start(Format::Text);
    wiring::block_on(async {
        let (sandbox, events) = Sandbox::start(args).await?;
        wiring::stop_on_signal(&sandbox.engine)?;
        let Sandbox { dir, is_new, server, .. } = &sandbox;
        let program = guide::program().context("cannot find this program")?;
        println!("{}", guide::guide(&program, dir, &server.url(), args.speed, args.tour, *is_new));
        let engine = sandbox.engine.clone();
        let daemon = tokio::spawn(async move { engine.run().await });
        let outcome = match events {
            Some(events) => {
                let outcome = tour::tour(&sandbox, events).await;
                sandbox.engine.shutdown().request();
                outcome
            }
            None => Ok(()),
        };
        daemon.await.context("the daemon broke")?;
        sandbox.end().await;
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

impl Sandbox {
    /// Everything but the daemon's loop, and with a tour the events as they come.
    async fn start(args: &SandboxArgs) -> Result<(Self, Option<UnboundedReceiver<Event>>)> {
        let unusable = || format!("cannot use the directory `{}`", args.dir.display());
        fs::create_dir_all(&args.dir).with_context(unusable)?;
        let dir = fs::canonicalize(&args.dir).with_context(unusable)?;
        let mut endpoint = lock(&dir)?;
        let (bare, work) = (dir.join("site.git"), dir.join("work"));
        if args.tour && bare.exists() {
            let message =
                format!("there is a sandbox in `{}` already, and the tour begins with a new one", dir.display());
            return Err(Hinted::new(message, "name another directory with `--dir`, or remove that one").into());
        }
        // What somebody pushed in an earlier sandbox stays.
        let is_new = !bare.exists();
        if is_new {
            free(&work)?;
            publish(&bare, BRANCH, &site::files()).map_err(wiring::hinted)?;
        }
        // The tour commits to the repository itself: a clone from before would be behind it, and not be able to push.
        if !args.tour && !work.exists() {
            clone_to_work_in(&bare, &work, BRANCH).map_err(wiring::hinted)?;
        }
        let address = SocketAddr::from(([127, 0, 0, 1], args.port));
        let began = Began { real: Instant::now(), time: wiring::SystemClock.now(), speed: args.speed };
        let server = Server::start(address, site::aws(began.time), Pace { speed: args.speed }).await;
        let server = server.map_err(|error| {
            let hint = "name another `--port`, or none: then any that is free is taken";
            Hinted::new(format!("cannot listen on {address}: {error}"), hint)
        })?;
        endpoint.set_len(0).and_then(|()| write!(endpoint, "{}", server.address())).with_context(unusable)?;
        let (send, events) = unbounded_channel();
        let (send, events) = if args.tour { (Some(send), Some(events)) } else { (None, None) };
        let sink = Arc::new(Told { printer: Printer::new(Format::Text), tour: send });
        let engine = engine(&dir, &server, began, sink)?;
        Ok((Self { dir, is_new, server, engine, endpoint }, events))
    }

    async fn end(self) {
        // The lock alone tells that nobody listens any more; what stays without it is only untidy.
        let _ = fs::remove_file(self.dir.join(ENDPOINT_FILE));
        drop(self.endpoint);
        self.server.stop().await;
    }
}

/// Refuses where something is that we did not make.
fn free(work: &Path) -> Result<()> {
    if work.exists() {
        let message = format!("`{}` exists already, and no repository beside it", work.display());
        return Err(Hinted::new(message, "name another directory with `--dir`, or remove this one").into());
    }
    Ok(())
}

/// Takes the directory for this process alone, for as long as the file is open.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(ENDPOINT_FILE);
    let unusable = || format!("cannot write `{}`", path.display());
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path).with_context(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("a sandbox runs in `{}` already", dir.display());
            Err(Hinted::new(message, "end it with Ctrl-C, or name another directory with `--dir`").into())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
    }
}

/// The daemon as `trueup run` has it, with a clock that keeps up with its AWS.
fn engine(dir: &Path, server: &Server, began: Began, sink: Arc<dyn Sink>) -> Result<Engine> {
    let config = Config::new(dir.join("site.git").to_string_lossy(), BRANCH, dir.join("cache"));
    let repository = Repository::open(config).map_err(wiring::hinted)?;
    let clouds = AwsClouds::new(trueup_aws::Options {
        endpoint_url: Some(server.url()),
        keys: Some(Keys::new("trueup", "none")),
        ..trueup_aws::Options::default()
    });
    let mut options = Options::new(InstanceName::new("trueup"));
    options.git_interval = GIT_INTERVAL;
    options.interval = INTERVAL / began.speed;
    options.rollout_interval = ROLLOUT_INTERVAL / began.speed;
    Ok(Engine::new(Arc::new(repository), Arc::new(clouds), Arc::new(began), sink, options))
}

/// Prints events, and lets the tour see them.
struct Told {
    printer: Printer,
    tour: Option<UnboundedSender<Event>>,
}

impl Sink for Told {
    fn emit(&self, event: &Event) {
        self.printer.emit(event);
        if let Some(tour) = &self.tour {
            // The tour may be over.
            let _ = tour.send(event.clone());
        }
    }
}

/// The time of the sandbox's AWS.
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
