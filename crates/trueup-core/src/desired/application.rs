//! An application in one environment before its references are resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::template::lookups;
use super::unresolved_document::UnresolvedDocument;
use super::{DesiredApplication, Ignore, Lookup, Policy};
use crate::live::Observed;
use crate::names::{ApplicationName, EnvironmentName, Revision};

/// One application in one environment: valid as far as its files show.
#[derive(Clone)]
pub struct Application {
    /// Its name.
    pub name: ApplicationName,
    /// The environment that it belongs to.
    pub environment: EnvironmentName,
    /// The cluster of its service, by short name.
    pub cluster: String,
    /// How differences are handled.
    pub policy: Policy,
    /// Applications that must be Synced and Healthy first.
    pub depends_on: BTreeSet<ApplicationName>,
    /// Its documents, in the order in which their resources are created.
    pub documents: Vec<UnresolvedDocument>,
    /// Members that the API model does not know and that are accepted.
    pub allow_unknown: Vec<Ignore>,
}

/// `Debug` names the application alone: its documents hold environment values.
impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Application({} in {})", self.name, self.environment)
    }
}

impl Application {
    /// Everything that must be looked up in AWS before [`Application::resolve`] can resolve all references.
    pub fn lookups(&self) -> BTreeSet<Lookup> {
        lookups(self.documents.iter().flat_map(UnresolvedDocument::templates))
    }

    /// Resolves the references with AWS's answers.
    ///
    /// `revision` is the last commit that changed the application's files. A lookup that is missing from `found` counts
    /// as not read. A reference to a target group document of this application whose target group AWS does not have yet
    /// remains text, and the document [`awaits`](super::Document::awaits) it; every other reference without an answer
    /// is in [`unresolved`](DesiredApplication::unresolved), as is every reference whose answer the API model does not
    /// accept in its place.
    pub fn resolve(&self, revision: &Revision, found: &BTreeMap<Lookup, Observed<String>>) -> DesiredApplication {
        let mut desired = DesiredApplication {
            name: self.name.clone(),
            environment: self.environment.clone(),
            revision: revision.clone(),
            cluster: self.cluster.clone(),
            policy: self.policy.clone(),
            depends_on: self.depends_on.clone(),
            documents: Vec::with_capacity(self.documents.len()),
            unresolved: Vec::new(),
        };
        for unresolved in &self.documents {
            let document = unresolved.resolve(found, &self.allow_unknown, &mut desired.unresolved);
            desired.documents.push(document);
        }
        desired
    }
}
