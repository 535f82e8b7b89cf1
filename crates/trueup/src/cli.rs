//! The command line: every flag, with its environment variable and its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trueup_core::kind::Kind;

use crate::listen::Listen;

/// Keeps Amazon ECS services and the load balancers in front of them true to a git repository.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 120, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow the repository and heal drift until stopped by SIGTERM
    Run(RunArgs),
    /// Check a tree of desired state offline: exit 0 valid, 1 problems, 2 could not run
    Check(CheckArgs),
    /// Show what would change, and what is held and why: exit 0 nothing, 1 changes, 2 error
    Plan(PlanArgs),
    /// Make one pass, then wait for the rollouts: exit 0 all Synced and Healthy, 1 not, 2 error
    Apply(ApplyArgs),
    /// Compare a document with an AWS answer, offline: exit 0 no drift, 1 drift, 2 error
    Diff(DiffArgs),
    /// Show sync, health, revision, rollout and holds: exit 0 all fine, 1 not, 2 error
    Status(LookArgs),
    /// End the hold on a revision that ECS failed or rolled back, so that it is deployed once more
    Retry(RetryArgs),
    /// Stop following and healing an application, remembered in AWS: exit 0 done, 2 error
    Suspend(SuspendArgs),
    /// Follow and heal a suspended application again: exit 0 done, 2 error
    Resume(ResumeArgs),
    /// Explain why an application is not Synced and Healthy: cause, evidence, cure: exit 0, 2 error
    Why(WhyArgs),
    /// Print the IAM policy that a tree of desired state needs, offline: exit 0, 1 problems, 2 could not run
    IamPolicy(IamPolicyArgs),
    /// Print the JSON Schema of a kind of file, for editors
    Schema(SchemaArgs),
    /// Ask the daemon on this machine whether it is alive, for a container's health check: exit 0 yes, 1 no
    Health(HealthArgs),
    /// The whole thing on this machine, no AWS account: simulated AWS, a repository to push to, the daemon
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

/// What a plan can be printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// Where the desired state is, and how to get at it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Repository")]
pub struct SourceArgs {
    /// The git repository of desired state: a path, https://… or ssh://…
    #[arg(long, env = "TRUEUP_REPOSITORY", value_name = "URL")]
    pub repository: String,
    /// The branch that is followed
    #[arg(long, env = "TRUEUP_BRANCH", default_value = "main")]
    pub branch: String,
    /// The directory of desired state in it [default: `desired-state` where there is one, else the root]
    #[arg(long, env = "TRUEUP_PATH")]
    pub path: Option<String>,
    /// Use this commit (at least 7 digits of its id) instead of the branch's head
    #[arg(long, env = "TRUEUP_REVISION")]
    pub revision: Option<String>,
    /// Where fetched repositories are kept [default: the user's cache directory]
    #[arg(long, env = "TRUEUP_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// A file with the token for https:// repositories (or put the token itself in `TRUEUP_GIT_TOKEN`)
    #[arg(long, env = "TRUEUP_GIT_TOKEN_FILE", value_name = "FILE")]
    pub git_token_file: Option<PathBuf>,
    /// The user name that goes with the token
    #[arg(long, env = "TRUEUP_GIT_USER", default_value = "x-access-token", value_name = "NAME")]
    pub git_user: String,
    /// A file with the private deploy key for ssh:// repositories (or put the key itself in `TRUEUP_SSH_KEY`)
    #[arg(long, env = "TRUEUP_SSH_KEY_FILE", value_name = "FILE")]
    pub ssh_key_file: Option<PathBuf>,
    /// The known hosts that ssh:// repositories are verified against [default: `~/.ssh/known_hosts` and the system's]
    #[arg(long, env = "TRUEUP_KNOWN_HOSTS_FILE", value_name = "FILE")]
    pub known_hosts_file: Option<PathBuf>,
    /// Only this environment; may be repeated [default: all]
    #[arg(long = "environment", env = "TRUEUP_ENVIRONMENT", value_name = "NAME", value_delimiter = ',')]
    pub environments: Vec<String>,
    /// The name of this installation: resources of another one are never touched
    #[arg(long, env = "TRUEUP_INSTANCE", default_value = "trueup", value_name = "NAME")]
    pub instance: String,
    /// The daemon's own configuration, TOML: who may sign commits, who is notified (or put its text into
    /// `TRUEUP_CONFIG_TEXT`)
    #[arg(long, env = "TRUEUP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `trueup run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How often git is asked, jittered
    #[arg(long, env = "TRUEUP_GIT_INTERVAL", default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub git_interval: Duration,
    /// How often live state is observed
    #[arg(long, env = "TRUEUP_INTERVAL", default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub interval: Duration,
    /// Where health, metrics and status are told over HTTP, to everybody who reaches it; `off` for nowhere
    #[arg(long, env = "TRUEUP_LISTEN", default_value = "127.0.0.1:7171", value_name = "ADDR")]
    pub listen: Listen,
    /// Where webhooks are received, such as 0.0.0.0:9000 [default: none are]
    #[arg(long, env = "TRUEUP_WEBHOOK_LISTEN", value_name = "ADDR")]
    pub webhook_listen: Option<SocketAddr>,
    /// A file with the secret that webhooks are signed with (or put the secret itself in `TRUEUP_WEBHOOK_SECRET`);
    /// several lines are several secrets
    #[arg(long, env = "TRUEUP_WEBHOOK_SECRET_FILE", value_name = "FILE", requires = "webhook_listen")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Another URL of the repository, as webhooks name it; may be repeated
    #[arg(
        long,
        env = "TRUEUP_WEBHOOK_REPOSITORY",
        value_name = "URL",
        value_delimiter = ',',
        requires = "webhook_listen"
    )]
    pub webhook_repository: Vec<String>,
    /// Put metrics into CloudWatch, in the daemon's own account and region
    #[arg(long, env = "TRUEUP_CLOUDWATCH")]
    pub cloudwatch: bool,
    /// The namespace of those metrics
    #[arg(long, env = "TRUEUP_CLOUDWATCH_NAMESPACE", default_value = "Trueup", value_parser = namespace, value_name = "NAME")]
    pub cloudwatch_namespace: String,
    /// Write nothing: tell what is pending and what has drifted
    #[arg(long, env = "TRUEUP_REPORT_ONLY")]
    pub report_only: bool,
    /// How events are printed [default: text on a terminal, else json]
    #[arg(long, env = "TRUEUP_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<Format>,
    /// Stop after one cycle
    #[arg(long, env = "TRUEUP_ONCE")]
    pub once: bool,
}

