//! Suspending and resuming an application: one tag, written by an operator's command and outside every plan.

use std::collections::BTreeSet;

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::plan::Call;
use trueup_core::planner::{self, NothingToMark};
use trueup_ports::CallError;

use crate::cycle::refusal;
use crate::desired_state::{DesiredState, ValidDocuments};
use crate::engine::Engine;
use crate::environment::{EnvironmentLoop, Scope};
use crate::once::OnceError;
use crate::resolution;

/// An application that was suspended or resumed in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The environment.
    pub environment: EnvironmentName,
    /// The number of calls: none where an application is to be resumed that is not suspended.
    pub calls: usize,
}

/// The reason why an application could not be suspended or resumed.
#[derive(Debug, thiserror::Error)]
pub enum SuspensionError {
    /// The desired state could not be read.
    #[error(transparent)]
    Once(#[from] OnceError),
    /// No selected environment has it.
    #[error("no such application: `{0}`")]
    Unknown(ApplicationName),
    /// Its documents are not valid, so that its resources in AWS are unknown.
    #[error("the documents of `{application}` in `{environment}` are not valid, so its resources in AWS are unknown")]
    Invalid {
        /// The environment.
        environment: EnvironmentName,
        /// The application.
        application: ApplicationName,
    },
    /// The credentials are not those of the environment's account.
    #[error("nothing may be written in `{environment}`: {message}")]
    Refused {
        /// The environment.
        environment: EnvironmentName,
        /// The reason, in one sentence.
        message: String,
    },
    /// It has no resource that can carry the mark.
    #[error("`{application}` in `{environment}` cannot be marked: {reason}")]
    NothingToMark {
        /// The environment.
        environment: EnvironmentName,
        /// The application.
        application: ApplicationName,
        /// The reason.
        reason: NothingToMark,
    },
    /// AWS refused the tag.
    #[error("cannot write the mark of `{application}` in `{environment}`")]
    Write {
        /// The environment.
        environment: EnvironmentName,
        /// The application.
        application: ApplicationName,
        /// AWS's answer.
        #[source]
        source: CallError,
    },
}

impl Engine {
    /// Suspends an application in every selected environment that has it: no daemon writes to it until it is resumed.
    /// `by` and `reason` are shown to operators.
    ///
    /// # Errors
    /// When its resources in AWS cannot be read, when there are none, and when AWS refuses the tag.
    pub async fn suspend(
        &self,
        application: &ApplicationName,
        by: &str,
        reason: Option<&str>,
    ) -> Result<Vec<Marked>, SuspensionError> {
        let note = planner::note(self.context.now(), by, reason);
        self.mark(application, Some(&note)).await
    }

    /// Resumes an application in every selected environment that has it.
    ///
    /// # Errors
    /// As [`Engine::suspend`].
    pub async fn resume(&self, application: &ApplicationName) -> Result<Vec<Marked>, SuspensionError> {
        self.mark(application, None).await
    }

    async fn mark(&self, application: &ApplicationName, note: Option<&str>) -> Result<Vec<Marked>, SuspensionError> {
        let current = self.begin().await?;
        let mut marked = Vec::new();
        for mut environment in self.loops(&current) {
            let name = environment.name.clone();
            let Some(documents) = environment.documents(&current, application) else { continue };
            let Some(valid) = documents.valid.clone() else {
                return Err(SuspensionError::Invalid { environment: name, application: application.clone() });
            };
            let calls = environment.mark(&current, &valid, note).await?;
            marked.push(Marked { environment: name, calls });
        }
        if marked.is_empty() {
            return Err(SuspensionError::Unknown(application.clone()));
        }
        Ok(marked)
    }
}

impl EnvironmentLoop {
    async fn mark(
        &mut self,
        current: &DesiredState,
        valid: &ValidDocuments,
        note: Option<&str>,
    ) -> Result<usize, SuspensionError> {
        let (environment, application) = (self.name.clone(), valid.application.name.clone());
        let refused = |message| SuspensionError::Refused { environment: environment.clone(), message };
        let Some(place) = current.environments.get(&self.name) else { return Ok(0) };
        let cloud = self.context.clouds.cloud(place).await;
        if let Some(hold) = refusal(place, &*cloud).await {
            return Err(refused(hold.message()));
        }
        let one = [(&application, valid)];
        let mut answers = self.resolve(&*cloud, current, &one).await;
        let scope = Scope::Only(BTreeSet::from([application.clone()]));
        let live = self.observe(&*cloud, current, &scope, &one, &mut answers).await;
        let desired = resolution::resolve(valid, &answers, &mut None);
        let instance = &self.context.options.instance;
        let calls: Result<Vec<Call>, NothingToMark> = match note {
            Some(note) => planner::suspend(&desired, &live, instance, note).map(|call| vec![call]),
            None => planner::resume(&desired, &live, instance),
        };
        let calls = calls.map_err(|reason| SuspensionError::NothingToMark {
            environment: environment.clone(),
            application: application.clone(),
            reason,
        })?;
        for call in &calls {
            cloud.execute(call).await.map_err(|source| SuspensionError::Write {
                environment: environment.clone(),
                application: application.clone(),
                source,
            })?;
        }
        Ok(calls.len())
    }
}
