//! `trueup sandbox`: trueup with a simulated AWS on one machine, without an AWS account.
//!
//! A simulated AWS listens on a loopback port and runs faster than the clock; a bare repository holds the example; the
//! daemon follows it with the product's ordinary adapters. Everything that is done with a real installation can be
//! done here: push with git, read `trueup status` and `trueup why`, change resources by hand with the AWS CLI.
//!
//! | file | idea |
//! |---|---|
//! | `site.rs` | the example: its files, and what its images do |
//! | `daemon.rs` | AWS, repository and engine put together |
//! | `by_hand.rs` | manual changes, as in the console: `trueup sandbox drift` |
//! | `guide.rs` | what is printed at the start |
//! | `progress.rs` | what the sandbox waits for, line by line |
//! | `tour.rs` | carries out what the guide proposes |

mod by_hand;
mod daemon;
mod guide;
mod progress;
mod site;
mod tour;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `trueup sandbox`.
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Something to do in the running sandbox
    #[command(subcommand)]
    pub action: Option<SandboxAction>,
    /// The directory of the sandbox; a repository that exists there is kept
    #[arg(long, env = "TRUEUP_DIR", default_value = "trueup-sandbox", value_name = "DIR", global = true)]
    pub dir: PathBuf,
    /// The loopback port of the simulated AWS [default: any free port]
    #[arg(long, env = "TRUEUP_PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// How many times faster than real time the simulated AWS runs
    #[arg(long, env = "TRUEUP_SPEED", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=60), value_name = "N")]
    pub speed: u32,
    /// Demonstrate a release, a manual change and a broken image, then exit
    #[arg(long, env = "TRUEUP_TOUR")]
    pub tour: bool,
}

/// What can be done in a running sandbox.
#[derive(Debug, Subcommand)]
pub enum SandboxAction {
    /// Change something in the simulated AWS manually, as in the AWS console
    Drift {
        /// What to change [default: health-check]
        what: Option<Drift>,
    },
}

/// A manual change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drift {
    /// The interval of the backend's health check in its target group
    HealthCheck,
    /// The service's desired count
    DesiredCount,
    /// The service's deployment configuration
    Deployment,
}

/// Runs the sandbox until Ctrl-C, or does one thing in the running one.
///
/// # Errors
/// When its directory or port cannot be used, or, for an action, when no sandbox runs.
pub fn sandbox(args: &SandboxArgs) -> Result<ExitCode> {
    match &args.action {
        None => daemon::run(args),
        Some(SandboxAction::Drift { what }) => by_hand::drift(&args.dir, *what),
    }
}
