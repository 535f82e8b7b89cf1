//! Puts the parts together: repository, AWS, clock and engine for a command.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use trueup_aws::AwsClouds;
use trueup_core::names::{ApplicationName, EnvironmentName, InstanceName};
use trueup_engine::{Engine, OnceError, Options, Sink};
use trueup_git::{Config, Credentials, Key, Repository, Rules, Secret, Token, Verification};
use trueup_ports::{Clock, SourceError, Verifier};

use crate::args::SourceArgs;
use crate::configuration;
use crate::terminal::Hinted;

/// How long the exit waits for threads that are still busy.
const LEFTOVERS_MAX: Duration = Duration::from_millis(100);

/// The system's time.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// An engine for a command, with options beyond the repository's set by `adjust`.
///
/// # Errors
/// When the configuration is wrong, the repository's URL, credentials or cache cannot be used, or `--revision` names no
/// commit.
pub async fn engine(
    args: &SourceArgs,
    applications: &[String],
    sink: Arc<dyn Sink>,
    adjust: impl FnOnce(&mut Options),
) -> Result<Engine> {
    let rules = configuration::verification(args)?;
    let repository = repository(args)?;
    let verifier = rules.map(|rules| verifier(&repository, rules));
    engine_on(repository, args, applications, sink, |options| {
        options.verifier = verifier;
        adjust(options);
    })
    .await
}

/// The verifier of a repository's commits.
pub fn verifier(repository: &Repository, rules: Rules) -> Arc<dyn Verifier> {
    Arc::new(Verification::new(repository.clone(), rules))
}

/// The repository that a command is about.
///
/// # Errors
/// When its URL, credentials or cache cannot be used.
pub fn repository(args: &SourceArgs) -> Result<Repository> {
    Repository::open(source(args)?).map_err(hinted)
}

/// An engine as [`engine`] makes it, on a repository that is open already.
///
/// # Errors
/// When `--revision` names no commit.
pub async fn engine_on(
    repository: Repository,
    args: &SourceArgs,
    applications: &[String],
    sink: Arc<dyn Sink>,
    adjust: impl FnOnce(&mut Options),
) -> Result<Engine> {
    let mut options = Options::new(InstanceName::new(&args.instance));
    options.environments = args.environments.iter().map(EnvironmentName::new).collect();
    options.applications =
        applications.iter().map(|name| ApplicationName::new(name.trim_end_matches('/'))).collect::<BTreeSet<_>>();
    if let Some(revision) = &args.revision {
        options.revision = Some(repository.find(revision).await.map_err(hinted)?);
    }
    adjust(&mut options);
    let meter = Some(options.meter.clone());
    let clouds = AwsClouds::new(trueup_aws::Options { meter, ..trueup_aws::Options::default() });
    Ok(Engine::new(Arc::new(repository), Arc::new(clouds), Arc::new(SystemClock), sink, options))
}

/// Ctrl-C and SIGTERM stop the engine: no new call begins, those under way finish.
///
/// # Errors
/// When the system lets nobody listen for signals.
pub fn stop_on_signal(engine: &Engine) -> Result<()> {
    let shutdown = engine.shutdown();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.request();
    });
    Ok(())
}

/// Runs a command to its end on a runtime of its own.
///
/// # Errors
/// When the system gives no threads, and what the command itself fails with.
pub fn block_on<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let outcome = runtime.block_on(command);
    // A git server that drips its answer holds a thread that nobody can interrupt; the exit does not wait for it.
    runtime.shutdown_timeout(LEFTOVERS_MAX);
    outcome
}

/// Why a command could not begin, with the hint where there is one.
pub fn not_begun(error: OnceError) -> anyhow::Error {
    match error {
        OnceError::Source(source) => hinted(source).context("cannot read the repository of desired state"),
        OnceError::Unverified { ref cure, .. } => Hinted::new(error.to_string(), cure.clone()).into(),
        OnceError::Rejected | OnceError::UnknownEnvironments(_) | OnceError::UnknownApplications(_) => error.into(),
    }
}

/// A source's error with its hint.
pub fn hinted(error: SourceError) -> anyhow::Error {
    match error.hint {
        Some(hint) => Hinted::new(error.message, hint).into(),
        None => anyhow!(error.message),
    }
}

fn source(args: &SourceArgs) -> Result<Config> {
    let mut config = Config::new(&args.repository, &args.branch, cache_dir(args));
    config.path.clone_from(&args.path);
    let https_token = match (&args.git_token_file, secret("TRUEUP_GIT_TOKEN")?) {
        (Some(_), Some(_)) => {
            return Err(
                Hinted::new("both `--git-token-file` and `TRUEUP_GIT_TOKEN` are given", "give one of them").into()
            );
        }
        (Some(file), None) => Some(Token::File(file.clone())),
        (None, token) => token.map(Token::Value),
    };
    let ssh_key = match (&args.ssh_key_file, secret("TRUEUP_SSH_KEY")?) {
        (Some(_), Some(_)) => {
            return Err(Hinted::new("both `--ssh-key-file` and `TRUEUP_SSH_KEY` are given", "give one of them").into());
        }
        (Some(file), None) => Some(Key::File(file.clone())),
        (None, key) => key.map(Key::Value),
    };
    config.credentials = Credentials {
        https_user: Some(args.git_user.clone()),
        https_token,
        ssh_key,
        ssh_passphrase: secret("TRUEUP_SSH_PASSPHRASE")?,
        known_hosts: args.known_hosts_file.iter().cloned().collect(),
    };
    Ok(config)
}

/// A secret from the environment; an empty one counts as absent.
fn secret(variable: &str) -> Result<Option<Secret>> {
    match env::var(variable) {
        Ok(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Secret::new)),
        Err(env::VarError::NotPresent) => Ok(None),
        // The error itself would quote the value.
        Err(env::VarError::NotUnicode(_)) => Err(anyhow!("`{variable}` is not UTF-8")),
    }
}

/// Where things are kept that a process after this one may use.
pub fn cache_dir(args: &SourceArgs) -> PathBuf {
    args.cache_dir.clone().unwrap_or_else(default_cache_dir)
}

/// `$XDG_CACHE_HOME/trueup`, `~/.cache/trueup`, or a directory for temporary files where there is no home.
fn default_cache_dir() -> PathBuf {
    let absolute = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("trueup")
}
