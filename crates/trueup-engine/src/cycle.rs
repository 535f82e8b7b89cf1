//! One cycle of an environment: who answers, what the references are, what AWS has, what is to be done, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;
use trueup_core::broken::{self, Broken};
use trueup_core::desired::{Application, DesiredApplication, Environment, Lookup};
use trueup_core::live::{FailureKind, Live};
use trueup_core::names::{ApplicationName, Arn, Revision, ServiceId};
use trueup_core::plan::{Health, Held, Hold, Input, Plan, Rollout, Sync, wants_service_deployments};
use trueup_ports::{Cloud, ObserveRequest, Priority};

use crate::application::{ApplicationState, is_rolling, is_unsettled};
use crate::board::is_settled;
use crate::environment::{EnvironmentLoop, Read, Scope};
use crate::follower::{InForce, Standing, Valid};
use crate::pass::{Pass, next_step};
use crate::planning;
use crate::record;
use crate::resolution::{self, Answers};
use crate::rest::{Rest, Shared, is_at_rest};
use crate::verified::HeldBack;

/// What one cycle found out of the environment as a whole.
pub(crate) struct Look<'a> {
    pub in_force: &'a InForce,
    pub answers: Answers,
    pub live: Live,
    /// When AWS was asked for it.
    pub seen: Instant,
    /// What of it many applications share.
    pub shared: Shared,
    /// The commits anywhere in the environment that the revision in force does not have, once something moves.
    pub foreign: Option<Arc<BTreeSet<Revision>>>,
    /// All applications that git has in the environment.
    pub all: Arc<BTreeSet<ApplicationName>>,
    /// The commit, when this cycle looked for what to prune.
    pub pruned: Option<Revision>,
    /// Whether steps may be taken.
    pub writes: bool,
    pub cloud: Arc<dyn Cloud>,
}

/// What came of looking at an application.
enum Looked {
    Done,
    /// Nothing was told or begun: it is looked at again when the record of this service, or of one that it depends on,
    /// was read.
    Later(Option<ServiceId>),
}

impl EnvironmentLoop {
    /// Looks at what `scope` says and starts a pass for every application that has a step to take, when `writes`.
    ///
    /// May be dropped at any await: nothing is written here, and passes begin where it no longer waits.
    pub(crate) async fn cycle(&mut self, in_force: &InForce, scope: &Scope, writes: bool) {
        self.context.telling.gather(&self.name);
        self.look(in_force, scope, writes).await;
        self.context.tell(self.context.telling.release(&self.name));
        self.context.telling.save().await;
    }

    async fn look(&mut self, in_force: &InForce, scope: &Scope, writes: bool) {
        let Some(environment) = in_force.environments.get(&self.name) else { return };
        self.forget_removed(in_force);
        let names = self.selected(in_force, scope);
        let standings: BTreeMap<&ApplicationName, &Standing> =
            names.iter().filter_map(|name| Some((name, self.standing(in_force, name)?))).collect();
        let cloud = self.context.clouds.cloud(environment).await;
        if let Some(hold) = refusal(environment, &*cloud).await {
            for (name, standing) in &standings {
                let plan = self.blocked(in_force, name, standing, Some(hold.clone()));
                self.put_back(name, &plan);
            }
            return;
        }
        let valid: Vec<(&ApplicationName, &Valid)> =
            standings.iter().filter_map(|(name, standing)| Some((*name, standing.valid.as_ref()?))).collect();
        let mut answers = self.resolve(&*cloud, in_force, &valid).await;
        let seen = Instant::now();
        let live = self.observe(&*cloud, in_force, scope, &valid, &mut answers).await;
        let mut prunes = self.prunes(in_force, &live, &answers, &valid).await;
        let all: BTreeSet<ApplicationName> =
            in_force.applications.keys().filter(|(env, _)| *env == self.name).map(|(_, name)| name.clone()).collect();
        let inventory_of = prunes.is_some().then(|| in_force.revision.clone());
        let (shared, all) = (Shared::new(&live, &all), Arc::new(all));
        let mut look =
            Look { in_force, answers, live, seen, shared, foreign: None, all, pruned: inventory_of, writes, cloud };
        let mut next = Self::in_order(&standings);
        if let Some(prunes) = &mut prunes {
            for name in &next {
                let mut state = self.take_state(name);
                state.set_prune(prunes.remove(name).unwrap_or_default());
                self.applications.insert(name.clone(), state);
            }
        }
        while !next.is_empty() {
            let mut later: BTreeMap<ApplicationName, Option<ServiceId>> = BTreeMap::new();
            for name in &next {
                let standing = standings[name];
                let Some(valid) = &standing.valid else {
                    let plan = self.blocked(in_force, name, standing, None);
                    self.put_back(name, &plan);
                    continue;
                };
                let depends = valid.application.depends_on.iter().any(|of| later.contains_key(of));
                if let Looked::Later(record) = self.look_at(&mut look, name, standing, valid, depends).await {
                    later.insert(name.clone(), record);
                }
            }
            self.read_records(&mut look, &later).await;
            next.retain(|name| later.contains_key(name));
        }
        if let Some(prunes) = prunes {
            self.look_at_removed(&look, prunes);
        }
        if *scope == Scope::All {
            self.full_cycles += 1;
        }
    }

