//! One cycle of an environment: which account answers, what AWS has, and what is to be done for which application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::desired::Environment;
use trueup_core::live::{FailureKind, Live};
use trueup_core::names::{ApplicationName, Revision, ServiceId};
use trueup_core::plan::{Health, Held, Hold, Plan, Subject, Sync};
use trueup_ports::{Cloud, ObserveRequest, Priority};

use crate::application::ApplicationState;
use crate::desired_state::{DesiredState, Documents, ValidDocuments};
use crate::environment::{EnvironmentLoop, Scope};
use crate::record;
use crate::resolution::LookupAnswers;
use crate::rest::Shared;

/// What one cycle knows of the environment as a whole.
pub(crate) struct Cycle<'a> {
    pub current: &'a DesiredState,
    pub answers: LookupAnswers,
    pub live: Live,
    /// When AWS was asked for it.
    pub seen: Instant,
    /// The part of it that many applications share.
    pub shared: Shared,
    /// The commits anywhere in the environment that the current revision does not have, once something moves.
    pub foreign: Option<Arc<BTreeSet<Revision>>>,
    /// All applications that git has in the environment.
    pub all: Arc<BTreeSet<ApplicationName>>,
    /// The commit, when this cycle planned what to prune.
    pub pruned: Option<Revision>,
    /// Whether steps may be taken.
    pub writes: bool,
    pub cloud: Arc<dyn Cloud>,
}

/// An application that is to be reconciled.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub name: &'a ApplicationName,
    pub documents: &'a Documents,
    pub valid: &'a ValidDocuments,
    /// It depends on an application that is planned again later in this cycle.
    pub is_early: bool,
}

/// The outcome of reconciling an application.
pub(crate) enum Reconciled {
    Done,
    /// Nothing was shown or started: the application is planned again once the service deployments of this service, or
    /// of one that it depends on, have been read.
    Later(Option<ServiceId>),
}

impl EnvironmentLoop {
    /// Observes and plans the applications in `scope`. With `writes`, starts a pass for each one with a step to take.
    ///
    /// May be dropped at any await: nothing is written here, and passes begin where it no longer waits.
    pub(crate) async fn cycle(&mut self, current: &DesiredState, scope: &Scope, writes: bool) {
        self.context.reporting.gather(&self.name);
        self.reconcile_all(current, scope, writes).await;
        self.context.emit(self.context.reporting.release(&self.name));
        self.context.reporting.save().await;
    }

    async fn reconcile_all(&mut self, current: &DesiredState, scope: &Scope, writes: bool) {
        let Some(environment) = current.environments.get(&self.name) else { return };
        self.forget_removed(current);
        let names = self.selected(current, scope);
        let documents: BTreeMap<&ApplicationName, &Documents> =
            names.iter().filter_map(|name| Some((name, self.documents(current, name)?))).collect();
        let cloud = self.context.clouds.cloud(environment).await;
        if let Some(hold) = refusal(environment, &*cloud).await {
            for (name, documents) in &documents {
                self.show_blocked(current, name, documents, Some(hold.clone()));
            }
            return;
        }
        let valid: Vec<(&ApplicationName, &ValidDocuments)> =
            documents.iter().filter_map(|(name, documents)| Some((*name, documents.valid.as_ref()?))).collect();
        let mut answers = self.resolve(&*cloud, current, &valid).await;
        let seen = Instant::now();
        let live = self.observe(&*cloud, current, scope, &valid, &mut answers).await;
        let mut prunes = self.prunes(current, &live, &answers, &valid).await;
        let all: BTreeSet<ApplicationName> =
            current.applications_of(&self.name).map(|(name, _)| name.clone()).collect();
        let at = prunes.is_some().then(|| current.revision.clone());
        let (shared, all) = (Shared::new(&live, &all), Arc::new(all));
        let mut cycle = Cycle { current, answers, live, seen, shared, foreign: None, all, pruned: at, writes, cloud };
        let order = Self::in_order(&documents);
        if let Some(prunes) = &mut prunes {
            for name in &order {
                self.state(name).set_prune(prunes.remove(name).unwrap_or_default());
            }
        }
        self.reconcile_in_order(&mut cycle, &documents, order).await;
        if let Some(prunes) = prunes {
            self.reconcile_removed(&cycle, prunes);
        }
        if *scope == Scope::All {
            self.full_cycles += 1;
        }
    }

