//! An apply pass: one application's steps, one after the other, each planned with the answer to the one before.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::DesiredApplication;
use trueup_core::kind::Kind;
use trueup_core::live::{Live, LiveService, Observed};
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::{Cause, Held, Input, Operation, Plan, Step, tags};
use trueup_core::resources::service::{deploys, wants_service_deployments};
use trueup_ports::{Answer, Cloud, ObserveRequest, Priority};

use crate::application::ApplicationState;
use crate::context::Context;
use crate::desired_state::ValidDocuments;
use crate::planning;
use crate::record;
use crate::resolution::{LookupAnswers, answer_target_groups, resolve};
use crate::write::write;

/// The most calls of one pass. Far more than one application needs (a few for each of its documents): it ends a pass that
/// makes no progress.
const CALLS_MAX: usize = 200;

/// A service that was observed longer ago is read again before a write: another copy may have written to it meanwhile.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// The state of a pass.
pub(crate) struct Pass {
    pub context: Arc<Context>,
    pub cloud: Arc<dyn Cloud>,
    /// The application and its revision.
    pub valid: ValidDocuments,
    /// AWS's answers to its lookups.
    pub answers: LookupAnswers,
    /// What AWS has of it.
    pub live: Live,
    /// When AWS was asked for it.
    pub seen: Instant,
    /// This pass wrote to the service: AWS may still show the state before.
    pub wrote: bool,
    /// The application as git had it at the commit that was applied last.
    pub last_applied: Option<Arc<DesiredApplication>>,
    /// The commits anywhere in the environment that the current revision did not have.
    pub foreign: Arc<BTreeSet<Revision>>,
    /// All applications of the environment.
    pub applications: Arc<BTreeSet<ApplicationName>>,
    /// The commit for which pruning was planned, when that was in the cycle of this pass.
    pub pruned: Option<Revision>,
    /// The plan that the pass begins with.
    pub plan: Plan,
    /// Holds that keep the application from the newest commit, whatever the pass does.
    pub lasting: Vec<Held>,
    pub state: ApplicationState,
}

/// The result of a pass.
pub(crate) struct Finished {
    pub name: ApplicationName,
    pub state: ApplicationState,
}

/// The first step of a plan that can be taken now. Deletions only with `prune`: never by an old inventory.
pub(crate) fn next_step(plan: &Plan, prune: bool) -> Option<&Step> {
    plan.steps.iter().find(|step| step.awaits.is_empty() && (step.cause != Cause::Prune || prune))
}

impl Pass {
    /// Takes the steps until none is left that can be taken, one fails, a newer revision is current or the engine stops. Must
    /// not be dropped: to stop it, request the shutdown and wait.
    pub async fn run(mut self) -> Finished {
        let name = self.valid.application.name.clone();
        if let Some(resolved) = &mut self.state.resolved {
            resolved.rest = None;
        }
        self.take_steps().await;
        if !self.is_current() {
            // A newer commit pre-empts this one, at once.
            self.state.observe_at = Some(Instant::now());
        }
        Finished { name, state: self.state }
    }

    async fn take_steps(&mut self) {
        for _ in 0..CALLS_MAX {
            let prune = self.pruned.is_some() && self.pruned == self.context.revision();
            let Some(step) = next_step(&self.plan, prune).cloned() else { break };
            let context = self.context.clone();
            // One for each step, in the order of requests: an application with many steps goes to the end of the queue
            // after each, so that none waits for all steps of another.
            let permit = tokio::select! {
                biased;
                () = context.shutdown.requested() => return,
                permit = context.writes.acquire() => permit,
            };
            if self.context.shutdown.is_requested() || !self.is_current() {
                return;
            }
            if deploys(&step) && self.read_record().await {
                // A revision that failed or was rolled back between two observations is not deployed again.
                self.replan();
                continue;
            }
            if self.scaling_changed(&step).await {
                self.replan();
                continue;
            }
            if self.is_out_of_date(&step).await {
                self.replan();
                continue;
            }
            let answer = write(&self.context, &*self.cloud, &mut self.state, &self.plan, &step).await;
            drop(permit);
            let Some(answer) = answer else {
                self.state.complete(&mut self.plan);
                return self.show();
            };
            self.wrote |= step.subject.kind() == Some(Kind::Service);
            self.absorb(&step, &answer);
            self.replan();
        }
        // Written resources are observed soon: reads may lag, and ECS has begun to work.
        let now = Instant::now();
        let interval = self.context.options.rollout_interval;
        self.state.schedule(&self.plan, interval, now);
        self.state.observe_by(now + interval);
    }

