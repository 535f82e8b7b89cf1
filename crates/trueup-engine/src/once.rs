//! Single runs, for the commands: they plan and apply with the code of the daemon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep_until};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::Plan;
use trueup_ports::{SourceError, Unverified};

use crate::application::ApplicationState;
use crate::desired_state::DesiredState;
use crate::engine::Engine;
use crate::environment::{EnvironmentLoop, Scope};
use crate::follower::Follower;

/// The most cycles of a command: another one where AWS carries a commit that git did not have a moment before.
const ROUNDS_MAX: u32 = 3;

/// The reason why a command could not begin.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The repository could not be read.
    #[error("cannot read the repository of desired state")]
    Source(#[source] SourceError),
    /// The commit is rejected as a whole; the problems were emitted as `revision.rejected`.
    #[error("the revision is rejected")]
    Rejected,
    /// Neither the commit nor one before it is verified in an environment.
    #[error(
        "the commit `{commit}` is not verified in the environment `{environment}`, and none before it is: {message}"
    )]
    Unverified {
        /// The environment.
        environment: EnvironmentName,
        /// The commit that is not verified.
        commit: Revision,
        /// The reason.
        message: String,
        /// The remedy.
        cure: String,
    },
    /// The commit does not have these environments.
    #[error("no such environment: {}", list(.0))]
    UnknownEnvironments(Vec<EnvironmentName>),
    /// The commit does not have these applications.
    #[error("no such application: {}", list(.0))]
    UnknownApplications(Vec<ApplicationName>),
}

/// The outcome of [`Engine::apply_once`].
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The last plan of each application.
    pub plans: Vec<Plan>,
    /// It ended because the limit had passed.
    pub timed_out: bool,
}

impl Outcome {
    /// Whether every application is where git wants it, and serves.
    pub fn is_settled(&self) -> bool {
        self.plans.iter().all(Plan::is_settled)
    }
}

impl Engine {
    /// Plans, and writes nothing: the plans are exactly those that [`Engine::apply_once`] would begin with.
    /// [`Engine::status`] has them afterwards, too.
    ///
    /// # Errors
    /// When there is no desired state to compare with AWS.
    pub async fn plan_once(&self) -> Result<Vec<Plan>, OnceError> {
        self.cycles_once(false).await
    }

    /// Runs one cycle with all its writes, for `run --once`. Does not wait for rollouts.
    ///
    /// # Errors
    /// When there is no desired state to compare with AWS.
    pub async fn run_once(&self) -> Result<Vec<Plan>, OnceError> {
        self.context.reporting.resume().await;
        self.cycles_once(!self.context.options.report_only).await
    }

    /// Applies, then waits until every application is Synced and Healthy, or waiting longer cannot help, or `limit` has
    /// passed. Progress is emitted as events, and [`Engine::status`] has it.
    ///
    /// # Errors
    /// When there is no desired state to compare with AWS.
    pub async fn apply_once(&self, limit: Duration) -> Result<Outcome, OnceError> {
        let deadline = Instant::now() + limit;
        let mut follower = self.follower();
        let mut current = self.begin_with(&mut follower).await?;
        let mut round = 1;
        loop {
            let loops = self.loops(&current).map(|environment| environment.run_until_settled(&current, deadline));
            let timed_out = join_all(loops).await.contains(&true);
            let plans = self.plans();
            if timed_out || round == ROUNDS_MAX || !plans.iter().any(Plan::awaits_git) {
                return Ok(Outcome { plans, timed_out });
            }
            current = self.begin_with(&mut follower).await?;
            round += 1;
        }
    }

    /// Runs one cycle; another one where AWS carries a commit that git did not have yet when it was polled first.
    async fn cycles_once(&self, writes: bool) -> Result<Vec<Plan>, OnceError> {
        let mut follower = self.follower();
        let mut current = self.begin_with(&mut follower).await?;
        let mut round = 1;
        loop {
            self.cycle_once(&current, writes).await;
            let plans = self.plans();
            if round == ROUNDS_MAX || !plans.iter().any(Plan::awaits_git) {
                return Ok(plans);
            }
            current = self.begin_with(&mut follower).await?;
            round += 1;
        }
    }

    /// A follower without a current revision.
    pub(crate) fn follower(&self) -> Follower {
        let options = &self.context.options;
        Follower::new(self.source.clone(), options.revision.clone(), options.verifier.clone())
    }

