//! Least privilege: the IAM policy that a desired state needs, and every AWS action that trueup uses.
//!
//! Pure: from a loaded tree to a policy as a value. Whoever adds a call to AWS adds it to [`ACTIONS`] first; nothing else
//! may be called.

mod actions;
mod needs;
mod policy;
#[cfg(test)]
mod tests;

pub use self::actions::{ACTIONS, Access, Action, Grant, is_known};
pub use self::policy::{Policy, Statement, policy};
use crate::names::{EnvironmentName, InstanceName};

/// Which policy is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The environments whose roles it is for. Empty: for the daemon's own role, which acts in every environment that
    /// names no `role` and assumes those that are named.
    pub environments: Vec<EnvironmentName>,
    /// The installation; what it makes carries its name in the tag `trueup:instance`.
    pub instance: InstanceName,
    /// For `trueup plan`, `status` and `why`, and `trueup run --report-only`: nothing may be changed.
    pub read_only: bool,
}
