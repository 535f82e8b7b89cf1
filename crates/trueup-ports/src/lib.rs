//! The ports of trueup: the traits through which the loop reaches AWS, git and the clock.
//!
//! The adapters (`trueup-aws`, `trueup-git`) implement these traits and the engine sees nothing else of them.

mod meter;
mod metrics;
mod notebook;
mod observe_request;
mod verifier;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use trueup_core::desired::{Environment, FileTree, Lookup};
use trueup_core::diagnosis::Evidence;
use trueup_core::live::{FailureKind, Live, Observed, ReadFailure};
use trueup_core::names::{ApplicationName, Arn, Revision, ServiceId};
use trueup_core::plan::{Call, Operation, Resource};
use trueup_core::resources::service::RunningTasks;

pub use self::meter::{CallOutcome, GitOutcome, Measurement, Meter, Unmetered};
pub use self::metrics::{Datum, Metrics, Sample, Unit};
pub use self::notebook::Notebook;
pub use self::observe_request::ObserveRequest;
pub use self::verifier::{NotVerified, Unverified, Verifier};

/// Time. The simulation controls it, so only an implementation of this trait asks the system.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The order in which calls that wait for AWS's rates are sent: the earlier variant first, and calls of one priority in the
/// order in which they were requested. An adapter keeps a share of every bucket for the others, so none is starved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Reads before a write or after one: which account answers, and what came of a call whose answer was lost.
    Safety,
    /// Running rollouts: their progress, and the evidence of why they fail, which AWS keeps for an hour only.
    Rollout,
    /// A new desired state: resolving its references, and the calls that apply it.
    Deploy,
    /// Everything else: steady observation, inventories, sweeps, attribution, deletions.
    #[default]
    Rest,
}

impl Priority {
    /// The priority of a mutating call: deletions wait for creations and updates.
    pub fn of(operation: Operation) -> Self {
        let deletes =
            matches!(operation, Operation::DeleteService | Operation::DeleteTargetGroup | Operation::DeleteRule);
        if deletes { Self::Rest } else { Self::Deploy }
    }
}

/// AWS, in one environment: one account, one region, one set of credentials.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The account of the credentials.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    async fn account(&self) -> Result<String, ReadFailure>;

    /// Observes what the request names. Never fails as a whole: a part that could not be read is `Unknown`.
    async fn observe(&self, request: &ObserveRequest) -> Live;

    /// Resolves references to things outside the repository. Every lookup is in the answer.
    async fn resolve(&self, lookups: &BTreeSet<Lookup>) -> BTreeMap<Lookup, Observed<String>>;

    /// Who changed a resource last (`alice at 2026-01-01T00:00:00Z by UpdateService`), as far as AWS's records show:
    /// they are minutes late and incomplete. For reports only; nothing waits for it.
    async fn last_change(&self, resource: &Resource) -> Observed<String>;

    /// Reads the evidence of why a deployment does not make progress: its tasks, target health, events and reasons. Never
    /// fails as a whole: a part that could not be read is `Unknown`. About ten calls, so not for every cycle.
    async fn evidence(&self, request: &EvidenceRequest) -> Evidence;

    /// Reads the tasks that the deployment runs, and the health of the targets: two calls and one for each target group,
    /// more for more than a hundred tasks. A part that could not be read is `Unknown`. For reports only.
    async fn running_tasks(&self, request: &EvidenceRequest) -> RunningTasks;

    /// Executes one mutating call and returns AWS's answer as the API's own JSON.
    ///
    /// # Errors
    /// When AWS refused the call, or when it is unknown whether the call had its effect ([`CallError::effect`]).
    async fn execute(&self, call: &Call) -> Result<Answer, CallError>;
}

/// Names the deployment whose evidence is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRequest {
    /// The service.
    pub service: ServiceId,
    /// The deployment (`ecs-svc/…`): tasks that another one started are left out.
    pub deployment: String,
    /// The service's target groups.
    pub target_groups: BTreeSet<Arn>,
}

/// AWS's answer to a mutating call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer's body.
    pub output: Value,
    /// AWS's request id, for AWS support and CloudTrail.
    pub request_id: Option<String>,
}

/// A mutating call that did not succeed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{operation} {kind}: {message}")]
pub struct CallError {
    /// The call, such as `ecs:UpdateService`.
    pub operation: String,
    /// The kind of failure.
    pub kind: FailureKind,
    /// AWS's error code, such as `InvalidParameterException`.
    pub code: Option<String>,
    /// AWS's message, or the transport's.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Whether the call may have had its effect anyway.
    pub effect: Effect,
}

/// Whether a failed call had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// AWS refused it.
    None,
    /// The answer was lost: the resource must be read before anything is concluded.
    Unknown,
}

/// Connects to the [`Cloud`] of an environment: credentials, region, assumed role.
#[async_trait]
pub trait Clouds: Send + Sync {
    /// Connects. Cheap when nothing changed since the last call.
    async fn cloud(&self, environment: &Environment) -> Arc<dyn Cloud>;

    /// Stops writing, because the process ends: no mutating call is sent or repeated any more, not even one that waits for
    /// its turn. Calls that were already sent finish.
    fn stop_writing(&self);
}

/// The git repository of desired state.
#[async_trait]
pub trait Source: Send + Sync {
    /// Asks the remote for the branch's head, and fetches when it moved. Cheap when it did not.
    ///
    /// # Errors
    /// When the remote cannot be reached or what it sent is refused; the last accepted revision stays available.
    async fn poll(&self) -> Result<Head, SourceError>;

    /// The files of the desired state at `revision`, which must have been fetched before.
    ///
    /// # Errors
    /// When the tree cannot be read, or contains what is refused (symlinks, submodules, more than the limits allow).
    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError>;

    /// Whether the commit belongs to this repository: it is an ancestor of the branch's head, or once was its head.
    async fn knows(&self, revision: &Revision) -> bool;

    /// Whether `revision` is the commit `head` or an ancestor of it. False when one of them was never fetched.
    async fn contains(&self, head: &Revision, revision: &Revision) -> bool;

    /// Stores that this revision was accepted, so that a restart without the remote begins with it.
    ///
    /// # Errors
    /// When the cache cannot be written.
    async fn accept(&self, revision: &Revision) -> Result<(), SourceError>;

    /// The revision that was accepted last, by this process or an earlier one.
    async fn accepted(&self) -> Option<Revision>;
}

/// The head of the watched branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub revision: Revision,
    /// How it relates to the head of the previous poll.
    pub movement: Movement,
}

/// How a head relates to the head of the previous poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// There was no previous poll.
    First,
    /// The head is the same.
    Still,
    /// The head is a descendant of the previous one.
    Forward,
    /// The head is not a descendant: the branch was force-pushed. The new head is used, and the event says so.
    Rewritten,
}

/// The desired state at one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The commit.
    pub revision: Revision,
    /// When it was committed.
    pub committed: Timestamp,
    /// The first line of its message, control characters replaced.
    pub subject: String,
    /// Its files below `--path`.
    pub files: FileTree,
    /// For every directory with an `app.toml`: the last commit that changed a file in it, or `trueup.toml`.
    pub application_revisions: BTreeMap<ApplicationName, Revision>,
}

/// A repository that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What failed, for which repository (without credentials).
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it may clear on its own (the network), instead of needing a commit or an operator.
    pub transient: bool,
}
