//! The task definition: which revision the service should run, and whether it has to be registered.
//!
//! Equal content is never registered twice. A revision that carries the desired digest is equal, whatever defaults AWS
//! shows in it: revisions are immutable.

use serde_json::Value;

use super::same_revision;
use crate::broken::{self, Broken};
use crate::desired::{Document, Mode};
use crate::digest::Digest;
use crate::drift::{Change, Context};
use crate::kind::{self, Kind};
use crate::live::{LiveService, LiveTaskDefinition, Observed, ReadFailure, Tags};
use crate::names::Arn;
use crate::operation::Operation;
use crate::plan::builder::{Marks, PlanBuilder, Settling, Work, not_asked};
use crate::plan::keep_live::keep_live;
use crate::plan::tags::{self, Claim};
use crate::plan::three_way::{Basis, Sorted, common_cause, only, top};
use crate::plan::{Call, Cause, Hold, Input};
use crate::resources::presence::creation;

/// The task definition revision that the service should run.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::resources) enum WantedRevision {
    /// The one that it runs: there is nothing to do, or nothing may be done.
    Unchanged,
    /// This registered one.
    Revision(Arn, Cause),
    /// One that has yet to be registered.
    Unregistered(Cause),
    /// Not decided yet.
    Undecided,
}

/// The decision about the task definition.
pub(in crate::resources) struct Decision {
    pub(in crate::resources) wanted: WantedRevision,
    /// Whether it covers all that git declares, with no pending change left.
    pub(in crate::resources) complete: bool,
}

/// Who runs the task definition.
pub(in crate::resources) enum Runner<'a> {
    /// This service does.
    Service(&'a LiveService),
    /// A service that does not exist yet will.
    Nobody,
    /// The family's newest revision, for any caller: there is no service, or another controller deploys it.
    Anybody,
}

pub(in crate::resources) fn plan(
    input: &Input<'_>,
    document: &Document,
    runner: &Runner<'_>,
    builder: &mut PlanBuilder,
) -> Decision {
    let undecided = Decision { wanted: WantedRevision::Undecided, complete: false };
    let family = document.body.get("family").and_then(Value::as_str).unwrap_or_default();
    let running = match runner {
        Runner::Service(service) => match running(input, service) {
            Ok(running) => running,
            Err(failure) => {
                builder.not_observed(&Work::new(input, document, None).resource, &failure);
                return undecided;
            }
        },
        Runner::Nobody => None,
        Runner::Anybody => {
            let revisions = input.live.families.get(family).and_then(Observed::present);
            revisions.and_then(|revisions| revisions.first())
        }
    };
    let Some(running) = running else { return first(input, document, family, runner, builder) };
    let arn = arn(running);
    let work = Work::new(input, document, arn.clone());
    let carries = running.tags.get(tags::DIGEST).is_some_and(|tag| tag == document.digest.as_str());
    let (same, sorted) = compare(&work, running, service_tags(runner), carries && is_family(running, family));
    if same {
        if let Some(arn) = arn {
            tag(&work, &arn, running, sorted, builder);
        }
        return Decision { wanted: WantedRevision::Unchanged, complete: true };
    }
    builder.report(&work.resource, &sorted);
    let complete = !sorted.keeps_pending();
    if sorted.acted.is_empty() {
        return Decision { wanted: WantedRevision::Unchanged, complete };
    }
    let mut body = document.body.clone();
    for pointer in sorted.kept().chain(&work.ignored()) {
        keep_live(document.kind, &mut body, &running.description, pointer);
    }
    // A revision that carries the digest of git's document always counts as equal, so a revision without the held
    // changes carries the digest of its own content.
    let digest = match sorted.kept().next() {
        None => document.digest.clone(),
        Some(_) => kind::digest(document.kind, &body),
    };
    let wanted = find_or_register(&work, family, body, &digest, sorted.acted, builder);
    Decision { wanted, complete }
}

/// Plans a family that trueup does not run yet.
fn first(
    input: &Input<'_>,
    document: &Document,
    family: &str,
    runner: &Runner<'_>,
    builder: &mut PlanBuilder,
) -> Decision {
    let work = Work::new(input, document, None);
    let undecided = Decision { wanted: WantedRevision::Undecided, complete: false };
    match creation(&work) {
        Mode::On => {}
        Mode::Off => return undecided,
        // The service's own hold reports it.
        Mode::Report if matches!(runner, Runner::Nobody) => return undecided,
        Mode::Report => {
            builder.hold(&work.resource, work.whole(), Hold::ReportOnly { cause: Cause::Create });
            return undecided;
        }
    }
    let changes = work.whole().into_iter().map(|change| (Cause::Create, change)).collect();
    let wanted = find_or_register(&work, family, document.body.clone(), &document.digest, changes, builder);
    Decision { wanted, complete: true }
}

