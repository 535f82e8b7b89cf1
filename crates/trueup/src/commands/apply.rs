//! `trueup apply`: one pass, then waits for the rollouts, with progress.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use trueup_core::report::{Event, What};
use trueup_engine::{Engine, Sink};

use super::status::entry;
use crate::cli::{ApplyArgs, Format};
use crate::events::told;
use crate::render::status::is_fine;
use crate::{render, terminal, wiring};

/// How often the progress line is drawn anew.
const TICK: Duration = Duration::from_millis(250);

/// Applies and waits until everything is Synced and Healthy, nothing more can come of waiting, or the time is up.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn apply(args: &ApplyArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        // A spinner on a terminal; nothing but the lines elsewhere.
        let bar =
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")?);
        let sink = Arc::new(Progress { bar: bar.clone() });
        let engine = wiring::engine(&args.source, &args.applications, sink, |_| {}).await?;
        wiring::stop_on_signal(&engine)?;
        let drawing = tokio::spawn(draw(engine.clone(), bar.clone()));
        let outcome = engine.apply_once(args.timeout).await;
        drawing.abort();
        bar.finish_and_clear();
        let outcome = outcome.map_err(wiring::not_begun)?;
        match args.format {
            Format::Json => {
                let applications: Vec<_> = outcome.plans.iter().map(entry).collect();
                terminal::print_line(json!({ "applications": applications, "timed_out": outcome.timed_out }))?;
            }
            Format::Text => terminal::print(&render::status::status(&outcome.plans))?,
        }
        if outcome.timed_out {
            let waiting = outcome.plans.iter().filter(|plan| !is_fine(plan)).count();
            terminal::tell(&format!(
                "the time was up with {waiting} application{} not yet Synced and Healthy; \
                 what was begun goes on in AWS, and `trueup status` tells how",
                if waiting == 1 { "" } else { "s" }
            ));
        }
        Ok(if outcome.plans.iter().all(is_fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Draws what the applications that are not there yet are doing.
async fn draw(engine: Engine, bar: ProgressBar) {
    loop {
        let status = engine.status();
        let plans = status.applications.values().map(|status| &status.plan);
        let doing: Vec<String> = plans
            .filter(|plan| !is_fine(plan))
            .map(|plan| {
                let rollout = plan.rollout.as_ref().map(render::status::rollout);
                format!("{}: {}", plan.application, rollout.unwrap_or_else(|| format!("{:?}", plan.sync)))
            })
            .collect();
        bar.set_message(terminal::clean(&doing.join("; ")));
        bar.tick();
        tokio::time::sleep(TICK).await;
    }
}

/// Tells on stderr what is done.
struct Progress {
    bar: ProgressBar,
}

impl Sink for Progress {
    fn emit(&self, event: &Event) {
        // What it is about to do, `plan` shows; what came of it, the table at the end.
        if !matches!(event.what, What::PlanMade { .. } | What::DriftDetected { .. }) {
            self.bar.suspend(|| terminal::tell(&told(event)));
        }
    }
}
