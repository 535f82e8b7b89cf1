//! The applications of a cycle, and their order.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::names::ApplicationName;

use crate::desired_state::{DesiredState, Documents};
use crate::environment::{EnvironmentLoop, Scope};

impl EnvironmentLoop {
    /// The documents of an application of this environment.
    pub(crate) fn documents<'a>(&self, current: &'a DesiredState, name: &ApplicationName) -> Option<&'a Documents> {
        current.applications.get(&(self.name.clone(), name.clone()))
    }

    /// The selected applications in a scope and those that they depend on, except those that a pass is writing to.
    pub(crate) fn selected(&self, current: &DesiredState, scope: &Scope) -> BTreeSet<ApplicationName> {
        let observed = self.observed(current);
        let in_scope = |name: &&ApplicationName| match scope {
            Scope::All => true,
            Scope::Only(names) => names.contains(*name),
        };
        observed.iter().filter(in_scope).filter(|name| !self.busy.contains_key(*name)).cloned().collect()
    }

    /// The selected applications, and those that they depend on: these are observed, but not written to.
    fn observed(&self, current: &DesiredState) -> BTreeSet<ApplicationName> {
        let ours = current.applications.keys().filter(|(environment, _)| *environment == self.name);
        let ours = ours.map(|(_, name)| name).filter(|name| self.context.options.selects_application(name));
        let mut waiting: Vec<ApplicationName> = ours.cloned().collect();
        let mut observed = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let Some(documents) = self.documents(current, &name) else { continue };
            if observed.insert(name) {
                let needed = documents.valid.iter().flat_map(|valid| &valid.application.depends_on);
                waiting.extend(needed.cloned());
            }
        }
        observed
    }

    /// The names in an order in which an application comes after those that it depends on.
    pub(crate) fn in_order(documents: &BTreeMap<&ApplicationName, &Documents>) -> Vec<ApplicationName> {
        let mut order = Vec::with_capacity(documents.len());
        let mut seen: BTreeSet<&ApplicationName> = BTreeSet::new();
        for &name in documents.keys() {
            // Depth first, without recursion: an application is added when everything that it depends on has been.
            let mut path = vec![(name, false)];
            while let Some((name, entered)) = path.pop() {
                if entered {
                    order.push(name.clone());
                } else if seen.insert(name) {
                    path.push((name, true));
                    let valid = documents.get(name).and_then(|documents| documents.valid.as_ref());
                    let needed = valid.into_iter().flat_map(|valid| &valid.application.depends_on);
                    path.extend(needed.filter(|needed| documents.contains_key(needed)).map(|needed| (needed, false)));
                }
            }
        }
        order
    }

    /// Forgets applications that git no longer has, except those with resources left to prune.
    pub(crate) fn forget_removed(&mut self, current: &DesiredState) {
        let is_removed = |name: &ApplicationName| self.documents(current, name).is_none();
        let removed = self.applications.iter().filter(|(name, state)| is_removed(name) && !state.has_prune());
        let removed: Vec<ApplicationName> = removed.map(|(name, _)| name.clone()).collect();
        for name in removed {
            self.forget(&name);
        }
        let known = current.applications.keys().filter(|(of, _)| *of == self.name).map(|(_, name)| name);
        self.context
            .reporting
            .retain(&self.name, &known.chain(self.applications.keys()).chain(self.busy.keys()).collect());
    }

    /// Forgets an application.
    pub(crate) fn forget(&mut self, name: &ApplicationName) {
        self.applications.remove(name);
        self.context.status.remove(&self.name, name);
    }
}
