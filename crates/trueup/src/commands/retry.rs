//! `trueup retry`: ends the hold on a revision that ECS failed or rolled back.

use std::process::ExitCode;
use std::slice;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use trueup_core::report;
use trueup_engine::{Engine, Retried, RetryOutcome};

use super::apply::{Shown, wait_for_rollouts};
use crate::args::{Format, SourceArgs, duration};
use crate::{COULD_NOT_RUN, terminal, wiring};

/// Arguments of `trueup retry`.
#[derive(Args, Debug)]
pub struct RetryArgs {
    /// The application to deploy once more
    #[arg(value_name = "APP")]
    pub application: String,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Deploy now and wait for the rollout, instead of leaving the deployment to the daemon
    #[arg(long, env = "TRUEUP_WAIT")]
    pub wait: bool,
    /// With `--wait`: how long to wait for the rollout to complete
    #[arg(long, env = "TRUEUP_TIMEOUT", default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub timeout: Duration,
    /// The format of the outcome
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Marks the failed deployment in the service's tags, in every managed environment. The daemon, or this command
/// with `--wait`, then deploys it exactly once more.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn retry(args: &RetryArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let shown = Shown::new()?;
        let engine = wiring::engine(&args.source, slice::from_ref(&args.application), shown.sink(), |_| {}).await?;
        wiring::stop_on_signal(&engine)?;
        let retried = engine.retry_once().await.map_err(wiring::not_begun)?;
        let failed = retried.iter().any(|one| match one.outcome {
            RetryOutcome::Ended | RetryOutcome::NothingHeld => false,
            RetryOutcome::Unknown(_) | RetryOutcome::Failed(_) => true,
        });
        match args.format {
            Format::Json => {
                let applications: Vec<Value> = retried.iter().map(entry).collect();
                terminal::print_line(report::json(&json!({ "applications": applications })))?;
            }
            Format::Text => {
                retried.iter().try_for_each(|one| terminal::print_line(report::printable(&text(one, args.wait))))?;
            }
        }
        if failed {
            return Ok(ExitCode::from(COULD_NOT_RUN));
        }
        if args.wait {
            return deploy(&engine, &shown, args).await;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Deploys and waits.
async fn deploy(engine: &Engine, shown: &Shown, args: &RetryArgs) -> Result<ExitCode> {
    let is_fine = wait_for_rollouts(engine, shown, args.timeout, args.format).await?;
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(COULD_NOT_RUN) })
}

fn entry(retried: &Retried) -> Value {
    let (outcome, message) = match &retried.outcome {
        RetryOutcome::Ended => ("ended", None),
        RetryOutcome::NothingHeld => ("nothing_held", None),
        RetryOutcome::Unknown(message) => ("unknown", Some(message)),
        RetryOutcome::Failed(message) => ("failed", Some(message)),
    };
    json!({
        "environment": retried.environment, "application": retried.application, "outcome": outcome, "message": message,
    })
}

fn text(retried: &Retried, waits: bool) -> String {
    let place = format!("{}/{}", retried.environment, retried.application);
    match &retried.outcome {
        RetryOutcome::Ended if waits => format!("{place}: the hold is ended"),
        RetryOutcome::Ended => {
            format!("{place}: the hold is ended; the daemon deploys the revision once more within a minute")
        }
        RetryOutcome::NothingHeld => format!("{place}: no failed revision is held"),
        RetryOutcome::Unknown(message) => format!("{place}: whether a revision is held is unknown: {message}"),
        RetryOutcome::Failed(message) => format!("{place}: the hold could not be ended: {message}"),
    }
}
