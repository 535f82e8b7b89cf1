//! `[[notifications]]` of the daemon's configuration: one table, one target. Each kind of target has a file of its own, with its
//! settings, its rendering and its delivery.
//!
//! | file | target |
//! |---|---|
//! | `webhook.rs` | the event as JSON, signed |
//! | `slack.rs` | a message for Slack or Mattermost |
//! | `github.rs`, `gitlab.rs` | commit statuses; `hosting.rs` is what they have in common |
//! | `reader.rs` | reads keys, and collects what is wrong with them |

mod github;
mod gitlab;
mod hosting;
mod reader;
pub(super) mod slack;
pub(super) mod webhook;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use trueup_core::document::{Problem, SourceFile};
use trueup_core::report::What;

pub use self::github::GitHub;
pub use self::gitlab::GitLab;
pub use self::hosting::Hosting;
use self::reader::Reader;
pub use self::slack::Slack;
pub use self::webhook::Webhook;
use super::address;
use super::filter::{Filter, fits};

/// One `[[notifications]]` table in the file's form, with the keys of all kinds of targets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    kind: Spanned<Kind>,
    name: Option<Spanned<String>>,
    #[serde(default)]
    events: Vec<Spanned<String>>,
    #[serde(default)]
    environments: Vec<String>,
    #[serde(default)]
    applications: Vec<String>,
    url_file: Option<Spanned<PathBuf>>,
    url_env: Option<Spanned<String>>,
    secret_file: Option<Spanned<PathBuf>>,
    secret_env: Option<Spanned<String>>,
    token_file: Option<Spanned<PathBuf>>,
    token_env: Option<Spanned<String>>,
    api: Option<Spanned<String>>,
    repository: Option<Spanned<String>>,
    project: Option<Spanned<String>>,
    target_url: Option<Spanned<String>>,
}

/// The kinds of targets.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Webhook,
    Slack,
    GitHub,
    GitLab,
}

impl Kind {
    /// As the configuration has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }

    /// The keys of its table, in addition to those of every table.
    fn keys(self) -> &'static [Key] {
        match self {
            Self::Webhook => webhook::KEYS,
            Self::Slack => slack::KEYS,
            Self::GitHub => github::KEYS,
            Self::GitLab => gitlab::KEYS,
        }
    }
}

/// A key that not every kind of target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    UrlFile,
    UrlEnv,
    SecretFile,
    SecretEnv,
    TokenFile,
    TokenEnv,
    Api,
    Repository,
    Project,
    TargetUrl,
    Events,
}

/// The keys of a table whose values are not secret and may be shown in a message.
pub const SHOWN_KEYS: [&str; 9] =
    ["kind", "name", "events", "environments", "applications", "api", "repository", "project", "target_url"];

/// A target of notifications: what is sent to it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in logs: `name`, or its kind with its place in the file, such as `slack-2`.
    pub name: String,
    /// Which events or applications it is notified of.
    pub filter: Filter,
    /// How it is notified.
    pub means: Means,
}

/// How a target is notified. The first two are sent events, the others set the statuses of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// The event as JSON, signed.
    Webhook(Webhook),
    /// A message as Slack's incoming webhooks take it.
    Slack(Slack),
    /// Commit statuses on GitHub.
    GitHub(GitHub),
    /// Commit statuses on GitLab.
    GitLab(GitLab),
}

impl Table {
    /// The target that the table describes.
    ///
    /// `index` is the table's place among its like, from 0; `watched` is the URL of the repository of desired state.
    ///
    /// # Errors
    /// All problems of the table. Secrets are read here for the first time; what they hold is in no message.
    pub fn target(&self, file: &Arc<SourceFile>, index: usize, watched: &str) -> Result<Target, Vec<Problem>> {
        let mut reader = Reader::new(file, index, &self.kind);
        let kind = *self.kind.get_ref();
        self.refuse_foreign_keys(kind, &mut reader);
        for pattern in &self.events {
            if !What::NAMES.iter().any(|name| fits(pattern.get_ref(), name)) {
                let message = format!("`{}` is not an event", pattern.get_ref());
                reader.report(pattern, "events", message, format!("the events are {}", What::NAMES.join(", ")));
            }
        }
        let means = match kind {
            Kind::Webhook => Webhook::read(self, &mut reader).map(Means::Webhook),
            Kind::Slack => Slack::read(self, &mut reader).map(Means::Slack),
            Kind::GitHub => GitHub::read(self, &mut reader, watched).map(Means::GitHub),
            Kind::GitLab => GitLab::read(self, &mut reader, watched).map(Means::GitLab),
        };
        let name = match &self.name {
            Some(name) => name.get_ref().clone(),
            None => format!("{}-{}", kind.as_str(), index + 1),
        };
        let events = self.events.iter().map(|pattern| pattern.get_ref().clone()).collect();
        let filter =
            Filter { events, environments: self.environments.clone(), applications: self.applications.clone() };
        let problems = reader.into_problems();
        match means {
            Some(means) if problems.is_empty() => Ok(Target { name, filter, means }),
            Some(_) | None => Err(problems),
        }
    }

    /// Reports the keys that belong to another kind.
    fn refuse_foreign_keys(&self, kind: Kind, reader: &mut Reader<'_>) {
        for (key, name, range) in self.keys_of_some() {
            if let Some(range) = range.filter(|_| !kind.keys().contains(&key)) {
                let help = match key {
                    Key::Events => "the events that set a status are fixed; choose `environments` and `applications`",
                    Key::UrlFile
                    | Key::UrlEnv
                    | Key::SecretFile
                    | Key::SecretEnv
                    | Key::TokenFile
                    | Key::TokenEnv
                    | Key::Api
                    | Key::Repository
                    | Key::Project
                    | Key::TargetUrl => "remove it, or correct `kind`",
                };
                reader.report_at(range, name, format!("`{name}` does not belong to `{}`", kind.as_str()), help);
            }
        }
    }

    /// The keys that not every kind has, each with its name and, where it is given, its place in the file.
    fn keys_of_some(&self) -> [(Key, &'static str, Option<Range<usize>>); 11] {
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(Spanned::span);
        let path = |path: &Option<Spanned<PathBuf>>| path.as_ref().map(Spanned::span);
        [
            (Key::UrlFile, "url_file", path(&self.url_file)),
            (Key::UrlEnv, "url_env", text(&self.url_env)),
            (Key::SecretFile, "secret_file", path(&self.secret_file)),
            (Key::SecretEnv, "secret_env", text(&self.secret_env)),
            (Key::TokenFile, "token_file", path(&self.token_file)),
            (Key::TokenEnv, "token_env", text(&self.token_env)),
            (Key::Api, "api", text(&self.api)),
            (Key::Repository, "repository", text(&self.repository)),
            (Key::Project, "project", text(&self.project)),
            (Key::TargetUrl, "target_url", text(&self.target_url)),
            (Key::Events, "events", self.events.first().map(Spanned::span)),
        ]
    }
}

#[cfg(test)]
mod tests;
