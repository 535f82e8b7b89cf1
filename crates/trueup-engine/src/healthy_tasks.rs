//! How many tasks of a rollout are healthy: counted in the background, so that it delays no observation and no write.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use trueup_core::live::{Live, LiveService, Observed};
use trueup_core::names::{ApplicationName, Arn, ServiceId};
use trueup_core::plan::{Plan, Rollout};
use trueup_core::resources::service::TaskHealth;
use trueup_ports::{Cloud, EvidenceRequest};

/// The shortest time between two counts of a service.
const SPACING: Duration = Duration::from_secs(5);

/// How long a count may take, including the wait for its turn. After that the number is unknown.
const COUNTING_MAX: Duration = Duration::from_secs(10);

/// The number of healthy tasks of a rollout.
#[derive(Default)]
pub(crate) struct HealthyTasks {
    /// The running rollout, by deployment and task definition revision, and its healthy tasks.
    known: Option<(String, Arn, Option<i64>)>,
    /// When the last count began.
    began: Option<Instant>,
    counting: bool,
}

impl HealthyTasks {
    /// Records what was observed of the service. Returns what is to be counted, when it is time for that.
    pub fn see(
        &mut self,
        service: Option<(&ServiceId, &Observed<LiveService>)>,
        live: &Live,
        plan: &Plan,
        now: Instant,
    ) -> Option<Counting> {
        let health = service.and_then(|(_, service)| of_rollout(service.present()?, live, plan));
        let Some((health, (id, _))) = health.zip(service) else {
            self.known = None;
            return None;
        };
        if self.known.as_ref().is_none_or(|(deployment, _, _)| *deployment != health.deployment) {
            self.known = Some((health.deployment.clone(), health.task_definition.clone(), None));
        }
        if self.counting || self.began.is_some_and(|began| now.saturating_duration_since(began) < SPACING) {
            return None;
        }
        self.counting = true;
        self.began = Some(now);
        Some(Counting { service: id.clone(), health })
    }

    /// Adds the number to a plan: the planner does not know it.
    pub fn complete(&self, plan: &mut Plan) {
        if let Some(((_, of, healthy), rollout)) = self.known.as_ref().zip(plan.rollout.as_mut()) {
            rollout.set_healthy(of, *healthy);
        }
    }

    /// Records the outcome of a count. Returns whether the count belongs to the running rollout.
    pub fn arrived(&mut self, of: &str, counted: Option<i64>) -> bool {
        self.failed();
        match &mut self.known {
            Some((deployment, _, healthy)) if deployment == of => {
                *healthy = counted;
                true
            }
            _ => false,
        }
    }

    /// Records that a count failed.
    pub fn failed(&mut self) {
        self.counting = false;
    }
}

/// The criterion by which a task of the running rollout is healthy; `None` without a rollout, or if it is unknown.
fn of_rollout(service: &LiveService, live: &Live, plan: &Plan) -> Option<TaskHealth> {
    if !matches!(plan.rollout, Some(Rollout::Running { .. } | Rollout::TimedOut { .. })) {
        return None;
    }
    let revision = live.task_definitions.get(&TaskHealth::revision(&service.description)?)?.present()?;
    TaskHealth::of(&service.description, &revision.description)
}

/// Tasks that are to be counted.
pub(crate) struct Counting {
    service: ServiceId,
    health: TaskHealth,
}

/// The outcome of a count.
pub(crate) struct Counted {
    pub name: ApplicationName,
    pub deployment: String,
    pub task_definition: Arn,
    /// `None` when it is unknown.
    pub healthy: Option<i64>,
}

impl Counting {
    /// Reads and counts.
    pub async fn run(
        self,
        name: ApplicationName,
        cloud: Arc<dyn Cloud>,
        turns: Arc<Semaphore>,
        now: Timestamp,
    ) -> Counted {
        let Self { service, health } = self;
        let target_groups = health.target_groups();
        let request = EvidenceRequest { service, deployment: health.deployment.clone(), target_groups };
        let read = async {
            let _turn = turns.acquire().await.ok();
            cloud.running_tasks(&request).await
        };
        let running = timeout(COUNTING_MAX, read).await.ok();
        let healthy = running.and_then(|running| health.count(&running, now));
        Counted { name, deployment: health.deployment, task_definition: health.task_definition, healthy }
    }
}