    /// Polls git once.
    pub(crate) async fn begin(&self) -> Result<Arc<DesiredState>, OnceError> {
        self.begin_with(&mut self.follower()).await
    }

    async fn begin_with(&self, follower: &mut Follower) -> Result<Arc<DesiredState>, OnceError> {
        self.refresh(follower).await;
        let pinned = self.context.options.revision.is_some() && follower.current().is_some();
        if let Some(error) = follower.failure().filter(|_| !pinned) {
            // The daemon continues with what it has; the caller of a command must not get an outdated answer.
            return Err(OnceError::Source(error.clone()));
        }
        let current = follower.current().filter(|current| Some(&current.revision) == follower.seen());
        let current = current.cloned().ok_or(OnceError::Rejected)?;
        let options = &self.context.options;
        // Where there are other environments, this one is only reported (`revision.unverified`), unless it was selected by name.
        let is_wanted = |name: &EnvironmentName| {
            let is_alone = !current.environments.keys().any(|other| options.selects_environment(other));
            options.environments.contains(name) || (is_alone && options.selects_environment(name))
        };
        let nothing_verified =
            current.held_back.iter().find(|(name, held_back)| held_back.revision.is_none() && is_wanted(name));
        if let Some((environment, held_back)) = nothing_verified {
            let (environment, Unverified { commit, message, cure }) =
                (environment.clone(), held_back.unverified.clone());
            return Err(OnceError::Unverified { environment, commit, message, cure });
        }
        let unknown: Vec<_> =
            options.environments.iter().filter(|name| !current.environments.contains_key(name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(OnceError::UnknownEnvironments(unknown));
        }
        let known: BTreeSet<&ApplicationName> = current.applications.keys().map(|(_, name)| name).collect();
        let unknown: Vec<_> = options.applications.iter().filter(|name| !known.contains(name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(OnceError::UnknownApplications(unknown));
        }
        Ok(current)
    }

    pub(crate) fn loops(&self, current: &DesiredState) -> impl Iterator<Item = EnvironmentLoop> {
        self.environments(current).map(|name| EnvironmentLoop::new(self.context.clone(), name))
    }

    async fn cycle_once(&self, current: &DesiredState, writes: bool) {
        let once = |mut environment: EnvironmentLoop| async move {
            environment.cycle(current, &Scope::All, writes).await;
            environment.read_all().await;
            environment.drain().await;
        };
        join_all(self.loops(current).map(once)).await;
    }

    /// The plans of the selected applications, with those that git no longer has and that still have resources, in the order
    /// of their names.
    fn plans(&self) -> Vec<Plan> {
        let status = self.status();
        let selected =
            status.applications.iter().filter(|((_, name), _)| self.context.options.selects_application(name));
        selected.map(|(_, status)| status.plan.clone()).collect()
    }
}

impl EnvironmentLoop {
    /// Cycles until another cycle cannot help. Returns whether the deadline passed before that.
    async fn run_until_settled(mut self, current: &DesiredState, deadline: Instant) -> bool {
        let context = self.context.clone();
        let mut scope = Scope::All;
        loop {
            tokio::select! {
                biased;
                () = context.shutdown.requested() => {
                    context.clouds.stop_writing();
                    break;
                }
                () = self.cycle(current, &scope, !context.options.report_only) => {}
            }
            scope = loop {
                let hopeful =
                    |state: &&ApplicationState| !state.is_refused() && !state.is_unreadable() && !state.awaits_git();
                let next = self.applications.values().filter(hopeful).filter_map(|state| state.observe_at).min();
                if next.is_none() && self.passes.is_empty() && self.reads.is_empty() {
                    return false;
                }
                tokio::select! {
                    biased;
                    () = context.shutdown.requested() => {
                        context.clouds.stop_writing();
                        self.drain().await;
                        return false;
                    }
                    Some(ended) = self.passes.join_next(), if !self.passes.is_empty() => self.ended(ended),
                    Some(read) = self.reads.join_next(), if !self.reads.is_empty() => self.read(read),
                    () = sleep_until(deadline) => {
                        self.drain().await;
                        return true;
                    }
                    () = sleep_until(next.unwrap_or(deadline)) => break self.due_before_full(),
                }
            };
        }
        self.drain().await;
        false
    }
}

fn list<T: std::fmt::Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
