//! What ECS threw out is not asked for again, until a person or another commit says so.

use serde_json::{Value, json};

use super::{World, shown};
use crate::desired::Mode;
use crate::kind::Kind;
use crate::live::{FailureKind, LiveTaskDefinition, Observed, ReadFailure};
use crate::names::{Arn, Revision};
use crate::plan::{Health, Memory, Operation, Plan, Rollout, Sync, tags};
use crate::planner::fixture::{revision_arn, service_id};
use crate::resources::service::{deploys, retry, wants_service_deployments};
use crate::service_deployment::ServiceDeployment;

const HELD: &str = "held RevisionFailed service /taskDefinition";
const MARKED: &str = "TagResource service adopt";

fn image(world: &mut World, image: &str) {
    let image = json!(image);
    world.commit(Kind::TaskDefinition, "task-definition", |body| body["containerDefinitions"][0]["image"] = image);
}

/// A world in which a commit was deployed that ECS then rolled back, with what the service looked like before.
struct RolledBack {
    world: World,
    /// What a deployment of the commit is made of, as the service then showed it.
    failed: Value,
    /// When it was asked for.
    created: i64,
}

/// A commit is deployed, ECS rolls it back within a minute, and an hour later nothing is left of that but what `tell`
/// puts there.
fn rolled_back(change: impl FnOnce(&mut World)) -> RolledBack {
    let mut world = World::settled();
    let before = world.service().description.clone();
    change(&mut world);
    let created = world.now.as_second();
    world.converge();
    assert!(matches!(world.plan().rollout, Some(Rollout::Running { .. })));
    let failed = Value::clone(&world.service().description);
    world.service().description = before;
    world.later(3600);
    world.memory = Memory::default();
    RolledBack { world, failed, created }
}

impl RolledBack {
    /// The events of the service tell of the rollback.
    fn by_events(mut self) -> World {
        let made = self.world.service().description["deployments"][0]["createdAt"].as_i64().expect("a time");
        let at = self.created.max(made) + 60;
        self.world.edit_service(|live| {
            live["events"] =
                json!([{"message": "(service elearning) rolling back to deployment ecs-svc/1.", "createdAt": at}]);
        });
        self.world
    }

    /// The record of service deployments tells of it.
    fn by_record(mut self) -> World {
        let entry = record_entry(&self.failed, "ROLLBACK_SUCCESSFUL", self.created);
        self.world.live.service_deployments.insert(service_id(), Observed::Present(vec![entry]));
        self.world
    }
}

/// An entry of the record of a deployment of what the service showed then.
fn record_entry(then: &Value, status: &str, created: i64) -> ServiceDeployment {
    let value = json!({"serviceDeploymentArn": format!("sd/{created}"), "status": status, "createdAt": created,
        "statusReason": "Service deployment rolled back because the circuit breaker threshold was exceeded.",
        "finishedAt": created + 60, "targetServiceRevisionArn": "sr/2"});
    ServiceDeployment::read(&value, |_| Some(then.clone())).expect("it has an ARN")
}

/// Takes the steps of a retry.
fn ask_again(world: &mut World, plan: &Plan) {
    let steps = retry(plan, world.now);
    let operations: Vec<Operation> = steps.iter().map(|step| step.call.operation).collect();
    assert_eq!(operations, [Operation::TagResource, Operation::UntagResource]);
    for step in steps {
        world.live.absorb(&step.call, &json!({}));
    }
}

#[test]
fn what_ecs_rolled_back_is_held_and_the_tag_remembers_it() {
    for world in [rolled_back(|w| image(w, "backend:broken")).by_events(), rolled_back(|w| image(w, "b:2")).by_record()]
    {
        let mut world = world;
        let plan = world.plan();
        assert_eq!(shown(&plan), [MARKED, HELD]);
        assert_eq!((plan.sync, plan.health), (Sync::OutOfSync, Health::Degraded));
        assert!(
            matches!(plan.rollout, Some(Rollout::RolledBack { done: true, recorded: false, .. })),
            "{:?}",
            plan.rollout
        );
        world.converge();
        let plan = world.plan();
        assert_eq!(shown(&plan), [HELD]);
        assert!(matches!(plan.rollout, Some(Rollout::RolledBack { recorded: true, .. })), "{:?}", plan.rollout);

        // All other witnesses are gone, and the process is another one: the tag is enough.
        world.live.service_deployments.clear();
        world.edit_service(|live| live["events"] = json!([]));
        world.memory = Memory::default();
        assert_eq!(shown(&world.plan()), [HELD]);
        assert_eq!(world.plan().rollout, None, "an old rollback is no news");
    }
}

