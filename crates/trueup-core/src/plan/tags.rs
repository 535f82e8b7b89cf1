//! The tags that trueup writes on everything it creates, and the ownership that they record.
//!
//! They are the only memory between two processes. Source of the limits: ECS API reference, `Tag`: keys up to 128 and
//! values up to 256 characters, letters, digits, spaces and `_ . : / = + - @`.

use super::{Hold, Input};
use crate::broken::{self, Broken};
use crate::desired::{DesiredApplication, Document};
use crate::digest::Digest;
use crate::kind::{Kind, Place};
use crate::live::Tags;
use crate::names::{EnvironmentName, InstanceName};

/// The prefix of trueup's own tags.
pub const PREFIX: &str = "trueup:";
/// The application.
pub const APPLICATION: &str = "trueup:application";
/// The environment.
pub const ENVIRONMENT: &str = "trueup:environment";
/// The installation that owns the resource.
pub const INSTANCE: &str = "trueup:instance";
/// The document in the application, such as `target-groups/backend`: a rule has no name in AWS, so this is how it is
/// found again when its priority changes.
pub const DOCUMENT: &str = "trueup:document";
/// The commit that was applied last.
pub const REVISION: &str = "trueup:revision";
/// The digest of what was applied last: see [`applied_digest`].
pub const DIGEST: &str = "trueup:digest";
/// The digest of the deployment that ECS failed or rolled back: see [`crate::resources::service::deployment_digest`].
pub const FAILED: &str = "trueup:failed";
/// An operator requests another try of a failed deployment: its digest and a time, `DIGEST TIME`.
pub const RETRY: &str = "trueup:retry";
/// An operator suspended following and healing: who, when and why, see [`crate::planner::note`].
pub const SUSPENDED: &str = "trueup:suspended";
/// The tag that `CloudFormation` writes on the resources of a stack.
const STACK: &str = "aws:cloudformation:stack-name";

/// The value of [`DOCUMENT`] for a document.
pub fn document_tag(kind: Kind, name: &str) -> String {
    let text = match kind.facts().place {
        Place::Folder(folder) => format!("{folder}/{name}"),
        Place::File(file) => file.to_owned(),
    };
    legal(&text)
}

/// The value of [`DIGEST`] for a document.
///
/// For a service it covers the task definition as well, because both are applied to the service: its tag alone shows
/// whether the revision that it was asked to run is the one that git wants.
pub fn applied_digest(application: &DesiredApplication, document: &Document) -> Digest {
    let with = document.kind.facts().digested_with.and_then(|kind| application.single(kind));
    let Some(with) = with else { return document.digest.clone() };
    // Tags are not in a task definition's digest, as they create no new revision; they were applied all the same.
    let tags = with.kind.facts().tagging.list(&declared(with));
    Digest::of(format!("{} {} {tags}", document.digest, with.digest).as_bytes())
}

/// A tag value with characters that AWS does not allow replaced by `_`, cut to 256 characters.
pub fn legal(value: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    value.chars().take(256).map(|c| if allowed(c) { c } else { '_' }).collect()
}

/// The owner of a resource, according to its tags.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    /// This application in this environment.
    Ours,
    /// No owner, or another document or application that git no longer has: trueup adopts it.
    Adopt,
    /// Another owner.
    Held(Hold),
}

/// The ownership tags of one document's resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Owner {
    tags: Tags,
}

impl Owner {
    pub(crate) fn new(input: &Input<'_>, kind: Kind, name: &str) -> Self {
        let tags = [
            (APPLICATION, legal(input.desired.name.as_str())),
            (ENVIRONMENT, legal(input.desired.environment.as_str())),
            (INSTANCE, legal(input.instance.as_str())),
            (DOCUMENT, document_tag(kind, name)),
        ];
        Self { tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }
    }

    /// All four of them.
    pub(crate) fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Whether `live` has all four of them.
    pub(crate) fn owns(&self, live: &Tags) -> bool {
        self.tags.iter().all(|(key, value)| live.get(key) == Some(value))
    }

    /// Those that `live` lacks or has with another value.
    pub(crate) fn missing(&self, live: &Tags) -> Tags {
        self.tags
            .iter()
            .filter(|(key, value)| live.get(*key) != Some(value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    pub(crate) fn claim(&self, live: &Tags, manage_stack_resources: bool) -> Claim {
        let instance = self.other(live, INSTANCE).filter(|_| !broken::is(Broken::ForeignTagIgnored));
        if let Some(instance) = instance {
            return Claim::Held(Hold::ForeignInstance { instance: InstanceName::new(instance) });
        }
        if let Some(environment) = self.other(live, ENVIRONMENT) {
            return Claim::Held(Hold::ForeignEnvironment { environment: EnvironmentName::new(environment) });
        }
        if let Some(stack) = live.get(STACK).filter(|_| !manage_stack_resources) {
            return Claim::Held(Hold::OwnedByStack { stack: stack.clone() });
        }
        if self.owns(live) { Claim::Ours } else { Claim::Adopt }
    }

    /// The value that `live` has for one of trueup's tags, when it differs from this owner's.
    fn other(&self, live: &Tags, key: &str) -> Option<String> {
        live.get(key).filter(|value| self.tags.get(key) != Some(*value)).cloned()
    }
}

/// The stack that owns a resource, by its tags.
pub(crate) fn stack(tags: &Tags) -> Option<&String> {
    tags.get(STACK)
}

/// The tags that a document declares, without any that have trueup's prefix.
pub(crate) fn declared(document: &Document) -> Tags {
    let mut tags = document.kind.facts().tagging.read(&document.body);
    tags.retain(|key, _| !key.starts_with(PREFIX));
    tags
}

#[cfg(test)]
mod tests {
    use super::legal;

    #[test]
    fn tag_values_are_legal_for_aws() {
        for (value, expected) in
            [("elearning/web-1", "elearning/web-1"), ("a,b*c", "a_b_c"), ("a@b = c:d.e+f_g", "a@b = c:d.e+f_g")]
        {
            assert_eq!(legal(value), expected);
        }
        assert_eq!(legal(&"x".repeat(300)).len(), 256);
    }
}
