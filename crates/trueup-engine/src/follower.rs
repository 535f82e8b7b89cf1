//! Following git: which revision is current, and which stays current when a commit is invalid or git is unreachable.

use std::sync::Arc;

use jiff::Timestamp;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::load;
use trueup_core::names::{EnvironmentName, Revision};
use trueup_core::report::{Event, What};
use trueup_ports::{Movement, Snapshot, Source, SourceError, Unverified, Verifier};

use crate::desired_state::{DesiredState, HeldBack};
use crate::verified::{Candidate, Older, Refused, Verified};

/// Follows a source.
///
/// An application whose documents a commit makes invalid keeps those of the last commit at which they were valid, as far
/// as this process knows them. A restart begins with the revision that was accepted last ([`Source::accepted`]), then loads
/// the branch's head; an application that is valid at neither is held, and nothing of it is written.
pub struct Follower {
    source: Arc<dyn Source>,
    /// The one revision to apply, whatever the head is.
    pin: Option<Revision>,
    current: Option<Arc<DesiredState>>,
    /// The revision that was loaded last, accepted or rejected: it is not loaded again.
    seen: Option<Revision>,
    /// The branch's head; `None` when the last poll failed.
    head: Option<Revision>,
    failing: Option<Failing>,
    last_success: Option<Timestamp>,
    verified: Verified,
}

/// The repository cannot be read.
struct Failing {
    since: Timestamp,
    error: SourceError,
}

impl Follower {
    /// A follower without a current revision.
    pub fn new(source: Arc<dyn Source>, pin: Option<Revision>, verifier: Option<Arc<dyn Verifier>>) -> Self {
        Self {
            source,
            pin,
            current: None,
            seen: None,
            head: None,
            failing: None,
            last_success: None,
            verified: Verified::new(verifier),
        }
    }

    /// The current desired state; `None` before the first accepted revision.
    pub fn current(&self) -> Option<&Arc<DesiredState>> {
        self.current.as_ref()
    }

    /// Why the repository cannot be read at the moment, if so.
    pub fn failure(&self) -> Option<&SourceError> {
        self.failing.as_ref().map(|failing| &failing.error)
    }

