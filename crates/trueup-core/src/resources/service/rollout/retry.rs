//! How an operator ends the hold on a failed revision: a durable tag that every copy of trueup sees.
//!
//! `trueup retry` writes the tag `trueup:retry` with the digest of the deployment and the time of the newest evidence
//! of its failure, and removes `trueup:failed`. Evidence up to that time no longer counts; later evidence does. All
//! times are AWS's own, so that no clock has to agree with another.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::kind::Kind;
use crate::live::Tags;
use crate::plan::{Call, Cause, Hold, Plan, Step, tags};

/// An operator's request for another try of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::resources::service) struct Mark {
    /// The digest of the deployment.
    pub digest: Digest,
    /// Evidence of its failure up to this time does not count.
    pub until: Timestamp,
}

impl Mark {
    /// Reads the tag `trueup:retry`; `None` when it is missing or malformed.
    pub fn read(tags: &Tags) -> Option<Self> {
        let (digest, until) = tags.get(tags::RETRY)?.split_once(' ')?;
        Some(Self { digest: Digest::from_tag(digest), until: until.parse().ok()? })
    }

    fn tag(&self) -> String {
        tags::legal(&format!("{} {}", self.digest, self.until))
    }

    /// Whether a failure of this time was known when the request was made. A failure whose time is unknown was.
    pub fn covers(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| at <= self.until)
    }
}

/// The calls that end every hold on a failed revision in a plan; empty when there is no such hold.
///
/// `now` is used where AWS does not show the time of the failure.
pub fn retry(plan: &Plan, now: Timestamp) -> Vec<Step> {
    let held = plan.held.iter().filter_map(|held| {
        let Hold::RevisionFailed { digest, failed_at, .. } = &held.reason else { return None };
        Some((held.subject.resource()?, digest, failed_at))
    });
    let mut steps = Vec::new();
    for (resource, digest, failed_at) in held {
        let Some(arn) = &resource.arn else { continue };
        let mark = Mark { digest: digest.clone(), until: failed_at.unwrap_or(now) };
        let tagging = Kind::Service.facts().tagging;
        let mark = Tags::from([(tags::RETRY.to_owned(), mark.tag())]);
        // The mark first: a crash between the two leaves both, and then the mark counts.
        let calls = [Call::of(tagging.set(arn, &mark)), Call::of(tagging.remove(arn, &[tags::FAILED]))];
        steps.extend(calls.map(|call| Step {
            subject: resource.clone().into(),
            cause: Cause::Adopt,
            changes: Vec::new(),
            drift: Vec::new(),
            awaits: Vec::new(),
            call,
        }));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_covers_what_was_known() {
        let until: Timestamp = "2026-01-01T00:00:00.123456789Z".parse().expect("a time");
        let mark = Mark { digest: Digest::of(b"a"), until };
        let tags = |value: &str| Tags::from([(tags::RETRY.to_owned(), value.to_owned())]);
        assert_eq!(Mark::read(&tags(&mark.tag())), Some(mark.clone()));
        for other in ["", "abc", "abc yesterday"] {
            assert_eq!(Mark::read(&tags(other)), None, "{other}");
        }
        let second = jiff::SignedDuration::from_secs(1);
        for (at, covered) in
            [(None, true), (Some(until), true), (Some(until - second), true), (Some(until + second), false)]
        {
            assert_eq!(mark.covers(at), covered, "{at:?}");
        }
    }
}
