//! The service: desired against live.

use serde_json::{Map, Value, json};

use super::deployment::{Asked, Outcome, examine, failed_marks, is_revision_field, outcome};
use super::draft::{Draft, Marks, Work, not_asked};
use super::graft::graft;
use super::rollout::{Finding, UNREGISTERED, same_revision};
use super::tags::{self, Claim};
use super::task_definition::{self, Decision, Runner, Wanted};
use super::three_way::{Basis, Sorted, is_declared, only, top};
use super::{Awaited, Call, Cause, Health, Hold, Input, Operation, Rollout};
use crate::broken::{self, Broken};
use crate::desired::{Document, Mode};
use crate::digest::Digest;
use crate::drift::{Change, Context, Shown};
use crate::kind::Kind;
use crate::live::{LiveService, Observed};
use crate::model::{Api, Model};
use crate::names::{Arn, ServiceId};
use crate::pointer::Pointer;

/// What `UpdateService` accepts of a service that `CodeDeploy` deploys. Source: ECS API reference, `UpdateService`.
const CODE_DEPLOY_FIELDS: [&str; 8] = [
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
];

/// What `UpdateService` accepts of a service whose task sets somebody else makes. Source: as above.
const EXTERNAL_FIELDS: [&str; 4] =
    ["desiredCount", "healthCheckGracePeriodSeconds", "enableECSManagedTags", "propagateTags"];

/// The number of tasks of a new service whose document leaves it to somebody else. AWS wants a number for a new
/// REPLICA service; one task is the least that serves, and whoever owns the number changes it from there.
const FIRST_DESIRED_COUNT: i64 = 1;

pub(super) fn plan(input: &Input<'_>, document: &Document, draft: &mut Draft) -> Outcome {
    let name = document.body.get("serviceName").and_then(Value::as_str).unwrap_or_default();
    let id = ServiceId { cluster: input.desired.cluster.clone(), name: name.to_owned() };
    let nothing = |health| Outcome { health, rollout: None };
    match input.live.services.get(&id) {
        None => {
            let failure = not_asked("ecs:DescribeServices");
            draft.not_observed(&Work::new(input, document, None).resource, &failure);
            nothing(Health::Unknown)
        }
        Some(Observed::Unknown(failure)) => {
            draft.not_observed(&Work::new(input, document, None).resource, failure);
            nothing(Health::Unknown)
        }
        Some(Observed::Absent) => {
            create(&Work::new(input, document, None), &id, draft);
            nothing(Health::Missing)
        }
        Some(Observed::Present(live)) => {
            let arn = live.description.get("serviceArn").and_then(Value::as_str).map(Arn::new);
            present(&Work::new(input, document, arn), &id, live, draft)
        }
    }
}

fn create(work: &Work<'_>, id: &ServiceId, draft: &mut Draft) {
    let input = work.input;
    let external = controller(&work.document.body) == "EXTERNAL";
    let mode = work.creation();
    let decision = match input.desired.single(Kind::TaskDefinition) {
        Some(document) if mode == Mode::On => {
            let runner = if external { Runner::Anybody } else { Runner::Nobody };
            task_definition::plan(input, document, &runner, draft).wanted
        }
        Some(_) | None => Wanted::Unchanged,
    };
    match mode {
        Mode::Off => return,
        Mode::Report => {
            let cause = if work.was_deleted() { Cause::Drift } else { Cause::Create };
            return draft.hold(&work.resource, work.whole(), Hold::ReportOnly { cause });
        }
        Mode::On if work.whole().iter().any(|change| work.is_contested(change)) => {
            return draft.hold(&work.resource, work.whole(), Hold::contested(vec!["/".to_owned()]));
        }
        Mode::On => {}
    }
    let mut body = work.document.body.clone();
    let mut awaits: Vec<Awaited> = work.awaits();
    if let Value::Object(members) = &mut body {
        members.insert("cluster".to_owned(), json!(id.cluster));
        match decision {
            _ if external => {}
            Wanted::Revision(arn, _) => {
                members.insert("taskDefinition".to_owned(), json!(arn));
            }
            Wanted::Unregistered(_) | Wanted::Undecided => {
                awaits.push(Awaited::Created(Kind::TaskDefinition, Kind::TaskDefinition.as_str().to_owned()))
            }
            Wanted::Unchanged => {}
        }
        let replica = members.get("schedulingStrategy").and_then(Value::as_str).is_none_or(|s| s == "REPLICA");
        if replica && members.get("desiredCount").is_none_or(Value::is_null) {
            members.insert("desiredCount".to_owned(), json!(FIRST_DESIRED_COUNT));
        }
        members.insert("tags".to_owned(), work.creation_tags(true));
        members.insert("clientToken".to_owned(), json!(client_token(work)));
    }
    let call = Call::new(Operation::CreateService, body);
    // One that somebody deleted is made again as the repair that it is.
    let cause = if work.was_deleted() { Cause::Drift } else { Cause::Create };
    draft.step_after(&work.resource, cause, work.whole(), call, awaits);
}

