//! From evidence to a finding: the tasks of the deployment in question vote, the rest is asked when they say nothing.

use std::collections::BTreeSet;

use super::cause::{Case, Sentences};
use super::class::Class;
use super::evidence::{Evidence, ServiceEvent, Task};
use super::facts::Facts;
use super::health::{self, Failure};
use super::reading::{Reading, read_event};
use super::task::{Stop, stop};
use super::words::Words;
use super::{Bearing, Context, Finding, Source, Standing};

/// Works out why the deployment in question does not get on.
///
/// Only its own tasks count, and of those not the ones that ECS replaces in every deployment. A class needs most of
/// the failed tasks behind it; evidence that points in several directions is [`Class::Unknown`], with all of it shown.
/// `None` when ECS did not give up and no task failed.
pub fn diagnose(evidence: &Evidence, context: &Context<'_>) -> Option<Finding> {
    let tasks = own_tasks(evidence, context);
    let stopped = tasks.iter().filter(|task| task.is_stopped());
    let mut stops: Vec<Stop<'_>> = stopped.map(|task| stop(task, |name| is_essential(context, name))).collect();
    stops.retain(|stop| class_of(stop).is_none_or(|class| !class.is_noise()));
    stops.sort_by_key(|stop| std::cmp::Reverse(stop.task.stopped_at));
    let failures = health::failures(evidence, &tasks);
    let seen = Seen { stops, events: own_events(evidence, context), failures, evidence, context };

    let mut events = seen.events.iter().map(|event| Words::new(&event.message));
    // An alarm ends a deployment whose tasks may all be well.
    if let Some(words) = events.find(|words| read_event(words) == Reading::Class(Class::Alarm)) {
        return Some(seen.finding(Class::Alarm, &words, None, None));
    }
    if let Some(class) = elected(&seen.stops) {
        let newest = seen.stops.iter().find(|stop| class_of(stop) == Some(class));
        let newest = newest.expect("an elected class has a stop");
        let (class, failure) = match class {
            Class::TargetUnhealthy => unhealthy(newest, &seen.failures),
            class => (class, None),
        };
        return Some(seen.finding(class, &newest.words, Some(newest), failure));
    }
    if seen.stops.is_empty() {
        // Health checks of tasks that still run, then what ECS says of tasks that it could not start.
        if let Some(failure) = agreed(seen.failures.iter()) {
            return Some(seen.finding(failure.class, &Words::new(&failure.words), None, Some(failure)));
        }
        if let Some((class, words)) = told(&seen.events) {
            return Some(seen.finding(class, &words, None, None));
        }
    }
    let is_silent = seen.stops.is_empty() && seen.events.is_empty() && seen.failures.is_empty();
    // What could not be read is no evidence that nothing failed.
    if is_silent && context.suspect.standing != Standing::Failed && evidence.tasks.present().is_some() {
        return None;
    }
    Some(seen.finding(Class::Unknown, &Words::new(""), None, None))
}

/// What was seen of the deployment in question.
struct Seen<'a> {
    /// Its failed tasks, newest first.
    stops: Vec<Stop<'a>>,
    events: Vec<&'a ServiceEvent>,
    failures: Vec<Failure>,
    evidence: &'a Evidence,
    context: &'a Context<'a>,
}

impl Seen<'_> {
    /// The finding, with the facts that led to it: those of the decisive stop and of stops that say nothing against it,
    /// or all of them.
    fn finding(&self, class: Class, words: &Words, decisive: Option<&Stop<'_>>, failure: Option<&Failure>) -> Finding {
        let Self { stops, events, failures, evidence, context } = self;
        let mut facts = Facts::default();
        let agrees = |stop: &&Stop<'_>| {
            decisive.is_none_or(|decisive| decisive.reading == stop.reading) || class_of(stop).is_none()
        };
        for stop in stops.iter().filter(agrees) {
            facts.add_stop(stop.task);
        }
        for failure in failures.iter().filter(|_| decisive.is_none() || failure.is_some()) {
            let group = failure.group.rsplit(":targetgroup/").next().unwrap_or_default();
            let port = failure.port.map(|port| format!(" on port {port}")).unwrap_or_default();
            facts.add(Source::Target, &format!("unhealthy in {group}{port}: {}", failure.words), None);
        }
        for event in events {
            facts.add(Source::Event, &event.message, event.created_at);
        }
        facts.add_deployments(evidence, &context.suspect.deployment, context.suspect.since);
        facts.add_gaps(evidence);
        let (task, container) = (decisive.map(|stop| stop.task), decisive.and_then(|stop| stop.container));
        let Sentences { cause, remedy } = Case { class, words, task, container, failure, context }.sentences();
        let deployment = context.suspect.deployment.clone();
        Finding { class, bearing: class.bearing(), deployment, cause, evidence: facts.finish(), cure: remedy }
    }
}

