//! An apply pass: one application's steps, one after the other, each planned on what the one before answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::desired::DesiredApplication;
use trueup_core::live::Live;
use trueup_core::names::ApplicationName;
use trueup_core::plan::{self, Input, Operation, Plan, Resource, Step, tags};
use trueup_core::report::{Event, Failure, PlannedStep, What};
use trueup_ports::{Answer, CallError, Cloud, Effect};

use crate::application::ApplicationState;
use crate::context::Context;
use crate::follower::Valid;
use crate::resolution::{Answers, answer_target_groups, resolve};

/// The most calls of one pass. Far above what one application can need (a few for each of its documents): it ends a
/// pass that does not come nearer.
const CALLS_MAX: usize = 200;

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
    /// It as git had it at the commit that was applied last.
    pub last_applied: Option<Arc<DesiredApplication>>,
    /// All applications of the environment.
    pub applications: Arc<BTreeSet<ApplicationName>>,
    /// The plan that the pass begins with.
    pub plan: Plan,
    pub state: ApplicationState,
}

/// What a pass leaves behind.
pub(crate) struct Finished {
    pub name: ApplicationName,
    pub state: ApplicationState,
}

impl Pass {
    /// Takes the steps until none is left that can be taken, one fails, a newer revision is in force or the engine
    /// stops. Must not be dropped between two awaits of one call: whoever stops it raises the shutdown and waits.
    pub async fn run(mut self) -> Finished {
        let name = self.valid.application.name.clone();
        let context = self.context.clone();
        let permit = tokio::select! {
            biased;
            () = context.shutdown.requested() => None,
            permit = context.passes.acquire() => permit.ok(),
        };
        if permit.is_some() {
            self.take_steps().await;
        }
        if !self.is_current() {
            // A newer commit pre-empts this one, at once.
            self.state.look_at = Some(Instant::now());
        }
        Finished { name, state: self.state }
    }

    async fn take_steps(&mut self) {
        for _ in 0..CALLS_MAX {
            let Some(step) = self.plan.steps.iter().find(|step| step.awaits.is_empty()).cloned() else { break };
            if self.context.shutdown.is_requested() || !self.is_current() {
                return;
            }
            match self.cloud.execute(&step.call).await {
                Ok(answer) => self.succeeded(&step, &answer),
                Err(error) => return self.failed(&step, &error),
            }
            self.plan_anew();
        }
        self.state.schedule(&self.plan, &self.context, Instant::now());
        // Whatever was written is looked at soon: reads may lag, and ECS has begun to work.
        let soon = Instant::now() + self.context.options.rollout_interval;
        self.state.look_at = Some(self.state.look_at.map_or(soon, |at| at.min(soon)));
    }

    fn is_current(&self) -> bool {
        let application = &self.valid.application;
        self.context.is_current(&application.environment, &application.name, &self.valid.revision)
    }

    /// Takes in AWS's answer.
    fn succeeded(&mut self, step: &Step, answer: &Answer) {
        let now = self.context.now();
        self.state.memory.wrote(step, now);
        self.state.memory.answered(step, &answer.output, now);
        if matches!(step.call.operation, Operation::CreateService | Operation::UpdateService) {
            let desired = self.desired();
            if let Some(service) = &desired.service {
                self.state.memory.deployed(tags::applied_digest(&desired, service));
            }
        }
        self.live.absorb(&step.call, &answer.output);
        self.refresh(step);
        self.state.succeeded(step);
        self.tell(What::StepApplied { step: PlannedStep::from(step), request_id: answer.request_id.clone() });
    }

    /// Ends the pass: what happened is read back before anything else is done.
    fn failed(&mut self, step: &Step, error: &CallError) {
        if error.effect == Effect::Unknown {
            self.state.memory.wrote(step, self.context.now());
        }
        self.refresh(step);
        self.state.failed(step, &self.plan.revision, error, Instant::now());
        let failure = Failure {
            kind: error.kind,
            code: error.code.clone(),
            message: error.message.clone(),
            request_id: error.request_id.clone(),
            effect_unknown: error.effect == Effect::Unknown,
        };
        self.tell(What::StepFailed { step: PlannedStep::from(step), failure });
        let mut plan = self.plan.clone();
        self.state.complete(&mut plan);
        self.show(plan);
    }

    /// Plans with what is known now.
    fn plan_anew(&mut self) {
        let desired = self.desired();
        let now = self.context.now();
        let mut plan = plan::plan(&Input {
            desired: &desired,
            last_applied: self.last_applied.as_deref(),
            live: &self.live,
            instance: &self.context.options.instance,
            autoscaled: false,
            applications: &self.applications,
            waits_for: &BTreeSet::new(),
            memory: &self.state.memory,
            now,
        });
        self.state.complete(&mut plan);
        self.plan = plan.clone();
        self.show(plan);
    }

    /// The application, with the target groups that exist by now in its references.
    fn desired(&mut self) -> Arc<DesiredApplication> {
        answer_target_groups(&self.live, &mut self.answers);
        resolve(&self.valid, &self.answers, &mut self.state.resolved)
    }

    /// Has the next look read the resource afresh.
    fn refresh(&mut self, step: &Step) {
        let Resource { name, arn, .. } = &step.resource;
        self.state.refresh.insert(name.clone());
        self.state.refresh.extend(arn.iter().map(|arn| arn.as_str().to_owned()));
    }

    /// Tells something of this application.
    fn tell(&self, what: What) {
        self.context.tell([Event {
            time: self.context.now(),
            environment: Some(self.plan.environment.clone()),
            application: Some(self.plan.application.clone()),
            revision: Some(self.plan.revision.clone()),
            what,
        }]);
    }

    /// Tells what is new in a plan and puts it on the board.
    fn show(&mut self, plan: Plan) {
        let now = self.context.now();
        self.context.tell(self.state.edges.observe(&plan, now));
        self.context.board.set(plan, now);
    }
}
