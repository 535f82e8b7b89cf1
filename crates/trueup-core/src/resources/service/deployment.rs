//! The desired deployment: whether the service was asked to run it, and whether ECS failed it or rolled it back.

use serde_json::Value;

use super::changes::{changes, task_definition_change, text};
use super::rollout::retry::Mark;
use super::rollout::{
    self, Case, FailureEvidence, FailureLookup, REVISION_FIELDS, RolloutFacts, Sameness, UNREGISTERED,
};
use crate::desired::{DesiredApplication, Document};
use crate::digest::Digest;
use crate::drift::{Change, Context};
use crate::kind::{self, Kind};
use crate::live::{LiveService, Observed, Tags};
use crate::names::ServiceId;
use crate::plan::builder::{Marks, Work};
use crate::plan::three_way::{Sorted, top};
use crate::plan::{Cause, Health, Held, Hold, Rollout, tags};
use crate::resources::task_definition::{self, WantedRevision, same_revision};
use crate::service_deployment::ServiceRevision;

/// ECS's progress with the service, in addition to the steps.
pub(crate) struct Outcome {
    pub(crate) health: Health,
    pub(crate) rollout: Option<Rollout>,
}

/// The deployment that git wants, compared with the one that the service was asked to run.
pub(super) struct Asked {
    /// The task definition revision that git wants.
    pub(super) wanted: String,
    /// Whether that, or anything else that is part of a deployment, differs from the deployment that the service was
    /// asked to run.
    pub(super) differs: bool,
    /// Whether trueup would act on that: the policy may only report it.
    pub(super) acts: bool,
}

impl Asked {
    /// No difference.
    pub(super) fn unchanged(runs: &str) -> Self {
        Self { wanted: runs.to_owned(), differs: false, acts: false }
    }

    pub(super) fn of(wanted: &WantedRevision, runs: &str, sorted: &Sorted, held: &[Held]) -> Self {
        let task_definition = task_definition_change(wanted, runs).is_some();
        let field = |(_, change): &(Cause, Change)| is_revision_field(change);
        let acts = task_definition || sorted.acted.iter().any(field);
        // Another task definition that is only reported.
        let told = held.iter().any(|held| {
            let kind = held.subject.resource().map(|resource| resource.kind);
            kind == Some(Kind::TaskDefinition) && matches!(held.reason, Hold::ReportOnly { .. })
        });
        let wanted = match wanted {
            WantedRevision::Revision(arn, _) => arn.as_str(),
            WantedRevision::Unregistered(_) => UNREGISTERED,
            WantedRevision::Unchanged | WantedRevision::Undecided => runs,
        };
        let differs = acts || told || sorted.reported.iter().chain(&sorted.contested).any(field);
        // A task definition that is only reported has no name yet.
        let wanted = if told { UNREGISTERED } else { wanted };
        Self { wanted: wanted.to_owned(), differs, acts }
    }
}

/// The rollout of the service, and its health.
pub(super) fn outcome(
    work: &Work<'_>,
    id: &ServiceId,
    live: &LiveService,
    asked: &Asked,
    failure: Option<&FailureEvidence>,
) -> Outcome {
    let input = work.input;
    let record = input.live.service_deployments.get(id).and_then(Observed::present);
    let rollout = rollout::status(&RolloutFacts {
        service: &live.description,
        record: record.map(Vec::as_slice).unwrap_or_default(),
        differs: asked.differs,
        wanted: Some(asked.wanted.as_str()).filter(|wanted| !wanted.is_empty()),
        failure,
        recorded: failure.is_some() && {
            let digest = deployment_digest(input.desired, work.document);
            live.tags.get(tags::FAILED) == Some(&tags::legal(digest.as_str()))
        },
        limit: rollout::limit(input.desired.policy.rollout_timeout, &live.description),
        now: input.now,
    });
    Outcome { health: rollout::health(&live.description, rollout.as_ref()), rollout }
}

/// Whether ECS failed or rolled back the desired deployment, or is deploying it.
pub(super) fn examine(
    work: &Work<'_>,
    id: &ServiceId,
    live: &LiveService,
    sorted: &Sorted,
    asked: &Asked,
    context: &Context,
) -> FailureLookup {
    let input = work.input;
    let tag = live.tags.get(tags::DIGEST).map(String::as_str);
    let was_asked_for = tag == Some(work.digest.as_str())
        || input.memory.has_deployed(&work.digest)
        || same_deployment(work, tag, sorted);
    rollout::find(&Case {
        service: &live.description,
        tags: &live.tags,
        record: input.live.service_deployments.get(id),
        differs: asked.differs,
        wanted: &asked.wanted,
        asked: was_asked_for,
        same: &|revision| sameness(work, live, sorted, asked, context, revision),
        digest: &|| deployment_digest(input.desired, work.document),
        now: input.now,
    })
}

