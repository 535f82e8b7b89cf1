//! Commit statuses on GitLab, hosted or one's own.
//!
//! Source: GitLab "Commits API", "Set commit pipeline status".

use async_trait::async_trait;
use serde_json::json;
use toml::Spanned;

use super::hosting::{Hosting, Provider, are_legal, context};
use super::reader::Reader;
use super::{Key, Table};
use crate::notify::deliver::{Attempt, Deliver, Outlets};
use crate::notify::evaluation::{CommitStatus, State};
#[cfg(test)]
use crate::notify::transport::Request;

/// Sets commit statuses on GitLab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitLab(pub Hosting);

/// The keys of its table, in addition to those of every table.
pub(super) const KEYS: &[Key] = &[Key::TokenFile, Key::TokenEnv, Key::Api, Key::Project, Key::TargetUrl];

const PROVIDER: Provider = Provider {
    key: "project",
    spelling: "write `GROUP/NAME`, or its number",
    is_repository: |path| {
        let parts: Vec<&str> = path.split('/').collect();
        (parts.len() >= 2 || path.bytes().all(|byte| byte.is_ascii_digit())) && are_legal(&parts)
    },
    default_api: |host| match host {
        Some(host) if host.contains("gitlab") => format!("https://{host}/api/v4"),
        Some(_) | None => "https://gitlab.com/api/v4".to_owned(),
    },
};

impl GitLab {
    /// Reads the target's own keys; `watched` is the URL of the repository of desired state.
    pub(super) fn read(table: &Table, reader: &mut Reader<'_>, watched: &str) -> Option<Self> {
        let given: Option<&Spanned<String>> = table.project.as_ref();
        Hosting::read(table, reader, &PROVIDER, given, watched).map(Self)
    }

    fn path(&self, status: &CommitStatus) -> String {
        format!("projects/{}/statuses/{}", self.0.repository.replace('/', "%2F"), status.revision)
    }

    /// The request that sets a status.
    #[cfg(test)]
    pub(in crate::notify) fn request(&self, status: &CommitStatus) -> Result<Request, String> {
        self.0.request(&self.path(status), headers, body(status), status)
    }
}

#[async_trait]
impl Deliver<CommitStatus> for GitLab {
    async fn deliver(&self, status: &CommitStatus, _: &str, by: &Outlets) -> Attempt {
        self.0.post(&self.path(status), headers, body(status), status, by, is_as_good).await
    }
}

/// GitLab answers 400 when the status has that state already: then there is nothing left to set.
fn is_as_good(status: u16, body: &str) -> bool {
    status == 400 && body.contains("Cannot transition status via")
}

fn headers(token: &str) -> Vec<(&'static str, String)> {
    vec![("PRIVATE-TOKEN", token.to_owned())]
}

fn body(status: &CommitStatus) -> serde_json::Value {
    let state = if status.state == State::Failure { "failed" } else { status.state.as_str() };
    json!({"state": state, "name": context(status), "description": status.description})
}