fn class_of(stop: &Stop<'_>) -> Option<Class> {
    match stop.reading {
        Reading::Class(class) => Some(class),
        Reading::Family(_) | Reading::Nothing => None,
    }
}

/// The tasks of the deployment in question: by the deployment that started them, or where AWS does not say so, by the
/// revision that they run.
fn own_tasks<'a>(evidence: &'a Evidence, context: &Context<'_>) -> Vec<&'a Task> {
    let suspect = context.suspect;
    let is_own = |task: &&Task| match &task.started_by {
        Some(by) => *by == suspect.deployment,
        None => suspect.task_definition.as_ref().is_some_and(|revision| revision.as_str() == task.task_definition),
    };
    evidence.tasks.present().into_iter().flatten().filter(is_own).collect()
}

/// The events that tell something, of the time of the deployment in question.
fn own_events<'a>(evidence: &'a Evidence, context: &Context<'_>) -> Vec<&'a ServiceEvent> {
    let suspect = context.suspect;
    let is_own = |event: &&ServiceEvent| {
        let words = Words::new(&event.message);
        match words.after("(deployment ") {
            Some(deployment) => deployment == suspect.deployment,
            None => suspect.since.zip(event.created_at).is_some_and(|(since, at)| at >= since),
        }
    };
    let tells = |event: &&ServiceEvent| {
        let words = Words::new(&event.message);
        read_event(&words) != Reading::Nothing || words.has("deployment failed:")
    };
    evidence.events.present().into_iter().flatten().filter(is_own).filter(tells).collect()
}

fn is_essential(context: &Context<'_>, name: &str) -> bool {
    let all = context.task_definition.and_then(|definition| definition["containerDefinitions"].as_array());
    let own = all.and_then(|all| all.iter().find(|definition| definition["name"].as_str() == Some(name)));
    own.is_none_or(|definition| definition["essential"].as_bool().unwrap_or(true))
}

/// The class that most of the failed tasks agree on, more than all that say something else or nothing.
///
/// Those that have nothing to do with the release count only when all of them are such, and those that pass by
/// themselves only when nothing lasting is seen. A text that is cut off counts for the only class that it may mean.
fn elected(stops: &[Stop<'_>]) -> Option<Class> {
    let bearing = |stop: &Stop<'_>| class_of(stop).map_or(Bearing::Terminal, Class::bearing);
    let decides = stops.iter().map(bearing).min()?;
    let counted: Vec<&Stop<'_>> = stops.iter().filter(|stop| bearing(stop) == decides).collect();
    let classes: BTreeSet<Class> = counted.iter().filter_map(|stop| class_of(stop)).collect();
    let votes_for = |stop: &Stop<'_>, class: Class| match stop.reading {
        Reading::Class(own) => own == class,
        Reading::Family(family) => {
            family.may_be(class) && classes.iter().filter(|other| family.may_be(**other)).count() == 1
        }
        Reading::Nothing => false,
    };
    let votes = |class| counted.iter().filter(|stop| votes_for(stop, class)).count();
    classes.iter().copied().find(|class| 2 * votes(*class) > counted.len())
}

/// What the events say, when they say one thing. That tasks do not start is told beside the reason; alone, it is all
/// that is known.
fn told(events: &[&ServiceEvent]) -> Option<(Class, Words)> {
    let read = events.iter().filter_map(|event| {
        let words = Words::new(&event.message);
        match read_event(&words) {
            Reading::Class(class) => Some((class, words)),
            Reading::Family(_) | Reading::Nothing => None,
        }
    });
    let (symptoms, mut causes): (Vec<_>, Vec<_>) = read.partition(|(class, _)| *class == Class::CrashLoop);
    if causes.is_empty() {
        return symptoms.into_iter().next();
    }
    let agree = causes.iter().all(|(class, _)| *class == causes[0].0);
    agree.then(|| causes.swap_remove(0))
}

/// What the load balancer says about tasks that it found unhealthy; the bare fact where it says several things.
fn unhealthy<'f>(stop: &Stop<'_>, failures: &'f [Failure]) -> (Class, Option<&'f Failure>) {
    let group = stop.words.after("target-group ").unwrap_or_default();
    let ours = failures.iter().filter(|failure| group.is_empty() || failure.group.starts_with(group));
    agreed(ours).map_or((Class::TargetUnhealthy, None), |failure| (failure.class, Some(failure)))
}

/// The newest of failed health checks that all say the same.
fn agreed<'f>(mut failures: impl Iterator<Item = &'f Failure>) -> Option<&'f Failure> {
    let first = failures.next()?;
    failures.all(|failure| failure.class == first.class).then_some(first)
}
