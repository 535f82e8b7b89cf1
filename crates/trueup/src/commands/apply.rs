//! `trueup apply`: one pass, then waits for the rollouts, with progress.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use trueup_core::plan::Plan;
use trueup_core::report::{self, Event, What, application_status};
use trueup_engine::{Engine, Sink};
use trueup_ports::Clock as _;

use crate::args::{Format, SourceArgs, duration};
use crate::events::told;
use crate::render::status::{is_fine, rollout_now};
use crate::wiring::SystemClock;
use crate::{render, terminal, wiring};

/// Arguments of `trueup apply`.
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How long to wait for the rollouts to complete
    #[arg(long, env = "TRUEUP_TIMEOUT", default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub timeout: Duration,
    /// The format of the outcome
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// How often the progress line is redrawn.
const TICK: Duration = Duration::from_millis(250);

/// Without a terminal: the shortest interval at which a rollout whose counts change is printed again.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Applies and waits until everything is Synced and Healthy, nothing more can come of waiting, or the time is up.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn apply(args: &ApplyArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let shown = Shown::new()?;
        let engine = wiring::engine(&args.source, &args.applications, shown.sink(), |_| {}).await?;
        wiring::stop_on_signal(&engine)?;
        let is_fine = wait_for_rollouts(&engine, &shown, args.timeout, args.format).await?;
        Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// The progress on stderr while a command waits: a moving line on a terminal, plain lines elsewhere.
pub struct Shown {
    bar: ProgressBar,
}

impl Shown {
    /// Nothing yet.
    ///
    /// # Errors
    /// Never, as the template is a good one; the library cannot know.
    pub fn new() -> Result<Self> {
        let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")?;
        Ok(Self { bar: ProgressBar::new_spinner().with_style(style) })
    }

    /// Prints events above the progress line.
    pub fn sink(&self) -> Arc<dyn Sink> {
        Arc::new(Progress { bar: self.bar.clone() })
    }
}

/// Applies, waits, and prints the final status. Returns whether all applications are Synced and Healthy.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub async fn wait_for_rollouts(engine: &Engine, shown: &Shown, limit: Duration, format: Format) -> Result<bool> {
    let drawing = tokio::spawn(draw(engine.clone(), shown.bar.clone()));
    let outcome = engine.apply_once(limit).await;
    drawing.abort();
    shown.bar.finish_and_clear();
    let outcome = outcome.map_err(wiring::not_begun)?;
    match format {
        Format::Json => {
            let applications: Vec<_> = outcome.plans.iter().map(application_status).collect();
            terminal::print_line(report::json(
                &json!({ "applications": applications, "timed_out": outcome.timed_out }),
            ))?;
        }
        Format::Text => terminal::print(&render::status::status(&outcome.plans, SystemClock.now()))?,
    }
    if outcome.timed_out {
        let waiting = outcome.plans.iter().filter(|plan| !is_fine(plan)).count();
        terminal::tell(&format!(
            "the time was up with {waiting} application{} not yet Synced and Healthy; \
             rollouts continue in AWS; `trueup status` shows them",
            if waiting == 1 { "" } else { "s" }
        ));
    }
    Ok(outcome.plans.iter().all(is_fine))
}

/// Shows what the applications that are not there yet are doing.
async fn draw(engine: Engine, bar: ProgressBar) {
    let moves = stderr().is_terminal();
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let status = engine.status();
        let waiting: Vec<&Plan> =
            status.applications.values().map(|status| &status.plan).filter(|plan| !is_fine(plan)).collect();
        if moves {
            let doing: Vec<String> = waiting.iter().map(|plan| doing(plan)).collect();
            bar.set_message(report::printable(&doing.join("; ")).into_owned());
            bar.tick();
            tokio::time::sleep(TICK).await;
            continue;
        }
        for plan in waiting.iter().filter(|plan| plan.rollout.is_some()) {
            // How long it takes changes all the time and is no news.
            let counts = plan.rollout.as_ref().map(render::status::rollout).unwrap_or_default();
            let place = format!("{}/{}", plan.environment, plan.application);
            if told.insert(place.clone(), counts.clone()).as_ref() != Some(&counts) {
                terminal::tell(&report::printable(&format!("{}/{}", plan.environment, doing(plan))));
            }
        }
        tokio::time::sleep(LINE_EVERY).await;
    }
}

/// What one application is doing.
fn doing(plan: &Plan) -> String {
    let rollout = plan.rollout.as_ref().map(|rollout| rollout_now(rollout, SystemClock.now()));
    format!("{}: {}", plan.application, rollout.unwrap_or_else(|| format!("{:?}", plan.sync)))
}

/// Whether `apply` prints an event. It leaves out pending steps, which `plan` shows, and drift, which the final table
/// shows.
pub fn is_shown(event: &Event) -> bool {
    !matches!(event.what, What::PlanMade { .. } | What::DriftDetected { .. })
}

/// Prints on stderr what was done.
struct Progress {
    bar: ProgressBar,
}

impl Sink for Progress {
    fn emit(&self, event: &Event) {
        if is_shown(event) {
            self.bar.suspend(|| terminal::tell(&told(event)));
        }
    }
}
