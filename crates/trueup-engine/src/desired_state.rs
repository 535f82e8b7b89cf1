//! The current desired state: what the last accepted commit has, by environment and application.

use std::collections::BTreeMap;
use std::sync::Arc;

use trueup_core::desired::{Application, Environment, Loaded, Policy};
use trueup_core::document::Problem;
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::{Held, Hold, Subject};
use trueup_ports::{Snapshot, Unverified};

/// The desired state of all environments.
#[derive(Clone, Debug)]
pub struct DesiredState {
    /// The commit.
    pub revision: Revision,
    /// Its environments.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// The policy of each environment, for what git no longer has.
    pub policies: BTreeMap<EnvironmentName, Policy>,
    /// Its applications.
    pub applications: BTreeMap<(EnvironmentName, ApplicationName), Documents>,
    /// The environments that are behind the commit because it is not verified there: what the members above have of them
    /// is an older commit's.
    pub held_back: BTreeMap<EnvironmentName, HeldBack>,
}

/// The documents of one application.
#[derive(Clone, Debug)]
pub struct Documents {
    /// Its documents at this revision, or at the last one at which they were valid.
    pub valid: Option<ValidDocuments>,
    /// Why its documents at this revision are not used.
    pub invalid: Option<InvalidDocuments>,
}

/// Documents that are valid.
#[derive(Clone, Debug)]
pub struct ValidDocuments {
    /// The application, with references that are not resolved yet.
    pub application: Arc<Application>,
    /// The last commit that changed its files.
    pub revision: Revision,
}

/// Documents that are not valid.
#[derive(Clone, Debug)]
pub struct InvalidDocuments {
    /// The last commit that changed the application's files.
    pub revision: Revision,
    /// The problems, at least one.
    pub problems: Vec<Problem>,
}

/// An environment that is behind the branch because a commit is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The commit that is current there; `None` where there is none.
    pub revision: Option<Revision>,
    /// Why it is behind.
    pub unverified: Unverified,
}

impl DesiredState {
    /// The desired state at a commit. Applications whose documents are not valid keep those of `before`.
    pub fn new(snapshot: &Snapshot, loaded: Loaded, before: Option<&Self>) -> Self {
        let documents = |(key, application): ((EnvironmentName, ApplicationName), _)| {
            let revision = snapshot.application_revisions.get(&key.1).unwrap_or(&snapshot.revision).clone();
            let documents = match application {
                Ok(application) => {
                    let application = Arc::new(application);
                    Documents { valid: Some(ValidDocuments { application, revision }), invalid: None }
                }
                Err(problems) => {
                    let before = before.and_then(|before| before.applications.get(&key));
                    Documents {
                        valid: before.and_then(|before| before.valid.clone()),
                        invalid: Some(InvalidDocuments { revision, problems }),
                    }
                }
            };
            (key, documents)
        };
        Self {
            revision: snapshot.revision.clone(),
            environments: loaded.environments.into_iter().map(|env| (env.name.clone(), env)).collect(),
            policies: loaded.policies,
            applications: loaded.applications.into_iter().map(documents).collect(),
            held_back: BTreeMap::new(),
        }
    }

    /// Whether every application of an environment is valid at this very revision: only then may anything be concluded
    /// from what git does not have.
    pub fn is_complete(&self, environment: &EnvironmentName) -> bool {
        if self.held_back.contains_key(environment) {
            return false;
        }
        let mut ours = self.applications_of(environment).peekable();
        ours.peek().is_some() && ours.all(|(_, documents)| documents.invalid.is_none())
    }

    /// The commit that is current in an environment.
    pub fn revision_of(&self, environment: &EnvironmentName) -> &Revision {
        let older = self.held_back.get(environment).and_then(|held_back| held_back.revision.as_ref());
        older.unwrap_or(&self.revision)
    }

    /// The applications of one environment, in the order of their names.
    pub fn applications_of<'a>(
        &'a self,
        environment: &'a EnvironmentName,
    ) -> impl Iterator<Item = (&'a ApplicationName, &'a Documents)> {
        let ours = self.applications.iter().filter(move |((of, _), _)| of == environment);
        ours.map(|((_, name), documents)| (name, documents))
    }

    /// Why nothing newer is applied in an environment, when its commit is not verified there.
    pub fn held_back(&self, environment: &EnvironmentName) -> Option<Held> {
        let Unverified { commit, message, .. } = self.held_back.get(environment)?.unverified.clone();
        Some(Held {
            subject: Subject::Application,
            changes: Vec::new(),
            reason: Hold::Unverified { commit, detail: message },
        })
    }

    /// Replaces what this commit has of an environment by what an older one has of it, or by nothing.
    pub fn replace(&mut self, environment: &EnvironmentName, older: Option<&Self>) {
        self.environments.remove(environment);
        self.policies.remove(environment);
        self.applications.retain(|(of, _), _| of != environment);
        let Some(older) = older else { return };
        self.environments.extend(older.environments.get(environment).map(|env| (environment.clone(), env.clone())));
        self.policies.extend(older.policies.get(environment).map(|policy| (environment.clone(), policy.clone())));
        let applications = older.applications.iter().filter(|((of, _), _)| of == environment);
        self.applications.extend(applications.map(|(key, documents)| (key.clone(), documents.clone())));
    }
}

impl Documents {
    /// Why the application is not where the newest commit has it, when its documents are not valid.
    pub fn held(&self) -> Option<Held> {
        let problems = self.invalid.as_ref()?.problems.iter().map(ToString::to_string).collect();
        Some(Held { subject: Subject::Application, changes: Vec::new(), reason: Hold::InvalidDocument { problems } })
    }
}
