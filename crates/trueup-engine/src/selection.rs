//! Which applications a cycle is about, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::names::ApplicationName;

use crate::desired_state::{DesiredState, Documents};
use crate::environment::{EnvironmentLoop, Scope};

impl EnvironmentLoop {
    /// How an application of this environment stands.
    pub(crate) fn documents<'a>(&self, current: &'a DesiredState, name: &ApplicationName) -> Option<&'a Documents> {
        current.applications.get(&(self.name.clone(), name.clone()))
    }

    /// The applications of a scope that are minded, with those they depend on, and that nobody is writing to.
    pub(crate) fn selected(&self, current: &DesiredState, scope: &Scope) -> BTreeSet<ApplicationName> {
        let minded = self.minded(current);
        let in_scope = |name: &&ApplicationName| match scope {
            Scope::All => true,
            Scope::Only(names) => names.contains(*name),
        };
        minded.iter().filter(in_scope).filter(|name| !self.busy.contains_key(*name)).cloned().collect()
    }

    /// The applications that are minded, and those that they depend on: these are looked at, but not written to.
    fn minded(&self, current: &DesiredState) -> BTreeSet<ApplicationName> {
        let ours = current.applications.keys().filter(|(environment, _)| *environment == self.name);
        let ours = ours.map(|(_, name)| name).filter(|name| self.context.options.selects_application(name));
        let mut waiting: Vec<ApplicationName> = ours.cloned().collect();
        let mut minded = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let Some(documents) = self.documents(current, &name) else { continue };
            if minded.insert(name) {
                let needed = documents.valid.iter().flat_map(|valid| &valid.application.depends_on);
                waiting.extend(needed.cloned());
            }
        }
        minded
    }

    /// The names in an order in which every application comes after those that it depends on.
    pub(crate) fn in_order(documents: &BTreeMap<&ApplicationName, &Documents>) -> Vec<ApplicationName> {
        let mut order = Vec::with_capacity(documents.len());
        let mut seen: BTreeSet<&ApplicationName> = BTreeSet::new();
        for &name in documents.keys() {
            // Depth first, without recursion: an application is put down when all that it needs has been.
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

    /// Forgets applications that git no longer has, but for those of which something is left to prune.
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