/// A token by which AWS recognises a repetition after a lost answer: at most 36 characters (ECS API reference,
/// `CreateService`).
///
/// It changes every hour: nobody documents how long AWS keeps a token, and a service that somebody deleted must not be
/// taken for one that was just made.
fn client_token(work: &Work<'_>) -> String {
    let hour = work.input.now.as_second().div_euclid(3600);
    let owner = work.owner.tags().values().cloned().collect::<Vec<_>>().join(" ");
    let text = format!("{owner} {} {} {hour}", work.digest, work.input.desired.revision);
    Digest::of(text.as_bytes()).as_str()[..32].to_owned()
}

fn present(work: &Work<'_>, id: &ServiceId, live: &LiveService, draft: &mut Draft) -> Outcome {
    let input = work.input;
    let description = &live.description;
    let runs = text(description, "taskDefinition").unwrap_or_default().to_owned();
    if text(description, "status") == Some("DRAINING") {
        draft.hold(&work.resource, work.whole(), Hold::ServiceDraining);
        return Outcome { health: Health::Missing, rollout: None };
    }
    let scaling = input.live.autoscaled.get(id);
    let autoscaled = matches!(scaling, Some(Observed::Present(())));
    let context = Context { ignore: work.ignored(), autoscaled, ..Context::default() };
    let mut changes = changes(work, live, &context);
    let not_ours = match work.claim(&live.tags) {
        Claim::Held(hold) => Some(hold),
        Claim::Ours | Claim::Adopt if text(description, "resourceManagementType") == Some("ECS") => {
            Some(Hold::ManagedByEcs)
        }
        Claim::Ours | Claim::Adopt => None,
    };
    let arn = match (not_ours, work.resource.arn.clone()) {
        (Some(hold), _) => {
            draft.hold(&work.resource, changes, hold);
            return outcome(work, id, live, &Asked::unchanged(&runs), None);
        }
        (None, None) => {
            draft.not_observed(&work.resource, &not_asked("ecs:DescribeServices"));
            return outcome(work, id, live, &Asked::unchanged(&runs), None);
        }
        (None, Some(arn)) => arn,
    };

    let unscaled = withhold_count(work, scaling, &mut changes, draft);
    let before = (draft.steps.len(), draft.held.len());
    let decision = decide(work, live, draft);
    let basis = Basis::of(&live.tags, &work.digest, work.document, work.last());
    let mut sorted = work.sort(changes, &basis);
    let task_definition = task_definition_change(&decision.wanted, &runs);
    let mut complete =
        decision.complete && !sorted.keeps_pending() && decision.wanted != Wanted::Undecided && !unscaled;
    let asked = Asked::of(&decision.wanted, &runs, &sorted, &draft.held[before.1..]);
    let finding = examine(work, id, live, &sorted, &asked, &context);
    // A person wants what failed deployed once more, and the service is told to run it already.
    let again = finding == Finding::Retried && !asked.differs && input.desired.policy.follow == Mode::On;
    let (hold, mut marks, failure) = match finding {
        Finding::Failed(failure) => {
            let digest = tags::deployment_digest(input.desired, work.document);
            let (message, transient) = (failure.reason.clone(), failure.transient);
            let marks = failed_marks(&live.tags, &digest);
            let hold = Hold::RevisionFailed { message, transient, digest, failed_at: failure.last_seen };
            (Some(hold), marks, Some(failure))
        }
        Finding::UnderWay(seconds) if asked.acts => (Some(Hold::NotSettled { seconds }), Marks::default(), None),
        Finding::Unreadable(failure) if asked.acts => (Some(Hold::NotObserved { failure }), Marks::default(), None),
        Finding::Clear | Finding::Retried | Finding::UnderWay(_) | Finding::Unreadable(_) => {
            (None, Marks::default(), None)
        }
    };
    let mut outcome = outcome(work, id, live, &asked, failure.as_ref());
    if let Some(hold) = hold {
        // What ECS threw out is not registered and not asked for again, and what came back with it is not drift.
        draft.steps.truncate(before.0);
        draft.held.extract_if(before.1.., |held| !matches!(held.reason, Hold::NotObserved { .. })).for_each(drop);
        let mut thrown_out: Vec<_> = task_definition.into_iter().chain(sorted.take(is_revision_field)).collect();
        thrown_out.extend(sorted.take_withheld(is_revision_field));
        if matches!(hold, Hold::RevisionFailed { .. }) {
            outcome.health = Health::Degraded;
        } else {
            complete = false;
        }
        draft.hold(&work.resource, only(thrown_out), hold);
        draft.report(&work.resource, &sorted);
        let settled = !update(work, id, live, None, &mut sorted, &context, false, draft, &mut complete);
        work.tag_and_mark(draft, &arn, &live.tags, sorted, settled, complete, marks);
        return outcome;
    }
    let task_definition = match task_definition {
        Some((Cause::Drift, change)) if work.is_contested(&change) => {
            draft.hold(&work.resource, vec![change], Hold::contested(vec!["/taskDefinition".to_owned()]));
            None
        }
        other => other,
    };
    draft.report(&work.resource, &sorted);
    if !asked.differs && matches!(outcome.rollout, Some(Rollout::Serving { .. })) {
        marks.gone = [tags::FAILED, tags::RETRY].into_iter().filter(|key| live.tags.contains_key(*key)).collect();
    }
    let settled = !update(work, id, live, task_definition, &mut sorted, &context, again, draft, &mut complete);
    work.tag_and_mark(draft, &arn, &live.tags, sorted, settled, complete, marks);
    outcome
}

