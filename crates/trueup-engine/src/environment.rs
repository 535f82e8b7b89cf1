//! The loop of one environment: when it observes which applications. No other environment can delay it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use trueup_core::desired::Mode;
use trueup_core::live::{Observed, Traffic};
use trueup_core::names::{ApplicationName, EnvironmentName, Revision, ServiceId};
use trueup_ports::Measurement;

use crate::application::ApplicationState;
use crate::context::Context;
use crate::desired_state::DesiredState;
use crate::diagnosis::{Diagnosed, READ_AT_ONCE};
use crate::healthy_tasks::Counted;
use crate::pass::Finished;
use crate::schedule::Jitter;

/// The applications that a cycle is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every application, and what git no longer has.
    All,
    /// These applications.
    Only(BTreeSet<ApplicationName>),
}

impl Scope {
    /// Both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut names), Self::Only(others)) => {
                names.extend(others);
                Self::Only(names)
            }
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }
}

/// The outcome of a read in the background.
pub(crate) enum Read {
    Diagnosed(Diagnosed),
    Counted(Counted),
}

impl Read {
    /// The application that it is about.
    fn name(&self) -> &ApplicationName {
        match self {
            Self::Diagnosed(read) => &read.name,
            Self::Counted(read) => &read.name,
        }
    }
}

/// One environment.
pub(crate) struct EnvironmentLoop {
    pub(crate) context: Arc<Context>,
    pub(crate) name: EnvironmentName,
    /// The applications that no pass is writing to.
    pub(crate) applications: BTreeMap<ApplicationName, ApplicationState>,
    /// The applications that a pass is writing to: no cycle includes them until it ends.
    pub(crate) busy: BTreeMap<ApplicationName, AbortHandle>,
    pub(crate) passes: JoinSet<Finished>,
    /// Reads in the background.
    pub(crate) reads: JoinSet<Read>,
    /// One permit per read in the background.
    pub(crate) turns: Arc<Semaphore>,
    /// The outcomes of reads about applications that a pass is writing to.
    read_meanwhile: BTreeMap<ApplicationName, Vec<Read>>,
    /// The ARNs of target groups as last observed, so that references to them need not be resolved twice.
    pub(crate) target_groups: BTreeMap<String, Observed<String>>,
    /// What ECS shifts in the load balancers, by service, as last observed.
    pub(crate) traffic: BTreeMap<ServiceId, Traffic>,
    /// The number of full cycles so far.
    pub(crate) full_cycles: u64,
    /// The revision for which pruning was last planned.
    pub(crate) pruned: Option<Revision>,
    jitter: Jitter,
    full_at: Instant,
    /// Everything is due, and the last cycle was about the urgent part of it.
    urgent_first: bool,
}

impl EnvironmentLoop {
    pub fn new(context: Arc<Context>, name: EnvironmentName) -> Self {
        let jitter = Jitter::of(&format!("{}/{name}", context.options.instance));
        Self {
            context,
            name,
            applications: BTreeMap::new(),
            busy: BTreeMap::new(),
            passes: JoinSet::new(),
            reads: JoinSet::new(),
            turns: Arc::new(Semaphore::new(READ_AT_ONCE)),
            read_meanwhile: BTreeMap::new(),
            target_groups: BTreeMap::new(),
            traffic: BTreeMap::new(),
            full_cycles: 0,
            pruned: None,
            jitter,
            full_at: Instant::now(),
            urgent_first: false,
        }
    }

    /// Runs until the shutdown is requested, then waits for the running passes.
    ///
    /// A trigger or a new revision that comes while a cycle runs causes another one: both are kept by their channels.
    pub async fn run(mut self, mut triggers: watch::Receiver<u64>) {
        let context = self.context.clone();
        let mut revisions = context.current.subscribe();
        let mut current = revisions.borrow_and_update().clone();
        triggers.mark_unchanged();
        let mut scope = Scope::All;
        loop {
            if let Some(current) = &current {
                let writes = !context.options.report_only;
                let began = Instant::now();
                tokio::select! {
                    biased;
                    // Dropped where it waits for a read; writes happen in passes, which are not dropped.
                    () = context.shutdown.requested() => break,
                    () = self.cycle(current, &scope, writes) => {}
                }
                context.options.meter.measure(&Measurement::Cycle {
                    environment: &self.name,
                    full: scope == Scope::All,
                    took: began.elapsed(),
                });
                context.status.cycled(&self.name, context.now());
            }
            if scope == Scope::All {
                self.full_at = Instant::now() + self.jitter.spread(context.options.interval);
            }
            scope = loop {
                let wake = self.next_observation().map_or(self.full_at, |at| at.min(self.full_at));
                tokio::select! {
                    biased;
                    () = context.shutdown.requested() => return self.drain().await,
                    Some(ended) = self.passes.join_next(), if !self.passes.is_empty() => self.ended(ended),
                    Some(read) = self.reads.join_next(), if !self.reads.is_empty() => self.read(read),
                    changed = revisions.changed() => {
                        if changed.is_err() {
                            return self.drain().await;
                        }
                        let before = std::mem::replace(&mut current, revisions.borrow_and_update().clone());
                        if let Some(current) = &current {
                            let due = self.due();
                            break self.changed(before.as_deref(), current).and(due);
                        }
                    }
                    _ = triggers.changed() => break Scope::All,
                    () = sleep_until(wake) => break self.due(),
                }
            };
        }
        self.drain().await;
    }

