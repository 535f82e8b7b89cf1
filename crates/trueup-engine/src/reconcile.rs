//! Reconciling one application in a cycle: planning it, showing what is new, and starting a pass for its steps.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::{Application, DesiredApplication};
use trueup_core::live::Live;
use trueup_core::names::{ApplicationName, Arn, ServiceId};
use trueup_core::plan::{Held, Plan, Rollout};
use trueup_core::resources::service::wants_service_deployments;

use crate::application::ApplicationState;
use crate::cycle::{Cycle, Reconciled, Target};
use crate::desired_state::{DesiredState, ValidDocuments};
use crate::environment::{EnvironmentLoop, Read};
use crate::pass::{Pass, next_step};
use crate::planning::{self, Basis};
use crate::resolution::{self, LookupAnswers};
use crate::rest::Rest;

/// What follows from the plan of an application.
enum Next {
    Done,
    Later(Option<ServiceId>),
    /// Its first step is taken.
    Pass(Box<Prepared>),
}

/// What a pass begins with, besides what the whole environment shares.
struct Prepared {
    live: Live,
    last_applied: Option<Arc<DesiredApplication>>,
    plan: Plan,
    lasting: Vec<Held>,
}

/// Lends the rules of the whole environment to the part of one application, and returns them when it is dropped. A
/// listener may have a hundred rules, and a hundred applications may share it: a copy for each would be expensive.
struct LentRules<'a> {
    part: &'a mut Live,
    whole: &'a mut Live,
}

impl<'a> LentRules<'a> {
    fn new(part: &'a mut Live, whole: &'a mut Live) -> Self {
        mem::swap(&mut part.rules, &mut whole.rules);
        Self { part, whole }
    }
}

impl Drop for LentRules<'_> {
    fn drop(&mut self) {
        mem::swap(&mut self.part.rules, &mut self.whole.rules);
    }
}

impl EnvironmentLoop {
    /// Plans one application, shows what is new, and starts a pass when there is a step to take.
    pub(crate) async fn reconcile(&mut self, cycle: &mut Cycle<'_>, target: &Target<'_>) -> Reconciled {
        // The state is out of the loop while the loop's methods plan with it, and returns here, whatever came of that.
        let mut state = self.take_state(target.name);
        let (reconciled, prepared) = match self.next(cycle, target, &mut state).await {
            Next::Done => (Reconciled::Done, None),
            Next::Later(service) => (Reconciled::Later(service), None),
            Next::Pass(prepared) => (Reconciled::Done, Some(prepared)),
        };
        match prepared {
            Some(prepared) => self.start(cycle, target, *prepared, state),
            None => drop(self.applications.insert(target.name.clone(), state)),
        }
        reconciled
    }

