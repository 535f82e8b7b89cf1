//! Finds the deployment of a service that needs a diagnosis.

use jiff::Timestamp;
use serde_json::Value;

use super::classify::deployment_failed;
use super::evidence::{Deployment, ServiceEvent};
use super::message::Message;
use crate::names::Arn;

/// How much older than the PRIMARY deployment an event may be and still be about the failure that led to it: ECS writes
/// both within seconds.
const EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX: i64 = 60;

/// The state of a deployment that needs a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeploymentState {
    /// ECS gave up on it.
    Failed,
    /// It continues, and some of its tasks have failed.
    Failing,
    /// It is completed, and fewer tasks run than desired.
    Degraded,
}

/// A deployment that failed, is failing or does not run enough tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnhealthyDeployment {
    /// `ecs-svc/…`, which its tasks carry as `startedBy`.
    pub id: String,
    /// The task definition revision that it rolls out, where AWS still shows it.
    pub task_definition: Option<Arn>,
    /// Its state.
    pub state: DeploymentState,
    /// How many of its tasks failed in a row; 0 where AWS no longer shows it.
    pub failed_tasks: i64,
    /// When it began, where AWS still shows it.
    pub since: Option<Timestamp>,
}

/// The deployment of a service that failed, is failing or does not run enough tasks. `None` when the service is healthy,
/// or has no deployments of its own (another controller deploys it).
pub fn unhealthy_deployment(service: &Value) -> Option<UnhealthyDeployment> {
    let deployments = Deployment::read_all(service);
    let primary = deployments.iter().find(|deployment| deployment.status == "PRIMARY")?;
    let others = || deployments.iter().filter(|deployment| deployment.status != "PRIMARY");
    let is_failed = |deployment: &&Deployment| deployment.rollout_state.as_deref() == Some("FAILED");
    if is_failed(&primary) {
        return Some(of(primary, DeploymentState::Failed));
    }
    let goes_back =
        Message::new(primary.rollout_state_reason.as_deref().unwrap_or_default()).has("rolling back to deployment");
    let left = || others().max_by_key(|deployment| deployment.created_at).filter(|_| goes_back);
    if let Some(failed) = others().find(is_failed).or_else(left) {
        return Some(of(failed, DeploymentState::Failed));
    }
    // A newer deployment that is in progress is evaluated on its own: the failure before it is history.
    let is_news = primary.rollout_state.as_deref() == Some("IN_PROGRESS") && !goes_back;
    if let Some(id) = given_up(service, primary).filter(|_| !is_news) {
        let state = DeploymentState::Failed;
        return Some(UnhealthyDeployment { id, task_definition: None, state, failed_tasks: 0, since: None });
    }
    let completed = primary.rollout_state.as_deref() == Some("COMPLETED");
    if !completed && primary.failed_tasks > 0 {
        return Some(of(primary, DeploymentState::Failing));
    }
    let count = |name: &str| service.get(name).and_then(Value::as_i64).unwrap_or_default();
    (completed && count("runningCount") < count("desiredCount")).then(|| of(primary, DeploymentState::Degraded))
}

fn of(deployment: &Deployment, state: DeploymentState) -> UnhealthyDeployment {
    UnhealthyDeployment {
        id: deployment.id.clone(),
        task_definition: Some(Arn::new(&deployment.task_definition)).filter(|arn| !arn.as_str().is_empty()),
        state,
        failed_tasks: deployment.failed_tasks,
        since: deployment.created_at,
    }
}

/// The deployment that ECS gave up on and that `deployments` no longer shows: only an event newer than the PRIMARY
/// does.
fn given_up(service: &Value, primary: &Deployment) -> Option<String> {
    let made = primary.created_at?;
    let is_newer = |event: &ServiceEvent| {
        event.created_at.is_some_and(|at| at.duration_since(made).as_secs() >= -EVENT_BEFORE_DEPLOYMENT_SECONDS_MAX)
    };
    let events = ServiceEvent::read_all(service).into_iter().filter(is_newer);
    events.map(|event| Message::new(&event.message)).find_map(|message| {
        deployment_failed(&message)?;
        let id = message.after("(deployment ")?.to_owned();
        // The PRIMARY may be the deployment that ECS rolled back to, never the failed one.
        (id != primary.id).then_some(id)
    })
}