    /// Waits for the running passes: each finishes the call that it is making.
    pub(crate) async fn drain(mut self) {
        while let Some(ended) = self.passes.join_next().await {
            self.ended(ended);
        }
        // Reads are not waited for; events that wait for them are emitted with what is known.
        let waiting = self.applications.values_mut().flat_map(|state| state.diagnosis.give_up());
        self.context.emit(waiting.collect::<Vec<_>>());
        // A cycle that was dropped has not emitted all of its events.
        self.context.emit(self.context.reporting.release(&self.name));
        self.context.reporting.save().await;
    }

    /// Records the outcome of a read in the background.
    pub(crate) fn read(&mut self, read: Result<Read, JoinError>) {
        match read {
            Ok(read) if self.busy.contains_key(read.name()) => {
                self.read_meanwhile.entry(read.name().clone()).or_default().push(read);
            }
            Ok(Read::Counted(Counted { name, deployment, task_definition, healthy })) => {
                let Some(state) = self.applications.get_mut(&name) else { return };
                if state.healthy.arrived(&deployment, healthy) {
                    self.context.status.count(&self.name, &name, &task_definition, healthy);
                }
            }
            Ok(Read::Diagnosed(Diagnosed { name, deployment, finding })) => {
                let Some(state) = self.applications.get_mut(&name) else { return };
                let events = state.diagnosis.arrived(&deployment, finding);
                self.context.status.explain(&self.name, &name, state.diagnosis.finding());
                self.context.emit(events);
            }
            Err(error) => {
                let error = ended_by(&error);
                tracing::error!(environment = %self.name, error, "A read in the background failed.");
                // It is unknown which application it was about: none is waited for any longer.
                self.applications.values_mut().for_each(|state| state.healthy.failed());
                let waiting = self.applications.values_mut().flat_map(|state| state.diagnosis.failed());
                self.context.emit(waiting.collect::<Vec<_>>());
            }
        }
    }

    /// Waits for the reads in the background.
    pub(crate) async fn read_all(&mut self) {
        while let Some(read) = self.reads.join_next().await {
            self.read(read);
        }
    }

    /// Takes an application back from the pass that wrote to it.
    pub(crate) fn ended(&mut self, ended: Result<Finished, JoinError>) {
        match ended {
            Ok(Finished { name, state }) => {
                self.busy.remove(&name);
                self.applications.insert(name.clone(), state);
                for read in self.read_meanwhile.remove(&name).unwrap_or_default() {
                    self.read(Ok(read));
                }
            }
            Err(error) => {
                // What the pass remembered is lost with it; the next cycle begins without, as after a restart.
                tracing::error!(environment = %self.name, error = ended_by(&error), "An apply pass failed.");
                self.busy.retain(|_, pass| !pass.is_finished());
            }
        }
    }

    /// The applications to observe now. When everything is due, those that are due anyway (rollouts, writes that have not
    /// settled) come first, once, so that they do not wait for a long full cycle.
    fn due(&mut self) -> Scope {
        if Instant::now() < self.full_at {
            return self.due_before_full();
        }
        self.urgent_first = !self.urgent_first;
        match self.urgent_first.then(|| self.due_before_full()) {
            Some(Scope::Only(due)) if !due.is_empty() => Scope::Only(due),
            Some(_) | None => {
                self.urgent_first = false;
                Scope::All
            }
        }
    }

    /// Takes the applications that are due now, between two full cycles.
    ///
    /// Each is taken once, and the cycle says when it is due again: one that the cycle passes over (its environment is
    /// no longer in git, or only something to prune is left of it) would otherwise be due for ever, and the loop would
    /// run without a pause.
    pub(crate) fn due_before_full(&mut self) -> Scope {
        let now = Instant::now();
        let due = self.applications.iter_mut().filter(|(_, state)| state.observe_at.is_some_and(|at| at <= now));
        let taken = due.map(|(name, state)| {
            state.observe_at = None;
            name.clone()
        });
        Scope::Only(taken.collect())
    }

    /// When the next application is due before the next full cycle.
    fn next_observation(&self) -> Option<Instant> {
        self.applications.values().filter_map(|state| state.observe_at).min()
    }

    /// The applications that a new revision changed, or all of them where resources may have to be pruned or the environment
    /// itself changed.
    fn changed(&self, before: Option<&DesiredState>, now: &DesiredState) -> Scope {
        let Some(before) = before else { return Scope::All };
        let prunes = now.applications.iter().any(|((environment, _), documents)| {
            let valid = documents.valid.as_ref();
            *environment == self.name && valid.is_some_and(|valid| valid.application.policy.prune != Mode::Off)
        });
        let policy = |state: &DesiredState| state.policies.get(&self.name).cloned();
        let prunes = prunes || policy(now).is_some_and(|policy| policy.prune != Mode::Off);
        let held_back = before.held_back.get(&self.name) != now.held_back.get(&self.name);
        if prunes || held_back || before.environments.get(&self.name) != now.environments.get(&self.name) {
            return Scope::All;
        }
        let revisions = |state: &DesiredState| {
            let ours = state.applications.iter().filter(|((environment, _), _)| *environment == self.name);
            ours.map(|((_, name), documents)| {
                let valid = documents.valid.as_ref().map(|valid| valid.revision.clone());
                (name.clone(), (valid, documents.invalid.as_ref().map(|invalid| invalid.revision.clone())))
            })
            .collect::<BTreeMap<_, _>>()
        };
        let (before, now) = (revisions(before), revisions(now));
        let differs = |name: &&ApplicationName| before.get(*name) != now.get(*name);
        Scope::Only(before.keys().chain(now.keys()).filter(differs).cloned().collect())
    }
}

/// How a task ended that returned nothing. The error's own text is never shown: it contains the panic's message, which may
/// contain a value.
fn ended_by(error: &JoinError) -> &'static str {
    if error.is_panic() { "it panicked" } else { "it was cancelled" }
}
