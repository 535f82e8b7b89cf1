//! Ending the hold on a failed revision: what `trueup retry` does.

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::plan::{Plan, Sync, retry};
use trueup_core::report::{CallFailure, Event, PlannedStep, What};
use trueup_ports::{CallError, Cloud, Effect};

use crate::engine::Engine;
use crate::once::OnceError;

/// What came of a retry of one application in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Retried {
    /// Where.
    pub environment: EnvironmentName,
    /// Whose.
    pub application: ApplicationName,
    /// What came of it.
    pub outcome: RetryOutcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum RetryOutcome {
    /// The hold is ended: whoever applies deploys it once more.
    Ended,
    /// Nothing was held for a failed revision.
    NothingHeld,
    /// Nobody knows, because something could not be read: why.
    Unknown(String),
    /// The mark could not be written: why.
    Failed(String),
}

impl Engine {
    /// Ends the hold on a failed revision of the minded applications, by a mark in the tags of their services that
    /// every copy of trueup sees. Deploys nothing by itself.
    ///
    /// # Errors
    /// When there is no desired state to compare with.
    pub async fn retry_once(&self) -> Result<Vec<Retried>, OnceError> {
        let plans = self.plan_once().await?;
        let in_force = self.context.in_force.borrow().clone();
        let mut all = Vec::with_capacity(plans.len());
        for plan in plans {
            let environment = in_force.as_ref().and_then(|in_force| in_force.environments.get(&plan.environment));
            let outcome = match environment {
                Some(environment) => {
                    let cloud = self.context.clouds.cloud(environment).await;
                    self.retry_plan(&*cloud, &plan).await
                }
                None => RetryOutcome::NothingHeld,
            };
            all.push(Retried { environment: plan.environment, application: plan.application, outcome });
        }
        Ok(all)
    }

    async fn retry_plan(&self, cloud: &dyn Cloud, plan: &Plan) -> RetryOutcome {
        let steps = retry(plan, self.context.now());
        if steps.is_empty() {
            let unread = plan.held.iter().find(|held| held.reason.implies() == Some(Sync::Unknown));
            return unread.map_or(RetryOutcome::NothingHeld, |held| RetryOutcome::Unknown(held.reason.message()));
        }
        for step in steps {
            if self.context.shutdown.is_requested() {
                return RetryOutcome::Failed("it was stopped".to_owned());
            }
            let result = cloud.execute(&step.call).await;
            let told = PlannedStep::from(&step);
            let (what, failed) = match result {
                Ok(answer) => (What::StepApplied { step: told, request_id: answer.request_id }, None),
                Err(error) => {
                    let message = error.to_string();
                    (What::StepFailed { step: told, failure: failure(error) }, Some(message))
                }
            };
            self.context.tell([Event {
                time: self.context.now(),
                environment: Some(plan.environment.clone()),
                application: Some(plan.application.clone()),
                revision: Some(plan.revision.clone()),
                what,
            }]);
            if let Some(message) = failed {
                return RetryOutcome::Failed(message);
            }
        }
        RetryOutcome::Ended
    }
}

fn failure(error: CallError) -> CallFailure {
    let CallError { kind, code, message, request_id, effect, .. } = error;
    CallFailure { kind, code, message, request_id, effect_unknown: effect == Effect::Unknown }
}
