//! What commit statuses on GitHub and on GitLab have in common: API, repository, token and the page that a status links to.

use serde_json::Value;
use toml::Spanned;
use url::Url;

use super::reader::Reader;
use super::{Table, address};
use crate::notify::deliver::{Attempt, Outlets};
use crate::notify::evaluation::CommitStatus;
use crate::notify::transport::Request;
use crate::secret::SecretSource;

/// Where commit statuses are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosting {
    /// The API's base, without a slash at its end.
    pub api: Url,
    /// `owner/name` on GitHub, the path or number of the project on GitLab.
    pub repository: String,
    /// The token that the API is called with.
    pub token: SecretSource,
    /// The page that a status links to; `{environment}`, `{application}` and `{revision}` are filled in.
    pub target_url: Option<String>,
}

/// How a provider differs from the others.
pub(super) struct Provider {
    /// The key that names the repository: `repository` or `project`.
    pub key: &'static str,
    /// How to write the repository's name.
    pub spelling: &'static str,
    /// Whether a path can name a repository there.
    pub is_repository: fn(&str) -> bool,
    /// The API's base for a repository on this host; `None` for one on this machine.
    pub default_api: fn(Option<&str>) -> String,
}

impl Hosting {
    /// Reads what the table says; `watched` is the URL of the repository of desired state, from which the repository and
    /// the API follow where the table does not name them.
    pub(super) fn read(
        table: &Table,
        reader: &mut Reader<'_>,
        provider: &Provider,
        given: Option<&Spanned<String>>,
        watched: &str,
    ) -> Option<Self> {
        let key = provider.key;
        let token = reader.secret("token", table.token_file.as_ref(), table.token_env.as_ref());
        let derived = hosted(watched);
        let repository = match (given, &derived) {
            (Some(given), _) => Some(given.get_ref().trim_matches('/').to_owned()),
            (None, Some((_, path))) => Some(path.clone()),
            (None, None) => {
                let message = format!("`{key}` cannot be derived from the URL of the repository of desired state");
                reader.report_missing(key, message, format!("add `{key} = \"OWNER/NAME\"`"));
                None
            }
        };
        if let Some(path) = &repository
            && !((provider.is_repository)(path))
        {
            let (message, help) = (format!("`{path}` is not a {key}"), provider.spelling);
            match given {
                Some(given) => reader.report(given, key, message, help),
                None => reader.report_missing(key, message, help),
            }
        }
        let host = derived.as_ref().map(|(host, _)| host.as_str());
        let api = api(table, reader, &(provider.default_api)(host));
        let target_url = table.target_url.as_ref().map(|url| page(url, reader));
        Some(Self { api: api?, repository: repository?, token: token?, target_url })
    }

    /// Posts one status: `path` is below the API's base, `headers` derives the headers from the token.
    pub(super) async fn post(
        &self,
        path: &str,
        headers: impl FnOnce(&str) -> Vec<(&'static str, String)>,
        body: Value,
        status: &CommitStatus,
        by: &Outlets,
        accepts: impl FnOnce(u16, &str) -> bool,
    ) -> Attempt {
        match self.request(path, headers, body, status) {
            Ok(request) => by.post(request, accepts).await,
            Err(error) => Attempt::Unready { error },
        }
    }

    /// The request that sets a status.
    pub(super) fn request(
        &self,
        path: &str,
        headers: impl FnOnce(&str) -> Vec<(&'static str, String)>,
        mut body: Value,
        status: &CommitStatus,
    ) -> Result<Request, String> {
        let token = self.token.read().map_err(|error| error.to_string())?;
        if let Some(page) = &self.target_url {
            body["target_url"] = Value::String(filled(page, status));
        }
        let api = self.api.as_str().trim_end_matches('/');
        let url = address::parse(&format!("{api}/{path}")).map_err(|flaw| flaw.to_string())?;
        Ok(Request { url, headers: headers(token.expose()), body: body.to_string() })
    }
}

/// The API's base: as given, else the default.
fn api(table: &Table, reader: &mut Reader<'_>, default: &str) -> Option<Url> {
    let text = table.api.as_ref().map_or(default, |api| api.get_ref());
    let parsed = address::parse(text.trim_end_matches('/'));
    if let (Err(flaw), Some(api)) = (&parsed, &table.api) {
        let help =
            "write the API's base, such as `https://HOST/api/v3` (GitHub Enterprise) or `https://HOST/api/v4` (GitLab)";
        reader.report(api, "api", format!("the API's URL cannot be used: {flaw}"), help);
    }
    parsed.ok()
}

/// The template of the page's URL, checked with its placeholders filled in.
fn page(url: &Spanned<String>, reader: &mut Reader<'_>) -> String {
    let filled = ["{environment}", "{application}", "{revision}"]
        .iter()
        .fold(url.get_ref().clone(), |url, name| url.replace(name, "x"));
    if !Url::parse(&filled).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        reader.report(
            url,
            "target_url",
            "`target_url` is not the URL of a page",
            "write `https://HOST/…`; `{environment}`, `{application}` and `{revision}` are filled in",
        );
    }
    url.get_ref().clone()
}

/// The URL of the page that a status links to.
fn filled(page: &str, status: &CommitStatus) -> String {
    let (environment, application) = status.place.split_once('/').unwrap_or_default();
    page.replace("{environment}", environment)
        .replace("{application}", application)
        .replace("{revision}", status.revision.as_str())
}

/// The name of the status among those of other programs: `trueup/ENVIRONMENT/APPLICATION`.
pub(super) fn context(status: &CommitStatus) -> String {
    if status.place.is_empty() { "trueup".to_owned() } else { format!("trueup/{}", status.place) }
}

/// Host and path of a repository at a provider; `None` for one on this machine.
fn hosted(repository: &str) -> Option<(String, String)> {
    let (host, path) = match Url::parse(repository) {
        Ok(url) if matches!(url.scheme(), "https" | "http" | "ssh") => {
            (url.host_str()?.to_owned(), url.path().to_owned())
        }
        Ok(_) => return None,
        Err(_) => {
            let (authority, path) = repository.split_once(':').filter(|(authority, _)| !authority.contains('/'))?;
            (authority.rsplit('@').next()?.to_owned(), path.to_owned())
        }
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!path.is_empty()).then(|| (host, path.to_owned()))
}

/// Whether each part of a path can be a part of the API's paths.
pub(super) fn are_legal(parts: &[&str]) -> bool {
    parts.iter().all(|part| {
        !part.is_empty()
            && !matches!(*part, "." | "..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    })
}
