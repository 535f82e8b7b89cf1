//! The service: desired against live.

use serde_json::{Value, json};

use super::changes::{changes, controller, task_definition_change, text, withhold_count};
use super::deployment::{Asked, Outcome, deployment_digest, examine, failed_marks, is_revision_field, outcome};
use super::rollout::{FailureEvidence, FailureLookup};
use crate::desired::{Document, Mode};
use crate::digest::Digest;
use crate::drift::{Change, Context};
use crate::kind::Kind;
use crate::live::{LiveService, Observed};
use crate::names::{Arn, ServiceId};
use crate::operation::Operation;
use crate::plan::builder::{Marks, PlanBuilder, Settling, Work, not_asked};
use crate::plan::tags::{self, Claim};
use crate::plan::three_way::{Basis, Sorted, only};
use crate::plan::{Awaited, Call, Cause, Health, Hold, Input, Rollout};
use crate::resources::presence::{creation, was_deleted};
use crate::resources::task_definition::{self, Decision, Runner, WantedRevision, registration};

/// The number of tasks of a new service whose document leaves it to another owner. AWS requires a number for a new
/// REPLICA service; one task is the least that serves, and the owner of the number changes it from there.
pub(super) const FIRST_DESIRED_COUNT: i64 = 1;

pub(in crate::resources) fn plan(input: &Input<'_>, document: &Document, builder: &mut PlanBuilder) -> Outcome {
    let name = document.body.get("serviceName").and_then(Value::as_str).unwrap_or_default();
    let id = ServiceId { cluster: input.desired.cluster.clone(), name: name.to_owned() };
    let nothing = |health| Outcome { health, rollout: None };
    match input.live.services.get(&id) {
        None => {
            let failure = not_asked("ecs:DescribeServices");
            builder.not_observed(&Work::new(input, document, None).resource, &failure);
            nothing(Health::Unknown)
        }
        Some(Observed::Unknown(failure)) => {
            builder.not_observed(&Work::new(input, document, None).resource, failure);
            nothing(Health::Unknown)
        }
        Some(Observed::Absent) => {
            create(&Work::new(input, document, None), &id, builder);
            nothing(Health::Missing)
        }
        Some(Observed::Present(live)) => {
            let arn = live.description.get("serviceArn").and_then(Value::as_str).map(Arn::new);
            present(&Work::new(input, document, arn), &id, live, builder)
        }
    }
}

fn create(work: &Work<'_>, id: &ServiceId, builder: &mut PlanBuilder) {
    let input = work.input;
    let external = controller(&work.document.body) == "EXTERNAL";
    let mode = creation(work);
    let decision = match input.desired.single(Kind::TaskDefinition) {
        Some(document) if mode == Mode::On => {
            let runner = if external { Runner::Anybody } else { Runner::Nobody };
            task_definition::plan(input, document, &runner, builder).wanted
        }
        Some(_) | None => WantedRevision::Unchanged,
    };
    match mode {
        Mode::Off => return,
        Mode::Report => {
            let cause = if was_deleted(work) { Cause::Drift } else { Cause::Create };
            return builder.hold(&work.resource, work.whole(), Hold::ReportOnly { cause });
        }
        Mode::On if work.whole().iter().any(|change| work.is_contested(change)) => {
            return builder.hold(&work.resource, work.whole(), Hold::contested(vec!["/".to_owned()]));
        }
        Mode::On => {}
    }
    let mut body = work.document.body.clone();
    let mut awaits: Vec<Awaited> = work.awaits();
    if let Value::Object(members) = &mut body {
        members.insert("cluster".to_owned(), json!(id.cluster));
        match decision {
            _ if external => {}
            WantedRevision::Revision(arn, _) => {
                members.insert("taskDefinition".to_owned(), json!(arn));
            }
            WantedRevision::Unregistered(_) | WantedRevision::Undecided => awaits.push(registration()),
            WantedRevision::Unchanged => {}
        }
        let replica = members.get("schedulingStrategy").and_then(Value::as_str).is_none_or(|s| s == "REPLICA");
        if replica && members.get("desiredCount").is_none_or(Value::is_null) {
            members.insert("desiredCount".to_owned(), json!(FIRST_DESIRED_COUNT));
        }
        members.insert("tags".to_owned(), work.creation_tags(true));
        members.insert("clientToken".to_owned(), json!(client_token(work)));
    }
    let call = Call::new(Operation::CreateService, body);
    // Creating one that another writer deleted is a repair.
    let cause = if was_deleted(work) { Cause::Drift } else { Cause::Create };
    builder.step_after(&work.resource, cause, work.whole(), call, awaits);
}

