//! Applications at earlier commits, by which drift and pending changes are distinguished field by field.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::Mutex;
use trueup_core::desired::{Application, load};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_ports::Source;

/// The number of commits that are kept. Applications lag behind by one commit, seldom by more.
const COMMITS_MAX: usize = 8;

type Applications = BTreeMap<(EnvironmentName, ApplicationName), Arc<Application>>;

/// Reads applications at commits that were applied earlier.
pub(crate) struct History {
    source: Arc<dyn Source>,
    /// The newest last.
    read: Mutex<VecDeque<(Revision, Arc<Applications>)>>,
    /// A head, and commits that are known to be its ancestors: that never changes.
    contained: Mutex<Option<(Revision, BTreeSet<Revision>)>>,
}

impl History {
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, read: Mutex::new(VecDeque::new()), contained: Mutex::new(None) }
    }

    /// The application at that commit; `None` when the commit is not this repository's, cannot be read, or has no valid
    /// application of this name.
    pub async fn application(
        &self,
        revision: &Revision,
        environment: &EnvironmentName,
        application: &ApplicationName,
    ) -> Option<Arc<Application>> {
        let mut read = self.read.lock().await;
        let known = read.iter().find(|(known, _)| known == revision).map(|(_, applications)| applications.clone());
        let applications = if let Some(applications) = known {
            applications
        } else {
            let applications = Arc::new(self.read(revision).await?);
            if read.len() == COMMITS_MAX {
                read.pop_front();
            }
            read.push_back((revision.clone(), applications.clone()));
            applications
        };
        applications.get(&(environment.clone(), application.clone())).cloned()
    }

    /// Whether `revision` is the commit `head` or an ancestor of it.
    pub async fn contains(&self, head: &Revision, revision: &Revision) -> bool {
        let mut contained = self.contained.lock().await;
        if contained.as_ref().is_some_and(|(of, known)| of == head && known.contains(revision)) {
            return true;
        }
        let contains = self.source.contains(head, revision).await;
        if contains {
            let (_, known) = match &mut *contained {
                Some(known) if known.0 == *head => known,
                other => other.insert((head.clone(), BTreeSet::new())),
            };
            known.insert(revision.clone());
        }
        contains
    }

    /// The commits among these that belong to this repository.
    pub async fn known(&self, revisions: BTreeSet<Revision>) -> BTreeSet<Revision> {
        let mut known = BTreeSet::new();
        for revision in revisions {
            if self.source.knows(&revision).await {
                known.insert(revision);
            }
        }
        known
    }

    /// Loads a commit. One that no longer exists is kept as empty.
    async fn read(&self, revision: &Revision) -> Option<Applications> {
        if !self.source.knows(revision).await {
            return Some(Applications::new());
        }
        match self.source.snapshot(revision).await {
            Ok(snapshot) => {
                let loaded = load(&snapshot.files).applications;
                Some(loaded.into_iter().filter_map(|(key, app)| Some((key, Arc::new(app.ok()?)))).collect())
            }
            Err(error) if error.transient => None,
            Err(_) => Some(Applications::new()),
        }
    }
}
