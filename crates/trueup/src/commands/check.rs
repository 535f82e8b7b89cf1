//! `trueup check`: the offline verdict on a tree of desired state.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use trueup_core::desired;

use crate::cli::{CheckArgs, Format};
use crate::{directory, render};

/// Checks a tree. Valid trees are silent in text, `{"problems":[]}` in JSON.
///
/// # Errors
/// When the tree cannot be read.
pub fn check(args: &CheckArgs) -> Result<ExitCode> {
    let root = directory::locate(args.dir.as_deref())?;
    let loaded = desired::load(&directory::read(&root)?);
    match args.format {
        Format::Json => println!("{}", json!({ "problems": loaded.problems })),
        Format::Text => {
            for problem in &loaded.problems {
                anstream::println!("{}\n", render::problems::problem(&root, problem));
            }
            if !loaded.problems.is_empty() {
                anstream::println!("{}", render::problems::summary(&loaded.problems));
            }
        }
    }
    Ok(if loaded.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
