//! What scenarios have in common: bringing a state about, settling, and what is expected then.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_sim::Time;

use crate::account::CLUSTER;
use crate::ask::ask;
use crate::copy::Copy;
use crate::desired::{Application, Desired};
use crate::play::well;
use crate::seeded::differences;
use crate::stage::Stage;

/// How long nothing may be written until a state counts as settled.
const QUIET: Duration = Duration::from_mins(2);

/// How long settling may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// Pushes a desired state and has a copy bring it about.
pub(super) async fn up(stage: &Stage, desired: &Desired, found: &mut Vec<String>) -> Copy {
    stage.commit(desired);
    let copy = stage.start("trueup-1");
    settle(stage, &copy, found).await;
    copy
}

/// Waits until everything is Synced and Healthy and nothing is written; not for long where something is wrong already.
pub(super) async fn settle(stage: &Stage, copy: &Copy, found: &mut Vec<String>) {
    let patience = if found.is_empty() { PATIENCE } else { 2 * QUIET };
    if let Err(unsettled) = stage.settle(copy, well, QUIET, patience).await {
        found.push(format!("it does not settle: {:?}", unsettled.applications));
    }
}

/// One application, `web`.
pub(super) fn web() -> Desired {
    Desired::of([("web", Application::default())])
}

/// A mutating call of a trueup.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) at: Time,
    pub(super) action: String,
    pub(super) input: Value,
}

/// The mutating calls of all copies since a time.
pub(super) fn writes(stage: &Stage, since: Time) -> Vec<Write> {
    let aws = stage.aws();
    let ours = aws.recorder.mutations().filter(|record| record.call.access_key.starts_with("trueup"));
    let late = ours.filter(|record| record.at >= since);
    late.map(|record| Write { at: record.at, action: record.call.action.clone(), input: record.call.input.clone() })
        .collect()
}

/// Notes writes where there must be none.
pub(super) fn expect_no_writes(stage: &Stage, since: Time, why: &str, found: &mut Vec<String>) {
    let writes = writes(stage, since);
    if let Some(first) = writes.first() {
        found.push(format!("{why}: {} writes, the first is {} at {}", writes.len(), first.action, first.at.iso()));
    }
}

/// A service as AWS has it now.
pub(super) fn service(stage: &Stage, name: &str) -> Value {
    let input = json!({"cluster": CLUSTER, "services": [name], "include": ["TAGS"]});
    ask(&mut stage.aws(), "ecs", "DescribeServices", &input)["services"][0].clone()
}

/// Notes what is not in AWS as git says.
pub(super) fn expect_git(stage: &Stage, desired: &Desired, found: &mut Vec<String>) {
    let differences = differences(&mut stage.aws(), desired);
    found.extend(differences.into_iter().map(|difference| format!("not as git says: {difference}")));
}

/// Notes what is not as wanted.
pub(super) fn expect(what: &str, is: &Value, wanted: &Value, found: &mut Vec<String>) {
    if is != wanted {
        found.push(format!("wrong {what}: it is {is}, not {wanted}"));
    }
}

/// How many deployments of an image trueup began.
pub(super) fn deployments(stage: &Stage, image: &str) -> usize {
    let aws = stage.aws();
    let begun = aws.recorder.mutations().filter_map(|record| record.truth.as_ref());
    begun.flat_map(|truth| &truth.deployments).filter(|deployed| deployed.images.iter().any(|one| one == image)).count()
}