    /// When the repository was last read.
    pub fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }

    /// The branch's head; `None` when the last poll failed.
    pub fn head(&self) -> Option<&Revision> {
        self.head.as_ref()
    }

    /// The revision that was loaded last.
    pub fn seen(&self) -> Option<&Revision> {
        self.seen.as_ref()
    }

    /// Polls git and loads what is new. Returns the events.
    pub async fn refresh(&mut self, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        let head = match self.source.poll().await {
            Ok(head) => Some(head),
            Err(error) => {
                self.failed(error, now, &mut events);
                None
            }
        };
        self.head = head.as_ref().map(|head| head.revision.clone());
        let rewritten = head.as_ref().is_some_and(|head| head.movement == Movement::Rewritten);
        let mut read = head.is_some();
        let wanted = self.pin.clone().or(head.map(|head| head.revision));
        if self.current.is_none() && self.pin.is_none() {
            // An earlier process may have stored a revision that is better than nothing: it is current while git is
            // unreachable, when the head is rejected, and for applications that are not valid at the head.
            let accepted = self.source.accepted().await.filter(|accepted| Some(accepted) != wanted.as_ref());
            if let Some(accepted) = accepted
                && self.seen.is_none()
            {
                self.take(&accepted, false, now, &mut events).await;
            }
        }
        if let Some(wanted) = wanted
            && self.seen.as_ref() != Some(&wanted)
        {
            read &= self.take(&wanted, rewritten, now, &mut events).await;
        }
        if read {
            self.recovered(now, &mut events);
        }
        events
    }

    /// Loads a revision and makes it current, or emits why not. Returns whether it could be read.
    async fn take(&mut self, revision: &Revision, rewritten: bool, now: Timestamp, events: &mut Vec<Event>) -> bool {
        let event =
            |what| Event { time: now, environment: None, application: None, revision: Some(revision.clone()), what };
        let snapshot = match self.source.snapshot(revision).await {
            Ok(snapshot) => snapshot,
            Err(error) if error.transient => {
                self.failed(error, now, events);
                return false;
            }
            Err(SourceError { message, hint, .. }) => {
                let message = hint.map_or(message.clone(), |hint| format!("{message}; {hint}"));
                self.seen = Some(revision.clone());
                events.push(event(What::RevisionRejected { message, problems: Vec::new() }));
                return true;
            }
        };
        self.seen = Some(revision.clone());
        let loaded = load(&snapshot.files);
        if !loaded.configuration_valid {
            let message = format!("{} stays current", self.current.as_ref().map_or("nothing", |f| f.revision.as_str()));
            events.push(event(What::RevisionRejected { message, problems: loaded.problems }));
            return true;
        }
        let mut next = DesiredState::new(&snapshot, loaded, self.current.as_deref());
        let held_back = match self.hold_back(&mut next).await {
            Ok(held_back) => held_back,
            Err(error) => {
                // It is unknown who signed it: it is loaded again at the next poll.
                self.seen = None;
                self.failed(error, now, events);
                return false;
            }
        };
        // A revision that the operator pinned is not one to restart with.
        let remembers = self.pin.is_none() && (self.current.is_none() || !broken::is(Broken::NewestNotRemembered));
        self.current = Some(Arc::new(next));
        if remembers && let Err(error) = self.source.accept(revision).await {
            tracing::warn!(%revision, %error, "The accepted revision could not be stored for a restart.");
        }
        let Snapshot { subject, committed, .. } = snapshot;
        events.push(event(What::RevisionAccepted { subject, committed, rewritten }));
        events.extend(
            held_back.into_iter().map(|(environment, what)| Event { environment: Some(environment), ..event(what) }),
        );
        true
    }

    /// Keeps environments in which a revision is not verified at their current revision, or starts them at the newest commit
    /// before it that is verified. Returns the event of each.
    async fn hold_back(&mut self, next: &mut DesiredState) -> Result<Vec<(EnvironmentName, What)>, SourceError> {
        let before = self.current.clone();
        let history = OlderCommits { source: &*self.source, before: before.as_deref() };
        let candidate = Candidate { before: before.as_ref(), next, is_remembered: self.pin.is_none() };
        let refused = self.verified.refused(&candidate, &history).await?;
        let mut events = Vec::new();
        for Refused { environment, unverified, older } in refused {
            let older = older.filter(|older| older.environments.contains_key(&environment));
            let revision = older.as_ref().map(|older| older.revision_of(&environment).clone());
            next.replace(&environment, older.as_deref());
            let Unverified { commit, message, cure } = unverified.clone();
            let in_force = revision.clone();
            events.push((environment.clone(), What::RevisionUnverified { commit, message, cure, in_force }));
            next.held_back.insert(environment, HeldBack { revision, unverified });
        }
        Ok(events)
    }

    /// Records that git could not be read; the event is emitted once, and again when it fails in another way.
    fn failed(&mut self, error: SourceError, now: Timestamp, events: &mut Vec<Event>) {
        let since = self.failing.as_ref().map_or(now, |failing| failing.since);
        if self.failing.as_ref().is_none_or(|failing| failing.error != error) {
            let SourceError { message, hint, .. } = error.clone();
            let what = What::SourceFailed { message, hint, last_success: self.last_success };
            let revision = self.current.as_ref().map(|current| current.revision.clone());
            events.push(Event { time: now, environment: None, application: None, revision, what });
        }
        self.failing = Some(Failing { since, error });
    }

    /// Records that git could be read.
    fn recovered(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        self.last_success = Some(now);
        if let Some(Failing { since, .. }) = self.failing.take() {
            let revision = self.current.as_ref().map(|current| current.revision.clone());
            let what = What::SourceRecovered { since };
            events.push(Event { time: now, environment: None, application: None, revision, what });
        }
    }
}

/// The desired state at commits that are not current.
struct OlderCommits<'a> {
    source: &'a dyn Source,
    /// The current desired state: applications that are not valid at a commit keep its documents.
    before: Option<&'a DesiredState>,
}

impl Older for OlderCommits<'_> {
    async fn older(&self, revision: &Revision) -> Result<Option<Arc<DesiredState>>, SourceError> {
        match self.source.snapshot(revision).await {
            Ok(snapshot) => {
                let loaded = load(&snapshot.files);
                Ok(loaded.configuration_valid.then(|| Arc::new(DesiredState::new(&snapshot, loaded, self.before))))
            }
            Err(error) if error.transient => Err(error),
            Err(_) => Ok(None),
        }
    }
}