/// Arguments of `trueup check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The tree [default: `desired-state` where there is one, else this directory]
    pub dir: Option<PathBuf>,
    /// How problems are printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How it is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: PlanFormat,
}

/// Arguments of `trueup status`.
#[derive(Args, Debug)]
pub struct LookArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How it is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup why`.
#[derive(Args, Debug)]
pub struct WhyArgs {
    /// The application
    #[arg(value_name = "APP")]
    pub application: String,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How it is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup apply`.
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// Only these applications [default: all]
    #[arg(value_name = "APP")]
    pub applications: Vec<String>,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How long to wait for the rollouts
    #[arg(long, env = "TRUEUP_TIMEOUT", default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub timeout: Duration,
    /// How the outcome is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup retry`.
#[derive(Args, Debug)]
pub struct RetryArgs {
    /// The application
    #[arg(value_name = "APP")]
    pub application: String,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Deploy it at once and wait for the rollout, instead of leaving that to the daemon
    #[arg(long, env = "TRUEUP_WAIT")]
    pub wait: bool,
    /// How long to wait for the rollout
    #[arg(long, env = "TRUEUP_TIMEOUT", default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub timeout: Duration,
    /// How the outcome is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup suspend`.
#[derive(Args, Debug)]
pub struct SuspendArgs {
    /// The application
    #[arg(value_name = "APP")]
    pub application: String,
    /// Why, for those who wonder
    #[arg(long, env = "TRUEUP_REASON", value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who does it [default: `USER`]
    #[arg(long, env = "TRUEUP_BY", value_name = "NAME")]
    pub by: Option<String>,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Arguments of `trueup resume`.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The application
    #[arg(value_name = "APP")]
    pub application: String,
    /// Where the desired state is.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Arguments of `trueup diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// `task-definition`, `service`, `target-group` or `listener-rule`
    #[arg(long, value_parser = kind, value_name = "KIND", required_unless_present = "cases")]
    pub kind: Option<Kind>,
    /// The document: an AWS request, in TOML or JSON
    #[arg(required_unless_present = "cases")]
    pub desired: Option<PathBuf>,
    /// What `aws ecs describe-…` or `aws elbv2 describe-…` prints for that one resource, with or without the envelope
    #[arg(required_unless_present = "cases")]
    pub live: Option<PathBuf>,
    /// A JSON list of `{"id","kind","desired","live"}`: prints one object per case, one per line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "desired", "live", "format"])]
    pub cases: Option<PathBuf>,
    /// How the drift is printed
    #[arg(long, env = "TRUEUP_FORMAT", default_value = "text")]
    pub format: Format,
}

/// Arguments of `trueup iam-policy`.
#[derive(Args, Debug)]
pub struct IamPolicyArgs {
    /// The tree [default: `desired-state` where there is one, else this directory]
    pub dir: Option<PathBuf>,
    /// For the role of this environment; may be repeated [default: for the daemon's own role]
    #[arg(long = "environment", env = "TRUEUP_ENVIRONMENT", value_name = "NAME", value_delimiter = ',')]
    pub environments: Vec<String>,
    /// For `plan`, `status`, `why` and `run --report-only`: nothing may be changed
    #[arg(long, env = "TRUEUP_READ_ONLY")]
    pub read_only: bool,
    /// Ask AWS what references to stacks are: roles that documents name by them are then exactly those
    #[arg(long, env = "TRUEUP_RESOLVE")]
    pub resolve: bool,
    /// The name of the installation, as `trueup run` has it
    #[arg(long, env = "TRUEUP_INSTANCE", default_value = "trueup", value_name = "NAME")]
    pub instance: String,
}

/// Arguments of `trueup schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// `task-definition`, `service`, `target-group`, `listener-rule`, `app` (app.toml), `trueup` (trueup.toml) or `event` (what `run` prints)
    #[arg(value_name = "KIND")]
    pub kind: SchemaKind,
}

