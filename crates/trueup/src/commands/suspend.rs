//! `trueup suspend` and `trueup resume`: stop and restart following and healing, remembered in a tag.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use trueup_core::names::ApplicationName;
use trueup_core::planner::NothingToMark;
use trueup_core::report::printable;
use trueup_engine::SuspensionError;

use crate::cli::{ResumeArgs, SuspendArgs};
use crate::events::Rejections;
use crate::terminal::Hinted;
use crate::{terminal, wiring};

/// Suspends an application.
///
/// # Errors
/// When the repository or AWS cannot be read, and when the application has nothing in AWS that could carry the mark.
pub fn suspend(args: &SuspendArgs) -> Result<ExitCode> {
    let by = args.by.clone().or_else(|| env::var("USER").ok()).unwrap_or_else(|| "somebody".to_owned());
    wiring::block_on(async {
        let engine = wiring::engine(&args.source, &[], Arc::new(Rejections), |_| {}).await?;
        let application = application(&args.application);
        let marked = engine.suspend(&application, &by, args.reason.as_deref()).await.map_err(explained)?;
        for one in marked {
            let environment = &one.environment;
            let done = format!("{application} in {environment} is suspended; `trueup resume {application}` ends it");
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
            let what = if one.calls == 0 { "was not suspended" } else { "is followed and healed again" };
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
        SuspensionError::Invalid { .. } => Some("correct its documents, `trueup check` tells where"),
        SuspensionError::NothingToMark { reason: NothingToMark::Nothing, .. } => {
            Some("set `follow = \"off\"` and `heal = \"off\"` in its app.toml until it has something")
        }
        SuspensionError::NothingToMark { reason: NothingToMark::Unread(_), .. } => {
            Some("try again, or allow the read in the IAM policy of whoever runs this")
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
