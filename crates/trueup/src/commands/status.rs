//! `trueup status`: sync, health, revision, rollout and holds, one screen.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use trueup_core::report::{self, application_status};
use trueup_ports::Clock as _;

use crate::cli::{Format, LookArgs};
use crate::events::Rejections;
use crate::render::status::is_fine;
use crate::wiring::SystemClock;
use crate::{render, terminal, wiring};

/// Reads git and AWS and tells how everything stands.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn status(args: &LookArgs) -> Result<ExitCode> {
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
