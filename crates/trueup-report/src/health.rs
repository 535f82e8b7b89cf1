//! Whether the daemon is alive, and whether it is ready: what a container's health check and a load balancer ask.
//!
//! Alive is about this process alone. AWS or git being away is no reason to start it anew: the next process would find them
//! away as well, without what this one knows. So what counts is that the loops go on, whatever comes of their questions.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use trueup_engine::Status;
use trueup_ports::{Measurement, Meter};

use crate::page::Page;

/// How long nothing may be finished beyond two intervals, before it is said that a loop has stopped. Every question to git
/// and AWS has a bound of minutes, so that half an hour without the end of any of them is nothing that passes.
const SILENCE_MAX: Duration = Duration::from_mins(30);

/// Records whether the loops are alive: a poll of git that ended, a cycle that ended, an answer of AWS, whatever the
/// outcome.
#[derive(Debug)]
pub struct Heartbeat {
    git_limit: Duration,
    environment_limit: Duration,
    beats: Mutex<Beats>,
}

#[derive(Debug)]
struct Beats {
    git: Instant,
    environments: BTreeMap<String, Instant>,
}

/// A loop in which nothing ends any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// `git`, or the environment's name.
    pub what: String,
    /// For how long nothing has ended.
    pub silent: Duration,
    /// How long that may be.
    pub limit: Duration,
}

