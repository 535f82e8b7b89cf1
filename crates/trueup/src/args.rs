//! Arguments that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

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
