//! Answers that are short, lack something, do not come, or show an older time.

use std::time::Duration;

use tokio::time::sleep;
use trueup_sim::faults::{Fault, FaultRule, What, When};
use trueup_sim::wire::Api;

use super::steps::{expect_git, expect_no_writes, settle, up, web, writes};
use crate::desired::{Application, Balanced, Desired};
use crate::stage::Stage;

/// Every page has one entry.
pub(super) async fn short_pages(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let balanced = |priority| Application { balanced: Some(Balanced::at(priority)), ..Application::default() };
    let desired = Desired::of([("web", balanced(10)), ("api", balanced(20))]);
    stage.aws().faults.add(FaultRule::new(What::default(), Fault::ShortPages(1)));
    let copy = up(stage, &desired, &mut found).await;
    copy.kill().await;
    let at = stage.now();
    let copy = stage.start("trueup-2");
    settle(stage, &copy, &mut found).await;
    expect_no_writes(stage, at, "written at rest", &mut found);
    expect_git(stage, &desired, &mut found);
    found
}

/// For ten minutes `DescribeServices` does not mention the services that it is asked for.
pub(super) async fn lacking_answers(stage: &Stage) -> Vec<String> {
    let fault = Fault::Partial { percent: 100, told: false };
    without_services(stage, fault, "written without an answer").await
}

/// For ten minutes `DescribeServices` fails, for a reason that passes and for one that does not.
pub(super) async fn unreadable(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    for fault in [Fault::ServerError { status: 503, executed: false }, Fault::Denied] {
        found.extend(without_services(stage, fault, "written unread").await);
    }
    found
}

async fn without_services(stage: &Stage, fault: Fault, why: &str) -> Vec<String> {
    const MINUTES: Duration = Duration::from_mins(10);
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    let (from, to) = (stage.now(), stage.now() + MINUTES);
    let what = What::action(Api::Ecs, "DescribeServices").by("trueup");
    stage.aws().faults.add(FaultRule::new(what, fault).when(When::Between(from, to)));
    sleep(MINUTES).await;
    expect_no_writes(stage, from, why, &mut found);
    settle(stage, &copy, &mut found).await;
    copy.kill().await;
    found
}

/// A commit while all reads show the time up to half a minute ago: no call is made twice.
pub(super) async fn old_answers(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    let copy = up(stage, &web(), &mut found).await;
    let (from, to) = (stage.now(), stage.now() + Duration::from_mins(10));
    let fault = Fault::Stale { up_to: Duration::from_secs(30), monotonic: false };
    stage.aws().faults.add(FaultRule::new(What::reads(), fault).when(When::Between(from, to)));
    stage.commit(&web().with("web", |web| web.tag = "2".into()));
    sleep(Duration::from_mins(10)).await;
    settle(stage, &copy, &mut found).await;
    let writes = writes(stage, from);
    for (place, write) in writes.iter().enumerate() {
        if writes[..place].iter().any(|before| (&before.action, &before.input) == (&write.action, &write.input)) {
            found.push(format!("made twice: {} at {}", write.action, write.at.iso()));
        }
    }
    found
}