/// Which task definition revision the service should run.
fn decide(work: &Work<'_>, live: &LiveService, draft: &mut Draft) -> Decision {
    let Some(document) = work.input.desired.single(Kind::TaskDefinition) else {
        return Decision { wanted: Wanted::Unchanged, complete: true };
    };
    if controller(&live.description) == "ECS" {
        return task_definition::plan(work.input, document, &Runner::Service(live), draft);
    }
    // CodeDeploy and external controllers choose the revision; ours to do is that it is there to be chosen.
    let decision = task_definition::plan(work.input, document, &Runner::Anybody, draft);
    Decision { wanted: Wanted::Unchanged, complete: decision.complete }
}

/// Where the service differs from its document, without what belongs to somebody else.
pub(super) fn changes(work: &Work<'_>, live: &LiveService, context: &Context) -> Vec<Change> {
    let mut changes = work.changes(&work.document.body, &live.description, &live.tags, context);
    let controller = controller(&live.description);
    changes.retain(|change| match top(&change.path) {
        // Decided by the task definition's document, and by where the service was found.
        "taskDefinition" | "cluster" => false,
        "desiredCount" => !context.autoscaled && is_declared(work.document, &change.path),
        "tags" | "deploymentController" => true,
        name => match controller {
            "CODE_DEPLOY" => CODE_DEPLOY_FIELDS.contains(&name),
            "EXTERNAL" => EXTERNAL_FIELDS.contains(&name),
            _ => true,
        },
    });
    changes
}

