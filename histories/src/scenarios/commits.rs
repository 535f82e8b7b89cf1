//! What git wants: an image that does not come up, dependencies, what left git.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use trueup_core::plan::Hold;
use trueup_core::report::What;

use super::steps::{deployments, expect, expect_git, expect_no_writes, service, settle, up, web};
use crate::desired::{Application, Balanced, Desired, image};
use crate::stage::Stage;

/// ECS rolls an image back: it is reported as that, once, and the image is not deployed again; also not after a restart.
pub(super) async fn bad_image(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    let before = copy.told().len();
    stage.commit(&web().with("web", |web| web.tag = "crash".into()));
    sleep(Duration::from_mins(20)).await;
    let told: Vec<What> = copy.told().split_off(before).into_iter().map(|event| event.what).collect();
    let completed = told.iter().filter(|what| matches!(what, What::RolloutCompleted { .. })).count();
    let rolled_back = told.iter().filter(|what| matches!(what, What::RolloutRolledBack { .. })).count();
    expect("number of rollouts reported as completed", &json!(completed), &json!(0), &mut found);
    expect("number of rollouts reported as rolled back", &json!(rolled_back), &json!(1), &mut found);
    copy.kill().await;
    stage.facts().killed(stage.now());
    let copy = stage.start("trueup-2");
    sleep(Duration::from_mins(10)).await;
    let status = copy.engine.status();
    let held = status.applications.values().flat_map(|status| &status.plan.held);
    let failed = held.filter(|held| matches!(held.reason, Hold::RevisionFailed { .. })).count();
    expect("number of holds for a failed revision", &json!(failed), &json!(1), &mut found);
    expect("number of its deployments", &json!(deployments(stage, &image("web", "crash"))), &json!(1), &mut found);
    found
}

/// The everyday case, and then a restart and a quarter of an hour in which nothing is to be done.
pub(super) async fn new_image(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let before = Desired::of([(
        "web",
        Application { balanced: Some(Balanced::at(10)), checked: true, ..Application::default() },
    )]);
    let copy = up(stage, &before, &mut found).await;
    let after = before.with("web", |web| web.tag = "2".into());
    stage.commit(&after);
    settle(stage, &copy, &mut found).await;
    copy.kill().await;
    let at = stage.now();
    let copy = stage.start("trueup-2");
    settle(stage, &copy, &mut found).await;
    sleep(Duration::from_mins(15)).await;
    expect_no_writes(stage, at, "written at rest", &mut found);
    expect_git(stage, &after, &mut found);
    found
}

/// One commit changes two applications, of which one depends on the other, and that one fails: the first stays.
pub(super) async fn failing_dependency(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let api = Application { depends_on: vec!["web".to_owned()], ..Application::default() };
    let before = Desired::of([("web", Application::default()), ("api", api)]);
    let _copy = up(stage, &before, &mut found).await;
    stage.commit(&before.with("web", |web| web.tag = "crash".into()).with("api", |api| api.tag = "2".into()));
    sleep(Duration::from_mins(8)).await;
    expect(
        "number of deployments before the dependency",
        &json!(deployments(stage, &image("api", "2"))),
        &json!(0),
        &mut found,
    );
    found
}

/// What left git stays where `prune` is off.
pub(super) async fn leaves_git(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let two = Desired::of([("web", Application::default()), ("api", Application::default())]);
    let _copy = up(stage, &two, &mut found).await;
    stage.commit(&two.without("api"));
    sleep(Duration::from_mins(5)).await;
    expect("status of what left git", &service(stage, "api")["status"], &json!("ACTIVE"), &mut found);
    found
}

/// A copy that has never seen an application's documents in a valid form deletes nothing of it.
pub(super) async fn not_valid(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let two = Desired::of([("web", Application::default()), ("api", Application::default())]);
    let two = Desired { prune: true, ..two };
    let copy = up(stage, &two, &mut found).await;
    copy.kill().await;
    stage.facts().killed(stage.now());
    stage.commit_broken(&two, "api");
    let _copy = stage.start_without_cache("trueup-2");
    sleep(Duration::from_mins(5)).await;
    expect("status of what is not valid in git", &service(stage, "api")["status"], &json!("ACTIVE"), &mut found);
    found
}

/// A commit that takes more away than `prune_limit` allows takes nothing away.
pub(super) async fn many_leave_git(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    // A service, a target group and a rule each: one resource more than the limit of twenty.
    let many = (0..7).map(|index| {
        let balanced = Some(Balanced::at(20 + index));
        (format!("service-{index}"), Application { balanced, count: Some(1), ..Application::default() })
    });
    let stays = Application { balanced: Some(Balanced::at(10)), count: Some(1), ..Application::default() };
    let stays = Desired { prune: true, ..Desired::of([("web", stays)]) };
    let all = Desired { applications: many.chain(stays.applications.clone()).collect(), prune: true };
    let _copy = up(stage, &all, &mut found).await;
    stage.commit(&stays);
    sleep(Duration::from_mins(5)).await;
    expect("status of what left git", &service(stage, "service-0")["status"], &json!("ACTIVE"), &mut found);
    found
}
