//! The process: SIGTERM in the middle of work, a restart without git, calls that AWS refuses.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use trueup_sim::faults::{Fault, FaultRule, What, When};
use trueup_sim::wire::Api;

use super::steps::{deployments, expect, expect_no_writes, settle, up, web, writes};
use crate::desired::{Application, Balanced, Desired, image};
use crate::stage::Stage;

/// The most tries of a refused call in an hour: after half a minute, one, two, four, and then every five minutes.
const TRIES_IN_AN_HOUR_MAX: usize = 20;

/// How long after SIGTERM a call that was about to leave may still do so.
const LAST_CALL: Duration = Duration::from_millis(250);

/// How long after SIGTERM the process is gone.
const GONE: Duration = Duration::from_secs(25);

/// IAM refuses a call for an hour: it is tried again, less and less often, and goes through as soon as it may.
pub(super) async fn refused_call(stage: &Stage) -> Vec<String> {
    const HOUR: Duration = Duration::from_hours(1);
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    let from = stage.now();
    let what = What::action(Api::Ecs, "UpdateService").by("trueup");
    stage.aws().faults.add(FaultRule::new(what, Fault::Denied).when(When::Between(from, from + HOUR)));
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    sleep(HOUR).await;
    let tries = writes(stage, from).iter().filter(|write| write.action == "UpdateService").count();
    if !(5..=TRIES_IN_AN_HOUR_MAX).contains(&tries) {
        found.push(format!("wrong number of tries: {tries} in an hour"));
    }
    settle(stage, &copy, &mut found).await;
    found
}

/// SIGTERM while much is to be written: nothing is begun any more, and it is gone in time.
pub(super) async fn sigterm(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let application = |priority| Application { balanced: Some(Balanced::at(priority)), ..Application::default() };
    let names = ["api", "jobs", "shop", "web"].into_iter().zip([10, 20, 30, 40]);
    stage.commit(&Desired::of(names.map(|(name, priority)| (name, application(priority)))));
    let copy = stage.start("trueup-1");
    let began = stage.now();
    while writes(stage, began).len() < 3 && stage.now().since(began) < GONE {
        sleep(Duration::from_millis(10)).await;
    }
    let at = stage.now();
    copy.engine.shutdown().request();
    sleep(GONE).await;
    if !copy.is_over() {
        found.push(format!("not gone: it runs {} seconds after SIGTERM", GONE.as_secs()));
    }
    expect_no_writes(stage, at + LAST_CALL, "written after SIGTERM", &mut found);
    copy.kill().await;
    // The next one continues from there.
    let copy = stage.start("trueup-2");
    settle(stage, &copy, &mut found).await;
    found
}

/// A process that cannot reach git continues with the newest commit that the one before it had accepted.
pub(super) async fn restart_without_git(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    settle(stage, &copy, &mut found).await;
    copy.kill().await;
    stage.repository.set_dead(true);
    let (at, before) = (stage.now(), deployments(stage, &image("web", "1")));
    let copy = stage.start("trueup-2");
    settle(stage, &copy, &mut found).await;
    sleep(Duration::from_mins(10)).await;
    expect(
        "number of deployments of the older image",
        &json!(deployments(stage, &image("web", "1"))),
        &json!(before),
        &mut found,
    );
    expect_no_writes(stage, at, "written at rest", &mut found);
    found
}
