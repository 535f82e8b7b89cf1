//! `trueup why`: cause, evidence and remedy of everything that keeps an application from being Synced and Healthy.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use trueup_core::report::{self, Explanation, application_status, why as explain};
use trueup_engine::ApplicationStatus;

use crate::args::{Format, SourceArgs};
use crate::events::Rejections;
use crate::{render, terminal, wiring};

/// Arguments of `trueup why`.
#[derive(Args, Debug)]
pub struct WhyArgs {
    /// The application to explain
    #[arg(value_name = "APP")]
    pub application: String,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The output format
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Reads git and AWS, evidence included, and explains the status of the application in each environment.
///
/// # Errors
/// When the repository cannot be read, its revision is rejected, or it has no such application.
pub fn why(args: &WhyArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let wanted = std::slice::from_ref(&args.application);
        let engine = wiring::engine(&args.source, wanted, Arc::new(Rejections), |_| {}).await?;
        let plans = engine.plan_once().await.map_err(wiring::not_begun)?;
        let status = engine.status();
        let explained: Vec<(Arc<ApplicationStatus>, Vec<Explanation>)> = plans
            .iter()
            .filter_map(|plan| status.applications.get(&(plan.environment.clone(), plan.application.clone())))
            .map(|status| (status.clone(), explain(&status.plan)))
            .collect();
        match args.format {
            Format::Json => {
                let applications: Vec<Value> =
                    explained.iter().map(|(status, all)| explained_entry(status, all)).collect();
                terminal::print_line(report::json(&json!({ "applications": applications })))?;
            }
            Format::Text => terminal::print(&render::why::why(&explained))?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What `trueup status` has, with the explanations.
fn explained_entry(status: &ApplicationStatus, explanations: &[Explanation]) -> Value {
    let mut entry = application_status(&status.plan);
    entry["explanations"] = json!(explanations);
    entry
}