/// How closely a revision that ECS was asked to run matches what git wants now: by content, whatever its number.
fn sameness(
    work: &Work<'_>,
    live: &LiveService,
    sorted: &Sorted,
    asked: &Asked,
    context: &Context,
    revision: &ServiceRevision,
) -> Sameness {
    let task_definition = match (work.input.desired.single(Kind::TaskDefinition), revision.task_definition()) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(name)) if same_revision(name, &asked.wanted) => true,
        (Some(document), Some(name)) => task_definition::has_content(work.input, document, name),
    };
    if !task_definition {
        return Sameness::Other;
    }
    // Other parts of the service as they were in that revision.
    let mut then = live.clone();
    let part = |name: &&str| *name != "taskDefinition";
    for name in REVISION_FIELDS.into_iter().filter(part) {
        let value = revision.description.get(name);
        set_part(&mut then.description, name, value);
        let deployments = then.description.get_mut("deployments").and_then(Value::as_array_mut).into_iter().flatten();
        for primary in deployments.filter(|one| text(one, "status") == Some("PRIMARY")) {
            set_part(primary, name, value);
        }
    }
    // AWS returns all of it. An emulator may return less, and the parts that it leaves out are not known to differ.
    let is_whole =
        ["launchType", "capacityProviderStrategy"].iter().any(|name| revision.description.get(name).is_some());
    let is_known = |change: &Change| is_whole || revision.description.get(top(&change.path)).is_some();
    let kept = |change: &Change| sorted.kept().any(|path| *path == change.path);
    let differs = changes(work, &then, context)
        .into_iter()
        .any(|change| is_revision_field(&change) && is_known(&change) && !kept(&change));
    if differs { Sameness::TaskDefinition } else { Sameness::Same }
}

/// Sets a member if there is a value, and removes it otherwise.
fn set_part(of: &mut Value, name: &str, value: Option<&Value>) {
    let Value::Object(members) = of else { return };
    match value {
        Some(value) => {
            members.insert(name.to_owned(), value.clone());
        }
        None => {
            members.shift_remove(name);
        }
    }
}

/// The tags that record a failure: that it happened, and that a retry of it is used up.
pub(super) fn failed_marks(live: &Tags, digest: &Digest) -> Marks {
    let digest = tags::legal(digest.as_str());
    let set =
        if live.get(tags::FAILED) == Some(&digest) { None } else { Some((tags::FAILED.to_owned(), digest.clone())) };
    let used_up = Mark::read(live).is_some_and(|mark| mark.digest.as_str() == digest);
    Marks { set: set.into_iter().collect(), gone: used_up.then_some(tags::RETRY).into_iter().collect() }
}

/// Whether the commit that was applied last would deploy the same: a commit that changes no part of a deployment does
/// not fix a failed one.
fn same_deployment(work: &Work<'_>, tag: Option<&str>, sorted: &Sorted) -> bool {
    let input = work.input;
    let Some((applied, last)) = input.last_applied.zip(work.last()) else { return false };
    let digest = |application: &DesiredApplication| application.single(Kind::TaskDefinition).map(|d| d.digest.clone());
    let is_new = |(cause, change): &(Cause, Change)| *cause != Cause::Drift && is_revision_field(change);
    tag == Some(tags::applied_digest(applied, last).as_str())
        && digest(applied) == digest(input.desired)
        && !sorted.acted.iter().any(is_new)
}

pub(super) fn is_revision_field(change: &Change) -> bool {
    REVISION_FIELDS.contains(&top(&change.path))
}

/// The value of [`tags::FAILED`] for a service's document: a digest of the parts of a deployment.
///
/// Unlike [`tags::applied_digest`] it does not cover anything else, such as the number of tasks: a commit that changes
/// only that does not fix a failed deployment.
pub fn deployment_digest(application: &DesiredApplication, service: &Document) -> Digest {
    let fields = REVISION_FIELDS.into_iter().filter_map(|name| Some((name, service.body.get(name)?)));
    let part = Value::Object(fields.map(|(name, value)| (name.to_owned(), value.clone())).collect());
    let task_definition = application.single(Kind::TaskDefinition).map_or("", |document| document.digest.as_str());
    Digest::of(format!("{} {task_definition}", kind::digest(Kind::Service, &part)).as_bytes())
}
