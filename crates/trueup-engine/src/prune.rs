//! Pruning: what this installation made and git no longer has, looked for by its tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::{DesiredApplication, Mode, Policy};
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::{Health, Plan, Prune, PruneInput, Sync, tags};
use trueup_ports::{Cloud, ObserveRequest};

use crate::application::ApplicationState;
use crate::context::Context;
use crate::cycle::Look;
use crate::environment::{EnvironmentLoop, Scope};
use crate::follower::{InForce, Valid};
use crate::pass::{Finished, next_step};
use crate::planning;
use crate::resolution::{self, Answers};
use crate::write::write;

/// Everything that is owned is listed once in so many full cycles, where nothing is known to be pruned: after each
/// commit it is listed anyway, and a listing costs a call per hundred resources.
const CYCLES_BETWEEN_INVENTORIES: u64 = 10;

impl EnvironmentLoop {
    /// Asks for the inventory when this cycle is one that prunes.
    pub(crate) fn want_inventory(&self, in_force: &InForce, scope: &Scope, wanted: &mut ObserveRequest) {
        let options = &self.context.options;
        // With a part of the applications, or an older commit on purpose, nothing follows from what git does not have.
        let everything = options.applications.is_empty() && options.revision.is_none();
        let ours = in_force.applications.iter().filter(|((environment, _), _)| *environment == self.name);
        let policies = ours.filter_map(|(_, standing)| Some(&standing.valid.as_ref()?.application.policy));
        let prunes = policies.chain(in_force.policies.get(&self.name)).any(|policy| policy.prune != Mode::Off);
        let prunes = prunes || broken::is(Broken::DeletedUnasked);
        let is_due = self.pruned.as_ref() != Some(&in_force.revision)
            || self.full_cycles.is_multiple_of(CYCLES_BETWEEN_INVENTORIES)
            || self.applications.values().any(ApplicationState::has_prune);
        if *scope == Scope::All && everything && prunes && is_due && self.busy.is_empty() {
            let clusters = wanted.services.iter().map(|service| service.cluster.clone());
            let default = in_force.environments.get(&self.name).and_then(|environment| environment.cluster.clone());
            wanted.inventory = Some((options.instance.clone(), clusters.chain(default).collect()));
        }
    }

    /// Works out what is to be pruned, by application. `None` when this cycle does not know.
    pub(crate) async fn prunes(
        &mut self,
        in_force: &InForce,
        live: &Live,
        answers: &Answers,
        valid: &[(&ApplicationName, &Valid)],
    ) -> Option<BTreeMap<ApplicationName, Prune>> {
        let inventory = live.inventory.as_ref()?.present()?;
        let revisions = inventory.iter().filter_map(|owned| owned.tags.get(tags::REVISION)).map(Revision::new);
        let known = self.context.past.known(revisions.collect()).await;
        let mut desired: Vec<Arc<DesiredApplication>> = Vec::new();
        for (name, valid) in valid {
            let mut state = self.take_state(name);
            desired.push(resolution::resolve(valid, answers, &mut state.resolved));
            self.applications.insert((*name).clone(), state);
        }
        let desired: Vec<&DesiredApplication> = desired.iter().map(AsRef::as_ref).collect();
        let policy = in_force.policies.get(&self.name).cloned().unwrap_or_else(Policy::default);
        self.pruned = Some(in_force.revision.clone());
        Some(planning::plan_prune(&PruneInput {
            environment: &self.name,
            instance: &self.context.options.instance,
            desired: &desired,
            complete: in_force.is_complete(&self.name) && desired.iter().all(|one| one.unresolved.is_empty()),
            policy: &policy,
            known: &known,
            live,
        }))
    }

    /// Looks at applications that git no longer has: only pruning applies to them.
    pub(crate) fn look_at_removed(&mut self, look: &Look<'_>, prunes: BTreeMap<ApplicationName, Prune>) {
        let now = Instant::now();
        let gone: Vec<ApplicationName> = self
            .applications
            .keys()
            .filter(|name| !look.all.contains(*name) && !prunes.contains_key(*name))
            .cloned()
            .collect();
        for name in gone {
            self.forget(&name);
        }
        for (name, prune) in prunes {
            let mut state = self.take_state(&name);
            state.set_prune(prune);
            let mut plan = Plan {
                environment: self.name.clone(),
                application: name.clone(),
                revision: look.in_force.revision.clone(),
                steps: Vec::new(),
                held: Vec::new(),
                sync: Sync::Synced,
                health: Health::Unknown,
                rollout: None,
                finding: None,
            };
            state.complete(&mut plan);
            self.context.show(&mut state, &plan);
            if look.writes && state.may_write(now) && next_step(&plan, true).is_some() {
                let pass = Removal { context: self.context.clone(), cloud: look.cloud.clone(), plan, state };
                let pass = self.passes.spawn(pass.run());
                self.busy.insert(name, pass);
            } else {
                self.applications.insert(name, state);
            }
        }
    }
}

/// Deletes what is left of an application that git no longer has. What waits for these deletions comes with the next
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
            // With another commit in force, nothing more is deleted.
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
