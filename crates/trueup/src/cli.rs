//! The command line: the list of commands, and the flags that several of them share. The arguments of each command are in its
//! own file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

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

/// Text for people, JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The repository of desired state, and the credentials for it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Repository")]
pub struct SourceArgs {
    /// The git repository of desired state: a path, https://… or ssh://…
    #[arg(long, env = "TRUEUP_REPOSITORY", value_name = "URL")]
    pub repository: String,
    /// The branch to follow
    #[arg(long, env = "TRUEUP_BRANCH", default_value = "main")]
    pub branch: String,
    /// The directory of desired state in the repository [default: `desired-state` if it exists, else the root]
    #[arg(long, env = "TRUEUP_PATH")]
    pub path: Option<String>,
    /// Use this commit (at least 7 digits of its id) instead of the head of the branch
    #[arg(long, env = "TRUEUP_REVISION")]
    pub revision: Option<String>,
    /// The directory for fetched repositories [default: the user's cache directory]
    #[arg(long, env = "TRUEUP_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// A file with the token for https:// repositories (or put the token itself into `TRUEUP_GIT_TOKEN`)
    #[arg(long, env = "TRUEUP_GIT_TOKEN_FILE", value_name = "FILE")]
    pub git_token_file: Option<PathBuf>,
    /// The user name that goes with the token
    #[arg(long, env = "TRUEUP_GIT_USER", default_value = "x-access-token", value_name = "NAME")]
    pub git_user: String,
    /// A file with the private deploy key for ssh:// repositories (or put the key itself into `TRUEUP_SSH_KEY`)
    #[arg(long, env = "TRUEUP_SSH_KEY_FILE", value_name = "FILE")]
    pub ssh_key_file: Option<PathBuf>,
    /// The `known_hosts` file that verifies the servers of ssh:// repositories [default: `~/.ssh/known_hosts` and the system's]
    #[arg(long, env = "TRUEUP_KNOWN_HOSTS_FILE", value_name = "FILE")]
    pub known_hosts_file: Option<PathBuf>,
    /// Manage only this environment; may be repeated [default: all]
    #[arg(long = "environment", env = "TRUEUP_ENVIRONMENT", value_name = "NAME", value_delimiter = ',')]
    pub environments: Vec<String>,
    /// The name of this trueup installation, which never touches resources of another
    #[arg(long, env = "TRUEUP_INSTANCE", default_value = "trueup", value_name = "NAME")]
    pub instance: String,
    /// The configuration of trueup itself, in TOML: who may sign commits, who is notified (or put its text into
    /// `TRUEUP_CONFIG_TEXT`)
    #[arg(long, env = "TRUEUP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Parses a duration: `30s`, `5m`, `1h`, `500ms`, or `1h 30m`. At least 100 ms, at most a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut total = Duration::ZERO;
    for part in text.split_whitespace() {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = part.split_at(digits);
        let number: u64 =
            number.parse().map_err(|_| format!("write a number and a unit, such as `30s`, not `{part}`"))?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return Err(format!("`{unit}` is not a unit of time: use ms, s, m or h, such as `30s`")),
        };
        let part = u32::try_from(number).ok().and_then(|number| unit.checked_mul(number));
        total = part.and_then(|part| total.checked_add(part)).ok_or("the time is too long")?;
    }
    if total < Duration::from_millis(100) || total > Duration::from_hours(24) {
        return Err("write a time from 100ms to 24h".to_owned());
    }
    Ok(total)
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

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "30", "s", "5 minutes", "0s", "25h", "99999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
