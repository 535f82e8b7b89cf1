//! `trueup check`: validates a directory of desired state, offline.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use trueup_core::{desired, report};

use crate::args::Format;
use crate::{directory, render, terminal};

/// Arguments of `trueup check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The directory of desired state [default: `desired-state` if it exists, else the current directory]
    pub dir: Option<PathBuf>,
    /// The format of the problems
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Validates a directory. A valid one prints nothing as text, and `{"problems":[]}` as JSON.
///
/// # Errors
/// When the directory cannot be read, or stdout cannot be written to.
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