    async fn next(&mut self, cycle: &mut Cycle<'_>, target: &Target<'_>, state: &mut ApplicationState) -> Next {
        let Target { name, documents, valid, .. } = *target;
        let waits_for = self.unready(cycle.current, &valid.application);
        let is_newest = documents.invalid.is_none() && !cycle.current.held_back.contains_key(&self.name);
        let may_rest = is_newest && waits_for.is_empty() && !state.has_prune();
        if may_rest && self.is_at_rest(cycle, state, name, valid) {
            state.observe_at = None;
            self.context.status.touch(&self.name, name, self.context.now());
            return Next::Done;
        }
        let desired = resolution::resolve(valid, &cycle.answers, &mut state.resolved);
        state.memory.note_service(&desired, &cycle.live, &self.context.options.instance, self.context.now());
        let last_applied = self.last_applied(&desired, &cycle.live, &cycle.answers).await;
        if cycle.foreign.is_none() {
            cycle.foreign = Some(self.context.foreign_revisions(&self.name, &cycle.live).await);
        }
        let foreign = cycle.foreign.clone().unwrap_or_default();
        state.ahead = self.context.ahead(&desired, &cycle.live, &foreign).await;
        let request = resolution::request(valid, &cycle.answers, &mut state.resolved).clone();
        // What is parsed of the part for this plan is dropped with it.
        let mut part = request.part_of(&cycle.live);
        let basis = Basis {
            desired: &desired,
            last_applied: last_applied.as_deref(),
            instance: &self.context.options.instance,
            applications: &cycle.all,
            waits_for: &waits_for,
            ahead: state.ahead.as_ref(),
            memory: &state.memory,
            now: self.context.now(),
        };
        let mut plan = match plan(&basis, state, target.is_early, &mut part, &mut cycle.live) {
            Ok(plan) => plan,
            Err(service) => return Next::Later(service),
        };
        let lasting: Vec<Held> = documents.held().into_iter().chain(cycle.current.held_back(&self.name)).collect();
        for hold in &lasting {
            plan.hold(hold.clone());
        }
        let now = Instant::now();
        self.diagnose(cycle, name, &desired, state, &plan, now);
        state.complete(&mut plan);
        self.context.attribute(&cycle.cloud, &mut plan);
        state.observed(&plan, now);
        state.schedule(&plan, self.context.options.rollout_interval, now);
        if self.any_is_busy(&waits_for) {
            state.observe_by(now + self.context.options.rollout_interval);
        }
        state.show(&self.context, &plan);
        if self.may_write(cycle, name, state, &plan, now) {
            let of_listener = |arn: &Arn| Some((arn.clone(), cycle.live.rules.get(arn)?.clone()));
            part.rules = request.listeners.iter().filter_map(of_listener).collect();
            return Next::Pass(Box::new(Prepared { live: part, last_applied, plan, lasting }));
        }
        if may_rest
            && plan.is_at_rest()
            && let Some(resolved) = &mut state.resolved
        {
            resolved.put_to_rest(Rest::new(&part, &cycle.shared, &request, &state.memory));
        }
        Next::Done
    }

    /// Starts a pass, which has the state until it ends.
    fn start(&mut self, cycle: &Cycle<'_>, target: &Target<'_>, prepared: Prepared, state: ApplicationState) {
        let Prepared { live, last_applied, plan, lasting } = prepared;
        let lookups = target.valid.application.lookups();
        let answers = cycle.answers.iter().filter(|(lookup, _)| lookups.contains(lookup));
        let pass = Pass {
            context: self.context.clone(),
            cloud: cycle.cloud.clone(),
            valid: target.valid.clone(),
            answers: answers.map(|(lookup, answer)| (lookup.clone(), answer.clone())).collect(),
            live,
            seen: cycle.seen,
            wrote: false,
            last_applied,
            foreign: cycle.foreign.clone().unwrap_or_default(),
            applications: cycle.all.clone(),
            pruned: cycle.pruned.clone(),
            plan,
            lasting,
            state,
        };
        let pass = self.passes.spawn(pass.run());
        self.busy.insert(target.name.clone(), pass);
    }

    /// Whether the first step of a plan may be taken now.
    fn may_write(
        &self,
        cycle: &Cycle<'_>,
        name: &ApplicationName,
        state: &ApplicationState,
        plan: &Plan,
        now: Instant,
    ) -> bool {
        cycle.writes
            && self.context.options.selects_application(name)
            && next_step(plan, cycle.pruned.is_some()).is_some()
            && state.may_write(now)
            && !self.context.shutdown.is_requested()
    }

    /// Starts reading evidence, in the background, when tasks of the application fail and it is time for that, and
    /// counting healthy tasks while a rollout runs.
    fn diagnose(
        &mut self,
        cycle: &Cycle<'_>,
        name: &ApplicationName,
        desired: &DesiredApplication,
        state: &mut ApplicationState,
        plan: &Plan,
        now: Instant,
    ) {
        if !self.context.options.selects_application(name) {
            return;
        }
        let service = desired.service_id().and_then(|id| cycle.live.services.get_key_value(&id));
        if let Some(reading) = state.diagnosis.see(service, &cycle.live, plan, now) {
            let run = reading.run(name.clone(), cycle.cloud.clone(), self.turns.clone());
            self.reads.spawn(async { Read::Diagnosed(run.await) });
        }
        if let Some(counting) = state.healthy.see(service, &cycle.live, plan, now) {
            let run = counting.run(name.clone(), cycle.cloud.clone(), self.turns.clone(), self.context.now());
            self.reads.spawn(async { Read::Counted(run.await) });
        }
    }

