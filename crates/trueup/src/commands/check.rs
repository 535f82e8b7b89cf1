//! `trueup check`: the offline verdict on a tree of desired state.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use trueup_core::{desired, report};

use crate::cli::{CheckArgs, Format};
use crate::{directory, render, terminal};

/// Checks a tree. Valid trees are silent in text, `{"problems":[]}` in JSON.
///
/// # Errors
/// When the tree cannot be read, or stdout cannot take the verdict.
pub fn check(args: &CheckArgs) -> Result<ExitCode> {
    let root = directory::locate(args.dir.as_deref())?;
    let loaded = desired::load(&directory::read(&root)?);
    match args.format {
        Format::Json => terminal::print_line(report::json(&json!({ "problems": loaded.problems })))?,
        Format::Text if loaded.problems.is_empty() => {}
        Format::Text => {
            let problems = render::problems::problems(&root, &loaded.problems);
            terminal::print_line(format_args!("{problems}\n\n{}", render::problems::summary(&loaded.problems)))?;
        }
    }
    Ok(if loaded.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
