//! Whether a commit may be applied, by its signature.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use trueup_core::names::{EnvironmentName, Revision};

use crate::SourceError;

/// Checks the signatures of commits, as the daemon's configuration demands.
#[async_trait]
pub trait Verifier: Debug + Send + Sync {
    /// Whether this environment demands signed commits.
    fn demands(&self, environment: &EnvironmentName) -> bool;

    /// The environments that the configuration names, whether the repository has them or not.
    fn named(&self) -> BTreeSet<EnvironmentName>;

    /// Checks whether `revision` may be applied, by the rule for an environment. `verified` is the commit that this process
    /// verified there last: where a rule is about every commit, its ancestors are not checked again.
    ///
    /// # Errors
    /// When it may not, or when that is unknown.
    async fn verify(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
        verified: Option<&Revision>,
    ) -> Result<(), NotVerified>;

    /// The newest commit before `revision` that may be applied, for a process that starts with one that may not: along first
    /// parents, and never before the stored one. `None` when there is none within a limited number of commits.
    ///
    /// # Errors
    /// When that is unknown.
    async fn last_verified(&self, rule: &EnvironmentName, revision: &Revision)
    -> Result<Option<Revision>, SourceError>;

    /// Stores a commit as the one against which the next is checked, for later processes. A failure to store it is not an
    /// error.
    async fn remember(&self, rule: &EnvironmentName, revision: &Revision);
}

/// The reason why a commit is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotVerified {
    /// It, or a commit that came with it, is not signed as demanded.
    Refused(Unverified),
    /// The repository cannot be read.
    Unknown(SourceError),
}

/// A commit that is not signed as demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The commit: the head, or one before it where every commit must be signed.
    pub commit: Revision,
    /// The reason, in one line.
    pub message: String,
    /// The remedy, in one line.
    pub cure: String,
}