    /// Plans one application, tells what is new, and starts a pass when there is a step to take.
    /// With `depends`, it depends on an application that is to be looked at again.
    async fn look_at(
        &mut self,
        look: &mut Look<'_>,
        name: &ApplicationName,
        standing: &Standing,
        valid: &Valid,
        depends: bool,
    ) -> Looked {
        let mut state = self.take_state(name);
        let waits_for = self.unready(look.in_force, &valid.application);
        let is_newest = standing.invalid.is_none() && !look.in_force.held_back.contains_key(&self.name);
        let may_rest = is_newest && waits_for.is_empty() && !state.has_prune();
        if may_rest && self.rests(look, &state, name, valid) {
            state.look_at = None;
            self.context.board.touch(&self.name, name, self.context.now());
            self.applications.insert(name.clone(), state);
            return Looked::Done;
        }
        let desired = resolution::resolve(valid, &look.answers, &mut state.resolved);
        state.memory.note_service(&desired, &look.live, &self.context.options.instance, self.context.now());
        let last_applied = self.last_applied(&desired, &look.live, &look.answers).await;
        if look.foreign.is_none() {
            look.foreign = Some(self.context.foreign_revisions(&self.name, &look.live).await);
        }
        let foreign = look.foreign.clone().unwrap_or_default();
        state.ahead = self.context.ahead(&desired, &look.live, &foreign).await;
        // What is parsed of the part for this plan is dropped with it.
        let wanted = resolution::wanted(valid, &look.answers, &mut state.resolved).clone();
        let mut part = wanted.part_of(&look.live);
        std::mem::swap(&mut part.rules, &mut look.live.rules);
        let (mut plan, record) = {
            let input = self.input(look, &part, &desired, last_applied.as_deref(), &waits_for, &state);
            let plan = planning::plan(&input);
            let has_just_ended = state.rolling && !matches!(plan.rollout, Some(Rollout::Running { .. }));
            let record = wants_service_deployments(&input, &plan, has_just_ended);
            (plan, record)
        };
        let now = Instant::now();
        let known = record.as_ref().and_then(|_| state.known_record(&plan, now));
        if depends || (record.is_some() && known.is_none()) {
            std::mem::swap(&mut part.rules, &mut look.live.rules);
            self.applications.insert(name.clone(), state);
            return Looked::Later(record.filter(|_| known.is_none()));
        }
        if let Some((service, known)) = record.zip(known) {
            // Only watched: what was read a moment ago is good enough.
            part.service_deployments.insert(service, known);
            plan = planning::plan(&self.input(look, &part, &desired, last_applied.as_deref(), &waits_for, &state));
        }
        std::mem::swap(&mut part.rules, &mut look.live.rules);
        let lasting: Vec<Held> = invalid(standing).into_iter().chain(self.held_back(look.in_force)).collect();
        for hold in &lasting {
            plan.hold(hold.clone());
        }
        let now = Instant::now();
        self.diagnose(look, name, &desired, &mut state, &plan, now);
        state.complete(&mut plan);
        self.context.attribute(&look.cloud, &mut plan);
        state.observed(&plan, now);
        state.schedule(&plan, &self.context, now);
        if self.any_is_busy(&waits_for) {
            let soon = now + self.context.options.rollout_interval;
            state.look_at = Some(state.look_at.map_or(soon, |at| at.min(soon)));
        }
        self.context.show(&mut state, &plan);
        let writes = look.writes
            && self.context.options.minds_application(name)
            && next_step(&plan, look.pruned.is_some()).is_some()
            && state.may_write(now)
            && !self.context.shutdown.is_requested();
        if !writes {
            if may_rest
                && is_at_rest(&plan)
                && let Some(resolved) = &mut state.resolved
            {
                resolved.put_to_rest(Rest::new(&part, &look.shared, &wanted, &state.memory));
            }
            self.applications.insert(name.clone(), state);
            return Looked::Done;
        }
        let of_listener = |arn: &Arn| Some((arn.clone(), look.live.rules.get(arn)?.clone()));
        part.rules = wanted.listeners.iter().filter_map(of_listener).collect();
        let lookups = valid.application.lookups();
        let pass = Pass {
            context: self.context.clone(),
            cloud: look.cloud.clone(),
            valid: valid.clone(),
            answers: look
                .answers
                .iter()
                .filter(|(of, _)| lookups.contains(of))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            live: part,
            seen: look.seen,
            wrote: false,
            last_applied,
            foreign,
            applications: look.all.clone(),
            pruned: look.pruned.clone(),
            plan,
            lasting,
            state,
        };
        let pass = self.passes.spawn(pass.run());
        self.busy.insert(name.clone(), pass);
        Looked::Done
    }

