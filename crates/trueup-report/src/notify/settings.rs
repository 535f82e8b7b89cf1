//! `[[notifications]]` of the daemon's configuration: what stands there, and what it means.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use trueup_core::document::{Problem, SourceFile, Span};
use trueup_core::pointer::Pointer;
use trueup_core::report::What;
use url::Url;

use super::address;
use super::filter::{Filter, fits};
use crate::secret::SecretSource;

/// One `[[notifications]]` table as it is written.
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

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Webhook,
    Slack,
    GitHub,
    GitLab,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }
}

/// The keys of a table whose values are no secrets and may be shown in a message.
pub const SHOWN_KEYS: [&str; 9] =
    ["kind", "name", "events", "environments", "applications", "api", "repository", "project", "target_url"];

/// Who is told, what, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called in logs: `name`, or its kind with its place in the file, such as `slack-2`.
    pub name: String,
    /// What it is told.
    pub filter: Filter,
    /// How it is told.
    pub means: Means,
}

/// How a target is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// Each event is posted.
    Events(Post),
    /// Commits get statuses.
    Statuses(Statuses),
}

/// How an event is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// The event as JSON, signed.
    Webhook {
        /// Where it is sent.
        url: SecretSource,
        /// What it is signed with.
        secret: SecretSource,
    },
    /// A message as Slack's incoming webhooks take it.
    Slack {
        /// Where it is sent; whoever knows it may send.
        url: SecretSource,
    },
}

/// Whose API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// GitHub, also GitHub Enterprise.
    GitHub,
    /// GitLab, also one's own.
    GitLab,
}

/// Where commit statuses are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Whose API it is.
    pub provider: Provider,
    /// The API's base, without a slash at its end.
    pub api: Url,
    /// `owner/name` on GitHub, the path or number of the project on GitLab.
    pub repository: String,
    /// Who we are.
    pub token: SecretSource,
    /// The page that a status leads to; `{environment}`, `{application}` and `{revision}` are filled in.
    pub target_url: Option<String>,
}

impl Table {
    /// What the table means.
    ///
    /// `index` is its place among its like, from 0; `watched` is the URL of the repository of desired state.
    ///
    /// # Errors
    /// All that is wrong with it. What secrets hold is looked at here for the first time, and not told.
    pub fn target(&self, file: &Arc<SourceFile>, index: usize, watched: &str) -> Result<Target, Vec<Problem>> {
        let mut reader = Reader { file, index, problems: Vec::new() };
        let kind = *self.kind.get_ref();
        self.refuse_strangers(kind, &mut reader);
        for pattern in &self.events {
            if !What::NAMES.iter().any(|name| fits(pattern.get_ref(), name)) {
                let message = format!("`{}` is no event", pattern.get_ref());
                reader.tell(pattern, "events", message, format!("the events are {}", What::NAMES.join(", ")));
            }
        }
        let means = match kind {
            Kind::Webhook => {
                let url = self.url(&mut reader);
                let secret = reader.secret(&self.kind, "secret", self.secret_file.as_ref(), self.secret_env.as_ref());
                url.zip(secret).map(|(url, secret)| Means::Events(Post::Webhook { url, secret }))
            }
            Kind::Slack => self.url(&mut reader).map(|url| Means::Events(Post::Slack { url })),
            Kind::GitHub => self.statuses(&mut reader, Provider::GitHub, watched).map(Means::Statuses),
            Kind::GitLab => self.statuses(&mut reader, Provider::GitLab, watched).map(Means::Statuses),
        };
        let name = match &self.name {
            Some(name) => name.get_ref().clone(),
            None => format!("{}-{}", kind.as_str(), index + 1),
        };
        let events = self.events.iter().map(|pattern| pattern.get_ref().clone()).collect();
        let filter =
            Filter { events, environments: self.environments.clone(), applications: self.applications.clone() };
        match means {
            Some(means) if reader.problems.is_empty() => Ok(Target { name, filter, means }),
            _ => Err(reader.problems),
        }
    }