/// A token by which AWS recognises a repetition after a lost response: at most 36 characters (ECS API reference,
/// `CreateService`).
///
/// It changes every hour: AWS does not document how long it keeps a token, and a service that was deleted since must
/// not be mistaken for one that was just created.
fn client_token(work: &Work<'_>) -> String {
    let hour = work.input.now.as_second().div_euclid(3600);
    let owner = work.owner.tags().values().cloned().collect::<Vec<_>>().join(" ");
    let text = format!("{owner} {} {} {hour}", work.digest, work.input.desired.revision);
    Digest::of(text.as_bytes()).as_str()[..32].to_owned()
}

/// An existing service, with its state in git.
pub(super) struct PresentService<'p> {
    pub(super) work: &'p Work<'p>,
    pub(super) id: &'p ServiceId,
    pub(super) live: &'p LiveService,
    pub(super) context: Context,
    pub(super) sorted: Sorted,
    /// The change to another task definition revision.
    pub(super) task_definition: Option<(Cause, Change)>,
    /// Whether no pending change remains.
    pub(super) complete: bool,
    arn: Arn,
    asked: Asked,
}

/// Why the revision that git wants is not deployed now.
struct Stop {
    hold: Hold,
    marks: Marks,
    failure: Option<FailureEvidence>,
}

fn present(work: &Work<'_>, id: &ServiceId, live: &LiveService, builder: &mut PlanBuilder) -> Outcome {
    let input = work.input;
    let runs = text(&live.description, "taskDefinition").unwrap_or_default().to_owned();
    if text(&live.description, "status") == Some("DRAINING") {
        builder.hold(&work.resource, work.whole(), Hold::ServiceDraining);
        return Outcome { health: Health::Missing, rollout: None };
    }
    let scaling = input.live.autoscaled.get(id);
    let autoscaled = matches!(scaling, Some(Observed::Present(())));
    let context = Context { ignore: work.ignored(), autoscaled, ..Context::default() };
    let mut changes = changes(work, live, &context);
    if let Some(hold) = not_ours(work, live) {
        builder.hold(&work.resource, changes, hold);
        return outcome(work, id, live, &Asked::unchanged(&runs), None);
    }
    let Some(arn) = work.resource.arn.clone() else {
        builder.not_observed(&work.resource, &not_asked("ecs:DescribeServices"));
        return outcome(work, id, live, &Asked::unchanged(&runs), None);
    };
    let unscaled = withhold_count(work, scaling, &mut changes, builder);
    // Kept apart until it is known whether the revision may be deployed at all.
    let mut of_revision = PlanBuilder::default();
    let decision = decide(work, live, &mut of_revision);
    let sorted = work.sort(changes, &Basis::of(&live.tags, &work.digest, work.document, work.last()));
    let asked = Asked::of(&decision.wanted, &runs, &sorted, &of_revision.held);
    let lookup = examine(work, id, live, &sorted, &asked, &context);
    let undecided = decision.wanted == WantedRevision::Undecided;
    let complete = decision.complete && !sorted.keeps_pending() && !undecided && !unscaled;
    let task_definition = task_definition_change(&decision.wanted, &runs);
    let present = PresentService { work, id, live, context, sorted, task_definition, complete, arn, asked };
    let again = lookup == FailureLookup::Retried;
    match present.stop(lookup) {
        Some(stop) => present.hold_revision(stop, of_revision, builder),
        None => present.proceed(again, of_revision, builder),
    }
}

/// Why trueup may not touch the service.
fn not_ours(work: &Work<'_>, live: &LiveService) -> Option<Hold> {
    match work.claim(&live.tags) {
        Claim::Held(hold) => Some(hold),
        Claim::Ours | Claim::Adopt => {
            (text(&live.description, "resourceManagementType") == Some("ECS")).then_some(Hold::ManagedByEcs)
        }
    }
}

