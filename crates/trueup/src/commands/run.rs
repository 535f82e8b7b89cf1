//! `trueup run`: the daemon.

use std::io::{IsTerminal as _, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::args::{Format, SourceArgs, duration};
use crate::events::Printer;
use crate::listen::Listen;
use crate::notebook::NotebookFile;
use crate::outward::{self, Outward};
use crate::render::status::is_fine;
use crate::reports::Reports;
use crate::{configuration, logs, triggers, wiring};

/// Arguments of `trueup run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How often trueup asks the repository for new commits (jittered)
    #[arg(long, env = "TRUEUP_GIT_INTERVAL", default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub git_interval: Duration,
    /// How often trueup reads the live state from AWS
    #[arg(long, env = "TRUEUP_INTERVAL", default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub interval: Duration,
    /// The address that serves health, metrics and status over HTTP, without authentication; `off` for none
    #[arg(long, env = "TRUEUP_LISTEN", default_value = "127.0.0.1:7171", value_name = "ADDR")]
    pub listen: Listen,
    /// The address that receives webhooks, such as 0.0.0.0:9000 [default: none]
    #[arg(long, env = "TRUEUP_WEBHOOK_LISTEN", value_name = "ADDR")]
    pub webhook_listen: Option<SocketAddr>,
    /// A file with the secret that webhooks are signed with, one secret per line (or put the secret itself into
    /// `TRUEUP_WEBHOOK_SECRET`)
    #[arg(long, env = "TRUEUP_WEBHOOK_SECRET_FILE", value_name = "FILE", requires = "webhook_listen")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Another URL by which webhooks name the repository; may be repeated
    #[arg(
        long,
        env = "TRUEUP_WEBHOOK_REPOSITORY",
        value_name = "URL",
        value_delimiter = ',',
        requires = "webhook_listen"
    )]
    pub webhook_repository: Vec<String>,
    /// Send metrics to CloudWatch, in the account and region of the daemon
    #[arg(long, env = "TRUEUP_CLOUDWATCH")]
    pub cloudwatch: bool,
    /// The CloudWatch namespace of the metrics
    #[arg(long, env = "TRUEUP_CLOUDWATCH_NAMESPACE", default_value = "Trueup", value_parser = namespace, value_name = "NAME")]
    pub cloudwatch_namespace: String,
    /// Change nothing in AWS: only report pending changes and drift
    #[arg(long, env = "TRUEUP_REPORT_ONLY")]
    pub report_only: bool,
    /// The format of events [default: text on a terminal, else json]
    #[arg(long, env = "TRUEUP_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<Format>,
    /// Run one cycle and exit
    #[arg(long, env = "TRUEUP_ONCE")]
    pub once: bool,
}

/// Parses a CloudWatch namespace.
///
/// Source: Amazon CloudWatch API reference, `PutMetricData`: letters, digits and `.-_/#: `, not starting with a colon;
/// those that start with `AWS/` are reserved for AWS.
fn namespace(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#' | ':' | ' ');
    if text.starts_with("AWS/") {
        return Err("namespaces that start with `AWS/` are reserved for AWS".to_owned());
    }
    if text.trim().is_empty() || text.len() > 255 || text.starts_with(':') || !text.chars().all(legal) {
        return Err("use at most 255 letters, digits and `.-_/#:`".to_owned());
    }
    Ok(text.to_owned())
}

/// Follows the repository until SIGTERM or Ctrl-C. With `--once`: one cycle, exit 0 when all is Synced and Healthy.
///
/// # Errors
/// When the configuration is wrong, or the repository's URL, its credentials or the webhook secret cannot be used. A
/// repository that cannot be reached is retried, except with `--once`; so is an address that is in use.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let format = args.log_format.unwrap_or(if stdout().is_terminal() { Format::Text } else { Format::Json });
    logs::start(format);
    wiring::block_on(async {
        // Before git or AWS is asked anything: a wrong secret is reported at once.
        let receiver = triggers::receiver(args)?;
        let configuration = configuration::configuration(&args.source)?;
        let repository = wiring::repository(&args.source)?;
        let verifier = configuration.verification.clone().map(|rules| wiring::verifier(&repository, rules));
        let (reports, outward) = (Reports::new(args), Outward::new(args, &configuration)?);
        let sink = outward.sink(reports.sink(Arc::new(Printer::new(format))));
        let engine = wiring::engine_on(repository.clone(), &args.source, &[], sink, |options| {
            options.git_interval = args.git_interval;
            options.interval = args.interval;
            options.rollout_interval = options.rollout_interval.min(args.interval);
            options.report_only = args.report_only;
            options.verifier = verifier;
            options.meter = outward.meter(reports.meter());
            options.notebook = Some(Arc::new(NotebookFile::of(&args.source, &wiring::cache_dir(&args.source))));
        })
        .await?;
        wiring::stop_on_signal(&engine)?;
        let (outward, stopping) = (outward.start(args, &engine), outward::stopping(engine.shutdown()));
        if args.once {
            let plans = engine.run_once().await.map_err(wiring::not_begun)?;
            outward.finish(*stopping.borrow()).await;
            return Ok(if plans.iter().all(is_fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let _reports = reports.start(&engine)?;
        let _triggers = triggers::start(receiver, repository, &engine)?;
        engine.run().await;
        outward.finish(*stopping.borrow()).await;
        Ok(ExitCode::SUCCESS)
    })
}

#[cfg(test)]
mod tests {
    use super::namespace;

    #[test]
    fn a_namespace_is_what_cloudwatch_takes() {
        assert_eq!(namespace("Team A/Trueup"), Ok("Team A/Trueup".to_owned()));
        for wrong in ["", " ", "AWS/ECS", ":Trueup", "True\"up", "ä", &"x".repeat(256)] {
            assert!(namespace(wrong).is_err(), "{wrong}");
        }
    }
}
