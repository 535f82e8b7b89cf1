//! Which environments may follow a commit: where commits must be signed, an unsigned one changes nothing.
//!
//! No part of an unverified commit has an effect on such an environment: not its account and region, not its policy, not its
//! set of applications. The last verified commit stays current there, while other environments follow the branch.
//!
//! An author who may write `trueup.toml` may declare another environment on the same account, or move one there that has
//! another rule, or none. So a rule applies to the account that its environment has by verified commits: every environment that
//! is in that account, or enters it, is subject to the rule as well. The accounts in an unverified commit are ignored; and a
//! rule whose account no verified commit names applies to every environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trueup_core::names::{EnvironmentName, Revision};
use trueup_ports::{NotVerified, SourceError, Unverified, Verifier};

use crate::desired_state::DesiredState;

/// How many verified commits are tried, newest first, for one that may stay current: a commit may be rejected as a
/// whole.
const BACK_MAX: usize = 16;

/// Keeps environments at verified commits, for the lifetime of the process.
pub(crate) struct Verified {
    verifier: Option<Arc<dyn Verifier>>,
    /// The last verified commit, by the environment whose rule verified it.
    last: BTreeMap<EnvironmentName, Revision>,
    /// Environments that the configuration names and no commit has, and that were logged.
    missing: BTreeSet<EnvironmentName>,
}

/// An environment in which a commit is not verified, and what replaces it there.
pub(crate) struct Refused {
    pub environment: EnvironmentName,
    pub unverified: Unverified,
    /// The desired state that stays current: the previous one, or else the one at the newest verified commit.
    pub older: Option<Arc<DesiredState>>,
}

/// A commit that may become current, and the desired state before it.
pub(crate) struct Candidate<'a> {
    pub before: Option<&'a Arc<DesiredState>>,
    pub next: &'a DesiredState,
    /// Whether a later process may start with the commits verified now.
    pub is_remembered: bool,
}

impl Candidate<'_> {
    /// The current desired state, if it has the environment.
    fn before(&self, environment: &EnvironmentName) -> Option<Arc<DesiredState>> {
        self.before.filter(|before| before.environments.contains_key(environment)).cloned()
    }

    /// The environments of the candidate and of the current desired state.
    fn environments(&self) -> BTreeSet<EnvironmentName> {
        let before = self.before.into_iter().flat_map(|before| before.environments.keys());
        before.chain(self.next.environments.keys()).cloned().collect()
    }
}

/// The account that an environment has by a commit.
fn account<'a>(state: &'a DesiredState, environment: &EnvironmentName) -> Option<&'a str> {
    state.environments.get(environment).map(|environment| environment.account.as_str())
}

/// The result of a rule for a commit.
struct Ruling {
    refused: Option<Unverified>,
    /// The accounts to which the rule applies, by verified commits.
    accounts: BTreeSet<String>,
}

/// Loads the desired state at an older commit; `None` where it is rejected as a whole.
pub(crate) trait Older {
    async fn older(&self, revision: &Revision) -> Result<Option<Arc<DesiredState>>, SourceError>;
}

impl Verified {
    pub fn new(verifier: Option<Arc<dyn Verifier>>) -> Self {
        Self { verifier, last: BTreeMap::new(), missing: BTreeSet::new() }
    }

    /// The environments that may not follow a commit.
    ///
    /// # Errors
    /// When the repository cannot be read, so that the answer is unknown.
    pub async fn refused(
        &mut self,
        candidate: &Candidate<'_>,
        history: &impl Older,
    ) -> Result<Vec<Refused>, SourceError> {
        let Some(verifier) = self.verifier.clone() else { return Ok(Vec::new()) };
        let mut names = candidate.environments();
        names.extend(verifier.named());
        let mut rulings: BTreeMap<EnvironmentName, Ruling> = BTreeMap::new();
        while let Some(rule) = names.iter().find(|name| verifier.demands(name) && !rulings.contains_key(*name)).cloned()
        {
            let ruling = self.ruling(&*verifier, &rule, candidate, history, &mut names).await?;
            rulings.insert(rule, ruling);
        }
        let mut refused = Vec::new();
        for environment in names {
            let rules = rules_of(&environment, verifier.demands(&environment), candidate, &rulings);
            let refusal = rules.iter().find_map(|rule| Some((rule, rulings[rule].refused.clone()?)));
            let Some((rule, unverified)) = refusal else { continue };
            let older = match candidate.before(&environment) {
                Some(before) => Some(before),
                None => self.back(&*verifier, rule, &rules, candidate, history).await?,
            };
            let has = |state: &DesiredState| state.environments.contains_key(&environment);
            if has(candidate.next) || older.as_deref().is_some_and(has) {
                refused.push(Refused { environment, unverified, older });
            }
        }
        Ok(refused)
    }