    /// Keys that belong to another kind are mistakes.
    fn refuse_strangers(&self, kind: Kind, reader: &mut Reader<'_>) {
        let place = |text: &Option<Spanned<String>>| text.as_ref().map(Spanned::span);
        let path = |path: &Option<Spanned<PathBuf>>| path.as_ref().map(Spanned::span);
        let is_status = matches!(kind, Kind::GitHub | Kind::GitLab);
        let keys = [
            ("url_file", path(&self.url_file), !is_status),
            ("url_env", place(&self.url_env), !is_status),
            ("secret_file", path(&self.secret_file), kind == Kind::Webhook),
            ("secret_env", place(&self.secret_env), kind == Kind::Webhook),
            ("token_file", path(&self.token_file), is_status),
            ("token_env", place(&self.token_env), is_status),
            ("api", place(&self.api), is_status),
            ("repository", place(&self.repository), kind == Kind::GitHub),
            ("project", place(&self.project), kind == Kind::GitLab),
            ("target_url", place(&self.target_url), is_status),
            ("events", self.events.first().map(Spanned::span), !is_status),
        ];
        for (key, range, belongs) in keys {
            if let Some(range) = range.filter(|_| !belongs) {
                let help = match key {
                    "events" => "which events make a status is fixed; choose `environments` and `applications`",
                    _ => "remove it, or correct `kind`",
                };
                reader.tell_at(range, key, format!("`{key}` does not belong to `{}`", kind.as_str()), help);
            }
        }
    }

    /// The URL that messages are sent to.
    fn url(&self, reader: &mut Reader<'_>) -> Option<SecretSource> {
        let source = reader.secret(&self.kind, "url", self.url_file.as_ref(), self.url_env.as_ref())?;
        let url = source.read().ok()?;
        if let Err(flaw) = address::parse(url.expose()) {
            let place = self.url_file.as_ref().map(Spanned::span).or(self.url_env.as_ref().map(Spanned::span));
            let help = "it must be `https://HOST/PATH`; `http://` is for this machine only";
            reader.tell_at(place.unwrap_or_default(), "url", format!("{source} holds no usable URL: {flaw}"), help);
            return None;
        }
        Some(source)
    }

    fn statuses(&self, reader: &mut Reader<'_>, provider: Provider, watched: &str) -> Option<Statuses> {
        let is_github = provider == Provider::GitHub;
        let token = reader.secret(&self.kind, "token", self.token_file.as_ref(), self.token_env.as_ref());
        let derived = hosted(watched);
        let (key, given) = if is_github { ("repository", &self.repository) } else { ("project", &self.project) };
        let repository = match (given, &derived) {
            (Some(given), _) => Some(given.get_ref().trim_matches('/').to_owned()),
            (None, Some((_, path))) => Some(path.clone()),
            (None, None) => {
                let message = format!("the repository's URL does not tell the {key}");
                reader.tell(&self.kind, key, message, format!("add `{key} = \"OWNER/NAME\"`"));
                None
            }
        };
        if let Some(path) = &repository
            && !is_path(path, provider)
        {
            let place = given.as_ref().map_or(self.kind.span(), Spanned::span);
            let help = if is_github { "write `OWNER/NAME`" } else { "write `GROUP/NAME`, or its number" };
            reader.tell_at(place, key, format!("`{path}` is no {key}"), help);
        }
        let api = self.api(reader, provider, derived.as_ref().map(|(host, _)| host.as_str()));
        let target_url = self.target_url.as_ref().map(|url| {
            let filled = ["{environment}", "{application}", "{revision}"]
                .iter()
                .fold(url.get_ref().clone(), |url, name| url.replace(name, "x"));
            if !Url::parse(&filled).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
                reader.tell(
                    url,
                    "target_url",
                    "it is not the URL of a page",
                    "write `https://HOST/…`; `{environment}`, `{application}` and `{revision}` are filled in",
                );
            }
            url.get_ref().clone()
        });
        Some(Statuses { provider, api: api?, repository: repository?, token: token?, target_url })
    }

    /// The API's base: as given, else that of the host of the repository.
    fn api(&self, reader: &mut Reader<'_>, provider: Provider, host: Option<&str>) -> Option<Url> {
        let default = match (provider, host) {
            (Provider::GitLab, Some(host)) if host.contains("gitlab") => format!("https://{host}/api/v4"),
            (Provider::GitLab, _) => "https://gitlab.com/api/v4".to_owned(),
            (Provider::GitHub, _) => "https://api.github.com".to_owned(),
        };
        let text = self.api.as_ref().map_or(default.as_str(), |api| api.get_ref());
        let parsed = address::parse(text.trim_end_matches('/'));
        if let (Err(flaw), Some(api)) = (&parsed, &self.api) {
            let help = "write the API's base, such as `https://HOST/api/v3` (GitHub Enterprise) or `https://HOST/api/v4` (GitLab)";
            reader.tell(api, "api", format!("the API's URL cannot be used: {flaw}"), help);
        }
        parsed.ok()
    }
}

