//! `trueup suspend` and `trueup resume`: stop and restart deployments and the correction of drift; a tag in AWS records it.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use trueup_core::names::ApplicationName;
use trueup_core::planner::NothingToMark;
use trueup_core::report::printable;
use trueup_engine::SuspensionError;

use crate::args::SourceArgs;
use crate::events::Rejections;
use crate::terminal::Hinted;
use crate::{terminal, wiring};

/// Arguments of `trueup suspend`.
#[derive(Args, Debug)]
pub struct SuspendArgs {
    /// The application to suspend
    #[arg(value_name = "APP")]
    pub application: String,
    /// The reason, which `trueup status` and `trueup why` show
    #[arg(long, env = "TRUEUP_REASON", value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who suspends it [default: the value of `USER`]
    #[arg(long, env = "TRUEUP_BY", value_name = "NAME")]
    pub by: Option<String>,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Arguments of `trueup resume`.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The application to resume
    #[arg(value_name = "APP")]
    pub application: String,
    /// The repository of desired state.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Suspends an application.
///
/// # Errors
/// When the repository or AWS cannot be read, and when the application has no resource in AWS that could carry the tag.
pub fn suspend(args: &SuspendArgs) -> Result<ExitCode> {
    let by = args.by.clone().or_else(|| env::var("USER").ok()).unwrap_or_else(|| "unknown".to_owned());
    wiring::block_on(async {
        let engine = wiring::engine(&args.source, &[], Arc::new(Rejections), |_| {}).await?;
        let application = application(&args.application);
        let marked = engine.suspend(&application, &by, args.reason.as_deref()).await.map_err(explained)?;
        for one in marked {
            let environment = &one.environment;
            let done = format!("{application} in {environment} is suspended until `trueup resume {application}`");
            terminal::print_line(printable(&done))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Resumes an application.
///
/// # Errors
/// As [`suspend`].
pub fn resume(args: &ResumeArgs) -> Result<ExitCode> {
    wiring::block_on(async {
        let engine = wiring::engine(&args.source, &[], Arc::new(Rejections), |_| {}).await?;
        let application = application(&args.application);
        for one in engine.resume(&application).await.map_err(explained)? {
            let what = if one.calls == 0 {
                "was not suspended"
            } else {
                "is resumed: trueup deploys commits and corrects drift again"
            };
            terminal::print_line(printable(&format!("{application} in {} {what}", one.environment)))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn application(name: &str) -> ApplicationName {
    ApplicationName::new(name.trim_end_matches('/'))
}

/// The error, with what to do about it.
fn explained(error: SuspensionError) -> anyhow::Error {
    let hint = match &error {
        SuspensionError::Once(_) | SuspensionError::Refused { .. } => None,
        SuspensionError::Unknown(_) => Some("`trueup status` lists the applications; `--environment` may hide it"),
        SuspensionError::Invalid { .. } => Some("correct its documents; `trueup check` shows where"),
        SuspensionError::NothingToMark { reason: NothingToMark::Nothing, .. } => {
            Some("set `follow = \"off\"` and `heal = \"off\"` in its app.toml until it has a resource in AWS")
        }
        SuspensionError::NothingToMark { reason: NothingToMark::Unread(_), .. } => {
            Some("retry, or allow the read in the IAM policy of the credentials that run this command")
        }
        SuspensionError::Write { .. } => {
            Some("allow `ecs:TagResource`, `ecs:UntagResource` and their ELB counterparts")
        }
    };
    match (error, hint) {
        (SuspensionError::Once(error), _) => wiring::not_begun(error),
        (SuspensionError::Write { source, .. }, Some(hint)) => Hinted::new(source.to_string(), hint.to_owned()).into(),
        (error, Some(hint)) => Hinted::new(error.to_string(), hint.to_owned()).into(),
        (error, None) => error.into(),
    }
}
