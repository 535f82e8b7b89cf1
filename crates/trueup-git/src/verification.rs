//! Which commits may be applied: the port [`Verifier`], by the signatures of the commits in the cache.
//!
//! A rule is about the head alone, or about every commit since one that is trusted. Trusted are the commit that was verified
//! last (also by a process before this one, as far as the cache remembers it) and the one that the operator names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use git2::{Oid, Sort};
use trueup_core::names::{EnvironmentName, Revision};
use trueup_ports::{NotVerified, SourceError, Unverified, Verifier};
use trueup_verify::AllowedSigners;

use crate::cache;
use crate::fault::{Fault, lasting};
use crate::repository::{Repository, revision};

/// So many commits are verified for one answer at most: some seconds. More come together only where nothing was verified
/// before, and then the operator can name a newer commit to begin with.
const COMMITS_MAX: usize = 10_000;

/// How many commits before an unverified head are checked, by first parents, for one that may stay current.
const LOOK_BACK_MAX: usize = 1_000;

/// What commits must be like in an environment.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which commits are checked.
    pub commits: Commits,
    /// Who may sign them.
    pub signers: AllowedSigners,
}

/// Which commits must be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commits {
    /// The one that is applied.
    Head,
    /// It and every commit that came with it since one that is trusted: the one that was verified last, and `since`. Where there
    /// is neither, it alone.
    Every {
        /// A commit that is trusted with all before it.
        since: Option<Revision>,
    },
}

/// Rules by environment.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Environments with a rule of their own.
    pub environments: BTreeMap<EnvironmentName, Rule>,
    /// The rule of all others.
    pub others: Option<Rule>,
}

impl Rules {
    fn of(&self, environment: &EnvironmentName) -> Option<&Rule> {
        self.environments.get(environment).or(self.others.as_ref())
    }
}

/// Verifies the commits of a repository against rules.
#[derive(Clone, Debug)]
pub struct Verification {
    repository: Repository,
    rules: Arc<Rules>,
}

impl Verification {
    /// The rules for a repository.
    pub fn new(repository: Repository, rules: Rules) -> Self {
        Self { repository, rules: Arc::new(rules) }
    }

    /// Queries the store by the rule of an environment; `None` for an environment without a rule.
    async fn look<T: Send + 'static>(
        &self,
        environment: &EnvironmentName,
        verified: Option<&Revision>,
        look: impl FnOnce(&Look<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Option<T>, SourceError> {
        let (rules, environment, verified) = (Arc::clone(&self.rules), environment.clone(), verified.cloned());
        let look = self.repository.read(move |store| {
            let Some(rule) = rules.of(&environment) else { return Ok(None) };
            let trusted = Trusted::of(store, rule, &environment, verified.as_ref())?;
            look(&Look { store, rule, trusted }).map(Some)
        });
        look.await
    }
}

#[async_trait]
impl Verifier for Verification {
    fn demands(&self, environment: &EnvironmentName) -> bool {
        self.rules.of(environment).is_some()
    }

    fn named(&self) -> BTreeSet<EnvironmentName> {
        self.rules.environments.keys().cloned().collect()
    }

    async fn verify(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
        verified: Option<&Revision>,
    ) -> Result<(), NotVerified> {
        let head = commit(revision).map_err(NotVerified::Unknown)?;
        let verdict = self.look(rule, verified, move |look| look.at(head)).await.map_err(NotVerified::Unknown)?;
        match verdict {
            Some(Err(unverified)) => Err(NotVerified::Refused(unverified)),
            Some(Ok(())) | None => Ok(()),
        }
    }

    async fn last_verified(
        &self,
        rule: &EnvironmentName,
        revision: &Revision,
    ) -> Result<Option<Revision>, SourceError> {
        let head = commit(revision)?;
        Ok(self.look(rule, None, move |look| look.before(head)).await?.flatten())
    }

    async fn remember(&self, rule: &EnvironmentName, revision: &Revision) {
        if let Err(error) = self.repository.remember_verified(rule, revision).await {
            tracing::warn!(environment = %rule, %error, "The last verified commit could not be recorded; after a restart it is unknown.");
        }
    }
}

/// The commits that are trusted with all before them.
#[derive(Default)]
struct Trusted {
    /// The one that was verified last. Where its signer was struck off since, the newest before it, by first parents, that is still
    /// signed by somebody who may.
    verified: Option<Oid>,
    /// Something was verified, and nothing of it counts any more: so nothing is trusted, back to the root.
    nothing_left: bool,
    /// The one that the operator names; it need not be signed itself.
    since: Option<Oid>,
    /// What the operator names, where the store does not have it.
    absent: Option<Revision>,
}

impl Trusted {
    fn of(
        store: &git2::Repository,
        rule: &Rule,
        environment: &EnvironmentName,
        verified: Option<&Revision>,
    ) -> Result<Self, Fault> {
        let mut trusted = Self::default();
        let is_here = |id: &Oid| store.find_commit(*id).is_ok();
        if let Commits::Every { since: Some(named) } = &rule.commits {
            match commit(named).ok().filter(is_here) {
                Some(id) => trusted.since = Some(id),
                None => trusted.absent = Some(named.clone()),
            }
        }
        let verified = match verified {
            Some(verified) => Some(commit(verified)?),
            None => cache::verified(store, environment.as_str()),
        };
        let mut next = verified.filter(is_here);
        trusted.nothing_left = next.is_some();
        for _ in 0..LOOK_BACK_MAX {
            let Some(id) = next else { break };
            if trusted.since == Some(id) || judge(store, rule, id)?.is_ok() {
                (trusted.verified, trusted.nothing_left) = (Some(id), false);
                break;
            }
            next = store.find_commit(id)?.parent_ids().next();
        }
        Ok(trusted)
    }

