//! From evidence to a finding: a majority of the deployment's stopped tasks decides, other evidence when there are none.

use std::collections::BTreeSet;

use super::cause::{ClassifiedFailure, Sentences};
use super::class::Class;
use super::classify::{Classification, classify_event};
use super::evidence::{Evidence, ServiceEvent, Task};
use super::facts::FactCollector;
use super::health::{self, FailedHealthCheck};
use super::message::Message;
use super::stopped_task::{StoppedTask, why_stopped};
use super::{Bearing, DeploymentState, FailureContext, Finding, Source};

/// Works out why the deployment makes no progress.
///
/// Only its own tasks count, without those that ECS replaces in every deployment. A class needs more than half of the
/// failed tasks behind it; contradictory evidence is [`Class::Unknown`], and all of it is shown.
/// `None` when ECS did not give up and no task failed.
pub fn diagnose(evidence: &Evidence, context: &FailureContext<'_>) -> Option<Finding> {
    let tasks = own_tasks(evidence, context);
    let stopped = tasks.iter().filter(|task| task.is_stopped());
    let mut stops: Vec<StoppedTask<'_>> =
        stopped.map(|task| why_stopped(task, |name| is_essential(context, name))).collect();
    stops.retain(|stop| class_of(stop).is_none_or(|class| !class.is_noise()));
    stops.sort_by_key(|stop| std::cmp::Reverse(stop.task.stopped_at));
    let failures = health::failures(evidence, &tasks);
    let seen = Seen { stops, events: own_events(evidence, context), failures, evidence, context };

    let mut events = seen.events.iter().map(|event| Message::new(&event.message));
    // An alarm ends a deployment although all of its tasks may be healthy, so that the tasks decide nothing.
    if let Some(message) = events.find(|message| classify_event(message) == Classification::Class(Class::Alarm)) {
        return Some(seen.finding(Class::Alarm, &message, None, None));
    }
    if let Some(class) = majority(&seen.stops) {
        let newest = seen.stops.iter().find(|stop| class_of(stop) == Some(class));
        let newest = newest.expect("a class with a majority has a stopped task");
        // The stopped task says only that its health checks failed; the load balancer shows how.
        let (class, failure) =
            if class == Class::TargetUnhealthy { target_health(newest, &seen.failures) } else { (class, None) };
        return Some(seen.finding(class, &newest.message, Some(newest), failure));
    }
    if seen.stops.is_empty() {
        // Health checks of tasks that still run, then ECS's events about tasks that it could not start.
        if let Some(failure) = agreed_check(seen.failures.iter()) {
            return Some(seen.finding(failure.class, &Message::new(&failure.message), None, Some(failure)));
        }
        if let Some((class, message)) = agreed_event(&seen.events) {
            return Some(seen.finding(class, &message, None, None));
        }
    }
    let nothing_seen = seen.stops.is_empty() && seen.events.is_empty() && seen.failures.is_empty();
    // A failed read does not prove that no task failed.
    if nothing_seen && context.deployment.state != DeploymentState::Failed && evidence.tasks.present().is_some() {
        return None;
    }
    Some(seen.finding(Class::Unknown, &Message::new(""), None, None))
}

/// The evidence about the deployment in question.
struct Seen<'a> {
    /// Its failed tasks, newest first.
    stops: Vec<StoppedTask<'a>>,
    events: Vec<&'a ServiceEvent>,
    failures: Vec<FailedHealthCheck>,
    evidence: &'a Evidence,
    context: &'a FailureContext<'a>,
}

impl Seen<'_> {
    /// The finding, with the facts that led to it: those of the decisive task and of tasks that do not contradict it, or
    /// all of them.
    fn finding(
        &self,
        class: Class,
        message: &Message,
        decisive: Option<&StoppedTask<'_>>,
        failure: Option<&FailedHealthCheck>,
    ) -> Finding {
        let Self { stops, events, failures, evidence, context } = self;
        let mut facts = FactCollector::default();
        let agrees = |stop: &&StoppedTask<'_>| {
            decisive.is_none_or(|decisive| decisive.classification == stop.classification) || class_of(stop).is_none()
        };
        for stop in stops.iter().filter(agrees) {
            facts.add_stop(stop.task);
        }
        for failure in failures.iter().filter(|_| decisive.is_none() || failure.is_some()) {
            let group = failure.group.rsplit(":targetgroup/").next().unwrap_or_default();
            let port = failure.port.map(|port| format!(" on port {port}")).unwrap_or_default();
            facts.add(Source::Target, &format!("unhealthy in {group}{port}: {}", failure.message), None);
        }
        for event in events {
            facts.add(Source::Event, &event.message, event.created_at);
        }
        facts.add_deployments(evidence, &context.deployment.id, context.deployment.since);
        facts.add_gaps(evidence);
        let (task, container) = (decisive.map(|stop| stop.task), decisive.and_then(|stop| stop.container));
        let Sentences { cause, remedy } =
            ClassifiedFailure { class, message, task, container, failure, context }.sentences();
        let deployment = context.deployment.id.clone();
        Finding { class, bearing: class.bearing(), deployment, cause, evidence: facts.finish(), cure: remedy }
    }
}