/// Host and path of a repository at a provider; nothing for one on this machine.
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

/// Whether this can be a repository's place in the API's paths.
fn is_path(path: &str, provider: Provider) -> bool {
    let legal = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let count = match provider {
        Provider::GitHub => parts.len() == 2,
        Provider::GitLab => parts.len() >= 2 || path.bytes().all(|byte| byte.is_ascii_digit()),
    };
    count && parts.into_iter().all(legal)
}

/// Collects what is wrong with a table.
struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    index: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn tell<T>(&mut self, place: &Spanned<T>, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.tell_at(place.span(), key, message, help);
    }

    fn tell_at(
        &mut self,
        range: std::ops::Range<usize>,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let field = Pointer::root().join("notifications").join(self.index.to_string()).join(key);
        let span = Span { file: Arc::clone(self.file), range };
        self.problems.push(Problem::at("configuration", &span, &field, message).help(help));
    }

    /// Exactly one of file and variable, which holds a secret now.
    fn secret(
        &mut self,
        kind: &Spanned<Kind>,
        what: &str,
        file: Option<&Spanned<PathBuf>>,
        variable: Option<&Spanned<String>>,
    ) -> Option<SecretSource> {
        let (keys, name) = (format!("`{what}_file` or `{what}_env`"), kind.get_ref().as_str());
        let (place, source) = match (file, variable) {
            (Some(_), Some(variable)) => {
                let key = format!("{what}_env");
                self.tell(
                    variable,
                    &key,
                    format!("there are both {keys}").replace(" or ", " and "),
                    "give one of them",
                );
                return None;
            }
            (None, None) => {
                self.tell(kind, what, format!("`{name}` needs {keys}"), "name the file or the variable that holds it");
                return None;
            }
            (Some(file), None) => {
                if file.get_ref().to_str().is_some_and(|path| path.contains("://")) {
                    let help = "put it into a file or a variable, and name that";
                    self.tell(file, &format!("{what}_file"), "this is a URL and no file's path", help);
                    return None;
                }
                (file.span(), SecretSource::File(file.get_ref().clone()))
            }
            (None, Some(variable)) => {
                let name = variable.get_ref();
                let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                if name.is_empty() || !name.chars().all(legal) {
                    let help = "put it into a variable such as `SLACK_URL`, and name that";
                    self.tell(variable, &format!("{what}_env"), "this is no name of an environment variable", help);
                    return None;
                }
                (variable.span(), SecretSource::Variable(name.clone()))
            }
        };
        match source.read() {
            Ok(_) => Some(source),
            Err(error) => {
                self.tell_at(
                    place,
                    what,
                    error.to_string(),
                    "it holds the secret on one line, and this user may read it",
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