    fn commits(&self) -> impl Iterator<Item = Oid> {
        self.verified.into_iter().chain(self.since)
    }
}

/// One query of the store by one rule.
struct Look<'a> {
    store: &'a git2::Repository,
    rule: &'a Rule,
    trusted: Trusted,
}

impl Look<'_> {
    /// Whether a commit may be applied.
    fn at(&self, head: Oid) -> Result<Result<(), Unverified>, Fault> {
        let commits = match self.commits_to(head)? {
            Ok(commits) => commits,
            Err(unverified) => return Ok(Err(unverified)),
        };
        for id in commits {
            let verdict = self.judge(id)?;
            if verdict.is_err() {
                return Ok(verdict);
            }
        }
        Ok(Ok(()))
    }

    /// The newest commit before `head`, by first parents, that may be applied, or the trusted one that they lead behind.
    fn before(&self, head: Oid) -> Result<Option<Revision>, Fault> {
        let Ok(commits) = self.commits_to(head)? else { return Ok(None) };
        // Oldest first: whoever comes after one that is not signed may not be applied either.
        let mut tainted: BTreeMap<Oid, bool> = BTreeMap::new();
        for id in commits {
            let inherits = self.store.find_commit(id)?.parent_ids().any(|parent| tainted.get(&parent) == Some(&true));
            let is_tainted = inherits || self.judge(id)?.is_err();
            tainted.insert(id, is_tainted);
        }
        // Whoever may push may lead first parents past what was in force.
        let has_floor = !self.is_trusted(head)?;
        let mut next = self.store.find_commit(head)?.parent_ids().next();
        for _ in 0..LOOK_BACK_MAX {
            let Some(id) = next else { break };
            if has_floor && self.is_trusted(id)? {
                break;
            }
            let may = match tainted.get(&id) {
                Some(is_tainted) => !is_tainted,
                None => self.at(id)?.is_ok(),
            };
            if may {
                return Ok(Some(revision(id)));
            }
            next = self.store.find_commit(id)?.parent_ids().next();
        }
        Ok(self.trusted.commits().next().filter(|_| has_floor).map(revision))
    }

    /// Whether a commit is a trusted one or one of those before it.
    fn is_trusted(&self, id: Oid) -> Result<bool, Fault> {
        for trusted in self.trusted.commits() {
            if trusted == id || self.store.graph_descendant_of(trusted, id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The commits that must be signed so that `head` may be applied, oldest first; or why no signature would be enough.
    fn commits_to(&self, head: Oid) -> Result<Result<Vec<Oid>, Unverified>, Fault> {
        if let Some(absent) = &self.trusted.absent {
            return Ok(Err(Unverified {
                commit: revision(head),
                message: format!("the repository does not have the commit `{absent}`, since which all must be signed"),
                cure: "name a commit of the branch as `since` in the daemon's configuration".to_owned(),
            }));
        }
        let is_alone = self.trusted.commits().next().is_none() && !self.trusted.nothing_left;
        if self.rule.commits == Commits::Head || is_alone {
            return Ok(Ok(vec![head]));
        }
        if self.trusted.since == Some(head) {
            return Ok(Ok(Vec::new()));
        }
        let mut walk = self.store.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(head)?;
        for trusted in self.trusted.commits() {
            walk.hide(trusted)?;
        }
        let mut commits = walk.take(COMMITS_MAX + 1).collect::<Result<Vec<Oid>, _>>()?;
        if commits.len() > COMMITS_MAX {
            return Ok(Err(Unverified {
                commit: revision(head),
                message: format!("more than {COMMITS_MAX} commits would have to be verified"),
                cure: "name a newer commit that you trust as `since` in the daemon's configuration".to_owned(),
            }));
        }
        // The branch was set back to a commit before a trusted one.
        if !commits.contains(&head) {
            commits.push(head);
        }
        Ok(Ok(commits))
    }

    fn judge(&self, id: Oid) -> Result<Result<(), Unverified>, Fault> {
        judge(self.store, self.rule, id)
    }
}

/// Whether one commit is signed by an allowed signer.
fn judge(store: &git2::Repository, rule: &Rule, id: Oid) -> Result<Result<(), Unverified>, Fault> {
    let verdict = rule.signers.verify_commit(store.odb()?.read(id)?.data());
    Ok(verdict.map(drop).map_err(|refused| Unverified {
        commit: revision(id),
        message: refused.to_string(),
        cure: refused.cure().to_owned(),
    }))
}

/// The commit that a revision names.
fn commit(revision: &Revision) -> Result<Oid, SourceError> {
    Oid::from_str(revision.as_str())
        .map_err(|_| lasting(format!("`{revision}` is not a commit id"), "commit ids are 40 hexadecimal digits"))
}
