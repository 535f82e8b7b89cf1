//! Which environments may follow a commit: where commits must be signed, one that is not changes nothing.
//!
//! Nothing of an unverified commit has an effect on such an environment: not its account and region, not its policy, not which
//! applications there are. What was verified last stays in force there, while other environments follow the branch.
//!
//! Who may write `trueup.toml` may declare another environment on the same account. So environments of an account are verified
//! by the rule of the one among them that has one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::plan::{Held, Hold};
use trueup_ports::{NotVerified, SourceError, Unverified, Verifier};

use crate::follower::InForce;

/// An environment that is behind the branch because a commit is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The commit that is in force there; `None` where nothing is.
    pub revision: Option<Revision>,
    /// Why it is behind.
    pub unverified: Unverified,
}

impl HeldBack {
    /// What every application of the environment is held by.
    pub fn held(&self) -> Held {
        let Unverified { commit, message, .. } = self.unverified.clone();
        Held { resource: None, changes: Vec::new(), reason: Hold::Unverified { commit, detail: message } }
    }
}

/// Holds environments back, as long as the process lives.
pub(crate) struct Verified {
    verifier: Option<Arc<dyn Verifier>>,
    /// The commit that was verified last, by environment.
    last: BTreeMap<EnvironmentName, Revision>,
}

/// An environment of a commit that is not verified there, and what to put in its place.
pub(crate) struct Refused {
    pub environment: EnvironmentName,
    pub unverified: Unverified,
    /// The newest commit before it that is verified, where nothing is in force yet.
    pub instead: Option<Revision>,
}

impl Verified {
    pub fn new(verifier: Option<Arc<dyn Verifier>>) -> Self {
        Self { verifier, last: BTreeMap::new() }
    }

    /// The environments that may not follow `next`, where `before` is in force.
    ///
    /// # Errors
    /// When the repository cannot be read: then nobody knows.
    pub async fn refused(&mut self, before: Option<&InForce>, next: &InForce) -> Result<Vec<Refused>, SourceError> {
        let Some(verifier) = self.verifier.clone() else { return Ok(Vec::new()) };
        let in_any = |in_force: &InForce| in_force.environments.keys().cloned().collect::<BTreeSet<_>>();
        let names: BTreeSet<EnvironmentName> =
            before.iter().flat_map(|before| in_any(before)).chain(in_any(next)).collect();
        let (ruled, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| verifier.demands(name));
        let mut refused = Vec::new();
        for name in &ruled {
            refused.extend(self.judge(&*verifier, name, name, before, next).await?);
        }
        for name in others {
            let rule = ruled.iter().find(|rule| shares_account(rule, &name, before, next));
            if let Some(rule) = rule {
                refused.extend(self.judge(&*verifier, rule, &name, before, next).await?);
            }
        }
        Ok(refused)
    }

    async fn judge(
        &mut self,
        verifier: &dyn Verifier,
        rule: &EnvironmentName,
        environment: &EnvironmentName,
        before: Option<&InForce>,
        next: &InForce,
    ) -> Result<Option<Refused>, SourceError> {
        let unverified = match verifier.verify(rule, &next.revision, self.last.get(environment)).await {
            Ok(()) => {
                self.last.insert(environment.clone(), next.revision.clone());
                return Ok(None);
            }
            Err(NotVerified::Unknown(error)) => return Err(error),
            Err(NotVerified::Refused(unverified)) => unverified,
        };
        let is_in_force = before.is_some_and(|before| before.environments.contains_key(environment));
        let instead = if is_in_force { None } else { verifier.last_verified(rule, &next.revision).await? };
        if let Some(instead) = &instead {
            self.last.insert(environment.clone(), instead.clone());
        }
        Ok(Some(Refused { environment: environment.clone(), unverified, instead }))
    }
}

/// Whether two environments are, or were, in one account.
fn shares_account(rule: &EnvironmentName, other: &EnvironmentName, before: Option<&InForce>, next: &InForce) -> bool {
    let accounts = |name: &EnvironmentName| -> BTreeSet<&str> {
        let known = before.into_iter().chain([next]);
        known.filter_map(|in_force| in_force.environments.get(name)).map(|env| env.account.as_str()).collect()
    };
    !accounts(rule).is_disjoint(&accounts(other))
}