    /// Whether there is nothing to do for an application because nothing changed since there was nothing to do.
    fn is_at_rest(
        &self,
        cycle: &Cycle<'_>,
        state: &ApplicationState,
        name: &ApplicationName,
        valid: &ValidDocuments,
    ) -> bool {
        let Some((request, rest)) = resolution::rest(valid, &cycle.answers, state.resolved.as_ref()) else {
            return false;
        };
        let shown = self.context.status.get(&self.name, name);
        shown.is_some_and(|shown| shown.plan.is_at_rest())
            && rest.holds(&cycle.live, &cycle.shared, request, &state.memory)
    }

    /// The application at the commit that was applied last; `None` if that is the desired commit.
    async fn last_applied(
        &self,
        desired: &DesiredApplication,
        live: &Live,
        answers: &LookupAnswers,
    ) -> Option<Arc<DesiredApplication>> {
        let revision = resolution::applied_revision(desired, live).filter(|applied| *applied != desired.revision)?;
        let application = self.context.history.application(&revision, &self.name, &desired.name).await?;
        Some(Arc::new(application.resolve(&revision, answers)))
    }

    /// The applications that this one waits for: they differ from git, or do not serve yet.
    fn unready(&self, current: &DesiredState, application: &Application) -> BTreeSet<ApplicationName> {
        let ready = |name: &&ApplicationName| {
            let documents = self.documents(current, name);
            let wanted = documents.and_then(|documents| documents.valid.as_ref()).map(|valid| &valid.revision);
            let status = self.context.status.get(&self.name, name);
            status.is_some_and(|status| status.plan.is_settled() && Some(&status.plan.revision) == wanted)
        };
        let depends_on = application.depends_on.iter().filter(|_| !broken::is(Broken::DependenciesIgnored));
        depends_on.filter(|name| !ready(name)).cloned().collect()
    }

    /// Whether one of these applications has a running pass or an early observation due, so that it may soon be ready.
    fn any_is_busy(&self, applications: &BTreeSet<ApplicationName>) -> bool {
        let is_due =
            |name| self.applications.get(name).is_some_and(|state: &ApplicationState| state.observe_at.is_some());
        applications.iter().any(|name| self.busy.contains_key(name) || is_due(name))
    }
}

/// Plans an application with `part`, its part of the live state `whole`.
///
/// # Errors
/// When the plan is better with service deployments that are still to be read: with their service. When the application
/// `is_early`: without one, or with its own.
fn plan(
    basis: &Basis<'_>,
    state: &ApplicationState,
    is_early: bool,
    part: &mut Live,
    whole: &mut Live,
) -> Result<Plan, Option<ServiceId>> {
    let lent = LentRules::new(part, whole);
    let input = basis.with(lent.part);
    let plan = planning::plan(&input);
    let has_just_ended = state.rolling && !matches!(plan.rollout, Some(Rollout::Running { .. }));
    let service = wants_service_deployments(&input, &plan, has_just_ended);
    let known = service.as_ref().and_then(|_| state.known_record(&plan, Instant::now()));
    match (service, known) {
        (Some(service), None) => Err(Some(service)),
        (Some(_) | None, _) if is_early => Err(None),
        (Some(service), Some(known)) => {
            // The rollout is only watched: what was read a moment ago is good enough.
            lent.part.service_deployments.insert(service, known);
            Ok(planning::plan(&basis.with(lent.part)))
        }
        (None, _) => Ok(plan),
    }
}
