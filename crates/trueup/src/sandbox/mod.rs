//! `trueup sandbox`: the whole thing on one machine, without an AWS account.
//!
//! A simulated AWS listens on a loopback port and runs faster than the clock; a bare repository holds the example; the
//! daemon follows it with the product's ordinary adapters. Everything that a person does with a real one can be done here:
//! push with git, look with `trueup status` and `trueup why`, change things behind its back with the AWS CLI.
//!
//! | file | idea |
//! |---|---|
//! | `site.rs` | the example: its files, and what its images do |
//! | `daemon.rs` | AWS, repository and engine put together |
//! | `by_hand.rs` | what somebody changes in the console: `trueup sandbox drift` |
//! | `guide.rs` | what is printed at the start |
//! | `tour.rs` | plays what the guide proposes, by itself |

mod by_hand;
mod daemon;
mod guide;
mod site;
mod tour;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{SandboxAction, SandboxArgs};

/// Runs the sandbox until Ctrl-C, or does one thing to the one that runs.
///
/// # Errors
/// When its directory or port cannot be used, or, for an action, when no sandbox runs.
pub fn sandbox(args: &SandboxArgs) -> Result<ExitCode> {
    match &args.action {
        None => daemon::run(args),
        Some(SandboxAction::Drift { what }) => by_hand::drift(&args.dir, *what),
    }
}