fn class_of(stop: &StoppedTask<'_>) -> Option<Class> {
    match stop.classification {
        Classification::Class(class) => Some(class),
        Classification::Family(_) | Classification::Nothing => None,
    }
}

/// The tasks of the deployment in question: by the deployment that started them or, where AWS does not show it, by
/// the revision that they run.
fn own_tasks<'a>(evidence: &'a Evidence, context: &FailureContext<'_>) -> Vec<&'a Task> {
    let deployment = context.deployment;
    let is_own = |task: &&Task| match &task.started_by {
        Some(by) => *by == deployment.id,
        None => deployment.task_definition.as_ref().is_some_and(|revision| revision.as_str() == task.task_definition),
    };
    evidence.tasks.present().into_iter().flatten().filter(is_own).collect()
}

/// The events of the deployment in question that name a cause.
fn own_events<'a>(evidence: &'a Evidence, context: &FailureContext<'_>) -> Vec<&'a ServiceEvent> {
    let deployment = context.deployment;
    let is_own = |event: &&ServiceEvent| {
        let message = Message::new(&event.message);
        match message.after("(deployment ") {
            Some(id) => id == deployment.id,
            None => deployment.since.zip(event.created_at).is_some_and(|(since, at)| at >= since),
        }
    };
    let explains = |event: &&ServiceEvent| {
        let message = Message::new(&event.message);
        classify_event(&message) != Classification::Nothing || message.has("deployment failed:")
    };
    evidence.events.present().into_iter().flatten().filter(is_own).filter(explains).collect()
}

fn is_essential(context: &FailureContext<'_>, name: &str) -> bool {
    let all = context.task_definition.and_then(|definition| definition["containerDefinitions"].as_array());
    let own = all.and_then(|all| all.iter().find(|definition| definition["name"].as_str() == Some(name)));
    own.is_none_or(|definition| definition["essential"].as_bool().unwrap_or(true))
}

/// The class that more than half of the failed tasks agree on.
///
/// Tasks that stopped for a cause outside the release count only when all of them did, and temporary causes only when
/// no lasting one is seen. A message that is cut off counts for the only class that it may mean.
fn majority(stops: &[StoppedTask<'_>]) -> Option<Class> {
    let bearing = |stop: &StoppedTask<'_>| class_of(stop).map_or(Bearing::Terminal, Class::bearing);
    let decides = stops.iter().map(bearing).min()?;
    let counted: Vec<&StoppedTask<'_>> = stops.iter().filter(|stop| bearing(stop) == decides).collect();
    let classes: BTreeSet<Class> = counted.iter().filter_map(|stop| class_of(stop)).collect();
    let votes_for = |stop: &StoppedTask<'_>, class: Class| match stop.classification {
        Classification::Class(own) => own == class,
        Classification::Family(family) => {
            family.may_be(class) && classes.iter().filter(|other| family.may_be(**other)).count() == 1
        }
        Classification::Nothing => false,
    };
    let votes = |class| counted.iter().filter(|stop| votes_for(stop, class)).count();
    classes.iter().copied().find(|class| 2 * votes(*class) > counted.len())
}

/// The class of the events, when they agree. ECS reports that tasks do not start in addition to the reason; that counts
/// only when no event has a reason.
fn agreed_event(events: &[&ServiceEvent]) -> Option<(Class, Message)> {
    let read = events.iter().filter_map(|event| {
        let message = Message::new(&event.message);
        match classify_event(&message) {
            Classification::Class(class) => Some((class, message)),
            Classification::Family(_) | Classification::Nothing => None,
        }
    });
    let (symptoms, mut causes): (Vec<_>, Vec<_>) = read.partition(|(class, _)| *class == Class::CrashLoop);
    if causes.is_empty() {
        return symptoms.into_iter().next();
    }
    let agree = causes.iter().all(|(class, _)| *class == causes[0].0);
    agree.then(|| causes.swap_remove(0))
}

/// The class of the load balancer's failed health checks; [`Class::TargetUnhealthy`] alone where they disagree.
fn target_health<'f>(
    stop: &StoppedTask<'_>,
    failures: &'f [FailedHealthCheck],
) -> (Class, Option<&'f FailedHealthCheck>) {
    let group = stop.message.after("target-group ").unwrap_or_default();
    let ours = failures.iter().filter(|failure| group.is_empty() || failure.group.starts_with(group));
    agreed_check(ours).map_or((Class::TargetUnhealthy, None), |failure| (failure.class, Some(failure)))
}

/// The first of failed health checks that all have one class.
fn agreed_check<'f>(mut failures: impl Iterator<Item = &'f FailedHealthCheck>) -> Option<&'f FailedHealthCheck> {
    let first = failures.next()?;
    failures.all(|failure| failure.class == first.class).then_some(first)
}
