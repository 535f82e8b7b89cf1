//! Drift or pending change: a three-way comparison of the last applied, the desired and the live state.

use super::keep_live::get;
use super::{Cause, Input};
use crate::desired::{Document, Mode, Policy};
use crate::digest::Digest;
use crate::drift::{Change, Context};
use crate::kind::{self, Kind};
use crate::live::Tags;
use crate::pointer::Pointer;

/// The basis of the comparison: the known state of a document's last application.
pub(crate) enum Basis {
    /// Exactly this desired document was applied: every difference comes from another writer.
    Same,
    /// Another document was applied, and these are the places where git changed since.
    Changed(Vec<Pointer>),
    /// Unknown: every difference counts as pending.
    Unknown,
}

impl Basis {
    /// Derives the basis from the digest in the resource's tag, and from the document at the commit that was applied
    /// last.
    pub(crate) fn of(tags: &Tags, digest: &Digest, document: &Document, last: Option<&Document>) -> Self {
        if tags.get(super::tags::DIGEST).is_some_and(|tag| Digest::from_tag(tag) == *digest) {
            return Self::Same;
        }
        let Some(last) = last else { return Self::Unknown };
        let described = document.kind.facts().described.as_described(&last.body);
        let since = kind::drift(document.kind, &document.body, &described, &Context::default());
        Self::Changed(since.into_iter().map(|change| change.path).collect())
    }

    pub(crate) fn cause(&self, path: &Pointer) -> Cause {
        match self {
            Self::Unknown => Cause::Pending,
            Self::Changed(since) if since.iter().any(|p| p.is_within(path) || path.is_within(p)) => Cause::Pending,
            Self::Same | Self::Changed(_) => Cause::Drift,
        }
    }
}

/// The last applied document of a kind and name.
pub(crate) fn last<'a>(input: &Input<'a>, kind: Kind, name: &str) -> Option<&'a Document> {
    input.last_applied?.documents.iter().find(|document| document.kind == kind && document.name == name)
}

/// The policy's mode for a cause.
pub(crate) fn mode(policy: &Policy, cause: Cause) -> Mode {
    match cause {
        Cause::Drift => policy.heal,
        Cause::Create | Cause::Pending | Cause::Adopt => policy.follow,
        Cause::Prune => policy.prune,
    }
}

/// Changes by how they are handled.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Acted on.
    pub(crate) acted: Vec<(Cause, Change)>,
    /// Reported and held.
    pub(crate) reported: Vec<(Cause, Change)>,
    /// Neither.
    pub(crate) off: Vec<(Cause, Change)>,
    /// Drift that another writer recreates after each repair: its next repair waits.
    pub(crate) contested: Vec<(Cause, Change)>,
}

impl Sorted {
    pub(crate) fn new(changes: Vec<Change>, policy: &Policy, cause: impl Fn(&Change) -> Cause) -> Self {
        let mut sorted = Self::default();
        for change in changes {
            let cause = cause(&change);
            let list = match mode(policy, cause) {
                Mode::On => &mut sorted.acted,
                Mode::Report => &mut sorted.reported,
                Mode::Off => &mut sorted.off,
            };
            list.push((cause, change));
        }
        sorted
    }

    /// The places where a call carries the live value.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Pointer> {
        self.reported.iter().chain(&self.off).chain(&self.contested).map(|(_, change)| &change.path)
    }

    /// Moves contested drift from `acted` to `contested`.
    pub(crate) fn contest(&mut self, is_contested: impl Fn(&Change) -> bool) {
        let acted = std::mem::take(&mut self.acted).into_iter();
        let (contested, acted) = acted.partition(|(cause, change)| *cause == Cause::Drift && is_contested(change));
        (self.contested, self.acted) = (contested, acted);
    }

    /// Whether a pending change remains, so that git's state was not applied in full.
    pub(crate) fn keeps_pending(&self) -> bool {
        self.reported.iter().chain(&self.off).any(|(cause, _)| *cause != Cause::Drift)
    }

    /// Removes the changes that `which` selects from `acted` and returns them.
    pub(crate) fn take(&mut self, which: impl Fn(&Change) -> bool) -> Vec<(Cause, Change)> {
        take(&mut self.acted, which)
    }

    /// Removes the changes that `which` selects from those that are held, and returns them.
    pub(crate) fn take_withheld(&mut self, which: impl Fn(&Change) -> bool) -> Vec<(Cause, Change)> {
        let mut taken = take(&mut self.reported, &which);
        taken.extend(take(&mut self.contested, which));
        taken
    }
}

fn take(changes: &mut Vec<(Cause, Change)>, which: impl Fn(&Change) -> bool) -> Vec<(Cause, Change)> {
    let (taken, rest) = std::mem::take(changes).into_iter().partition(|(_, change)| which(change));
    *changes = rest;
    taken
}

/// The cause of a step that makes several changes: a commit, if any of them comes from one.
pub(crate) fn common_cause(changes: &[(Cause, Change)]) -> Cause {
    if changes.iter().all(|(cause, _)| *cause == Cause::Drift) { Cause::Drift } else { Cause::Pending }
}

/// The changes without their causes.
pub(crate) fn only(changes: Vec<(Cause, Change)>) -> Vec<Change> {
    changes.into_iter().map(|(_, change)| change).collect()
}

/// The `ignore` patterns that apply to a document.
pub(crate) fn ignored(policy: &Policy, kind: Kind, name: &str) -> Vec<Pointer> {
    policy
        .ignore
        .iter()
        .filter(|ignore| ignore.kind == kind && ignore.name.as_ref().is_none_or(|n| n == name))
        .map(|ignore| ignore.pointer.clone())
        .collect()
}

/// Whether `path` lies within a pattern, in which a segment `*` stands for any one segment.
pub(crate) fn is_ignored(patterns: &[Pointer], path: &Pointer) -> bool {
    patterns.iter().any(|pattern| pattern.covers(path))
}

/// Whether the document declares a value at `path`.
pub(crate) fn is_declared(document: &Document, path: &Pointer) -> bool {
    get(document.kind, &document.body, path).is_some_and(|value| !value.is_null())
}

/// The first segment: the member of the request that a path is in.
pub(crate) fn top(path: &Pointer) -> &str {
    path.segments().first().map_or("", String::as_str)
}
