//! `trueup status`: sync, health, revision, rollout and holds, one screen.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use trueup_core::report::{self, application_status};
use trueup_ports::Clock as _;

use crate::args::{Format, SourceArgs};
use crate::events::Rejections;
use crate::render::status::is_fine;
use crate::wiring::SystemClock;
use crate::{render, terminal, wiring};

/// Arguments of `trueup status`.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The output format
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Reads git and AWS and prints the status.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn status(args: &StatusArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let engine = wiring::engine(&args.source, &args.applications, Arc::new(Rejections), |_| {}).await?;
        let plans = engine.plan_once().await.map_err(wiring::not_begun)?;
        match args.format {
            Format::Json => {
                let applications: Vec<_> = plans.iter().map(application_status).collect();
                terminal::print_line(report::json(&json!({ "applications": applications })))?;
            }
            Format::Text => terminal::print(&render::status::status(&plans, SystemClock.now()))?,
        }
        Ok(if plans.iter().all(is_fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}
