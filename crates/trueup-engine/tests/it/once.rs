//! Going round once: what the commands do.

use std::time::Duration;

use trueup_core::live::FailureKind;
use trueup_core::names::ApplicationName;
use trueup_core::plan::{Operation, Plan};
use trueup_engine::OnceError;
use trueup_ports::Source as _;

use crate::cloud::{FakeCloud, Fault};
use crate::source::FakeSource;
use crate::world::{World, application, files, tree};

fn calls(plans: &[Plan]) -> Vec<String> {
    let steps = plans.iter().flat_map(|plan| plan.steps.iter().map(|step| (&plan.application, step.call.operation)));
    steps.map(|(application, operation)| format!("{operation:?} {application}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_writes_nothing_and_shows_what_apply_does() {
    let world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    let planned = calls(&world.engine.plan_once().await.unwrap());
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new());
    let outcome = world.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert_eq!(world.cloud.take_calls(), planned);
    assert!(outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
    assert_eq!(calls(&world.engine.plan_once().await.unwrap()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_asked_for_by_its_name_is_nothing_to_begin_with_later() {
    let mut world = World::new();
    let first = world.source.commit(&files(&tree(&[application("web", "1")])));
    world.settle().await;
    let second = world.push(&files(&tree(&[application("web", "2")]))).await;
    let past = World::with(world.cloud.clone(), world.source.restarted(), |options| options.revision = Some(first));
    past.engine.plan_once().await.unwrap();
    assert_eq!(world.source.accepted().await, Some(second));
}

#[tokio::test(start_paused = true)]
async fn apply_waits_for_the_rollout_and_no_longer_than_it_may() {
    let world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.keep_rolling(true);
    let outcome = world.engine.apply_once(Duration::from_mins(1)).await.unwrap();
    assert!(outcome.timed_out && !outcome.is_settled(), "{outcome:?}");
    let (cloud, engine) = (world.cloud.clone(), world.engine.clone());
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        cloud.finish_rollouts();
    });
    let outcome = engine.apply_once(Duration::from_mins(1)).await.unwrap();
    later.await.unwrap();
    assert!(outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn apply_ends_when_nothing_more_can_come_of_waiting() {
    let world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fault(Operation::CreateService, "web", Fault::Refuse(FailureKind::Rejected));
    let begun = tokio::time::Instant::now();
    let outcome = world.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert!(!outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(outcome.plans[0].held[0].reason.reason(), "CallRefused");
}

#[tokio::test(start_paused = true)]
async fn one_application_is_applied_and_what_it_needs_is_only_looked_at() {
    let mut files_of = tree(&[application("api", "1"), application("shared", "1"), application("web", "1")]);
    files_of[1].1 = "depends_on = [\"shared\"]\n".to_owned();
    let only = |name: &'static str| {
        move |options: &mut trueup_engine::Options| {
            options.applications.insert(ApplicationName::new(name));
        }
    };
    let world = World::with(FakeCloud::new(), FakeSource::new(), only("api"));
    world.source.commit(&files(&files_of));
    let outcome = world.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert_eq!(world.cloud.take_calls(), Vec::<String>::new(), "`shared` is not there yet and was not asked for");
    assert_eq!(outcome.plans.iter().map(|plan| plan.application.as_str()).collect::<Vec<_>>(), ["api"]);
    let shared = World::with(world.cloud.clone(), world.source.restarted(), only("shared"));
    assert!(shared.engine.apply_once(Duration::from_mins(10)).await.unwrap().is_settled());
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition shared", "CreateService shared"]);
    assert!(world.engine.apply_once(Duration::from_mins(10)).await.unwrap().is_settled());
    assert_eq!(world.cloud.take_calls(), ["RegisterTaskDefinition api", "CreateService api"]);
}

#[tokio::test(start_paused = true)]
async fn commands_fail_where_there_is_nothing_to_compare_with() {
    let world = World::new();
    world.source.set_dead(true);
    assert!(matches!(world.engine.plan_once().await, Err(OnceError::Source(_))));
    world.source.set_dead(false);
    world.source.commit(&[("trueup.toml", "nonsense")]);
    assert!(matches!(world.engine.plan_once().await, Err(OnceError::Rejected)));
    let world = World::with(FakeCloud::new(), FakeSource::new(), |options| {
        options.applications.insert(ApplicationName::new("wbe"));
    });
    world.source.commit(&files(&tree(&[application("web", "1")])));
    assert!(matches!(world.engine.plan_once().await, Err(OnceError::UnknownApplications(_))));
}

#[tokio::test(start_paused = true)]
async fn apply_reads_again_what_could_not_be_read() {
    let world = World::new();
    world.source.commit(&files(&tree(&[application("web", "1")])));
    world.cloud.fail_reads(true);
    let cloud = world.cloud.clone();
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        cloud.fail_reads(false);
        cloud.keep_rolling(true);
        tokio::time::sleep(Duration::from_secs(10)).await;
        cloud.fail_reads(true);
        tokio::time::sleep(Duration::from_secs(10)).await;
        cloud.fail_reads(false);
        cloud.finish_rollouts();
    });
    let outcome = world.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    later.await.unwrap();
    assert!(outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
    world.cloud.fail_reads(true);
    let begun = tokio::time::Instant::now();
    let outcome = world.engine.apply_once(Duration::from_mins(10)).await.unwrap();
    assert!(!outcome.is_settled() && !outcome.timed_out, "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_mins(1), "it gave up after {:?}", begun.elapsed());
}
