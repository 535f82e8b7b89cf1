//! What makes the daemon act now: webhooks, and pushes to a repository on this machine.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use trueup_engine::Engine;
use trueup_git::Repository;
use trueup_http::{Limits, Place, Receiver, SecretFile, Server, Watched};
use trueup_ports::Clock as _;

use crate::cli::RunArgs;
use crate::terminal::Hinted;
use crate::wiring::SystemClock;

/// A receiver that is ready but for the engine.
pub struct Ready {
    address: SocketAddr,
    secrets: SecretFile,
    watched: Watched,
}

/// What triggers, until it is dropped.
pub struct Triggers {
    _webhooks: Option<Server>,
    watching: JoinHandle<()>,
}

impl Drop for Triggers {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// Reads the webhook's secret and what is of interest; `None` when webhooks are not asked for.
///
/// # Errors
/// When there is no good secret, or a URL is none.
pub fn receiver(args: &RunArgs) -> Result<Option<Ready>> {
    let (Some(address), Some(file)) = (args.webhook_listen, &args.webhook_secret_file) else { return Ok(None) };
    let secrets = SecretFile::open(file).map_err(|error| Hinted::new(error.to_string(), error.hint()))?;
    // Our own URL may be a path that is no place to a provider; the engine's own words about it come later.
    let mut repository: Vec<Place> = Place::parse(&args.source.repository).into_iter().collect();
    for url in &args.webhook_repository {
        let place = Place::parse(url).ok_or_else(|| {
            Hinted::new(
                "`--webhook-repository` names no repository",
                "give the URL that the provider shows for cloning",
            )
        })?;
        repository.push(place);
    }
    let watched = Watched { repository, branch: args.source.branch.clone() };
    Ok(Some(Ready { address, secrets, watched }))
}

/// Starts whatever there is to trigger the engine. Nothing of it can stop or delay the engine.
///
/// # Errors
/// When the system gives no thread.
pub fn start(ready: Option<Ready>, repository: Repository, engine: &Engine) -> Result<Triggers> {
    let receive = |Ready { address, secrets, watched }: Ready| {
        let trigger = engine.trigger();
        let receiver = Receiver::new(secrets, watched, || SystemClock.now().as_second(), move || trigger.commit());
        Server::start(address, receiver, Limits::default()).context("cannot start a thread for webhooks")
    };
    let webhooks = ready.map(receive).transpose()?;
    let trigger = engine.trigger();
    let watching = tokio::spawn(async move { trueup_git::watch(&repository, || trigger.commit()).await });
    Ok(Triggers { _webhooks: webhooks, watching })
}