impl PresentService<'_> {
    /// Why the revision that git wants is not deployed now: it failed before, ECS is already deploying it, or that is
    /// unknown.
    fn stop(&self, lookup: FailureLookup) -> Option<Stop> {
        match lookup {
            FailureLookup::Failed(failure) => {
                let digest = deployment_digest(self.work.input.desired, self.work.document);
                let marks = failed_marks(&self.live.tags, &digest);
                let (message, transient) = (failure.reason.clone(), failure.transient);
                let hold = Hold::RevisionFailed { message, transient, digest, failed_at: failure.last_seen };
                Some(Stop { hold, marks, failure: Some(failure) })
            }
            FailureLookup::UnderWay(seconds) if self.asked.acts => {
                Some(Stop { hold: Hold::NotSettled { seconds }, marks: Marks::default(), failure: None })
            }
            FailureLookup::Unreadable(failure) if self.asked.acts => {
                Some(Stop { hold: Hold::NotObserved { failure }, marks: Marks::default(), failure: None })
            }
            FailureLookup::Clear
            | FailureLookup::Retried
            | FailureLookup::UnderWay(_)
            | FailureLookup::Unreadable(_) => None,
        }
    }

    /// Holds the deployment as a whole, and plans everything else.
    fn hold_revision(mut self, stop: Stop, of_revision: PlanBuilder, builder: &mut PlanBuilder) -> Outcome {
        let mut outcome = outcome(self.work, self.id, self.live, &self.asked, stop.failure.as_ref());
        // A revision that ECS failed or rolled back is not registered and not requested again, and what a rollback
        // restored is not drift. Failed reads are kept.
        let unread = |held: &crate::plan::Held| matches!(held.reason, Hold::NotObserved { .. });
        builder.held.extend(of_revision.held.into_iter().filter(unread));
        let mut not_deployed: Vec<_> =
            self.task_definition.take().into_iter().chain(self.sorted.take(is_revision_field)).collect();
        not_deployed.extend(self.sorted.take_withheld(is_revision_field));
        if matches!(stop.hold, Hold::RevisionFailed { .. }) {
            outcome.health = Health::Degraded;
        } else {
            self.complete = false;
        }
        builder.hold(&self.work.resource, only(not_deployed), stop.hold);
        self.finish(false, stop.marks, builder);
        outcome
    }

    /// Deploys what differs. `retried`: what git wants failed, and an operator wants it deployed once more.
    fn proceed(mut self, retried: bool, of_revision: PlanBuilder, builder: &mut PlanBuilder) -> Outcome {
        let outcome = outcome(self.work, self.id, self.live, &self.asked, None);
        builder.append(of_revision);
        if let Some((Cause::Drift, change)) = &self.task_definition
            && self.work.is_contested(change)
        {
            let hold = Hold::contested(vec!["/taskDefinition".to_owned()]);
            builder.hold(&self.work.resource, vec![change.clone()], hold);
            self.task_definition = None;
        }
        let mut marks = Marks::default();
        if !self.asked.differs && matches!(outcome.rollout, Some(Rollout::Serving { .. })) {
            let ended = |key: &&str| self.live.tags.contains_key(*key);
            marks.gone = [tags::FAILED, tags::RETRY].into_iter().filter(ended).collect();
        }
        // The service was already asked to run it, so that only `forceNewDeployment` deploys it again.
        let again = retried && !self.asked.differs && self.work.input.desired.policy.follow == Mode::On;
        self.finish(again, marks, builder);
        outcome
    }

    /// Reports what is not acted on, updates the service and writes its tags.
    fn finish(mut self, again: bool, marks: Marks, builder: &mut PlanBuilder) {
        builder.report(&self.work.resource, &self.sorted);
        let settled = !self.update(again, builder);
        let settling = Settling { arn: &self.arn, live: &self.live.tags, settled, complete: self.complete, marks };
        self.work.tag(builder, self.sorted, settling);
    }
}

/// Which task definition revision the service should run.
fn decide(work: &Work<'_>, live: &LiveService, builder: &mut PlanBuilder) -> Decision {
    let Some(document) = work.input.desired.single(Kind::TaskDefinition) else {
        return Decision { wanted: WantedRevision::Unchanged, complete: true };
    };
    if controller(&live.description) == "ECS" {
        return task_definition::plan(work.input, document, &Runner::Service(live), builder);
    }
    // CodeDeploy and external controllers choose the revision; trueup only registers it.
    let decision = task_definition::plan(work.input, document, &Runner::Anybody, builder);
    Decision { wanted: WantedRevision::Unchanged, complete: decision.complete }
}
