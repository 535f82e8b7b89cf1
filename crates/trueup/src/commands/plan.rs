//! `trueup plan`: what would change, and what is held and why.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use trueup_core::plan::{Plan, Sync};
use trueup_core::report;

use crate::args::SourceArgs;
use crate::events::Rejections;
use crate::render::plan::Totals;
use crate::{COULD_NOT_RUN, render, terminal, wiring};

/// Arguments of `trueup plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The output format
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: PlanFormat,
}

/// The formats of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// Makes all plans and writes nothing.
///
/// # Errors
/// When the repository cannot be read or its revision is rejected.
pub fn plan(args: &PlanArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let engine = wiring::engine(&args.source, &args.applications, Arc::new(Rejections), |_| {}).await?;
        let plans = engine.plan_once().await.map_err(wiring::not_begun)?;
        match args.format {
            PlanFormat::Json => {
                terminal::print_line(report::json(&json!({ "plans": plans, "totals": Totals::of(&plans) })))?;
            }
            PlanFormat::Text => terminal::print(&render::plan::plans(&plans))?,
            PlanFormat::Markdown => terminal::print(&render::markdown::plans(&plans))?,
        }
        Ok(exit_code(&plans))
    })
}

/// 0: nothing to do, 1: changes or holds, 2: unknown, because something could not be read.
fn exit_code(plans: &[Plan]) -> ExitCode {
    if plans.iter().any(|plan| plan.sync == Sync::Unknown) {
        ExitCode::from(COULD_NOT_RUN)
    } else if Totals::of(plans).is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
