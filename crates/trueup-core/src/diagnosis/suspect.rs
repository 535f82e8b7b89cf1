//! Which deployment of a service is in question.

use jiff::Timestamp;
use serde_json::Value;

use super::evidence::{Deployment, ServiceEvent};
use super::reading::deployment_failed;
use super::words::Words;
use crate::names::Arn;

/// How much older than the PRIMARY deployment an event may be and still tell of the deployment before it: ECS writes
/// both within seconds.
const EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX: i64 = 60;

/// How a deployment that is in question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// ECS gave it up.
    Failed,
    /// It goes on, and tasks of it have failed.
    Failing,
    /// It is completed, and fewer tasks run than are wanted.
    Degraded,
}

/// The deployment that is in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// `ecs-svc/…`, which its tasks carry as `startedBy`.
    pub deployment: String,
    /// What it rolls out, where AWS still shows it.
    pub task_definition: Option<Arn>,
    /// How it stands.
    pub standing: Standing,
    /// How many of its tasks failed in a row, as far as AWS still shows it.
    pub failed_tasks: i64,
    /// When it began, where AWS still shows it.
    pub since: Option<Timestamp>,
}

/// Finds the deployment of a service that failed, fails or does not run enough tasks. `None` when all is well, or the
/// service has no deployments of its own (another controller deploys it).
pub fn suspect(service: &Value) -> Option<Suspect> {
    let deployments = Deployment::read_all(service);
    let primary = deployments.iter().find(|deployment| deployment.status == "PRIMARY")?;
    let others = || deployments.iter().filter(|deployment| deployment.status != "PRIMARY");
    let is_failed = |deployment: &&Deployment| deployment.rollout_state.as_deref() == Some("FAILED");
    if is_failed(&primary) {
        return Some(of(primary, Standing::Failed));
    }
    let goes_back =
        Words::new(primary.rollout_state_reason.as_deref().unwrap_or_default()).has("rolling back to deployment");
    let left = || others().max_by_key(|deployment| deployment.created_at).filter(|_| goes_back);
    if let Some(failed) = others().find(is_failed).or_else(left) {
        return Some(of(failed, Standing::Failed));
    }
    // A newer deployment that is under way is judged by itself.
    let is_news = primary.rollout_state.as_deref() == Some("IN_PROGRESS") && !goes_back;
    if let Some(deployment) = given_up(service, primary).filter(|_| !is_news) {
        let standing = Standing::Failed;
        return Some(Suspect { deployment, task_definition: None, standing, failed_tasks: 0, since: None });
    }
    let completed = primary.rollout_state.as_deref() == Some("COMPLETED");
    if !completed && primary.failed_tasks > 0 {
        return Some(of(primary, Standing::Failing));
    }
    let count = |name: &str| service.get(name).and_then(Value::as_i64).unwrap_or_default();
    (completed && count("runningCount") < count("desiredCount")).then(|| of(primary, Standing::Degraded))
}

fn of(deployment: &Deployment, standing: Standing) -> Suspect {
    Suspect {
        deployment: deployment.id.clone(),
        task_definition: Some(Arn::new(&deployment.task_definition)).filter(|arn| !arn.as_str().is_empty()),
        standing,
        failed_tasks: deployment.failed_tasks,
        since: deployment.created_at,
    }
}

/// The deployment that ECS gave up and that `deployments` no longer shows: the events do, newer than what serves now.
fn given_up(service: &Value, primary: &Deployment) -> Option<String> {
    let made = primary.created_at?;
    let is_newer = |event: &ServiceEvent| {
        event.created_at.is_some_and(|at| at.duration_since(made).as_secs() >= -EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX)
    };
    let events = ServiceEvent::read_all(service).into_iter().filter(is_newer);
    events.map(|event| Words::new(&event.message)).find_map(|words| {
        deployment_failed(&words)?;
        let id = words.after("(deployment ")?.to_owned();
        // The PRIMARY may carry the id of the deployment that ECS went back to, never that of the failed one.
        (id != primary.id).then_some(id)
    })
}