fn find_or_register(
    work: &Work<'_>,
    family: &str,
    mut body: Value,
    digest: &Digest,
    changes: Vec<(Cause, Change)>,
    builder: &mut PlanBuilder,
) -> WantedRevision {
    let input = work.input;
    let cause = match changes.as_slice() {
        [(Cause::Create, _)] => Cause::Create,
        changes => common_cause(changes),
    };
    let revisions: &[LiveTaskDefinition] = match input.live.families.get(family) {
        Some(Observed::Present(revisions)) => revisions,
        Some(Observed::Absent) => &[],
        unread @ (Some(Observed::Unknown(_)) | None) => {
            // A revision that this process registered is known without any listing.
            if let Some(arn) = input.memory.registered(digest, input.live, input.now) {
                return WantedRevision::Revision(arn, cause);
            }
            // Without the family's newest revisions it is unknown whether an equal one exists.
            let failure = match unread {
                Some(Observed::Unknown(failure)) => failure.clone(),
                _ => not_asked("ecs:ListTaskDefinitions"),
            };
            builder.hold(&work.resource, only(changes), Hold::NotObserved { failure });
            return WantedRevision::Undecided;
        }
    };
    let equal = revisions.iter().find(|revision| is_equal(work, &body, digest, revision));
    let known = equal.and_then(arn).or_else(|| input.memory.registered(digest, input.live, input.now));
    if let Some(arn) = known.filter(|_| !broken::is(Broken::RegisteredAlways)) {
        return WantedRevision::Revision(arn, cause);
    }
    if let Value::Object(members) = &mut body {
        let mut all = tags::declared(work.document);
        all.extend(work.owner.tags().clone());
        all.insert(tags::DIGEST.to_owned(), digest.to_string());
        // A revision without the held changes matches no commit.
        if *digest == work.document.digest {
            all.insert(tags::REVISION.to_owned(), tags::legal(input.desired.revision.as_str()));
        }
        members.insert("tags".to_owned(), work.tagging().list(&all));
    }
    let awaits = work.awaits();
    let call = Call::new(Operation::RegisterTaskDefinition, body);
    if cause == Cause::Create {
        builder.step_after(&work.resource, cause, only(changes), call, awaits);
    } else {
        builder.sorted_step(&work.resource, changes, call, awaits);
    }
    WantedRevision::Unregistered(cause)
}

/// Whether a registered revision is what would be registered.
fn is_equal(work: &Work<'_>, body: &Value, digest: &Digest, revision: &LiveTaskDefinition) -> bool {
    let active = revision.description.get("status").is_none_or(|status| status == "ACTIVE");
    let ours = revision.tags.get(tags::INSTANCE) == work.owner.tags().get(tags::INSTANCE);
    let carries = revision.tags.get(tags::DIGEST).is_some_and(|tag| tag == digest.as_str());
    // With a mask, revisions of one digest differ in what is masked.
    let by_digest = ours && carries && work.ignored().is_empty();
    active && (by_digest || content(work, body, revision, &Context::default()).is_empty())
}

/// Whether a registered revision, which may be gone from its family by now, has the content of a document.
pub(in crate::resources) fn has_content(input: &Input<'_>, document: &Document, name: &str) -> bool {
    let known = &input.live.task_definitions;
    let seen = known
        .get(&Arn::new(name))
        .or_else(|| known.iter().find(|(arn, _)| same_revision(arn.as_str(), name)).map(|(_, revision)| revision));
    let Some(revision) = seen.and_then(Observed::present) else { return false };
    let work = Work::new(input, document, None);
    let context = Context { ignore: work.ignored(), ..Context::default() };
    let carries = revision.tags.get(tags::DIGEST).is_some_and(|tag| tag == document.digest.as_str());
    carries || content(&work, &document.body, revision, &context).is_empty()
}

/// The differences in content: all but the tags, which are not part of what runs.
fn content(work: &Work<'_>, body: &Value, revision: &LiveTaskDefinition, context: &Context) -> Vec<Change> {
    let mut changes = work.changes(body, &revision.description, &revision.tags, context);
    changes.retain(|change| top(&change.path) != "tags");
    changes
}

