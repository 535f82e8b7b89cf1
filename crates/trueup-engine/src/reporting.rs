//! Emits events without repetition: one for a common cause, and none a second time after a restart of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::report::{Event, Notes, ReportedState, root_cause};
use trueup_ports::Notebook;

/// Records the reported state of applications, and holds events until a cycle ends.
#[derive(Debug)]
pub(crate) struct Reporting {
    state: Mutex<Reported>,
    notebook: Option<Arc<dyn Notebook>>,
    /// One writer at a time, so that an older text never replaces a newer one.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Reported {
    notes: Notes,
    /// Whether the notes differ from those in the notebook.
    changed: bool,
    /// Events of running cycles, which may have a common cause.
    gathered: BTreeMap<EnvironmentName, Vec<Event>>,
}

impl Reporting {
    /// A record in which nothing was reported yet.
    pub fn new(notebook: Option<Arc<dyn Notebook>>) -> Self {
        Self { state: Mutex::default(), notebook, writing: tokio::sync::Mutex::default() }
    }

    /// Restores the record of an earlier process. Must be called before the first event.
    pub async fn resume(&self) {
        let Some(notebook) = &self.notebook else { return };
        if let Some(notes) = notebook.read().await.as_deref().and_then(Notes::read) {
            self.lock().notes = notes;
        }
    }

    /// The reported state of an application.
    pub fn known(&self, environment: &EnvironmentName, application: &ApplicationName) -> ReportedState {
        let key = (environment.clone(), application.clone());
        self.lock().notes.applications.get(&key).cloned().unwrap_or_default()
    }

    /// Records the reported state of an application.
    pub fn note(&self, environment: &EnvironmentName, application: &ApplicationName, edges: &ReportedState) {
        if self.notebook.is_none() {
            return;
        }
        let mut state = self.lock();
        let key = (environment.clone(), application.clone());
        if state.notes.applications.get(&key) != Some(edges) {
            state.notes.applications.insert(key, edges.clone());
            state.changed = true;
        }
    }

    /// Forgets the applications of an environment that are not among these.
    pub fn retain(&self, environment: &EnvironmentName, applications: &BTreeSet<&ApplicationName>) {
        let mut state = self.lock();
        let Reported { notes, changed, .. } = &mut *state;
        let before = notes.applications.len();
        notes.applications.retain(|(of, name), _| of != environment || applications.contains(name));
        *changed |= notes.applications.len() != before;
        if let Some(causes) = notes.root_causes.get_mut(environment) {
            *changed |= causes.retain(applications);
        }
    }

    /// Begins a cycle of an environment: events that may have a common cause are kept until it ends.
    pub fn gather(&self, environment: &EnvironmentName) {
        self.lock().gathered.entry(environment.clone()).or_default();
    }

    /// Receives events of an environment, and returns those to emit now.
    pub fn pass(&self, environment: &EnvironmentName, events: Vec<Event>) -> Vec<Event> {
        let mut state = self.lock();
        if let Some(gathered) = state.gathered.get_mut(environment) {
            let (shared, others) = events.into_iter().partition(|event| root_cause(event).is_some());
            gathered.extend::<Vec<Event>>(shared);
            return others;
        }
        state.group(environment, events)
    }

    /// Ends the cycle, and returns the events that were kept.
    pub fn release(&self, environment: &EnvironmentName) -> Vec<Event> {
        let mut state = self.lock();
        let gathered = state.gathered.remove(environment).unwrap_or_default();
        state.group(environment, gathered)
    }

    /// Stores what was reported, if that changed.
    pub async fn save(&self) {
        let Some(notebook) = &self.notebook else { return };
        let _writing = self.writing.lock().await;
        let text = {
            let mut state = self.lock();
            if !std::mem::take(&mut state.changed) {
                return;
            }
            state.notes.write()
        };
        notebook.write(text).await;
    }

    fn lock(&self) -> MutexGuard<'_, Reported> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reported {
    fn group(&mut self, environment: &EnvironmentName, events: Vec<Event>) -> Vec<Event> {
        if events.is_empty() {
            return events;
        }
        let causes = self.notes.root_causes.entry(environment.clone()).or_default();
        let before = causes.clone();
        let grouped = causes.gather(events);
        self.changed |= *causes != before;
        grouped
    }
}
