//! What was told and how it goes out: one message for one cause, and none again because the process was restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::report::{Event, Notes, ReportedState, root_cause};
use trueup_ports::Notebook;

/// What was told, of everything.
#[derive(Debug)]
pub(crate) struct Telling {
    state: Mutex<State>,
    notebook: Option<Arc<dyn Notebook>>,
    /// One writes at a time, so that an older text never comes after a newer one.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    notes: Notes,
    /// Whether the notes differ from what the notebook has.
    changed: bool,
    /// Events of the cycles that go on, which may have a cause in common.
    gathered: BTreeMap<EnvironmentName, Vec<Event>>,
}

impl Telling {
    /// Nothing was told yet.
    pub fn new(notebook: Option<Arc<dyn Notebook>>) -> Self {
        Self { state: Mutex::default(), notebook, writing: tokio::sync::Mutex::default() }
    }

    /// Takes over what a process before this one told, before anything is told.
    pub async fn resume(&self) {
        let Some(notebook) = &self.notebook else { return };
        if let Some(notes) = notebook.read().await.as_deref().and_then(Notes::read) {
            self.lock().notes = notes;
        }
    }

    /// What was told of an application.
    pub fn known(&self, environment: &EnvironmentName, application: &ApplicationName) -> ReportedState {
        let key = (environment.clone(), application.clone());
        self.lock().notes.applications.get(&key).cloned().unwrap_or_default()
    }

    /// Notes what was told of an application.
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
        let State { notes, changed, .. } = &mut *state;
        let before = notes.applications.len();
        notes.applications.retain(|(of, name), _| of != environment || applications.contains(name));
        *changed |= notes.applications.len() != before;
        if let Some(causes) = notes.root_causes.get_mut(environment) {
            *changed |= causes.retain(applications);
        }
    }

    /// A cycle of an environment begins to tell: what may have a cause in common is kept until it ends.
    pub fn gather(&self, environment: &EnvironmentName) {
        self.lock().gathered.entry(environment.clone()).or_default();
    }

    /// Takes events of an environment and gives back what is to be told now.
    pub fn pass(&self, environment: &EnvironmentName, events: Vec<Event>) -> Vec<Event> {
        let mut state = self.lock();
        if let Some(gathered) = state.gathered.get_mut(environment) {
            let (shared, others) = events.into_iter().partition(|event| root_cause(event).is_some());
            gathered.extend::<Vec<Event>>(shared);
            return others;
        }
        state.group(environment, events)
    }

    /// The cycle has ended: gives back what was kept.
    pub fn release(&self, environment: &EnvironmentName) -> Vec<Event> {
        let mut state = self.lock();
        let gathered = state.gathered.remove(environment).unwrap_or_default();
        state.group(environment, gathered)
    }

    /// Writes down what was told, where that changed.
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn group(&mut self, environment: &EnvironmentName, events: Vec<Event>) -> Vec<Event> {
        if events.is_empty() {
            return events;
        }
        let causes = self.notes.root_causes.entry(environment.clone()).or_default();
        let before = causes.clone();
        let told = causes.gather(events);
        self.changed |= *causes != before;
        told
    }
}
