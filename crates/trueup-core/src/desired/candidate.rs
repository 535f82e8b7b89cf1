//! Applications that were built from their files, before they are checked against one another.

use std::collections::BTreeMap;

use super::application::Application;
use super::ownership::OwnershipClaim;
use crate::document::Problem;
use crate::names::{ApplicationName, EnvironmentName};

/// An application in one environment.
pub(super) type CandidateKey = (EnvironmentName, ApplicationName);

/// All applications in all environments.
pub(super) type Candidates = BTreeMap<CandidateKey, Candidate>;

/// An application in one environment, with the problems found so far.
pub(super) struct Candidate {
    /// The application, as far as it could be built.
    pub built: Option<BuiltApplication>,
    /// The problems of the application's files.
    pub problems: Vec<Problem>,
}

/// An application that was built from its own files alone.
pub(super) struct BuiltApplication {
    /// The application.
    pub application: Application,
    /// The resources that it declares in AWS.
    pub claims: Vec<OwnershipClaim>,
    /// For each entry of `allow_plaintext`: the problem to report when it is not needed, and whether it is needed.
    pub allowances: Vec<(Problem, bool)>,
    /// The applications that it depends on, each with the problem to report when it does not exist.
    pub dependencies: BTreeMap<ApplicationName, Problem>,
}
