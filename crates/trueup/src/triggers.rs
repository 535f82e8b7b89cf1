//! Triggers that make the daemon act at once: webhooks, and pushes to a repository on this machine.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use tokio::task::JoinHandle;
use trueup_engine::Engine;
use trueup_git::Repository;
use trueup_http::{Limits, Place, Receiver, SecretSource, Server, Watched};
use trueup_ports::Clock as _;

use crate::commands::run::RunArgs;
use crate::terminal::Hinted;
use crate::wiring::SystemClock;

/// The variable with the secret itself, for machines that give secrets in no other way (ECS does). There is no flag for it:
/// arguments can be seen by everybody on the machine.
const SECRET_VARIABLE: &str = "TRUEUP_WEBHOOK_SECRET";

/// A receiver that is ready but for the engine.
pub struct Ready {
    address: SocketAddr,
    secrets: SecretSource,
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
    // What cannot be used is told also where nothing listens: somebody meant something by it.
    let secrets = secrets(args.webhook_secret_file.as_deref(), env::var_os(SECRET_VARIABLE))?;
    let Some(address) = args.webhook_listen else {
        return match secrets {
            None => Ok(None),
            Some(_) => Err(Hinted::new(
                format!("`{SECRET_VARIABLE}` holds a secret, but no address for webhooks is given"),
                "add `--webhook-listen`, or unset the variable",
            )
            .into()),
        };
    };
    let secrets = secrets.ok_or_else(|| {
        let hint = format!("give `--webhook-secret-file`, or the secret itself in `{SECRET_VARIABLE}`");
        Hinted::new("webhooks need a secret", hint)
    })?;
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

/// The secrets of webhooks: from a file or from the variable, not from both. An empty variable counts as absent.
fn secrets(file: Option<&Path>, variable: Option<OsString>) -> Result<Option<SecretSource>> {
    // The value is never part of an error.
    let variable = variable.map(OsString::into_string).transpose();
    let variable = variable.map_err(|_| anyhow!("`{SECRET_VARIABLE}` is not UTF-8"))?;
    let source = match (file, variable.filter(|text| !text.trim().is_empty())) {
        (Some(_), Some(_)) => {
            let message = format!("both `--webhook-secret-file` and `{SECRET_VARIABLE}` are given");
            return Err(Hinted::new(message, "give one of them").into());
        }
        (Some(file), None) => SecretSource::file(file),
        (None, Some(text)) => SecretSource::given(SECRET_VARIABLE, &text),
        (None, None) => return Ok(None),
    };
    Ok(Some(source.map_err(|error| Hinted::new(error.to_string(), error.hint()))?))
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

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    /// File, variable, what comes of it.
    type Row<'a> = (Option<&'a Path>, Option<OsString>, Result<bool, &'a str>);

    #[test]
    fn the_secret_comes_from_one_place_and_is_never_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        std::fs::write(&path, "a-secret-canary-in-a-file").expect("a file");
        let (file, none) = (Some(path.as_path()), None);
        let variable = |text: &str| Some(OsString::from(text));
        let table: [Row<'_>; 8] = [
            (none, None, Ok(false)),
            (none, variable(" \n"), Ok(false)),
            (file, None, Ok(true)),
            (file, variable(""), Ok(true)),
            (none, variable("a-secret-canary-0123\nanother-secret-canary"), Ok(true)),
            (
                file,
                variable("a-secret-canary-0123"),
                Err("both `--webhook-secret-file` and `TRUEUP_WEBHOOK_SECRET` are given"),
            ),
            (none, variable("canary"), Err("`TRUEUP_WEBHOOK_SECRET`: the secret on line 1 has 6 bytes")),
            (none, Some(OsString::from_vec(b"a-secret-canary-\xff".to_vec())), Err("is not UTF-8")),
        ];
        for (file, variable, expected) in table {
            let found = secrets(file, variable);
            assert!(!format!("{found:?}").contains("canary"), "{found:?}");
            match (found, expected) {
                (Ok(found), Ok(is_one)) => assert_eq!(found.is_some(), is_one),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
    }
}
