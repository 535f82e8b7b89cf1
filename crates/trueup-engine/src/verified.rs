//! Which environments may follow a commit: where commits must be signed, one that is not changes nothing.
//!
//! Nothing of an unverified commit has an effect on such an environment: not its account and region, not its policy, not which
//! applications there are. What was verified last stays in force there, while other environments follow the branch.
//!
//! Who may write `trueup.toml` may declare another environment on the same account, or call one otherwise. So environments of an
//! account are verified by the rule of the one among them that has one, also where only the commit that is gone back to has that
//! one; and where no commit tells whose account a rule is about, it is everybody's.

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
    /// Environments that the configuration names and no commit has, as far as that was told.
    missing: BTreeSet<EnvironmentName>,
}

/// An environment of a commit that is not verified there, and what to put in its place.
pub(crate) struct Refused {
    pub environment: EnvironmentName,
    pub unverified: Unverified,
    /// What stays in force: that of before, or where there was nothing that of the newest commit that is verified.
    pub older: Option<Arc<InForce>>,
}

/// A commit that may come into force, and what was before it.
pub(crate) struct Candidate<'a> {
    pub before: Option<&'a Arc<InForce>>,
    pub next: &'a InForce,
}

impl Candidate<'_> {
    /// The environments that there are, or were.
    fn environments(&self) -> BTreeSet<&EnvironmentName> {
        self.before
            .into_iter()
            .map(|before| &**before)
            .chain([self.next])
            .flat_map(|it| it.environments.keys())
            .collect()
    }

    /// The accounts that an environment is in, was in, or goes back to.
    fn accounts<'a>(&'a self, name: &EnvironmentName, older: Option<&'a InForce>) -> BTreeSet<&'a str> {
        let known = self.before.into_iter().map(|before| &**before).chain([self.next]).chain(older);
        known.filter_map(|in_force| in_force.environments.get(name)).map(|env| env.account.as_str()).collect()
    }
}

/// Loads what an older commit has; nothing where it is wrong as a whole.
pub(crate) trait Older {
    async fn older(&self, revision: &Revision) -> Result<Option<Arc<InForce>>, SourceError>;
}

impl Verified {
    pub fn new(verifier: Option<Arc<dyn Verifier>>) -> Self {
        Self { verifier, last: BTreeMap::new(), missing: BTreeSet::new() }
    }

    /// The environments that may not follow a commit.
    ///
    /// # Errors
    /// When the repository cannot be read: then nobody knows.
    pub async fn refused(
        &mut self,
        candidate: &Candidate<'_>,
        history: &impl Older,
    ) -> Result<Vec<Refused>, SourceError> {
        let Some(verifier) = self.verifier.clone() else { return Ok(Vec::new()) };
        let mut names: BTreeSet<EnvironmentName> = candidate.environments().into_iter().cloned().collect();
        names.extend(verifier.named());
        let mut refused: BTreeMap<EnvironmentName, Refused> = BTreeMap::new();
        let mut judged: BTreeSet<EnvironmentName> = BTreeSet::new();
        // Each account by the environment whose rule is about it.
        let mut accounts: BTreeMap<String, EnvironmentName> = BTreeMap::new();
        // A rule by which a commit is refused, and of which nobody knows whose account it is about.
        let mut adrift: Option<EnvironmentName> = None;
        while let Some(name) = names.iter().find(|name| verifier.demands(name) && !judged.contains(*name)).cloned() {
            judged.insert(name.clone());
            let refusal = self.judge(&*verifier, &name, &name, candidate, history).await?;
            let older = refusal.as_ref().and_then(|refusal| refusal.older.as_deref());
            // A process that has only just begun knows of more environments by what it goes back to.
            names.extend(older.into_iter().flat_map(|older| older.environments.keys().cloned()));
            let ours = candidate.accounts(&name, older);
            if ours.is_empty() {
                self.is_missing(&name);
                adrift = adrift.or_else(|| refusal.as_ref().map(|_| name.clone()));
                continue;
            }
            for account in ours {
                accounts.entry(account.to_owned()).or_insert_with(|| name.clone());
            }
            refused.extend(refusal.map(|refusal| (name, refusal)));
        }
        for name in names.into_iter().filter(|name| !verifier.demands(name)) {
            let older = refused.values().filter_map(|refused| refused.older.as_deref());
            let older = older.clone().find(|older| older.environments.contains_key(&name));
            let rule = candidate.accounts(&name, older).into_iter().find_map(|account| accounts.get(account)).cloned();
            let Some(rule) = rule.or_else(|| adrift.clone()) else { continue };
            let refusal = self.judge(&*verifier, &rule, &name, candidate, history).await?;
            refused.extend(refusal.map(|refusal| (name, refusal)));
        }
        Ok(refused.into_values().collect())
    }

    async fn judge(
        &mut self,
        verifier: &dyn Verifier,
        rule: &EnvironmentName,
        environment: &EnvironmentName,
        candidate: &Candidate<'_>,
        history: &impl Older,
    ) -> Result<Option<Refused>, SourceError> {
        let head = &candidate.next.revision;
        let unverified = match verifier.verify(rule, head, self.last.get(environment)).await {
            Ok(()) => {
                self.last.insert(environment.clone(), head.clone());
                return Ok(None);
            }
            Err(NotVerified::Unknown(error)) => return Err(error),
            Err(NotVerified::Refused(unverified)) => unverified,
        };
        let mut older = candidate.before.filter(|before| before.environments.contains_key(environment)).cloned();
        if older.is_none()
            && let Some(instead) = verifier.last_verified(rule, head).await?
        {
            older = history.older(&instead).await?;
            self.last.insert(environment.clone(), instead);
        }
        Ok(Some(Refused { environment: environment.clone(), unverified, older }))
    }

    /// Tells, once, that the configuration names an environment which no commit has: it may be misspelt.
    fn is_missing(&mut self, environment: &EnvironmentName) {
        if self.missing.insert(environment.clone()) {
            tracing::warn!(%environment, "The daemon's configuration wants commits verified for an environment that is not there.");
        }
    }
}
