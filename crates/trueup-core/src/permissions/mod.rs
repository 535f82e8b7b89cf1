//! Least privilege: the IAM policy that a desired state needs, and every AWS action that trueup uses.
//!
//! Pure: from a loaded tree to a policy as a value. A call to AWS is added to [`ACTIONS`] first; no other call is
//! allowed.

mod actions;
mod needs;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::actions::{ACTIONS, Access, Action, Grant, is_known};
pub use self::policy::{Condition, IamPolicy, Statement, policy};
use crate::desired::{Application, Environment, Loaded, Lookup};
use crate::live::Observed;
use crate::names::{EnvironmentName, InstanceName};

/// The requested policy.
#[derive(Clone, Debug)]
pub struct Request {
    /// The environments whose roles it is for. Empty: for the daemon's own role, which acts in every environment that
    /// names no `role` and assumes those that are named.
    pub environments: Vec<EnvironmentName>,
    /// The installation; the resources that it creates carry its name in the tag `trueup:instance`.
    pub instance: InstanceName,
    /// For `trueup plan`, `status` and `why`, and `trueup run --report-only`: nothing may be changed.
    pub read_only: bool,
}

impl Request {
    /// The environments that the policy's role acts in.
    pub fn environments<'a>(&'a self, loaded: &'a Loaded) -> impl Iterator<Item = &'a Environment> {
        loaded.environments.iter().filter(|environment| match self.environments.as_slice() {
            [] => environment.role.is_none(),
            names => names.contains(&environment.name),
        })
    }
}

/// AWS's answers to references of documents, by environment; a reference without an answer becomes a pattern.
pub type Answers = BTreeMap<EnvironmentName, BTreeMap<Lookup, Observed<String>>>;

/// The references of an environment whose answers narrow a policy: those to stacks, because stack outputs can name
/// roles and listeners. For load balancers that documents name, the name is a better pattern than today's ARN.
pub fn lookups(loaded: &Loaded, environment: &EnvironmentName) -> BTreeSet<Lookup> {
    let applications = loaded.applications.iter().filter(|((of, _), _)| of == environment);
    let lookups = applications.filter_map(|(_, application)| application.as_ref().ok()).flat_map(Application::lookups);
    lookups.filter(|lookup| matches!(lookup, Lookup::StackResource { .. } | Lookup::StackOutput { .. })).collect()
}
