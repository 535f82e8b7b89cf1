//! Whether a commit may be applied: who signed it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use trueup_core::names::{EnvironmentName, Revision};

use crate::SourceError;

/// Judges commits by their signatures, as the daemon's own configuration demands it.
#[async_trait]
pub trait Verifier: Debug + Send + Sync {
    /// Whether commits must be signed before they are applied in this environment.
    fn demands(&self, environment: &EnvironmentName) -> bool;

    /// The environments that the configuration names, whether the repository has them or not.
    fn named(&self) -> BTreeSet<EnvironmentName>;

    /// Whether `revision` may be applied, by the rule for an environment. `verified` is the commit that was verified there last,
    /// by this process: where a rule is about every commit, those that it has are not looked at again.
    ///
    /// # Errors
    /// When it may not, or when nobody knows.
    async fn verify(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
        verified: Option<&Revision>,
    ) -> Result<(), NotVerified>;

    /// The newest commit before `revision` that may be applied, for a process that begins with one that may not: by first parents,
    /// and never one before what is remembered. `None` where there is none within a bounded number of commits.
    ///
    /// # Errors
    /// When nobody knows.
    async fn last_verified(&self, rule: &EnvironmentName, revision: &Revision)
    -> Result<Option<Revision>, SourceError>;

    /// Remembers a commit as the one that the next is judged by, for processes after this one. That it cannot be remembered holds
    /// nothing up.
    async fn remember(&self, rule: &EnvironmentName, revision: &Revision);
}

/// Why a commit is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotVerified {
    /// It, or one that came with it, is not signed as it must be.
    Refused(Unverified),
    /// The repository cannot be read.
    Unknown(SourceError),
}

/// A commit that is not signed as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The commit: the head, or one before it where every commit must be signed.
    pub commit: Revision,
    /// Why, in one line.
    pub message: String,
    /// What ends it, in one line.
    pub cure: String,
}
