//! `trueup run`: the daemon.

use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use crate::cli::{Format, RunArgs};
use crate::events::Printer;
use crate::notebook::NotebookFile;
use crate::outward::{self, Outward};
use crate::render::status::is_fine;
use crate::reports::Reports;
use crate::{configuration, logs, triggers, wiring};

/// Follows the repository until SIGTERM or Ctrl-C. With `--once`: one cycle, exit 0 when all is Synced and Healthy.
///
/// # Errors
/// When the configuration is wrong, or the repository's URL or credentials, or the webhook's secret, cannot be used. A repository that cannot be reached is
/// waited for, except with `--once`; an address for webhooks or reports that is in use is, too.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let format = args.log_format.unwrap_or(if stdout().is_terminal() { Format::Text } else { Format::Json });
    logs::start(format);
    wiring::block_on(async {
        // Before anything is asked of anybody: a secret that is wrong is wrong at once.
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
