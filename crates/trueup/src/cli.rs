//! The command line: the list of commands. The arguments of each command are in its own file, and those that several commands
//! share are in `args.rs`.

use clap::{Parser, Subcommand};

use crate::commands::apply::ApplyArgs;
use crate::commands::check::CheckArgs;
use crate::commands::diff::DiffArgs;
use crate::commands::health::HealthArgs;
use crate::commands::iam_policy::IamPolicyArgs;
use crate::commands::plan::PlanArgs;
use crate::commands::retry::RetryArgs;
use crate::commands::run::RunArgs;
use crate::commands::schema::SchemaArgs;
use crate::commands::status::StatusArgs;
use crate::commands::suspend::{ResumeArgs, SuspendArgs};
use crate::commands::why::WhyArgs;
use crate::sandbox::SandboxArgs;

/// Keeps Amazon ECS services, and the load balancer settings in front of them, in sync with a git repository.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 120, arg_required_else_help = true)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: deploy new commits and correct drift, until SIGTERM or Ctrl-C
    Run(RunArgs),
    /// Validate a directory of desired state, offline: exit 0 valid, 1 problems, 2 error
    Check(CheckArgs),
    /// Show what would change, and what is held and why: exit 0 nothing, 1 changes or holds, 2 error
    Plan(PlanArgs),
    /// Apply the changes once and wait for the rollouts: exit 0 all Synced and Healthy, 1 not, 2 error
    Apply(ApplyArgs),
    /// Compare a document with the output of `aws … describe-…`, offline: exit 0 no drift, 1 drift, 2 error
    Diff(DiffArgs),
    /// Show sync, health, revision, rollout and holds: exit 0 all Synced and Healthy, 1 not, 2 error
    Status(StatusArgs),
    /// Deploy a revision that failed or was rolled back once more: exit 0 done, 2 error
    Retry(RetryArgs),
    /// Stop deploying and correcting an application, until `resume`: exit 0 done, 2 error
    Suspend(SuspendArgs),
    /// Deploy and correct a suspended application again: exit 0 done, 2 error
    Resume(ResumeArgs),
    /// Explain why an application is not Synced and Healthy, with evidence and remedy: exit 0, 2 error
    Why(WhyArgs),
    /// Print the IAM policy that a directory of desired state needs, offline: exit 0, 1 problems, 2 error
    IamPolicy(IamPolicyArgs),
    /// Print the JSON Schema of a kind of file, for editors: exit 0
    Schema(SchemaArgs),
    /// Check that the daemon on this machine is alive, for a container health check: exit 0 yes, 1 no
    Health(HealthArgs),
    /// Try trueup without an AWS account: a simulated AWS, a repository to push to, and the daemon
    Sandbox(SandboxArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The handbook's rows of exit codes: the command, and what 0 and 1 mean.
    fn exit_codes() -> Vec<[&'static str; 3]> {
        let handbook = include_str!("../../../docs/handbook.md");
        let chapter = handbook.split("\n## Exit codes\n").nth(1).expect("the chapter is there");
        let row = |line: &'static str| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix('|')?.split(" |").map(str::trim).collect();
            let [command, zero, one] = *cells else { panic!("{line}") };
            Some([command.trim_end_matches('`'), zero, one])
        };
        chapter.lines().filter_map(row).collect()
    }

    #[test]
    fn the_handbook_has_the_exit_codes_of_every_command() {
        let commands = Cli::command();
        let names = exit_codes().into_iter().map(|[command, ..]| command);
        assert!(names.eq(commands.get_subcommands().map(clap::Command::get_name)), "in the order of `trueup --help`");
    }

    #[test]
    fn the_handbook_says_what_1_means_where_a_command_exits_with_it_and_nowhere_else() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for [command, zero, one] in exit_codes() {
            let file = match command {
                "resume" => "commands/suspend.rs".to_owned(),
                "sandbox" => "sandbox/daemon.rs".to_owned(),
                _ => format!("commands/{}.rs", command.replace('-', "_")),
            };
            let source = std::fs::read_to_string(directory.join(file)).expect("each command has its file");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            assert!(!zero.is_empty(), "{command}");
            assert_eq!(source.contains("ExitCode::FAILURE"), !one.is_empty(), "{command}");
        }
    }

    #[test]
    fn every_long_flag_has_its_environment_variable() {
        for command in Cli::command().get_subcommands() {
            // `diff` and its flags are about two files at hand: nothing an environment would set.
            if command.get_name() == "diff" {
                continue;
            }
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long().filter(|long| !["help", "version"].contains(long)) else { continue };
                let variable = arg.get_env().unwrap_or_else(|| panic!("--{long} has no variable"));
                assert_eq!(variable.to_str(), Some(&*format!("TRUEUP_{}", long.to_uppercase().replace('-', "_"))));
            }
        }
    }
}