    /// The result of a rule for the candidate, and the rule's accounts. Falling back to an older commit adds its
    /// environments to `names`.
    async fn ruling(
        &mut self,
        verifier: &dyn Verifier,
        rule: &EnvironmentName,
        candidate: &Candidate<'_>,
        history: &impl Older,
        names: &mut BTreeSet<EnvironmentName>,
    ) -> Result<Ruling, SourceError> {
        let head = &candidate.next.revision;
        let refused = match verifier.verify(rule, head, self.last.get(rule)).await {
            Ok(()) => None,
            Err(NotVerified::Unknown(error)) => return Err(error),
            Err(NotVerified::Refused(unverified)) => Some(unverified),
        };
        let before = candidate.before(rule);
        let mut known: Vec<&DesiredState> = before.iter().map(|before| &**before).collect();
        let mut older = None;
        if refused.is_none() {
            self.is_verified(verifier, rule, head, candidate).await;
            known.push(candidate.next);
        } else if before.is_none() {
            older = self.back(verifier, rule, &BTreeSet::from([rule.clone()]), candidate, history).await?;
            names.extend(older.iter().flat_map(|older| older.environments.keys().cloned()));
        }
        known.extend(older.as_deref());
        let accounts = known.into_iter().filter_map(|state| account(state, rule)).map(str::to_owned).collect();
        if !candidate.next.environments.contains_key(rule) && before.is_none() && older.is_none() {
            self.is_missing(rule);
        }
        Ok(Ruling { refused, accounts })
    }

    /// The desired state at the newest commit that all of `rules` accept; `rule`, one of them, refuses the candidate.
    async fn back(
        &mut self,
        verifier: &dyn Verifier,
        rule: &EnvironmentName,
        rules: &BTreeSet<EnvironmentName>,
        candidate: &Candidate<'_>,
        history: &impl Older,
    ) -> Result<Option<Arc<DesiredState>>, SourceError> {
        let mut from = candidate.next.revision.clone();
        'back: for _ in 0..BACK_MAX {
            let Some(instead) = verifier.last_verified(rule, &from).await? else { return Ok(None) };
            from = instead;
            for other in rules.iter().filter(|other| *other != rule) {
                match verifier.verify(other, &from, None).await {
                    Ok(()) => {}
                    Err(NotVerified::Refused(_)) => continue 'back,
                    Err(NotVerified::Unknown(error)) => return Err(error),
                }
            }
            if let Some(older) = history.older(&from).await? {
                self.is_verified(verifier, rule, &from, candidate).await;
                return Ok(Some(older));
            }
        }
        Ok(None)
    }

    /// Records a commit as the one against which a rule checks from here on.
    async fn is_verified(
        &mut self,
        verifier: &dyn Verifier,
        rule: &EnvironmentName,
        revision: &Revision,
        candidate: &Candidate<'_>,
    ) {
        self.last.insert(rule.clone(), revision.clone());
        if candidate.is_remembered {
            verifier.remember(rule, revision).await;
        }
    }

    /// Logs, once, that the configuration names an environment that no commit has: it may be misspelt.
    fn is_missing(&mut self, environment: &EnvironmentName) {
        if self.missing.insert(environment.clone()) {
            tracing::warn!(
                %environment,
                "The daemon's configuration demands verified commits for an environment that does not exist."
            );
        }
    }
}

/// The rules that apply to an environment: its own, those about an account that it is or was in, and those that refuse the
/// commit and whose account is unknown.
fn rules_of(
    environment: &EnvironmentName,
    has_own: bool,
    candidate: &Candidate<'_>,
    rulings: &BTreeMap<EnvironmentName, Ruling>,
) -> BTreeSet<EnvironmentName> {
    let before = candidate.before.map(|before| &**before);
    let accounts: BTreeSet<&str> =
        before.into_iter().chain([candidate.next]).filter_map(|state| account(state, environment)).collect();
    let is_ours = |rule: &EnvironmentName, ruling: &Ruling| {
        let is_own = has_own && rule == environment;
        let is_about_account = accounts.iter().any(|account| ruling.accounts.contains(*account));
        is_own || is_about_account || (ruling.refused.is_some() && ruling.accounts.is_empty())
    };
    rulings.iter().filter(|(rule, ruling)| is_ours(rule, ruling)).map(|(rule, _)| rule.clone()).collect()
}