    /// Reads again whether an autoscaler governs the number of tasks before that number is sent: the last answer may be
    /// minutes old. Returns whether it changed.
    async fn scaling_changed(&mut self, step: &Step) -> bool {
        let counts = step.call.operation == Operation::UpdateService && step.call.input.get("desiredCount").is_some();
        let Some(id) = self.desired().service_id().filter(|_| counts) else { return false };
        let request = ObserveRequest {
            scaling: BTreeSet::from([id.clone()]),
            refresh: BTreeSet::from([format!("service/{id}")]),
            priority: Priority::Safety,
            ..ObserveRequest::default()
        };
        let answer = self.cloud.observe(&request).await.autoscaled.remove(&id);
        let is_new = answer.as_ref() != self.live.autoscaled.get(&id);
        match answer {
            Some(answer) => drop(self.live.autoscaled.insert(id, answer)),
            None => drop(self.live.autoscaled.remove(&id)),
        }
        is_new
    }

    /// Reads the service again before it is deployed, and when it was observed a while ago: waiting for a turn takes time, and
    /// another copy may have applied a newer commit meanwhile. Returns whether the plan was made from an older state.
    async fn is_out_of_date(&mut self, step: &Step) -> bool {
        if broken::is(Broken::OldReadsBelieved) {
            return false;
        }
        let desired = self.desired();
        let Some(id) =
            desired.service_id().filter(|_| !self.wrote && (deploys(step) || self.seen.elapsed() > SEEN_MAX))
        else {
            return false;
        };
        let seen = Instant::now();
        let request = ObserveRequest {
            services: BTreeSet::from([id.clone()]),
            priority: Priority::Safety,
            ..ObserveRequest::default()
        };
        let mut live = self.cloud.observe(&request).await;
        let Some(service) = live.services.remove(&id) else { return false };
        self.seen = seen;
        let before = self.live.services.insert(id.clone(), service);
        self.live.task_definitions.append(&mut live.task_definitions);
        self.state.ahead = self.context.ahead(&desired, &self.live, &self.foreign).await;
        let about = |service: Option<&Observed<LiveService>>| {
            service.cloned().map(|service| {
                service.map(|service| (service.description.get("taskDefinition").cloned(), service.tags))
            })
        };
        self.state.ahead.is_some() || about(before.as_ref()) != about(self.live.services.get(&id))
    }

    fn is_current(&self) -> bool {
        let application = &self.valid.application;
        self.context.is_current(&application.environment, &application.name, &self.valid.revision)
    }

    /// Adds AWS's answer to the live state.
    fn absorb(&mut self, step: &Step, answer: &Answer) {
        if matches!(step.call.operation, Operation::CreateService | Operation::UpdateService) {
            let desired = self.desired();
            if let Some(service) = desired.single(Kind::Service) {
                self.state.memory.deployed(tags::applied_digest(&desired, service));
            }
        }
        self.live.absorb(&step.call, &answer.output);
    }

    /// Reads the service deployments when the plan is better with them. Returns whether they were read.
    async fn read_record(&mut self) -> bool {
        let desired = self.desired();
        let Some(service) = wants_service_deployments(&self.input(&desired, &BTreeSet::new()), &self.plan, false)
        else {
            return false;
        };
        let service_deployments = BTreeSet::from([service]);
        let request = ObserveRequest { service_deployments, priority: Priority::Safety, ..ObserveRequest::default() };
        record::read(&*self.cloud, &request, &mut self.live).await;
        true
    }

    fn input<'a>(&'a self, desired: &'a DesiredApplication, waits_for: &'a BTreeSet<ApplicationName>) -> Input<'a> {
        Input {
            desired,
            last_applied: self.last_applied.as_deref(),
            live: &self.live,
            instance: &self.context.options.instance,
            applications: &self.applications,
            waits_for,
            ahead: self.state.ahead.as_ref(),
            memory: &self.state.memory,
            now: self.context.now(),
        }
    }

    /// Plans again with the live state known now.
    fn replan(&mut self) {
        let desired = self.desired();
        self.plan = planning::plan(&self.input(&desired, &BTreeSet::new()));
        for held in &self.lasting {
            self.plan.hold(held.clone());
        }
        self.state.complete(&mut self.plan);
        self.context.attribute(&self.cloud, &mut self.plan);
        self.show();
    }

    /// The application, with the target groups that exist by now in its references.
    fn desired(&mut self) -> Arc<DesiredApplication> {
        answer_target_groups(&self.live, &mut self.answers);
        resolve(&self.valid, &self.answers, &mut self.state.resolved)
    }

    /// Emits what is new in the plan, and updates the status.
    fn show(&mut self) {
        self.state.show(&self.context, &self.plan);
    }
}
