//! What several applications are held for at once: one message for one cause, not one for each application.
//!
//! When STS is away, or IAM lacks one permission, every application of an environment is held within one cycle, each for
//! itself and all for the same reason. An operator wants to hear of it once. [`RootCauses`] goes over the events of one
//! environment on their way out and makes one of those that have a cause in common.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Event, What};
use crate::live::FailureKind;
use crate::names::ApplicationName;
use crate::plan::Hold;

/// What lies behind a hold and may hold other applications as well. Equal ones are the same cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RootCause {
    /// Whether it is about the environment as a whole: then it holds every application of it, whichever is looked at
    /// first.
    pub environment: bool,
    /// The cause, without what differs from one occurrence to the next.
    pub key: String,
}

impl RootCause {
    /// The name of the hold's reason, with which every key begins.
    fn reason(&self) -> &str {
        self.key.split(' ').next().unwrap_or_default()
    }

    /// The cause behind a hold; `None` for what concerns one application by its nature.
    pub fn of(hold: &Hold) -> Option<Self> {
        let shared = |key: String| Some(Self { environment: false, key });
        let whole = |key: String| Some(Self { environment: true, key });
        match hold {
            Hold::AccountMismatch { expected, actual } => whole(format!("AccountMismatch {expected} {actual}")),
            Hold::NoCredentials { .. } => whole("NoCredentials".to_owned()),
            // Who answers is asked before anything else is.
            Hold::NotObserved { failure } if failure.operation.starts_with("sts:") => {
                whole(format!("NotObserved {}", failure.operation))
            }
            Hold::NotObserved { failure } if failure.kind == FailureKind::Credentials => {
                whole("NotObserved credentials".to_owned())
            }
            Hold::NotObserved { failure } => shared(format!("NotObserved {} {:?}", failure.operation, failure.kind)),
            Hold::AccessDenied { operation, .. } => shared(format!("AccessDenied {operation}")),
            Hold::WriteFailed { operation, .. } => shared(format!("WriteFailed {operation}")),
            Hold::Unresolved { references } => {
                let names: BTreeSet<&str> = references.iter().map(|found| found.reference.as_str()).collect();
                shared(format!("Unresolved {names:?}"))
            }
            Hold::WaitsFor { applications } => shared(format!("WaitsFor {applications:?}")),
            Hold::Unverified { commit, .. } => whole(format!("Unverified {commit}")),
            Hold::Behind(ahead) => shared(format!("Behind {}", ahead.revision)),
            Hold::NotSettled { .. }
            | Hold::ReportOnly { .. }
            | Hold::Immutable { .. }
            | Hold::ForeignInstance { .. }
            | Hold::ForeignEnvironment { .. }
            | Hold::OwnedByStack { .. }
            | Hold::ManagedByEcs
            | Hold::PriorityTaken { .. }
            | Hold::ServiceDraining
            | Hold::RevisionFailed { .. }
            | Hold::Suspended { .. }
            | Hold::Contested { .. }
            | Hold::PruneLimit { .. }
            | Hold::UnknownRevision { .. }
            | Hold::TargetGroupInUse { .. }
            | Hold::InvalidDocument { .. }
            | Hold::CallRefused { .. }
            | Hold::Unsound { .. } => None,
        }
    }
}

/// Whether an event begins or ends a hold that other applications may share.
pub fn root_cause(event: &Event) -> Option<RootCause> {
    match &event.what {
        What::HoldStarted { hold, .. } => RootCause::of(hold),
        What::HoldEnded { root, .. } => root.clone(),
        _ => None,
    }
}

/// The causes that were told for one environment as a whole, with the applications that they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootCauses(BTreeMap<RootCause, BTreeSet<ApplicationName>>);

impl RootCauses {
    /// Makes one event of those that began or ended for one cause, among the events of one cycle of one environment. An
    /// environment's own cause is told when its first application is held by it, and as ended when its last no longer is.
    /// Other events pass; the order of what is told is that of the first of each group.
    pub fn gather(&mut self, events: Vec<Event>) -> Vec<Event> {
        let mut told: Vec<Event> = Vec::new();
        // Where the event stands that others are added to, by cause and whether it began.
        let mut groups: BTreeMap<(RootCause, bool), usize> = BTreeMap::new();
        for event in events {
            let (Some(cause), Some(application)) = (root_cause(&event), event.application.clone()) else {
                told.push(event);
                continue;
            };
            let begins = matches!(event.what, What::HoldStarted { .. });
            if cause.environment {
                if self.is_news(&cause, begins, application) {
                    told.push(of_the_environment(event));
                }
                continue;
            }
            if let Some(at) = groups.get(&(cause.clone(), begins)) {
                join(&mut told[*at], application);
            } else {
                groups.insert((cause, begins), told.len());
                told.push(event);
            }
        }
        told
    }

    /// Forgets the applications that are not among these. Gives back whether there were any.
    pub fn retain(&mut self, applications: &BTreeSet<&ApplicationName>) -> bool {
        let count = |causes: &BTreeMap<_, BTreeSet<_>>| causes.values().map(BTreeSet::len).sum::<usize>();
        let before = count(&self.0);
        for held in self.0.values_mut() {
            held.retain(|name| applications.contains(name));
        }
        self.0.retain(|_, held| !held.is_empty());
        before != count(&self.0)
    }

    /// Whether the environment's cause begins with this application, or ends with it.
    fn is_news(&mut self, cause: &RootCause, begins: bool, application: ApplicationName) -> bool {
        if begins {
            // The same reason with another detail: the one before did not end, and nobody is told that it did.
            self.leave_others(cause, &application);
            let held = self.0.entry(cause.clone()).or_default();
            let is_first = held.is_empty();
            held.insert(application);
            return is_first;
        }
        let Some(held) = self.0.get_mut(cause) else { return false };
        held.remove(&application);
        let is_last = held.is_empty();
        if is_last {
            self.0.remove(cause);
        }
        is_last
    }

    /// Takes an application out of the other causes with the reason of this one.
    fn leave_others(&mut self, cause: &RootCause, application: &ApplicationName) {
        for (other, held) in &mut self.0 {
            if other != cause && other.reason() == cause.reason() {
                held.remove(application);
            }
        }
        self.0.retain(|_, held| !held.is_empty());
    }

    /// For a restart: each cause with what it holds.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&RootCause, &BTreeSet<ApplicationName>)> {
        self.0.iter()
    }

    /// As a process before this one left it.
    pub(super) fn restore(notes: impl IntoIterator<Item = (RootCause, BTreeSet<ApplicationName>)>) -> Self {
        Self(notes.into_iter().collect())
    }
}

/// The event without the application that happened to be the first.
fn of_the_environment(mut event: Event) -> Event {
    event.application = None;
    if let What::HoldStarted { resource, changes, .. } = &mut event.what {
        *resource = None;
        changes.clear();
    }
    event
}

/// Adds an application to an event of others.
fn join(event: &mut Event, application: ApplicationName) {
    let first = event.application.clone();
    if first.as_ref() == Some(&application) {
        // One more resource of the same application: its own plan lists them all.
        return;
    }
    let (What::HoldStarted { resource, applications, .. } | What::HoldEnded { resource, applications, .. }) =
        &mut event.what
    else {
        return;
    };
    if let Some(first) = first {
        applications.insert(first);
        event.application = None;
        // What several have in common is about none of their resources.
        *resource = None;
    }
    applications.insert(application);
    if let What::HoldStarted { changes, .. } = &mut event.what {
        changes.clear();
    }
}

#[cfg(test)]
mod tests;
