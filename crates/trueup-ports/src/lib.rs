//! The ports of trueup: what the loop asks of AWS, of git and of the clock.
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
use trueup_core::plan::{Call, Operation, Resource, RunningTasks};

pub use self::meter::{CallOutcome, GitOutcome, Measurement, Meter, Unmetered};
pub use self::metrics::{Datum, Metrics, Sample, Unit};
pub use self::notebook::Notebook;
pub use self::observe_request::ObserveRequest;
pub use self::verifier::{NotVerified, Unverified, Verifier};

/// Time. Simulation owns it, so nobody else may ask the system.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Who goes first where calls wait for AWS's rates. The earlier ones go first, in the order of asking among equals; the
/// others are not starved: an adapter gives them a share of every bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Reads that come before a write or after one: whose account it is, what became of a call whose answer was lost.
    Safety,
    /// Rollouts that run: watching them, and the evidence of why they fail, which AWS keeps for an hour only.
    Rollout,
    /// What a new desired state needs: the references in it, and the calls that bring it about.
    Deploy,
    /// The rest: steady observation, inventories, sweeps, attribution, deletions.
    #[default]
    Rest,
}

impl Priority {
    /// The priority of a mutating call: taking away can wait for what brings something about.
    pub fn of(operation: Operation) -> Self {
        let deletes =
            matches!(operation, Operation::DeleteService | Operation::DeleteTargetGroup | Operation::DeleteRule);
        if deletes { Self::Rest } else { Self::Deploy }
    }
}

/// AWS, in one environment: one account, one region, one set of credentials.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The account that answers.
    ///
    /// # Errors
    /// When AWS cannot be asked.
    async fn account(&self) -> Result<String, ReadFailure>;

    /// Observes what is wanted. Never fails as a whole: what could not be read is `Unknown`, each part by itself.
    async fn observe(&self, request: &ObserveRequest) -> Live;

    /// Resolves references to things outside the repository. Every lookup asked for is in the answer.
    async fn resolve(&self, lookups: &BTreeSet<Lookup>) -> BTreeMap<Lookup, Observed<String>>;

    /// Who changed a resource last, in words (`alice at 2026-01-01T00:00:00Z by UpdateService`), as far as AWS's records
    /// tell: they come minutes late and not for everything. For reports alone; nothing waits for it.
    async fn last_change(&self, resource: &Resource) -> Observed<String>;

    /// Reads what tells why a deployment does not get on: its tasks, target health, events and reasons. Never fails as a
    /// whole: each part is there or `Unknown` by itself. Some ten calls, so not for every look.
    async fn evidence(&self, request: &EvidenceRequest) -> Evidence;

    /// Reads the tasks that the deployment runs, and the health of the targets: two calls and one for each target group,
    /// more for more than a hundred tasks. Each part is there or `Unknown` by itself. For reports alone.
    async fn running_tasks(&self, request: &EvidenceRequest) -> RunningTasks;

    /// Makes one mutating call and gives back AWS's answer in the API's own JSON spelling.
    ///
    /// # Errors
    /// When AWS refused, or when nobody knows whether the call had its effect ([`CallError::effect`]).
    async fn execute(&self, call: &Call) -> Result<Answer, CallError>;
}

/// What evidence is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRequest {
    /// The service.
    pub service: ServiceId,
    /// The deployment in question (`ecs-svc/…`): tasks that another one started are left out.
    pub deployment: String,
    /// The service's target groups.
    pub target_groups: BTreeSet<Arn>,
}

/// AWS's answer to a mutating call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer's body.
    pub output: Value,
    /// AWS's request id, for its support and for CloudTrail.
    pub request_id: Option<String>,
}

/// A mutating call that did not succeed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{operation} {kind}: {message}")]
pub struct CallError {
    /// The call, such as `ecs:UpdateService`.
    pub operation: String,
    /// What kind of failure.
    pub kind: FailureKind,
    /// AWS's error code, such as `InvalidParameterException`.
    pub code: Option<String>,
    /// AWS's own words, or the transport's.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Whether the call may have had its effect all the same.
    pub effect: Effect,
}

/// Whether a failed call had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// AWS refused it.
    None,
    /// The answer was lost: read before anything is concluded.
    Unknown,
}

/// Makes the [`Cloud`] of an environment: credentials, region, assumed role.
#[async_trait]
pub trait Clouds: Send + Sync {
    /// Connects. Cheap when nothing has changed since the last time.
    async fn cloud(&self, environment: &Environment) -> Arc<dyn Cloud>;

    /// The process stops: from here on no mutating call is sent or repeated, also none that waits for its turn. Those
    /// already sent finish.
    fn stop_writing(&self);
}

/// The git repository of desired state.
#[async_trait]
pub trait Source: Send + Sync {
    /// Asks the remote for the branch's head and fetches when it moved. Cheap when it did not.
    ///
    /// # Errors
    /// When the remote cannot be asked or what it sent is refused; the last good revision stays available.
    async fn poll(&self) -> Result<Head, SourceError>;

    /// The files of the desired state at `revision`, which must have been fetched before.
    ///
    /// # Errors
    /// When the tree cannot be read, or holds what is refused (symlinks, submodules, more than the bounds allow).
    async fn snapshot(&self, revision: &Revision) -> Result<Snapshot, SourceError>;

    /// Whether the commit is one of this repository's: an ancestor of the branch's head, or one that was its head.
    async fn knows(&self, revision: &Revision) -> bool;

    /// Whether `revision` is the commit `head` or an ancestor of it. False when one of them was never fetched.
    async fn contains(&self, head: &Revision, revision: &Revision) -> bool;

    /// Remembers across restarts that this revision was accepted, so that a restart without the remote begins there.
    ///
    /// # Errors
    /// When the cache cannot be written.
    async fn accept(&self, revision: &Revision) -> Result<(), SourceError>;

    /// The revision accepted last, also by a process before this one.
    async fn accepted(&self) -> Option<Revision>;
}

/// The head of the watched branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub revision: Revision,
    /// How it follows from the head seen before.
    pub movement: Movement,
}

/// How a head follows from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// It is the first one seen.
    First,
    /// It is the same.
    Still,
    /// It descends from the one before.
    Forward,
    /// It does not: the branch was force-pushed. It is the new truth, and worth telling.
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
    /// What happened, to which repository (without credentials).
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it may pass by itself (the network), rather than need a commit or a person.
    pub transient: bool,
}
