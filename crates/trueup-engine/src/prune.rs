//! Pruning: resources that this installation created and git no longer has, found by their tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::{DesiredApplication, Mode, Policy};
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::{Health, Plan, tags};
use trueup_core::planner::{Prune, PruneInput};
use trueup_ports::{Cloud, ObserveRequest};

use crate::application::ApplicationState;
use crate::context::Context;
use crate::cycle::Cycle;
use crate::desired_state::{DesiredState, ValidDocuments};
use crate::environment::{EnvironmentLoop, Scope};
use crate::pass::{Finished, next_step};
use crate::planning;
use crate::resolution::{self, LookupAnswers};
use crate::write::write;

/// All owned resources are listed once in so many full cycles while nothing is to be pruned: they are listed after each
/// commit anyway, and a listing costs a call per hundred resources.
const CYCLES_BETWEEN_INVENTORIES: u64 = 10;

impl EnvironmentLoop {
    /// Adds the inventory to the request when this cycle prunes.
    pub(crate) fn want_inventory(&self, current: &DesiredState, scope: &Scope, request: &mut ObserveRequest) {
        let options = &self.context.options;
        // With a selection of applications, or a pinned commit, nothing follows from what git does not have.
        let everything = options.applications.is_empty() && options.revision.is_none();
        let ours = current.applications.iter().filter(|((environment, _), _)| *environment == self.name);
        let policies = ours.filter_map(|(_, documents)| Some(&documents.valid.as_ref()?.application.policy));
        let prunes = policies.chain(current.policies.get(&self.name)).any(|policy| policy.prune != Mode::Off);
        let prunes = prunes || broken::is(Broken::DeletedUnasked);
        let is_due = self.pruned.as_ref() != Some(&current.revision)
            || self.full_cycles.is_multiple_of(CYCLES_BETWEEN_INVENTORIES)
            || self.applications.values().any(ApplicationState::has_prune);
        if *scope == Scope::All && everything && prunes && is_due && self.busy.is_empty() {
            let clusters = request.services.iter().map(|service| service.cluster.clone());
            let default = current.environments.get(&self.name).and_then(|environment| environment.cluster.clone());
            request.inventory = Some((options.instance.clone(), clusters.chain(default).collect()));
        }
    }

    /// Plans what is to be pruned, by application. `None` when this cycle does not know.
    pub(crate) async fn prunes(
        &mut self,
        current: &DesiredState,
        live: &Live,
        answers: &LookupAnswers,
        valid: &[(&ApplicationName, &ValidDocuments)],
    ) -> Option<BTreeMap<ApplicationName, Prune>> {
        let inventory = live.inventory.as_ref()?.present()?;
        let revisions = inventory.iter().filter_map(|owned| owned.tags.get(tags::REVISION)).map(Revision::new);
        let known = self.context.history.known(revisions.collect()).await;
        let mut desired: Vec<Arc<DesiredApplication>> = Vec::new();
        for (name, valid) in valid {
            desired.push(resolution::resolve(valid, answers, &mut self.state(name).resolved));
        }
        let desired: Vec<&DesiredApplication> = desired.iter().map(AsRef::as_ref).collect();
        let policy = current.policies.get(&self.name).cloned().unwrap_or_else(Policy::default);
        self.pruned = Some(current.revision.clone());
        Some(planning::plan_prune(&PruneInput {
            environment: &self.name,
            instance: &self.context.options.instance,
            desired: &desired,
            complete: current.is_complete(&self.name) && desired.iter().all(|one| one.unresolved.is_empty()),
            policy: &policy,
            known: &known,
            live,
        }))
    }

    /// Reconciles applications that git no longer has: only pruning applies to them.
    pub(crate) fn reconcile_removed(&mut self, cycle: &Cycle<'_>, prunes: BTreeMap<ApplicationName, Prune>) {
        let now = Instant::now();
        let gone: Vec<ApplicationName> = self
            .applications
            .keys()
            .filter(|name| !cycle.all.contains(*name) && !prunes.contains_key(*name))
            .cloned()
            .collect();
        for name in gone {
            self.forget(&name);
        }
        for (name, prune) in prunes {
            let mut state = self.take_state(&name);
            state.set_prune(prune);
            let revision = cycle.current.revision.clone();
            let mut plan = Plan { health: Health::Unknown, ..Plan::settled(self.name.clone(), name.clone(), revision) };
            state.complete(&mut plan);
            state.show(&self.context, &plan);
            if cycle.writes && state.may_write(now) && next_step(&plan, true).is_some() {
                let pass = Removal { context: self.context.clone(), cloud: cycle.cloud.clone(), plan, state };
                let pass = self.passes.spawn(pass.run());
                self.busy.insert(name, pass);
            } else {
                self.applications.insert(name, state);
            }
        }
    }
}

/// Deletes what is left of an application that git no longer has. Deletions that wait for these come with the next
/// inventory.
struct Removal {
    context: Arc<Context>,
    cloud: Arc<dyn Cloud>,
    plan: Plan,
    state: ApplicationState,
}

impl Removal {
    async fn run(mut self) -> Finished {
        for step in self.plan.steps.iter().filter(|step| step.awaits.is_empty()) {
            // When another commit is current, nothing more is deleted.
            let is_current = self.context.revision().as_ref() == Some(&self.plan.revision);
            if self.context.shutdown.is_requested() || !is_current {
                break;
            }
            if write(&self.context, &*self.cloud, &mut self.state, &self.plan, step).await.is_none() {
                break;
            }
        }
        Finished { name: self.plan.application, state: self.state }
    }
}