    /// All that a plan depends on.
    fn input<'a>(
        &'a self,
        look: &'a Look<'_>,
        part: &'a Live,
        desired: &'a DesiredApplication,
        last_applied: Option<&'a DesiredApplication>,
        waits_for: &'a BTreeSet<ApplicationName>,
        state: &'a ApplicationState,
    ) -> Input<'a> {
        Input {
            desired,
            last_applied,
            live: part,
            instance: &self.context.options.instance,
            applications: &look.all,
            waits_for,
            ahead: state.ahead.as_ref(),
            memory: &state.memory,
            now: self.context.now(),
        }
    }

    /// Reads the record of service deployments of applications whose plans are better with it: all of them in one go, so
    /// that a cycle at rest costs no further read.
    async fn read_records(&mut self, look: &mut Look<'_>, later: &BTreeMap<ApplicationName, Option<ServiceId>>) {
        let service_deployments: BTreeSet<ServiceId> = later.values().flatten().cloned().collect();
        if service_deployments.is_empty() {
            return;
        }
        let now = Instant::now();
        let wanted = ObserveRequest { service_deployments, priority: Priority::Rollout, ..ObserveRequest::default() };
        record::read(&*look.cloud, &wanted, &mut look.live).await;
        for (name, service) in later {
            let read = service.as_ref().and_then(|service| look.live.service_deployments.get(service));
            if let Some(read) = read {
                let mut state = self.take_state(name);
                state.record = Some((now, read.clone()));
                self.applications.insert(name.clone(), state);
            }
        }
    }

    /// Has evidence read, beside the cycle, when tasks of the application fail and it is time for that, and has healthy
    /// tasks counted while a rollout runs.
    fn diagnose(
        &mut self,
        look: &Look<'_>,
        name: &ApplicationName,
        desired: &DesiredApplication,
        state: &mut ApplicationState,
        plan: &Plan,
        now: Instant,
    ) {
        let mut wanted = ObserveRequest::default();
        resolution::want(desired, &mut wanted);
        let service = wanted.services.first().and_then(|id| look.live.services.get_key_value(id));
        if !self.context.options.minds_application(name) {
            return;
        }
        if let Some(reading) = state.diagnosis.see(service, &look.live, plan, now) {
            let run = reading.run(name.clone(), look.cloud.clone(), self.turns.clone());
            self.reads.spawn(async { Read::Diagnosed(run.await) });
        }
        if let Some(counting) = state.healthy.see(service, &look.live, plan, now) {
            let run = counting.run(name.clone(), look.cloud.clone(), self.turns.clone(), self.context.now());
            self.reads.spawn(async { Read::Counted(run.await) });
        }
    }

    /// Whether nothing is to be done for an application, because all is as it was when nothing was to be done.
    fn rests(&self, look: &Look<'_>, state: &ApplicationState, name: &ApplicationName, valid: &Valid) -> bool {
        let Some((wanted, rest)) = resolution::rest(valid, &look.answers, state.resolved.as_ref()) else {
            return false;
        };
        let told = self.context.board.get(&self.name, name);
        told.is_some_and(|told| is_at_rest(&told.plan)) && rest.holds(&look.live, &look.shared, wanted, &state.memory)
    }

    /// Resolves the references of the applications, but for those to target groups that the applications themselves
    /// make: these are answered by what was seen of them last, and by the observation that follows.
    pub(crate) async fn resolve(
        &self,
        cloud: &dyn Cloud,
        in_force: &InForce,
        valid: &[(&ApplicationName, &Valid)],
    ) -> Answers {
        let own: BTreeSet<Lookup> = valid
            .iter()
            .flat_map(|(_, valid)| resolution::own_target_groups(&valid.application))
            .map(Lookup::TargetGroup)
            .collect();
        let lookups: BTreeSet<Lookup> =
            valid.iter().flat_map(|(_, valid)| valid.application.lookups()).filter(|l| !own.contains(l)).collect();
        tracing::trace!(environment = %self.name, revision = %in_force.revision, lookups = lookups.len(), "Resolving.");
        let mut answers = if lookups.is_empty() { Answers::new() } else { cloud.resolve(&lookups).await };
        for (name, seen) in &self.target_groups {
            let lookup = Lookup::TargetGroup(name.clone());
            if own.contains(&lookup) {
                answers.insert(lookup, seen.clone());
            }
        }
        answers
    }

    /// Observes what the applications need, in one go.
    pub(crate) async fn observe(
        &mut self,
        cloud: &dyn Cloud,
        in_force: &InForce,
        scope: &Scope,
        valid: &[(&ApplicationName, &Valid)],
        answers: &mut Answers,
    ) -> Live {
        let mut wanted = ObserveRequest::default();
        for (name, valid) in valid {
            let mut state = self.take_state(name);
            wanted.merge(resolution::wanted(valid, answers, &mut state.resolved));
            if *scope != Scope::All {
                wanted.priority = wanted.priority.min(self.urgency(&state, name, &valid.revision));
            }
            wanted.refresh.append(&mut state.refresh);
            self.applications.insert((*name).clone(), state);
        }
        self.want_inventory(in_force, scope, &mut wanted);
        self.want_delegating_services(in_force, scope, &mut wanted);
        let mut live = cloud.observe(&wanted).await;
        self.note_traffic(&mut live);
        resolution::answer_target_groups(&live, answers);
        for name in live.target_groups.keys() {
            if let Some(answer) = answers.get(&Lookup::TargetGroup(name.clone())) {
                self.target_groups.insert(name.clone(), answer.clone());
            }
        }
        live
    }

    /// How urgent a look at an application is. A look at everything is not, whatever is among it.
    fn urgency(&self, state: &ApplicationState, name: &ApplicationName, revision: &Revision) -> Priority {
        let status = self.context.board.get(&self.name, name);
        match status.as_ref().map(|status| &status.plan) {
            _ if !state.refresh.is_empty() => Priority::Safety,
            Some(plan) if is_unsettled(plan) => Priority::Safety,
            Some(plan) if is_rolling(plan) => Priority::Rollout,
            Some(plan) if plan.revision == *revision => Priority::Rest,
            Some(_) | None => Priority::Deploy,
        }
    }

    /// The application as git had it at the commit that was applied last, when that is another one.
    async fn last_applied(
        &self,
        desired: &DesiredApplication,
        live: &Live,
        answers: &Answers,
    ) -> Option<Arc<DesiredApplication>> {
        let revision = resolution::applied_revision(desired, live).filter(|applied| *applied != desired.revision)?;
        let application = self.context.past.application(&revision, &self.name, &desired.name).await?;
        Some(Arc::new(application.resolve(&revision, answers)))
    }

    /// The applications that this one waits for: they are not where git wants them, or do not serve.
    fn unready(&self, in_force: &InForce, application: &Application) -> BTreeSet<ApplicationName> {
        let ready = |name: &&ApplicationName| {
            let key = (self.name.clone(), (*name).clone());
            let standing = in_force.applications.get(&key);
            let wanted = standing.and_then(|standing| standing.valid.as_ref()).map(|valid| &valid.revision);
            let status = self.context.board.get(&self.name, name);
            status.is_some_and(|status| is_settled(&status.plan) && Some(&status.plan.revision) == wanted)
        };
        let depends_on = application.depends_on.iter().filter(|_| !broken::is(Broken::DependenciesIgnored));
        depends_on.filter(|name| !ready(name)).cloned().collect()
    }

    /// Whether something is going on with one of these applications, so that they may soon be ready.
    fn any_is_busy(&self, applications: &BTreeSet<ApplicationName>) -> bool {
        let looked_at =
            |name| self.applications.get(name).is_some_and(|state: &ApplicationState| state.look_at.is_some());
        applications.iter().any(|name| self.busy.contains_key(name) || looked_at(name))
    }

    /// The plan for an application of which nothing may be done.
    fn blocked(&self, in_force: &InForce, name: &ApplicationName, standing: &Standing, hold: Option<Hold>) -> Plan {
        let revision = match (&standing.valid, &standing.invalid) {
            (Some(valid), _) => valid.revision.clone(),
            (None, Some(invalid)) => invalid.revision.clone(),
            (None, None) => in_force.revision_of(&self.name).clone(),
        };
        let hold = hold.map(|reason| Held { resource: None, changes: Vec::new(), reason });
        Plan {
            environment: self.name.clone(),
            application: name.clone(),
            revision,
            steps: Vec::new(),
            held: hold.into_iter().chain(invalid(standing)).chain(self.held_back(in_force)).collect(),
            sync: Sync::Unknown,
            health: Health::Unknown,
            rollout: None,
            finding: None,
        }
    }

    /// Why the whole environment is not where the newest commit has it.
    fn held_back(&self, in_force: &InForce) -> Option<Held> {
        in_force.held_back.get(&self.name).map(HeldBack::held)
    }

    /// Puts an application back with a plan that has nothing to do.
    fn put_back(&mut self, name: &ApplicationName, plan: &Plan) {
        let mut state = self.take_state(name);
        state.observed(plan, Instant::now());
        self.context.show(&mut state, plan);
        self.applications.insert(name.clone(), state);
    }

    /// What is remembered of an application; nothing at first.
    pub(crate) fn take_state(&mut self, name: &ApplicationName) -> ApplicationState {
        self.applications.remove(name).unwrap_or_else(|| {
            let edges = self.context.telling.known(&self.name, name);
            ApplicationState::new(&self.name, name, edges)
        })
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

/// Why an application is not where the newest commit has it.
fn invalid(standing: &Standing) -> Option<Held> {
    let problems = standing.invalid.as_ref()?.problems.iter().map(ToString::to_string).collect();
    Some(Held { resource: None, changes: Vec::new(), reason: Hold::InvalidDocument { problems } })
}
