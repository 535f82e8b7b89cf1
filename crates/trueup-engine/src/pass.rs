//! An apply pass: one application's steps, one after the other, each planned on what the one before answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::DesiredApplication;
use trueup_core::kind::Kind;
use trueup_core::live::{Live, LiveService, Observed};
use trueup_core::names::{ApplicationName, Revision};
use trueup_core::plan::{Cause, Held, Input, Operation, Plan, Step, deploys, tags, wants_service_deployments};
use trueup_ports::{Answer, Cloud, ObserveRequest, Priority};

use crate::application::ApplicationState;
use crate::context::Context;
use crate::follower::Valid;
use crate::planning;
use crate::record;
use crate::resolution::{Answers, answer_target_groups, resolve};
use crate::write::write;

/// The most calls of one pass. Far above what one application can need (a few for each of its documents): it ends a
/// pass that does not come nearer.
const CALLS_MAX: usize = 200;

/// What was seen longer ago is looked at once more before it is written to: another copy may have been there meanwhile.
const SEEN_MAX: Duration = Duration::from_secs(2);

/// All that a pass works with.
pub(crate) struct Pass {
    pub context: Arc<Context>,
    pub cloud: Arc<dyn Cloud>,
    /// The application and its revision.
    pub valid: Valid,
    /// AWS's answers to its lookups.
    pub answers: Answers,
    /// What AWS has of it.
    pub live: Live,
    /// When AWS was asked for it.
    pub seen: Instant,
    /// This pass wrote to the service: AWS may still show the time before.
    pub wrote: bool,
    /// It as git had it at the commit that was applied last.
    pub last_applied: Option<Arc<DesiredApplication>>,
    /// The commits anywhere in the environment that the revision in force did not have.
    pub foreign: Arc<BTreeSet<Revision>>,
    /// All applications of the environment.
    pub applications: Arc<BTreeSet<ApplicationName>>,
    /// The commit at which was looked for what to prune, when that was done for this very pass.
    pub pruned: Option<Revision>,
    /// The plan that the pass begins with.
    pub plan: Plan,
    /// What keeps the application from where the newest commit has it, whatever the pass does.
    pub lasting: Vec<Held>,
    pub state: ApplicationState,
}

/// What a pass leaves behind.
pub(crate) struct Finished {
    pub name: ApplicationName,
    pub state: ApplicationState,
}

/// The first step of a plan that can be taken now. Deletions only when `prune`: never on an inventory of some time ago.
pub(crate) fn next_step(plan: &Plan, prune: bool) -> Option<&Step> {
    plan.steps.iter().find(|step| step.awaits.is_empty() && (step.cause != Cause::Prune || prune))
}

impl Pass {
    /// Takes the steps until none is left that can be taken, one fails, a newer revision is in force or the engine
    /// stops. Must not be dropped: whoever stops it raises the shutdown and waits.
    pub async fn run(mut self) -> Finished {
        let name = self.valid.application.name.clone();
        if let Some(resolved) = &mut self.state.resolved {
            resolved.rest = None;
        }
        self.take_steps().await;
        if !self.is_current() {
            // A newer commit pre-empts this one, at once.
            self.state.look_at = Some(Instant::now());
        }
        Finished { name, state: self.state }
    }

    async fn take_steps(&mut self) {
        for _ in 0..CALLS_MAX {
            let prune = self.pruned.is_some() && self.pruned == self.context.revision();
            let Some(step) = next_step(&self.plan, prune).cloned() else { break };
            let context = self.context.clone();
            // One for each step, in the order of asking: an application with many steps goes to the end of the line
            // after each, so that none waits for all of another's.
            let permit = tokio::select! {
                biased;
                () = context.shutdown.requested() => return,
                permit = context.writes.acquire() => permit,
            };
            if self.context.shutdown.is_requested() || !self.is_current() {
                return;
            }
            if deploys(&step) && self.read_record().await {
                // What ECS threw out while nobody looked is not asked for again.
                self.plan_anew();
                continue;
            }
            if self.reads_scaling_first(&step).await {
                self.plan_anew();
                continue;
            }
            if self.looks_again(&step).await {
                self.plan_anew();
                continue;
            }
            let answer = write(&self.context, &*self.cloud, &mut self.state, &self.plan, &step).await;
            drop(permit);
            let Some(answer) = answer else {
                self.state.complete(&mut self.plan);
                return self.show();
            };
            self.wrote |= step.resource.kind == Kind::Service;
            self.absorb(&step, &answer);
            self.plan_anew();
        }
        // Whatever was written is looked at soon: reads may lag, and ECS has begun to work.
        let now = Instant::now();
        self.state.schedule(&self.plan, &self.context, now);
        let soon = now + self.context.options.rollout_interval;
        self.state.look_at = Some(self.state.look_at.map_or(soon, |at| at.min(soon)));
    }

    /// Asks once more whether an autoscaler governs the number of tasks before that number is sent: what was remembered
    /// may be minutes old. Gives back whether that changed anything.
    async fn reads_scaling_first(&mut self, step: &Step) -> bool {
        let counts = step.call.operation == Operation::UpdateService && step.call.input.get("desiredCount").is_some();
        let Some(id) = self.desired().service_id().filter(|_| counts) else { return false };
        let wanted = ObserveRequest {
            scaling: BTreeSet::from([id.clone()]),
            refresh: BTreeSet::from([format!("service/{id}")]),
            priority: Priority::Safety,
            ..ObserveRequest::default()
        };
        let answer = self.cloud.observe(&wanted).await.autoscaled.remove(&id);
        let is_new = answer.as_ref() != self.live.autoscaled.get(&id);
        match answer {
            Some(answer) => drop(self.live.autoscaled.insert(id, answer)),
            None => drop(self.live.autoscaled.remove(&id)),
        }
        is_new
    }

    /// Reads the service once more before it is deployed, and when it was seen a while ago: waiting for a turn takes time,
    /// and another copy may have applied a newer commit meanwhile. Gives back whether the plan no longer stands on what AWS has.
    async fn looks_again(&mut self, step: &Step) -> bool {
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
        let wanted = ObserveRequest {
            services: BTreeSet::from([id.clone()]),
            priority: Priority::Safety,
            ..ObserveRequest::default()
        };
        let mut live = self.cloud.observe(&wanted).await;
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

    /// Takes in AWS's answer.
    fn absorb(&mut self, step: &Step, answer: &Answer) {
        if matches!(step.call.operation, Operation::CreateService | Operation::UpdateService) {
            let desired = self.desired();
            if let Some(service) = desired.single(Kind::Service) {
                self.state.memory.deployed(tags::applied_digest(&desired, service));
            }
        }
        self.live.absorb(&step.call, &answer.output);
    }

    /// Reads the record of service deployments, when it is not known yet. Gives back whether it was read.
    async fn read_record(&mut self) -> bool {
        let desired = self.desired();
        let Some(service) = wants_service_deployments(&self.input(&desired, &BTreeSet::new()), &self.plan, false)
        else {
            return false;
        };
        let service_deployments = BTreeSet::from([service]);
        let wanted = ObserveRequest { service_deployments, priority: Priority::Safety, ..ObserveRequest::default() };
        record::read(&*self.cloud, &wanted, &mut self.live).await;
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

    /// Plans with what is known now.
    fn plan_anew(&mut self) {
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

    /// Tells what is new in the plan and puts it on the board.
    fn show(&mut self) {
        self.context.show(&mut self.state, &self.plan);
    }
}
