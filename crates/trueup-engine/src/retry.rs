//! Ending the hold on a failed revision, for `trueup retry`.

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::plan::{Plan, Sync};
use trueup_core::report::{Event, PlannedStep, What};
use trueup_core::resources::service::retry;
use trueup_ports::Cloud;

use crate::engine::Engine;
use crate::once::OnceError;
use crate::write::failure;

/// The outcome of a retry of one application in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Retried {
    /// The environment.
    pub environment: EnvironmentName,
    /// The application.
    pub application: ApplicationName,
    /// The outcome.
    pub outcome: RetryOutcome,
}

/// The outcome of a retry.
#[derive(Clone, Debug, PartialEq)]
pub enum RetryOutcome {
    /// The hold is ended: the next apply, by any copy, deploys the revision again.
    Ended,
    /// Nothing was held for a failed revision.
    NothingHeld,
    /// Unknown, because something could not be read: the reason.
    Unknown(String),
    /// The mark could not be written: the reason.
    Failed(String),
}

impl Engine {
    /// Ends the hold on a failed revision of the selected applications, by a mark in the tags of their services that every
    /// copy of trueup sees. Deploys nothing itself.
    ///
    /// # Errors
    /// When there is no desired state to compare with AWS.
    pub async fn retry_once(&self) -> Result<Vec<Retried>, OnceError> {
        let plans = self.plan_once().await?;
        let current = self.context.current.borrow().clone();
        let mut all = Vec::with_capacity(plans.len());
        for plan in plans {
            let environment = current.as_ref().and_then(|current| current.environments.get(&plan.environment));
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
            let planned = PlannedStep::from(&step);
            let (what, failed) = match result {
                Ok(answer) => (What::StepApplied { step: planned, request_id: answer.request_id }, None),
                Err(error) => {
                    let message = error.to_string();
                    (What::StepFailed { step: planned, failure: failure(error) }, Some(message))
                }
            };
            self.context.emit([Event {
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