#[test]
fn commits_that_would_deploy_the_same_stay_held_and_other_content_does_not() {
    let mut world = rolled_back(|w| image(w, "backend:broken")).by_record();
    world.converge();
    // Another commit with the same content.
    world.last_applied = Some(world.desired.clone());
    world.desired.revision = Revision::new("d".repeat(40));
    assert_eq!(shown(&world.plan()), [HELD]);
    // What is not part of a deployment is still kept as git wants it, and does not make the deployment better.
    world.edit_service(|live| live["desiredCount"] = json!(5));
    assert_eq!(shown(&world.plan()), ["UpdateService service drift /desiredCount", HELD]);
    world.commit(Kind::Service, "service", |body| body["desiredCount"] = json!(2));
    assert_eq!(shown(&world.plan()), ["UpdateService service pending /desiredCount", HELD]);
    world.converge();
    world.later(3600);
    assert_eq!(shown(&world.plan()), [HELD]);
    // Other content is deployed at once, and when it serves the memory of the tag ends.
    image(&mut world, "backend:mended");
    let lines = shown(&world.plan());
    assert!(lines[0].starts_with("RegisterTaskDefinition"), "{lines:?}");
    assert!(lines[1].starts_with("UpdateService service pending /taskDefinition"), "{lines:?}");
    world.converge();
    assert!(world.service().tags.contains_key(tags::FAILED), "not before it serves");
    world.finish_rollout();
    assert_eq!(shown(&world.plan()), ["UntagResource service adopt"]);
    world.converge();
    assert_eq!((shown(&world.plan()), world.plan().sync), (vec![], Sync::Synced));
}

#[test]
fn a_revert_to_what_serves_is_synced() {
    let mut world = rolled_back(|w| image(w, "backend:broken")).by_record();
    world.converge();
    image(&mut world, "backend:1");
    let plan = world.plan();
    assert_eq!((plan.sync, plan.health), (Sync::Synced, Health::Healthy), "{:?}", shown(&plan));
    assert!(plan.steps.iter().all(|step| step.changes.is_empty()), "only our tags: {:?}", shown(&plan));
}

#[test]
fn a_revert_to_what_failed_long_ago_is_held_and_no_news() {
    let mut world = rolled_back(|w| image(w, "backend:broken")).by_record();
    let failed = world.live.service_deployments[&service_id()].present().expect("a record").clone();
    image(&mut world, "backend:mended");
    world.converge();
    world.finish_rollout();
    world.converge();
    world.later(3600);
    let good = record_entry(&world.service().description.clone(), "SUCCESSFUL", world.now.as_second() - 3000);
    world.live.service_deployments.insert(service_id(), Observed::Present([vec![good], failed].concat()));
    image(&mut world, "backend:broken");
    let plan = world.plan();
    assert!(shown(&plan).contains(&HELD.to_owned()), "{:?}", shown(&plan));
    assert!(!plan.steps.iter().any(deploys));
    assert_eq!(plan.rollout, None);
}

#[test]
fn the_same_content_under_another_number_does_not_slip_past_the_memory() {
    let mut world = rolled_back(|w| image(w, "backend:broken")).by_record();
    // The revision that failed is gone from the family, and a twin of it is there.
    let failed = world.live.service_deployments[&service_id()].present().expect("a record")[0].clone();
    let failed_arn = Arn::new(failed.target.expect("it was read").task_definition().expect("a name"));
    let Some(Observed::Present(mut revision)) = world.live.task_definitions.remove(&failed_arn) else {
        panic!("it is known")
    };
    let mut twin = revision.clone();
    twin.description["taskDefinitionArn"] = json!(revision_arn(90));
    revision.description["status"] = json!("INACTIVE");
    let twins: [fn(LiveTaskDefinition) -> Vec<LiveTaskDefinition>; 2] = [|_| vec![], |twin| vec![twin]];
    for family in twins {
        world.live.task_definitions.insert(failed_arn.clone(), Observed::Present(revision.clone()));
        world.live.families.insert("elearning".to_owned(), Observed::Present(family(twin.clone())));
        assert_eq!(shown(&world.plan()), [MARKED, HELD]);
    }
    // Also where somebody else registered it, without our tags.
    revision.tags.clear();
    world.live.task_definitions.insert(failed_arn, Observed::Present(revision));
    assert_eq!(shown(&world.plan()), [MARKED, HELD]);
}

