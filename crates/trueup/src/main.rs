//! The binary: arguments, wiring, signals, exit codes.

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

mod args;
mod cli;
mod commands;
mod configuration;
mod directory;
mod events;
mod listen;
mod logs;
mod notebook;
mod outward;
mod panics;
mod render;
mod reports;
mod sandbox;
mod terminal;
mod triggers;
mod verification;
mod wiring;

/// Exit code for "could not run": wrong arguments, unreadable files, no answer.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    panics::install();
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::Plan(args) => commands::plan::plan(&args),
        Command::Apply(args) => commands::apply::apply(&args),
        Command::Diff(args) => commands::diff::diff(&args),
        Command::Status(args) => commands::status::status(&args),
        Command::Retry(args) => commands::retry::retry(&args),
        Command::Suspend(args) => commands::suspend::suspend(&args),
        Command::Resume(args) => commands::suspend::resume(&args),
        Command::Why(args) => commands::why::why(&args),
        Command::IamPolicy(args) => commands::iam_policy::iam_policy(&args),
        Command::Schema(args) => commands::schema::schema(&args),
        Command::Health(args) => Ok(commands::health::health(&args)),
        Command::Sandbox(args) => sandbox::sandbox(&args),
    };
    outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        ExitCode::from(COULD_NOT_RUN)
    })
}
