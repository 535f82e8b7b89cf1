//! AWS, repository and engine put together, and kept running until Ctrl-C.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use trueup_aws::{AwsClouds, Keys};
use trueup_core::names::InstanceName;
use trueup_engine::{Engine, Options};
use trueup_git::{Config, Repository, publish};
use trueup_ports::Clock;
use trueup_sim::Simulator;
use trueup_sim::serve::{Pace, Server};

use super::by_hand::ENDPOINT_FILE;
use super::{guide, site, tour};
use crate::cli::{Format, SandboxArgs};
use crate::events::Printer;
use crate::{logs, wiring};

/// How often git is asked, in real time: it is on the same disk.
const GIT_INTERVAL: Duration = Duration::from_secs(1);

/// How often live state is observed, in virtual time.
const INTERVAL: Duration = Duration::from_mins(1);

/// How often a rollout is looked at, in virtual time.
const ROLLOUT_INTERVAL: Duration = Duration::from_secs(15);

/// Everything that runs.
pub struct Sandbox {
    /// Where it is.
    pub dir: PathBuf,
    /// Its AWS.
    pub server: Server,
    /// The daemon.
    pub engine: Engine,
}

/// Runs until Ctrl-C, or until the tour is over.
///
/// # Errors
/// When the directory or the port cannot be used; with a tour, when it did not go as it should.
pub fn run(args: &SandboxArgs) -> Result<ExitCode> {
    logs::start(Format::Text);
    wiring::block_on(async {
        let sandbox = Sandbox::start(args).await?;
        wiring::stop_on_signal(&sandbox.engine)?;
        println!("{}", guide::guide(&sandbox.dir, &sandbox.server.url(), tour::REGION, args.speed));
        let engine = sandbox.engine.clone();
        let daemon = tokio::spawn(async move { engine.run().await });
        let outcome = if args.tour { tour::tour(&sandbox).await } else { Ok(()) };
        if args.tour {
            sandbox.engine.shutdown().request();
        }
        daemon.await.context("the daemon broke")?;
        // The next one writes it anew; one that stays would send `trueup sandbox drift` to nobody.
        let _ = fs::remove_file(sandbox.dir.join(ENDPOINT_FILE));
        sandbox.server.stop().await;
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

impl Sandbox {
    async fn start(args: &SandboxArgs) -> Result<Self> {
        let (bare, work) = (args.dir.join("site.git"), args.dir.join("work"));
        fs::create_dir_all(&args.dir).with_context(|| format!("cannot make `{}`", args.dir.display()))?;
        let dir = fs::canonicalize(&args.dir).with_context(|| format!("cannot use `{}`", args.dir.display()))?;
        // What somebody pushed in an earlier sandbox stays.
        if !bare.exists() {
            publish(&bare, &work, "main", &site::files()).map_err(wiring::hinted)?;
        }
        let address = SocketAddr::from(([127, 0, 0, 1], args.port));
        let pace = Pace { speed: args.speed };
        let began = Began { real: Instant::now(), time: wiring::SystemClock.now(), speed: args.speed };
        let server = Server::start(address, site::aws(began.time)?, pace);
        let server = server.await.with_context(|| format!("cannot listen on {address}; try another `--port`"))?;
        fs::write(dir.join(ENDPOINT_FILE), server.address().to_string())
            .with_context(|| format!("cannot write into `{}`", dir.display()))?;
        let engine = engine(&dir, &server, began)?;
        Ok(Self { dir, server, engine })
    }
}

/// The daemon as `trueup run` has it, with a clock that keeps up with its AWS.
fn engine(dir: &Path, server: &Server, began: Began) -> Result<Engine> {
    let config = Config::new(dir.join("site.git").to_string_lossy(), "main", dir.join("cache"));
    let repository = Repository::open(config).map_err(wiring::hinted)?;
    let clouds = AwsClouds::new(trueup_aws::Options {
        endpoint_url: Some(server.url()),
        keys: Some(Keys::new("trueup", "none")),
        ..trueup_aws::Options::default()
    });
    let mut options = Options::new(InstanceName::new("trueup"));
    options.git_interval = GIT_INTERVAL;
    options.interval = INTERVAL / began.speed.max(1);
    options.rollout_interval = ROLLOUT_INTERVAL / began.speed.max(1);
    let printer = Printer::new(Format::Text);
    Ok(Engine::new(Arc::new(repository), Arc::new(clouds), Arc::new(began), Arc::new(printer), options))
}

/// The time of the sandbox's AWS.
#[derive(Clone, Copy)]
struct Began {
    real: Instant,
    time: Timestamp,
    speed: u32,
}

impl Clock for Began {
    fn now(&self) -> Timestamp {
        let passed = self.real.elapsed().saturating_mul(self.speed.max(1));
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.time.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}
