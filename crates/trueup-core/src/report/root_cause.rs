//! Causes that hold several applications at once: one event per cause, not one per application.
//!
//! When STS is unavailable, or IAM lacks one permission, every application of an environment is held within one cycle, for
//! the same reason. An operator wants one notification. [`RootCauses`] merges the events of one environment that share a
//! cause before they are emitted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Event, What};
use crate::live::FailureKind;
use crate::names::ApplicationName;
use crate::plan::Hold;

/// The cause behind a hold that may hold other applications as well. Equal values are the same cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RootCause {
    /// Whether it concerns the environment as a whole: then it holds every application, whichever is planned first.
    pub environment: bool,
    /// The cause, without the details that differ from one occurrence to the next.
    pub key: String,
}

impl RootCause {
    /// The name of the hold's reason, with which every key begins.
    fn reason(&self) -> &str {
        self.key.split(' ').next().unwrap_or_default()
    }

    /// The cause behind a hold; `None` for holds that by nature concern one application.
    pub fn of(hold: &Hold) -> Option<Self> {
        let shared = |key: String| Some(Self { environment: false, key });
        let whole = |key: String| Some(Self { environment: true, key });
        match hold {
            Hold::AccountMismatch { expected, actual } => whole(format!("AccountMismatch {expected} {actual}")),
            Hold::NoCredentials { .. } => whole("NoCredentials".to_owned()),
            // The caller's identity is read before anything else, so that every application waits for it.
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

/// The cause of an event that starts or ends a hold that other applications may share.
pub fn root_cause(event: &Event) -> Option<RootCause> {
    match &event.what {
        What::HoldStarted { hold, .. } => RootCause::of(hold),
        What::HoldEnded { root, .. } => root.clone(),
        What::DaemonStarted { .. }
        | What::DaemonStopping {}
        | What::RevisionAccepted { .. }
        | What::RevisionRejected { .. }
        | What::RevisionUnverified { .. }
        | What::SourceFailed { .. }
        | What::SourceRecovered { .. }
        | What::DriftDetected { .. }
        | What::DriftResolved { .. }
        | What::PlanMade { .. }
        | What::StepApplied { .. }
        | What::StepFailed { .. }
        | What::RolloutStarted { .. }
        | What::RolloutCompleted { .. }
        | What::RolloutFailed { .. }
        | What::RolloutRolledBack { .. }
        | What::RolloutTimedOut { .. } => None,
    }
}

/// The causes that were reported for one environment as a whole, with the applications that they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootCauses(BTreeMap<RootCause, BTreeSet<ApplicationName>>);

impl RootCauses {
    /// Merges those events of one cycle of one environment that start or end holds for one cause. A cause of the
    /// environment as a whole is reported when it holds its first application, and as ended when it no longer holds any.
    /// Other events pass unchanged; a merged event takes the position of its first.
    pub fn gather(&mut self, events: Vec<Event>) -> Vec<Event> {
        let mut merged: Vec<Event> = Vec::new();
        // The index of the event that others are merged into, by cause and whether it starts a hold.
        let mut groups: BTreeMap<(RootCause, bool), usize> = BTreeMap::new();
        for event in events {
            let (Some(cause), Some(application)) = (root_cause(&event), event.application.clone()) else {
                merged.push(event);
                continue;
            };
            let begins = matches!(event.what, What::HoldStarted { .. });
            if cause.environment {
                if self.is_news(&cause, begins, application) {
                    merged.push(of_the_environment(event));
                }
                continue;
            }
            if let Some(at) = groups.get(&(cause.clone(), begins)) {
                join(&mut merged[*at], application);
            } else {
                groups.insert((cause, begins), merged.len());
                merged.push(event);
            }
        }
        merged
    }

    /// Forgets the applications that are not among these. Returns whether there were any.
    pub fn retain(&mut self, applications: &BTreeSet<&ApplicationName>) -> bool {
        let count = |causes: &BTreeMap<_, BTreeSet<_>>| causes.values().map(BTreeSet::len).sum::<usize>();
        let before = count(&self.0);
        for held in self.0.values_mut() {
            held.retain(|name| applications.contains(name));
        }
        self.0.retain(|_, held| !held.is_empty());
        before != count(&self.0)
    }

    /// Whether this application is the first that the environment's cause holds, or the last that it releases.
    fn is_news(&mut self, cause: &RootCause, begins: bool, application: ApplicationName) -> bool {
        if begins {
            // The same reason with another detail replaces the earlier cause, without an event that it ended.
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

    /// Removes an application from the other causes with the same reason.
    fn leave_others(&mut self, cause: &RootCause, application: &ApplicationName) {
        for (other, held) in &mut self.0 {
            if other != cause && other.reason() == cause.reason() {
                held.remove(application);
            }
        }
        self.0.retain(|_, held| !held.is_empty());
    }

    /// Each cause with the applications that it holds, to be stored.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&RootCause, &BTreeSet<ApplicationName>)> {
        self.0.iter()
    }

    /// Restores what an earlier process stored.
    pub(super) fn restore(notes: impl IntoIterator<Item = (RootCause, BTreeSet<ApplicationName>)>) -> Self {
        Self(notes.into_iter().collect())
    }
}

/// The event for the environment as a whole, without the application that happened to come first.
fn of_the_environment(mut event: Event) -> Event {
    event.application = None;
    if let What::HoldStarted { resource, changes, .. } = &mut event.what {
        *resource = None;
        changes.clear();
    }
    event
}

/// Adds an application to a merged event.
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
        // A cause of several applications is not about the resource of one.
        *resource = None;
    }
    applications.insert(application);
    if let What::HoldStarted { changes, .. } = &mut event.what {
        changes.clear();
    }
}

#[cfg(test)]
mod tests;