#[test]
fn what_came_back_with_the_old_service_revision_is_not_healed_field_by_field() {
    let network = |world: &mut World| {
        world.commit(Kind::Service, "service", |body| {
            body["networkConfiguration"]["awsvpcConfiguration"]["subnets"] = json!(["subnet-broken"]);
            body["platformVersion"] = json!("1.3.0");
        });
    };
    let subnets = "/networkConfiguration/awsvpcConfiguration/subnets";
    for (what, world) in [("record", rolled_back(network).by_record()), ("events", rolled_back(network).by_events())] {
        let mut world = world;
        let lines = shown(&world.plan());
        assert_eq!(lines[0], MARKED, "{what}: {lines:?}");
        assert!(lines[1].starts_with("held RevisionFailed service") && lines[1].contains(subnets), "{what}: {lines:?}");
        assert!(lines[1].contains("/platformVersion") && lines.len() == 2, "{what}: {lines:?}");
        world.converge();
        assert_eq!(shown(&world.plan()).len(), 1, "{what}");
        // Another network is other content, though the task definition is the same.
        world.commit(Kind::Service, "service", |body| {
            body["networkConfiguration"]["awsvpcConfiguration"]["subnets"] = json!(["subnet-2"]);
        });
        let lines = shown(&world.plan());
        assert!(lines[0].starts_with("UpdateService service pending"), "{what}: {lines:?}");
    }
}

#[test]
fn where_drift_is_only_reported_a_rollback_is_no_drift_either() {
    let mut world = rolled_back(|w| image(w, "backend:broken")).by_record();
    world.desired.policy.heal = Mode::Report;
    assert_eq!(shown(&world.plan())[1..], [HELD.replace(" /taskDefinition", "")]);
}

#[test]
fn a_retry_deploys_exactly_once_more() {
    for world in [rolled_back(|w| image(w, "backend:broken")).by_events(), rolled_back(|w| image(w, "b:2")).by_record()]
    {
        let mut world = world;
        world.converge();
        let plan = world.plan();
        ask_again(&mut world, &plan);
        let lines = shown(&world.plan());
        assert_eq!(lines, ["UpdateService service drift /taskDefinition"], "the revision is registered");
        // It fails once more, and ECS goes back once more.
        let before = world.service().description.clone();
        world.later(60);
        let created = world.now.as_second();
        world.converge();
        let again = record_entry(&world.service().description.clone(), "ROLLBACK_SUCCESSFUL", created);
        let events = json!([{"message": "(service elearning) rolling back to deployment ecs-svc/1.", "createdAt": created + 60}]);
        world.service().description = before;
        world.edit_service(|live| live["events"] = events);
        world.live.service_deployments.insert(service_id(), Observed::Present(vec![again]));
        world.later(3600);
        world.memory = Memory::default();
        assert_eq!(shown(&world.plan()), [MARKED, "UntagResource service adopt", HELD]);
        world.converge();
        assert_eq!(shown(&world.plan()), [HELD]);
        assert!(!world.service().tags.contains_key(tags::RETRY), "it is used up");
    }
}

#[test]
fn a_revision_that_failed_and_was_not_rolled_back_is_degraded_and_forced_by_a_retry() {
    let mut world = World::settled();
    world.edit_service(|live| {
        live["deployments"][0]["rolloutState"] = json!("FAILED");
        live["deployments"][0]["rolloutStateReason"] = json!("tasks failed to start.");
    });
    let plan = world.plan();
    assert_eq!(shown(&plan), [MARKED, "held RevisionFailed service"]);
    assert_eq!((plan.sync, plan.health), (Sync::OutOfSync, Health::Degraded));
    world.converge();
    let plan = world.plan();
    assert_eq!(shown(&plan), ["held RevisionFailed service"]);
    ask_again(&mut world, &plan);
    let plan = world.plan();
    assert_eq!(shown(&plan), ["UpdateService service pending /forceNewDeployment"]);
    assert_eq!(
        plan.steps[0].call.input,
        json!({"cluster": "main", "service": "elearning", "forceNewDeployment": true})
    );
    world.later(60);
    world.converge();
    world.finish_rollout();
    world.converge();
    let plan = world.plan();
    assert_eq!((shown(&plan), plan.health), (vec![], Health::Healthy));
    assert!(!world.service().tags.contains_key(tags::RETRY));
}