/// Arguments of `trueup health`.
#[derive(Args, Debug)]
pub struct HealthArgs {
    /// Where the daemon listens, as it was told itself
    #[arg(long, env = "TRUEUP_LISTEN", default_value = "127.0.0.1:7171", value_name = "ADDR")]
    pub listen: Listen,
}

/// Arguments of `trueup sandbox`.
#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// Something to do to the sandbox that runs
    #[command(subcommand)]
    pub action: Option<SandboxAction>,
    /// Where its repository is; what was pushed there before stays
    #[arg(long, env = "TRUEUP_DIR", default_value = "trueup-sandbox", value_name = "DIR", global = true)]
    pub dir: PathBuf,
    /// The loopback port that its AWS listens on [default: any that is free]
    #[arg(long, env = "TRUEUP_PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// How many times faster than the clock its AWS is
    #[arg(long, env = "TRUEUP_SPEED", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=60), value_name = "N")]
    pub speed: u32,
    /// Play a release, a change by hand and a broken image by itself, and end
    #[arg(long, env = "TRUEUP_TOUR")]
    pub tour: bool,
}

/// What can be done to a sandbox that runs.
#[derive(Debug, Subcommand)]
pub enum SandboxAction {
    /// Change something in its AWS by hand, as somebody in the console would
    Drift {
        /// What is changed [default: health-check]
        what: Option<Drift>,
    },
}

/// What somebody changes by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Drift {
    /// The interval of the backend's health check in its target group
    HealthCheck,
    /// The service's desired count
    DesiredCount,
    /// The service's deployment configuration
    Deployment,
}

/// The kinds of files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// `task-definition.toml` or `.json`
    TaskDefinition,
    /// `service.toml` or `.json`
    Service,
    /// `target-groups/*.toml` or `.json`
    TargetGroup,
    /// `listener-rules/*.toml` or `.json`
    ListenerRule,
    /// `app.toml`
    App,
    /// `trueup.toml`
    Trueup,
    /// The events of `trueup run`, a line each
    Event,
}

/// Reads a kind of document by its name.
fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// Reads a namespace of metrics.
///
/// Source: Amazon CloudWatch API reference, `PutMetricData`: letters, digits and `.-_/#: `, not with a colon at its begin;
/// those that begin with `AWS/` are AWS's own.
fn namespace(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#' | ':' | ' ');
    if text.starts_with("AWS/") {
        return Err("namespaces that begin with `AWS/` are AWS's own".to_owned());
    }
    if text.trim().is_empty() || text.len() > 255 || text.starts_with(':') || !text.chars().all(legal) {
        return Err("write at most 255 letters, digits and `.-_/#:`".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a span of time: `30s`, `5m`, `1h`, `500ms`, or `1h 30m`. At least 100 ms, at most a day.
fn duration(text: &str) -> Result<Duration, String> {
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
            _ => return Err(format!("`{unit}` is no unit of time: write ms, s, m or h, such as `30s`")),
        };
        let part = u32::try_from(number).ok().and_then(|number| unit.checked_mul(number));
        total = part.and_then(|part| total.checked_add(part)).ok_or("that is too long")?;
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
    fn a_namespace_is_what_cloudwatch_takes() {
        assert_eq!(namespace("Team A/Trueup"), Ok("Team A/Trueup".to_owned()));
        for wrong in ["", " ", "AWS/ECS", ":Trueup", "True\"up", "ä", &"x".repeat(256)] {
            assert!(namespace(wrong).is_err(), "{wrong}");
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