/// Compares with what runs. The flag: whether the content is equal; then only tags are in the list.
fn compare(work: &Work<'_>, running: &LiveTaskDefinition, service: &Tags, carries: bool) -> (bool, Sorted) {
    let context = Context { ignore: work.ignored(), ..Context::default() };
    let changes = work.changes(&work.document.body, &running.description, &running.tags, &context);
    let same = carries || changes.iter().all(|change| top(&change.path) == "tags");
    let changes = changes.into_iter().filter(|change| same == (top(&change.path) == "tags")).collect();
    // The service's tag records what it was asked to run.
    let told = &tags::applied_digest(work.input.desired, &service_document(work));
    let basis = if service.get(tags::DIGEST).is_some_and(|tag| tag == told.as_str()) {
        Basis::Same
    } else if same {
        // Only tags differ, which the revision's digest does not cover.
        Basis::of(&Tags::new(), &work.digest, work.document, work.last())
    } else if resolved_otherwise(work, running) {
        Basis::Unknown
    } else {
        Basis::of(&running.tags, &work.digest, work.document, work.last())
    };
    (same, work.sort(changes, &basis))
}

/// Whether the running revision is the one that trueup registered for the commit that was applied last, and that
/// commit's document has another digest today: a reference in it has moved (an image's tag, for example). Then that
/// document does not show what was applied; and as revisions are immutable, no other writer changed it either.
fn resolved_otherwise(work: &Work<'_>, running: &LiveTaskDefinition) -> bool {
    let (Some(applied), Some(last)) = (work.input.last_applied, work.last()) else { return false };
    work.claim(&running.tags) == Claim::Ours
        && running.tags.get(tags::REVISION) == Some(&tags::legal(applied.revision.as_str()))
        && running.tags.get(tags::DIGEST).is_some_and(|tag| tag != last.digest.as_str())
}

/// The document whose applied digest the service's tag carries.
fn service_document(work: &Work<'_>) -> Document {
    work.input.desired.single(Kind::Service).unwrap_or(work.document).clone()
}

/// The tags of a revision that stays: those that belong to another owner stay as they are.
fn tag(work: &Work<'_>, arn: &Arn, running: &LiveTaskDefinition, sorted: Sorted, builder: &mut PlanBuilder) {
    builder.report(&work.resource, &sorted);
    match work.claim(&running.tags) {
        Claim::Ours | Claim::Adopt => {
            let complete = !sorted.keeps_pending();
            let settling = Settling { arn, live: &running.tags, settled: true, complete, marks: Marks::default() };
            work.tag(builder, sorted, settling);
        }
        // Equal content that another owner registered may be run; its tags belong to that owner.
        Claim::Held(_) => {}
    }
}

/// The revision that the service runs; `None` when it is gone.
fn running<'a>(input: &Input<'a>, service: &LiveService) -> Result<Option<&'a LiveTaskDefinition>, ReadFailure> {
    let Some(name) = service.description.get("taskDefinition").and_then(Value::as_str) else { return Ok(None) };
    let known = &input.live.task_definitions;
    let seen = known
        .get(&Arn::new(name))
        .or_else(|| known.iter().find(|(arn, _)| same_revision(arn.as_str(), name)).map(|(_, seen)| seen));
    // A revision that the service was just asked to run was found in its family.
    let mut listed = input.live.families.values().filter_map(Observed::present).flatten();
    let is_it = |revision: &&LiveTaskDefinition| arn(revision).is_some_and(|arn| same_revision(arn.as_str(), name));
    match seen {
        Some(Observed::Present(running)) => Ok(Some(running)),
        Some(Observed::Absent) => Ok(None),
        Some(Observed::Unknown(failure)) => Err(failure.clone()),
        None => listed.find(is_it).map(Some).ok_or_else(|| not_asked("ecs:DescribeTaskDefinition")),
    }
}

fn service_tags<'a>(runner: &'a Runner<'_>) -> &'a Tags {
    static NONE: Tags = Tags::new();
    match runner {
        Runner::Service(service) => &service.tags,
        Runner::Nobody | Runner::Anybody => &NONE,
    }
}

fn is_family(revision: &LiveTaskDefinition, family: &str) -> bool {
    revision.description.get("family").and_then(Value::as_str) == Some(family)
}

fn arn(revision: &LiveTaskDefinition) -> Option<Arn> {
    revision.description.get("taskDefinitionArn").and_then(Value::as_str).map(Arn::new)
}