/// Takes the number of tasks out of what is written while nobody knows whether an autoscaler owns it: a number that is
/// sent may undo a scaling step. Gives back whether it did.
fn withhold_count(
    work: &Work<'_>,
    scaling: Option<&Observed<()>>,
    changes: &mut Vec<Change>,
    draft: &mut Draft,
) -> bool {
    let failure = match scaling {
        Some(Observed::Present(()) | Observed::Absent) => return false,
        Some(Observed::Unknown(failure)) => failure.clone(),
        None => not_asked("application-autoscaling:DescribeScalableTargets"),
    };
    let (counts, rest): (Vec<_>, Vec<_>) =
        std::mem::take(changes).into_iter().partition(|change| top(&change.path) == "desiredCount");
    *changes = rest;
    if counts.is_empty() {
        return false;
    }
    draft.hold(&work.resource, counts, Hold::NotObserved { failure });
    true
}

pub(super) fn task_definition_change(wanted: &Wanted, runs: &str) -> Option<(Cause, Change)> {
    let (name, cause) = match wanted {
        Wanted::Revision(arn, cause) if !same_revision(arn.as_str(), runs) => (arn.as_str(), *cause),
        Wanted::Unregistered(cause) => (UNREGISTERED, *cause),
        Wanted::Revision(..) | Wanted::Unchanged | Wanted::Undecided => return None,
    };
    let path = Pointer::from_iter(["taskDefinition"]);
    let shown = |name: &str| Shown::at(&path, &Value::from(name));
    let (live, desired) = (shown(runs), shown(name));
    Some((cause, Change { path, live, desired }))
}

/// Plans `UpdateService`; whether there is anything to update.
#[expect(clippy::too_many_arguments, reason = "one call of one caller; a struct would only name them again")]
fn update(
    work: &Work<'_>,
    id: &ServiceId,
    live: &LiveService,
    task_definition: Option<(Cause, Change)>,
    sorted: &mut Sorted,
    context: &Context,
    again: bool,
    draft: &mut Draft,
    complete: &mut bool,
) -> bool {
    let immutable = only(sorted.take(|change| is_immutable(top(&change.path))));
    let changes = sorted.take(|change| top(&change.path) != "tags");
    let as_request = Kind::Service.facts().described.as_request(&live.description);
    let mut effective = work.document.body.clone();
    for pointer in sorted.kept().chain(&context.ignore) {
        graft(Kind::Service, &mut effective, &as_request, pointer);
    }
    for (_, change) in &changes {
        say_removal(&mut effective, work.document, change);
    }
    let (sayable, unsayable): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|(_, change)| effective.get(top(&change.path)).is_some());
    let refused: Vec<Change> = immutable.into_iter().chain(only(unsayable)).collect();
    if !refused.is_empty() {
        *complete = false;
        let fields = refused.iter().map(|change| top(&change.path).to_owned()).collect();
        draft.hold(&work.resource, refused, Hold::Immutable { kind: Kind::Service, fields });
    }
    let mut input = Map::from_iter([("cluster".to_owned(), json!(id.cluster)), ("service".to_owned(), json!(id.name))]);
    let mut awaits = Vec::new();
    for (_, change) in &sayable {
        let name = top(&change.path);
        input.insert(name.to_owned(), effective.get(name).cloned().unwrap_or_default());
        awaits = work.awaits();
    }
    if let Some((_, change)) = &task_definition {
        match change.desired.to_json() {
            Value::String(name) if name == UNREGISTERED => {
                awaits.push(Awaited::Created(Kind::TaskDefinition, Kind::TaskDefinition.as_str().to_owned()))
            }
            name => {
                input.insert("taskDefinition".to_owned(), name);
            }
        }
    }
    // AWS refuses another strategy otherwise: "you must force a new deployment". Tag options and ECS Exec also reach
    // running tasks by force alone, but they reach new ones by themselves and are not worth a deployment.
    if input.contains_key("capacityProviderStrategy") {
        input.insert("forceNewDeployment".to_owned(), json!(true));
    }
    let mut all: Vec<(Cause, Change)> = task_definition.into_iter().chain(sayable).collect();
    if again {
        let path = Pointer::from_iter(["forceNewDeployment"]);
        let desired = Shown::at(&path, &json!(true));
        all.push((Cause::Pending, Change { path, live: Shown::absent(), desired }));
        input.insert("forceNewDeployment".to_owned(), json!(true));
    }
    if all.is_empty() {
        return false;
    }
    if broken::is(Broken::CountAlwaysSent) {
        let declared = work.document.body.get("desiredCount").cloned();
        input.insert("desiredCount".to_owned(), declared.unwrap_or_else(|| json!(FIRST_DESIRED_COUNT)));
    }
    let call = Call::new(Operation::UpdateService, Value::Object(input));
    draft.sorted_step(&work.resource, all, call, awaits);
    true
}