    /// Reconciles applications in this order. Those whose plans need service deployments are planned again after all
    /// of these were read in one go, and so are those that depend on them.
    async fn reconcile_in_order(
        &mut self,
        cycle: &mut Cycle<'_>,
        documents: &BTreeMap<&ApplicationName, &Documents>,
        mut names: Vec<ApplicationName>,
    ) {
        while !names.is_empty() {
            let mut later: BTreeMap<ApplicationName, Option<ServiceId>> = BTreeMap::new();
            for name in &names {
                let documents = documents[name];
                let Some(valid) = &documents.valid else {
                    self.show_blocked(cycle.current, name, documents, None);
                    continue;
                };
                let is_early = valid.application.depends_on.iter().any(|of| later.contains_key(of));
                let target = Target { name, documents, valid, is_early };
                if let Reconciled::Later(service) = self.reconcile(cycle, &target).await {
                    later.insert(name.clone(), service);
                }
            }
            self.read_records(cycle, &later).await;
            names.retain(|name| later.contains_key(name));
        }
    }

    /// Reads the service deployments of applications whose plans are better with them: all of them in one go, so that a
    /// cycle at rest costs no further read.
    async fn read_records(&mut self, cycle: &mut Cycle<'_>, later: &BTreeMap<ApplicationName, Option<ServiceId>>) {
        let service_deployments: BTreeSet<ServiceId> = later.values().flatten().cloned().collect();
        if service_deployments.is_empty() {
            return;
        }
        let now = Instant::now();
        let request = ObserveRequest { service_deployments, priority: Priority::Rollout, ..ObserveRequest::default() };
        record::read(&*cycle.cloud, &request, &mut cycle.live).await;
        for (name, service) in later {
            let read = service.as_ref().and_then(|service| cycle.live.service_deployments.get(service));
            if let Some(read) = read {
                self.state(name).record = Some((now, read.clone()));
            }
        }
    }

    /// Shows the plan of an application for which nothing may be done: a plan without steps.
    fn show_blocked(
        &mut self,
        current: &DesiredState,
        name: &ApplicationName,
        documents: &Documents,
        hold: Option<Hold>,
    ) {
        let revision = match (&documents.valid, &documents.invalid) {
            (Some(valid), _) => valid.revision.clone(),
            (None, Some(invalid)) => invalid.revision.clone(),
            (None, None) => current.revision_of(&self.name).clone(),
        };
        let hold = hold.map(|reason| Held { subject: Subject::Application, changes: Vec::new(), reason });
        let plan = Plan {
            held: hold.into_iter().chain(documents.held()).chain(current.held_back(&self.name)).collect(),
            sync: Sync::Unknown,
            health: Health::Unknown,
            ..Plan::settled(self.name.clone(), name.clone(), revision)
        };
        let context = self.context.clone();
        let state = self.state(name);
        state.observed(&plan, Instant::now());
        state.show(&context, &plan);
    }

    /// The state of an application; empty at first.
    pub(crate) fn state(&mut self, name: &ApplicationName) -> &mut ApplicationState {
        self.applications.entry(name.clone()).or_insert_with(|| {
            let edges = self.context.reporting.known(&self.name, name);
            ApplicationState::new(&self.name, name, edges)
        })
    }

    /// Takes what is remembered of an application out of the loop. The caller returns it, or gives it to a
    /// pass that does.
    pub(crate) fn take_state(&mut self, name: &ApplicationName) -> ApplicationState {
        self.state(name);
        self.applications.remove(name).expect("it was added just before")
    }
}

/// Why nothing may be done in an environment at all: another account answers, or none.
pub(crate) async fn refusal(environment: &Environment, cloud: &dyn Cloud) -> Option<Hold> {
    match cloud.account().await {
        Ok(actual) if actual == environment.account => None,
        Ok(actual) => Some(Hold::AccountMismatch { expected: environment.account.clone(), actual }),
        Err(failure) if failure.kind == FailureKind::Credentials => {
            Some(Hold::NoCredentials { message: failure.message })
        }
        Err(failure) => Some(Hold::NotObserved { failure }),
    }
}
