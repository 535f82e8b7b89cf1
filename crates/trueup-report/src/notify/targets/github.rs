//! Commit statuses on GitHub, and on GitHub Enterprise.
//!
//! Source: GitHub REST API, "Create a commit status".

use async_trait::async_trait;
use serde_json::json;
use toml::Spanned;

use super::hosting::{Hosting, Provider, are_legal, context};
use super::reader::Reader;
use super::{Key, Table};
use crate::notify::deliver::{Attempt, Deliver, Outlets};
use crate::notify::evaluation::CommitStatus;
#[cfg(test)]
use crate::notify::transport::Request;

/// Sets commit statuses on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHub(pub Hosting);

/// The keys of its table, in addition to those of every table.
pub(super) const KEYS: &[Key] = &[Key::TokenFile, Key::TokenEnv, Key::Api, Key::Repository, Key::TargetUrl];

const PROVIDER: Provider = Provider {
    key: "repository",
    spelling: "write `OWNER/NAME`",
    is_repository: |path| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == 2 && are_legal(&parts)
    },
    // The API of GitHub Enterprise cannot be told from the host alone, as it may be below `/api/v3` or on a host of its own.
    default_api: |_| "https://api.github.com".to_owned(),
};

impl GitHub {
    /// Reads the target's own keys; `watched` is the URL of the repository of desired state.
    pub(super) fn read(table: &Table, reader: &mut Reader<'_>, watched: &str) -> Option<Self> {
        let given: Option<&Spanned<String>> = table.repository.as_ref();
        Hosting::read(table, reader, &PROVIDER, given, watched).map(Self)
    }

    fn path(&self, status: &CommitStatus) -> String {
        format!("repos/{}/statuses/{}", self.0.repository, status.revision)
    }

    /// The request that sets a status.
    #[cfg(test)]
    pub(in crate::notify) fn request(&self, status: &CommitStatus) -> Result<Request, String> {
        self.0.request(&self.path(status), headers, body(status), status)
    }
}

#[async_trait]
impl Deliver<CommitStatus> for GitHub {
    async fn deliver(&self, status: &CommitStatus, _: &str, by: &Outlets) -> Attempt {
        self.0.post(&self.path(status), headers, body(status), status, by, |_, _| false).await
    }
}

fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Authorization", format!("Bearer {token}")),
        ("Accept", "application/vnd.github+json".to_owned()),
        ("X-GitHub-Api-Version", "2022-11-28".to_owned()),
    ]
}

fn body(status: &CommitStatus) -> serde_json::Value {
    json!({"state": status.state.as_str(), "context": context(status), "description": status.description})
}