/// Whether no call can change a member: `CreateService` has it and `UpdateService` does not.
///
/// `deploymentController` is newly accepted there; a change of it moves a service from one way of deploying to
/// another, which needs a person.
fn is_immutable(name: &str) -> bool {
    let has = |operation| Model::aws().input(Api::Ecs, operation).members.contains_key(name);
    name == "deploymentController" || (name != "tags" && has("CreateService") && !has("UpdateService"))
}

/// Spells out what git no longer says: `UpdateService` takes a missing member for "unchanged".
fn say_removal(effective: &mut Value, document: &Document, change: &Change) {
    if is_declared(document, &change.path) {
        return;
    }
    // What is gone may be more than what differs: an element of a list of which git no longer says anything.
    let outer = (1..=change.path.segments().len()).find_map(|length| {
        let path: Pointer = change.path.segments()[..length].iter().cloned().collect();
        let value = removal(&path).filter(|_| !is_declared(document, &path))?;
        Some((path, value))
    });
    let (path, value) = match outer {
        Some(outer) => outer,
        None if !change.desired.is_absent() => (change.path.clone(), change.desired.to_json()),
        None => return,
    };
    let mut place = effective;
    for segment in path.segments() {
        match place {
            Value::Object(members) => place = members.entry(segment.clone()).or_insert_with(|| json!({})),
            // A list is sent whole, and it does not have what git does not have.
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        }
    }
    *place = value;
}

/// How the absence of a member is said. Source: ECS API reference, `UpdateService`, member by member.
fn removal(path: &Pointer) -> Option<Value> {
    let segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
    Some(match segments[..] {
        [
            "loadBalancers"
            | "serviceRegistries"
            | "placementConstraints"
            | "placementStrategy"
            | "capacityProviderStrategy"
            | "vpcLatticeConfigurations"
            | "volumeConfigurations",
        ]
        | ["deploymentConfiguration", "lifecycleHooks"]
        | ["networkConfiguration", "awsvpcConfiguration", "securityGroups"] => json!([]),
        ["serviceConnectConfiguration"] => json!({"enabled": false}),
        ["deploymentConfiguration", "deploymentCircuitBreaker"] => json!({"enable": false, "rollback": false}),
        ["deploymentConfiguration", "alarms"] => json!({"alarmNames": [], "enable": false, "rollback": false}),
        ["healthCheckGracePeriodSeconds"] => json!(0),
        ["enableExecuteCommand" | "enableECSManagedTags"]
        | ["deploymentConfiguration", "earlySuccessCriteria", "enable"] => json!(false),
        ["propagateTags"] => json!("NONE"),
        ["platformVersion"] => json!("LATEST"),
        ["networkConfiguration", "awsvpcConfiguration", "assignPublicIp"] => json!("DISABLED"),
        _ => return None,
    })
}

/// Who deploys the service: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
fn controller(service: &Value) -> &str {
    service.pointer("/deploymentController/type").and_then(Value::as_str).unwrap_or("ECS")
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