#[test]
fn a_rollout_of_the_same_content_is_never_begun_anew() {
    let mut world = World::settled();
    let before = world.service().description.clone();
    image(&mut world, "backend:2");
    world.converge();
    world.later(30);
    assert_eq!(shown(&world.plan()), Vec::<String>::new(), "it is under way");
    // A read shows the time before, and nobody remembers: the record does.
    let entry = record_entry(&world.service().description.clone(), "IN_PROGRESS", world.now.as_second() - 30);
    world.service().description = before;
    world.memory = Memory::default();
    world.live.service_deployments.insert(service_id(), Observed::Present(vec![entry]));
    assert_eq!(shown(&world.plan()), ["held NotSettled service /taskDefinition"]);
}

#[test]
fn a_newer_commit_pre_empts_a_rollout_at_once() {
    let mut world = World::settled();
    image(&mut world, "backend:2");
    world.converge();
    image(&mut world, "backend:3");
    let plan = world.plan();
    assert!(plan.steps.iter().any(deploys), "{:?}", shown(&plan));
    let operations = world.converge();
    let deployments = operations.iter().filter(|operation| **operation == Operation::UpdateService).count();
    assert_eq!(deployments, 1, "{operations:?}");
}

#[test]
fn a_rollout_that_takes_too_long_is_told_and_left_alone() {
    let mut world = World::settled();
    image(&mut world, "backend:2");
    world.converge();
    world.later(1800);
    assert!(matches!(world.plan().rollout, Some(Rollout::Running { .. })));
    world.later(1);
    let plan = world.plan();
    assert!(matches!(plan.rollout, Some(Rollout::TimedOut { .. })), "{:?}", plan.rollout);
    assert_eq!((shown(&plan), plan.sync, plan.health), (vec![], Sync::Synced, Health::Degraded));
    world.desired.policy.rollout_timeout = jiff::SignedDuration::from_hours(2);
    assert!(matches!(world.plan().rollout, Some(Rollout::Running { .. })));
}

#[test]
fn a_record_that_can_soon_be_read_again_is_waited_for() {
    let mut world = World::settled();
    image(&mut world, "backend:2");
    let failure =
        |kind| ReadFailure { operation: "ecs:ListServiceDeployments".to_owned(), kind, message: "no".to_owned() };
    world.live.service_deployments.insert(service_id(), Observed::Unknown(failure(FailureKind::Throttled)));
    assert_eq!(shown(&world.plan()), ["held NotObserved service /taskDefinition"]);
    world.live.service_deployments.insert(service_id(), Observed::Unknown(failure(FailureKind::Unavailable)));
    assert!(world.plan().steps.iter().any(deploys), "an emulator that does not know the operation");
}

#[test]
fn a_rollback_is_recognised_even_where_the_tag_could_not_be_written() {
    let mut world = World::settled();
    let before = world.live.services.clone();
    world.commit(Kind::TaskDefinition, "task-definition", |body| body["cpu"] = json!("1024"));
    world.step();
    world.step();
    let service = world.document(Kind::Service, "service").clone();
    world.memory.deployed(tags::applied_digest(&world.desired, &service));
    world.live.services = before;
    let at = world.now.as_second();
    world.edit_service(|live| {
        live["events"] =
            json!([{"message": "(service elearning) rolling back to deployment ecs-svc/1.", "createdAt": at}]);
    });
    world.later(3600);
    let lines = shown(&world.plan());
    assert!(lines.contains(&HELD.to_owned()), "{lines:?}");
}

#[test]
fn the_record_is_asked_for_only_where_git_s_revision_does_not_serve() {
    let wants = |world: &World| {
        let instance = crate::names::InstanceName::new("main");
        wants_service_deployments(&world.input(&instance), &world.plan(), false).is_some()
    };
    let mut world = World::settled();
    assert!(!wants(&world), "at rest");
    world.edit_service(|live| live["desiredCount"] = json!(7));
    assert!(!wants(&world), "drift that needs no deployment");
    image(&mut world, "backend:2");
    assert!(wants(&world), "before a deployment");
    world.converge();
    assert!(wants(&world), "while it runs");
    world.live.service_deployments.insert(service_id(), Observed::Present(vec![]));
    assert!(!wants(&world), "it was read");
    assert!(!wants(&World::new()), "there is no service");
}
