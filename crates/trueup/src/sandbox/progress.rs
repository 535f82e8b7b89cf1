//! The progress of the sandbox, line by line on stderr, so that waiting does not look like a hang.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use trueup_core::plan::{Plan, Progress, Rollout, Sync};
use trueup_core::report::printable;
use trueup_engine::{Engine, Status};

use crate::terminal;

/// How often the status is read: often enough that no step of a rollout at 20 times the speed is missed.
const POLL: Duration = Duration::from_millis(250);

/// On a terminal: how long there may be no line while something is waited for.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// The steps of the start, each reported with the time since the first.
pub struct Start(Instant);

impl Start {
    /// Begins to count.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Reports that a step is done.
    pub fn done(&self, what: &str) {
        terminal::tell(&printable(&format!("[{:4.1} s] {what}", self.0.elapsed().as_secs_f64())));
    }
}

/// Reports what the daemon waits for, until it is aborted: when that changes, and on a terminal every few seconds.
pub async fn report(engine: Engine) {
    let repeats = stderr().is_terminal();
    let (mut last, mut since, mut printed) = (None::<Wait>, Instant::now(), Instant::now());
    loop {
        let wait = waiting(&engine.status());
        if wait.as_ref().map(|wait| &wait.what) != last.as_ref().map(|wait| &wait.what) {
            since = Instant::now();
        }
        if let Some(wait) = &wait
            && (last.as_ref() != Some(wait) || (repeats && printed.elapsed() >= SILENCE_MAX))
        {
            terminal::tell(&printable(&wait.line(since.elapsed())));
            printed = Instant::now();
        }
        last = wait;
        sleep(POLL).await;
    }
}

/// Something that is waited for.
#[derive(Debug, PartialEq, Eq)]
struct Wait {
    /// Who does what; the time counts from its begin.
    what: String,
    /// How far it is; may change meanwhile.
    detail: String,
}

impl Wait {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), detail: String::new() }
    }

    fn line(&self, elapsed: Duration) -> String {
        let detail = if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        format!("    waiting for {}{detail} ({} s)", self.what, elapsed.as_secs())
    }
}

/// The current reason for waiting; `None` when only a commit or a manual change would change something.
fn waiting(status: &Status) -> Option<Wait> {
    if status.source.revision.is_none() {
        return Some(Wait::new("the daemon to read the repository"));
    }
    let cycled = |name| status.environments.get(name).is_some_and(|environment| environment.cycled.is_some());
    if status.environments.is_empty() || !status.environments.keys().all(cycled) {
        return Some(status.applications.values().find_map(|application| of(&application.plan)).unwrap_or_else(|| {
            Wait::new("the daemon's first cycle, which reads the live state from the simulated AWS")
        }));
    }
    status.applications.values().find_map(|application| of(&application.plan))
}

/// What an application waits for.
fn of(plan: &Plan) -> Option<Wait> {
    match &plan.rollout {
        Some(Rollout::Running { progress, .. }) => {
            let what = format!("ECS to roll out {}", plan.application);
            Some(Wait { what, detail: tasks(progress) })
        }
        // A failed rollout, and a hold, end by a commit or by a command alone: nothing to wait for.
        Some(
            Rollout::TimedOut { .. }
            | Rollout::Failed { .. }
            | Rollout::RolledBack { .. }
            | Rollout::Stopped { .. }
            | Rollout::Superseded { .. },
        ) => None,
        Some(Rollout::Serving { .. }) | None => {
            let applies = plan.sync == Sync::OutOfSync && !plan.steps.is_empty() && plan.held.is_empty();
            let left = plan.steps.len();
            let left = format!("{left} step{} left", if left == 1 { "" } else { "s" });
            applies.then(|| Wait { what: format!("the daemon to apply {}", plan.application), detail: left })
        }
    }
}

/// `1 of 2 tasks running, 0 healthy`.
fn tasks(progress: &Progress) -> String {
    let running = format!("{} of {} tasks running", progress.running, progress.desired);
    match progress.healthy {
        Some(healthy) => format!("{running}, {healthy} healthy"),
        None => running,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use trueup_core::names::{ApplicationName, Arn, EnvironmentName, Revision};
    use trueup_core::plan::Health;
    use trueup_engine::{ApplicationStatus, EnvironmentStatus, SourceStatus};

    use super::*;

    fn status(cycled: bool, rollout: Option<Rollout>) -> Status {
        let (environment, application) = (EnvironmentName::new("production"), ApplicationName::new("elearning"));
        let time = Timestamp::UNIX_EPOCH;
        let plan = Plan {
            environment: environment.clone(),
            application: application.clone(),
            revision: Revision::new("a"),
            steps: Vec::new(),
            held: Vec::new(),
            sync: Sync::Synced,
            health: Health::Progressing,
            rollout,
            finding: None,
        };
        let one = Arc::new(ApplicationStatus { plan, observed: time, since: time });
        let source = SourceStatus { revision: Some(Revision::new("a")), ..SourceStatus::default() };
        let environments = [(environment.clone(), EnvironmentStatus { cycled: cycled.then_some(time) })].into();
        Status { source, environments, applications: [((environment, application), one)].into() }
    }

    #[test]
    fn each_wait_of_the_first_rollout_names_who_does_what() {
        let arn = || Arn::new("arn:aws:ecs:eu-west-1:1:task-definition/web:1");
        let progress = Progress { desired: 2, running: 1, healthy: Some(0), ..Progress::default() };
        let running = Rollout::Running { task_definition: arn(), progress };
        let table = [
            (Status::default(), "    waiting for the daemon to read the repository (4 s)"),
            (
                status(false, None),
                "    waiting for the daemon's first cycle, which reads the live state from the simulated AWS (4 s)",
            ),
            (
                status(true, Some(running)),
                "    waiting for ECS to roll out elearning: 1 of 2 tasks running, 0 healthy (4 s)",
            ),
            (status(true, Some(Rollout::Serving { task_definition: arn() })), ""),
        ];
        for (status, line) in table {
            let told = waiting(&status).map(|wait| wait.line(Duration::from_secs(4))).unwrap_or_default();
            assert_eq!(told, line);
        }
    }
}