impl Heartbeat {
    /// Begins now, for loops that ask git and AWS so often.
    pub fn new(git_interval: Duration, interval: Duration) -> Self {
        Self {
            git_limit: git_interval * 2 + SILENCE_MAX,
            environment_limit: interval * 2 + SILENCE_MAX,
            beats: Mutex::new(Beats { git: Instant::now(), environments: BTreeMap::new() }),
        }
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loops that have stopped. One that never showed a sign of life counts from the first time that it is looked for.
    pub(crate) fn stopped(&self, status: &Status) -> Vec<Stopped> {
        let now = Instant::now();
        let mut beats = self.beats();
        let mut stopped = Vec::new();
        let mut judge = |what: &str, beat: Instant, limit: Duration| {
            let silent = now.saturating_duration_since(beat);
            if silent > limit {
                stopped.push(Stopped { what: what.to_owned(), silent, limit });
            }
        };
        judge("git", beats.git, self.git_limit);
        beats.environments.retain(|name, _| status.environments.keys().any(|known| known.as_str() == name));
        for name in status.environments.keys() {
            let beat = *beats.environments.entry(name.to_string()).or_insert(now);
            judge(name.as_str(), beat, self.environment_limit);
        }
        stopped
    }
}

impl Meter for Heartbeat {
    fn measure(&self, measurement: &Measurement<'_>) {
        let now = Instant::now();
        let environment = match measurement {
            Measurement::Git { .. } => return self.beats().git = now,
            Measurement::Cycle { environment, .. } => environment.as_str(),
            Measurement::Call { environment, .. } => environment,
        };
        let mut beats = self.beats();
        // Calls are many: a name is copied once.
        match beats.environments.get_mut(environment) {
            Some(beat) => *beat = now,
            None => drop(beats.environments.insert(environment.to_owned(), now)),
        }
    }
}

/// `/healthz`: 200 while the loops are alive, 503 with those that stopped.
pub(crate) fn alive(stopped: &[Stopped]) -> Page {
    if stopped.is_empty() {
        return Page::json(200, &json!({ "status": "ok" }));
    }
    let reason = |stopped: &Stopped| {
        let Stopped { what, silent, limit } = stopped;
        let (silent, limit) = (silent.as_secs(), limit.as_secs());
        format!("the {what} loop has completed nothing for {silent} s; the limit is {limit} s")
    };
    Page::json(503, &json!({ "status": "stopped", "reasons": stopped.iter().map(reason).collect::<Vec<_>>() }))
}

/// `/readyz`: 200 once a desired state is current and every environment was observed, 503 with the reasons until
/// then.
pub(crate) fn ready(status: &Status) -> Page {
    let reasons = reasons_against(status);
    if reasons.is_empty() {
        return Page::json(200, &json!({ "status": "ready" }));
    }
    Page::json(503, &json!({ "status": "not_ready", "reasons": reasons }))
}

/// Whether it is ready.
pub(crate) fn is_ready(status: &Status) -> bool {
    reasons_against(status).is_empty()
}

fn reasons_against(status: &Status) -> Vec<String> {
    if !status.is_ready() {
        let reason = "no desired state is loaded".to_owned();
        return match &status.source.failure {
            Some(failure) => vec![format!("{reason}: the repository cannot be read: {failure}")],
            None => vec![reason],
        };
    }
    if status.environments.is_empty() {
        return vec!["the desired state has none of the selected environments".to_owned()];
    }
    let waiting = status.environments.iter().filter(|(_, environment)| environment.cycled.is_none());
    waiting.map(|(name, _)| format!("environment {name} has not completed a cycle yet")).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use trueup_core::names::{EnvironmentName, Revision};
    use trueup_engine::{EnvironmentStatus, SourceStatus};
    use trueup_ports::{CallOutcome, GitOutcome};

    use super::*;

    fn status(names: &[(&str, bool)]) -> Status {
        let source = SourceStatus { revision: Some(Revision::new("a")), ..SourceStatus::default() };
        let environments = names.iter().map(|(name, cycled)| {
            (EnvironmentName::new(*name), EnvironmentStatus { cycled: cycled.then_some(Timestamp::UNIX_EPOCH) })
        });
        Status { source, environments: environments.collect(), ..Status::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_a_sign_of_life_and_silence_is_not() {
        let (minute, day) = (Duration::from_mins(1), Duration::from_hours(24));
        let heartbeat = Heartbeat::new(minute, minute);
        let all = status(&[("a", true), ("b", false)]);
        let (took, a) = (minute, EnvironmentName::new("a"));
        let stopped = || heartbeat.stopped(&all).into_iter().map(|stopped| stopped.what).collect::<Vec<_>>();
        assert_eq!(stopped(), Vec::<String>::new());
        // A day of outages.
        for _ in 0..24 * 6 {
            tokio::time::advance(10 * minute).await;
            heartbeat.measure(&Measurement::Git { outcome: GitOutcome::Failed, took });
            heartbeat.measure(&Measurement::Cycle { environment: &a, full: true, took });
            let outcome = CallOutcome::Failed;
            heartbeat.measure(&Measurement::Call { environment: "b", operation: "ecs:ListTasks", outcome, took });
            assert_eq!(stopped(), Vec::<String>::new());
        }
        // Then a and git are stuck.
        for _ in 0..4 {
            tokio::time::advance(10 * minute).await;
            let outcome = CallOutcome::Throttled;
            heartbeat.measure(&Measurement::Call { environment: "b", operation: "ecs:ListTasks", outcome, took });
        }
        assert_eq!(stopped(), ["git", "a"]);
        assert_eq!(alive(&heartbeat.stopped(&all)).status, 503);
        assert!(alive(&heartbeat.stopped(&all)).body.contains("the a loop has completed nothing for 2400 s"));
        // An environment that git no longer has is waited for by nobody, and one that asks git once a day has a day.
        assert_eq!(heartbeat.stopped(&status(&[("b", true)])).len(), 1);
        let slow = Heartbeat::new(day, minute);
        tokio::time::advance(day + 10 * minute).await;
        assert_eq!(slow.stopped(&Status::default()), []);
    }

    #[test]
    fn it_is_ready_once_every_environment_was_looked_at() {
        let away = SourceStatus { failure: Some("gone\u{1b}[31m".to_owned()), ..SourceStatus::default() };
        // status | a part of the page
        let table = [
            (Status::default(), 503, "no desired state is loaded"),
            (Status { source: away, ..Status::default() }, 503, "cannot be read: gone\\u001b[31m"),
            (status(&[]), 503, "none of the selected environments"),
            (status(&[("a", true), ("b", false)]), 503, "environment b has not completed a cycle yet"),
            (status(&[("a", true), ("b", true)]), 200, "\"ready\""),
        ];
        for (status, code, part) in table {
            let page = ready(&status);
            assert_eq!((page.status, is_ready(&status)), (code, code == 200));
            assert!(page.body.contains(part), "{page:?}");
        }
    }
}
