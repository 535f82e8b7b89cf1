//! What a genuine message says: which repository and ref were pushed to. Only these few members are read.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde::Deserialize;

use crate::answer::{Ignored, Refused};
use crate::place::Place;
use crate::signature::{Provider, once};

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The provider tries whether the webhook works.
    Ping,
    /// Something was pushed.
    Push(Push),
    /// Something else.
    Other,
}

/// A push.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Push {
    /// The names that the provider has for the repository; `None` where the sender leaves it to us.
    repository: Option<Vec<Place>>,
    /// The ref's full name; `None` where the sender leaves it to us.
    reference: Option<String>,
    /// The ref was deleted.
    deleted: bool,
}

/// A push event's members, in the words of all providers together.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The commit after the push; all zeros where the ref was deleted (GitLab, Gitea, GitHub).
    after: Option<String>,
    /// GitHub alone says it in a word.
    deleted: Option<bool>,
    repository: Option<Names>,
    /// GitLab's name for it.
    project: Option<Names>,
    /// GitLab says in system hooks what happened.
    event_name: Option<String>,
}

/// A repository's URLs, under the names that one or the other provider has for them.
#[derive(Default, Deserialize)]
struct Names {
    clone_url: Option<String>,
    ssh_url: Option<String>,
    html_url: Option<String>,
    git_url: Option<String>,
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    http_url: Option<String>,
    web_url: Option<String>,
    url: Option<String>,
}

impl Names {
    fn places(&self) -> impl Iterator<Item = Place> {
        let all = [
            &self.clone_url,
            &self.ssh_url,
            &self.html_url,
            &self.git_url,
            &self.git_http_url,
            &self.git_ssh_url,
            &self.http_url,
            &self.web_url,
            &self.url,
        ];
        all.into_iter().flatten().filter_map(|text| Place::parse(text))
    }
}

/// The body of a generic webhook. Both members may be absent: then it is about whatever is followed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenericBody {
    repository: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

impl Event {
    /// Reads a message whose signature was checked.
    pub(crate) fn read(provider: Provider, headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        if provider == Provider::Generic {
            return generic(body).map(Self::Push);
        }
        let kind = match provider {
            Provider::GitLab => once(headers, "x-gitlab-event")?,
            Provider::Gitea => match once(headers, "x-forgejo-event")? {
                Some(kind) => Some(kind),
                None => once(headers, "x-gitea-event")?,
            },
            Provider::GitHub | Provider::Generic => once(headers, "x-github-event")?,
        };
        let is_system_hook = match kind.ok_or(Refused::MalformedHeader)? {
            b"ping" => return Ok(Self::Ping),
            b"push" | b"Push Hook" => false,
            b"System Hook" => true,
            b"Tag Push Hook" => return Ok(Self::Push(Push::tag())),
            _ => return Ok(Self::Other),
        };
        let body: Body = serde_json::from_slice(&json(headers, body)).map_err(|_| Refused::MalformedBody)?;
        if is_system_hook && body.event_name.as_deref() != Some("push") {
            return Ok(Self::Other);
        }
        let reference = body.reference.ok_or(Refused::MalformedBody)?;
        let names = [body.repository, body.project];
        let places: Vec<Place> = names.iter().flatten().flat_map(Names::places).collect();
        if places.is_empty() {
            return Err(Refused::MalformedBody);
        }
        let is_nothing = |commit: String| !commit.is_empty() && commit.bytes().all(|digit| digit == b'0');
        let deleted = body.deleted.unwrap_or(false) || body.after.is_some_and(is_nothing);
        Ok(Self::Push(Push { repository: Some(places), reference: Some(reference), deleted }))
    }
}

impl Push {
    /// A tag, of whichever repository.
    fn tag() -> Self {
        Self { repository: None, reference: Some("refs/tags/".to_owned()), deleted: false }
    }

    /// Whether it concerns the branch of a repository, which has all these names.
    pub(crate) fn concerns(&self, repository: &[Place], branch: &str) -> Result<(), Ignored> {
        if let Some(places) = &self.repository
            && !places.iter().any(|place| repository.contains(place))
        {
            return Err(Ignored::OtherRepository);
        }
        match &self.reference {
            Some(reference) if reference.starts_with("refs/tags/") => Err(Ignored::Tag),
            Some(reference) if reference.strip_prefix("refs/heads/") != Some(branch) => Err(Ignored::OtherBranch),
            Some(_) | None if self.deleted => Err(Ignored::Deletion),
            Some(_) | None => Ok(()),
        }
    }
}

fn generic(body: &[u8]) -> Result<Push, Refused> {
    let body = body.trim_ascii();
    let GenericBody { repository, reference } = if body.is_empty() {
        GenericBody::default()
    } else {
        serde_json::from_slice(body).map_err(|_| Refused::MalformedBody)?
    };
    let repository = repository.map(|text| Place::parse(&text).ok_or(Refused::MalformedBody)).transpose()?;
    // A branch's short name is what people write by hand.
    let full = |name: String| if name.starts_with("refs/") { name } else { format!("refs/heads/{name}") };
    Ok(Push { repository: repository.map(|place| vec![place]), reference: reference.map(full), deleted: false })
}

/// The JSON in a body. GitHub's form, which its settings page offers first, has it in the field `payload`.
///
/// Source: GitHub docs, "Creating webhooks", content types.
fn json<'b>(headers: &HeaderMap, body: &'b [u8]) -> Cow<'b, [u8]> {
    let kind = headers.get("content-type").map(|value| value.as_bytes().to_ascii_lowercase()).unwrap_or_default();
    if kind.starts_with(b"application/x-www-form-urlencoded")
        && let Some((_, payload)) = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload")
    {
        return Cow::Owned(payload.into_owned().into_bytes());
    }
    Cow::Borrowed(body)
}
