//! Evaluates which status a commit gets, from the status of the application.

use std::collections::BTreeMap;

use trueup_core::names::Revision;
use trueup_core::plan::{Cause, Hold, Plan, Rollout};
use trueup_core::report::printable;
use trueup_engine::Status;

use super::filter::is_passing;

/// GitHub takes no longer descriptions.
/// Source: GitHub REST API, "Commit statuses".
const DESCRIPTION_CHARACTERS_MAX: usize = 140;

/// The states that providers have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The commit is being rolled out, or waits for something that clears on its own.
    Pending,
    /// The application is Synced and Healthy at the commit.
    Success,
    /// The application is not, and does not become so on its own.
    Failure,
}

impl State {
    /// The state as recorded and as GitHub spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// A status of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitStatus {
    /// `ENVIRONMENT/APPLICATION`; empty for the commit as a whole.
    pub place: String,
    /// The commit.
    pub revision: Revision,
    /// Its state.
    pub state: State,
    /// The stable name of the reason: the same state for the same reason is not set again, whatever the description.
    pub why: String,
    /// What people read: one line of at most 140 characters.
    pub description: String,
}

impl CommitStatus {
    /// A status; the description is reduced to one line and shortened to its limit.
    pub fn new(place: String, revision: Revision, state: State, why: &str, description: &str) -> Self {
        let text = printable(description);
        let mut description: String = text.chars().take(DESCRIPTION_CHARACTERS_MAX).collect();
        if description.len() < text.len() {
            description.pop();
            description.push('…');
        }
        Self { place, revision, state, why: why.to_owned(), description }
    }

    /// The value that is recorded: `REVISION STATE REASON`.
    pub fn value(&self) -> String {
        format!("{} {} {}", self.revision, self.state.as_str(), self.why)
    }
}

/// Evaluates applications, and keeps the revision at which this process first saw each.
#[derive(Debug, Default)]
pub(super) struct Evaluator {
    first_seen: BTreeMap<String, Revision>,
}

impl Evaluator {
    /// The statuses to set. `recorded` returns what was set last for a place ([`CommitStatus::value`]).
    ///
    /// An application without a recorded status gets one when a commit comes, while a rollout runs, or when the newest commit
    /// is the one that changed it; so a first start does not set statuses for all applications.
    pub fn evaluate<'t>(
        &mut self,
        status: &Status,
        takes: impl Fn(&Plan) -> bool,
        recorded: impl Fn(&str) -> Option<&'t str>,
    ) -> Vec<CommitStatus> {
        let Some(head) = &status.source.revision else { return Vec::new() };
        let mut wanted = Vec::new();
        for ((environment, application), standing) in &status.applications {
            let plan = &standing.plan;
            if !takes(plan) {
                continue;
            }
            let place = format!("{environment}/{application}");
            let last = recorded(&place).and_then(Recorded::parse);
            let invalid = plan.held.iter().find(|held| matches!(held.reason, Hold::InvalidDocument { .. }));
            let unverified = plan.held.iter().find(|held| matches!(held.reason, Hold::Unverified { .. }));
            let (revision, evaluation) = match invalid.or(unverified) {
                // An unverified commit is not applied here at all, whichever commit is the unsigned one.
                Some(refused) if invalid.is_none() => {
                    let why = refused.reason.reason().to_owned();
                    (head, Some((State::Failure, why, refused.reason.message())))
                }
                // The current revision is an earlier commit's. Which commit made the documents invalid is unknown: the status
                // is set on the newest, once.
                Some(_) if last.as_ref().is_some_and(|last| last.why == "InvalidDocument") => continue,
                Some(broken) => {
                    let why = broken.reason.reason().to_owned();
                    (head, Some((State::Failure, why, broken.reason.message())))
                }
                None => (&plan.revision, evaluation(plan)),
            };
            let first_seen = self.first_seen.entry(place.clone()).or_insert_with(|| revision.clone());
            let Some((state, why, description)) = evaluation else { continue };
            let is_wanted = match last.filter(|last| last.revision == revision.as_str()) {
                // The commit has been rolled out before: only another rollout can change its status.
                Some(last) if last.state == State::Success.as_str() => is_rolled_out(plan) && state != State::Success,
                Some(last) => (last.state, last.why) != (state.as_str(), why.as_str()),
                None => {
                    recorded(&place).is_some() || first_seen != revision || revision == head || state == State::Pending
                }
            };
            if is_wanted {
                wanted.push(CommitStatus::new(place, revision.clone(), state, &why, &description));
            }
        }
        wanted
    }
}

/// The status that was set last.
struct Recorded<'a> {
    revision: &'a str,
    state: &'a str,
    why: &'a str,
}

impl<'a> Recorded<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let mut parts = value.splitn(3, ' ');
        Some(Self { revision: parts.next()?, state: parts.next()?, why: parts.next()? })
    }
}

/// Whether ECS rolls out a revision, has failed to, or soon will because of a commit.
fn is_rolled_out(plan: &Plan) -> bool {
    let unfinished = |rollout: &Rollout| !matches!(rollout, Rollout::Serving { .. } | Rollout::Superseded { .. });
    plan.rollout.as_ref().is_some_and(unfinished) || follows(plan)
}

/// Whether there are steps because of a commit.
fn follows(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.cause, Cause::Create | Cause::Pending))
}

/// State, reason and description; `None` where nothing is known of the commit yet.
fn evaluation(plan: &Plan) -> Option<(State, String, String)> {
    let failure = |why: &str, words: &str| {
        let (why, words) = match &plan.finding {
            Some(finding) => (finding.class.name(), finding.cause.as_str()),
            None => (why, words),
        };
        Some((State::Failure, why.to_owned(), words.to_owned()))
    };
    match &plan.rollout {
        Some(Rollout::Failed { reason, .. }) => return failure("RolloutFailed", reason),
        Some(Rollout::RolledBack { reason, .. }) => return failure("RolledBack", reason),
        Some(Rollout::Stopped { reason, .. }) => return failure("RolloutStopped", reason),
        Some(Rollout::TimedOut { progress, .. }) => {
            let words = format!("{} of {} tasks run; ECS continues", progress.running, progress.desired);
            return failure("RolloutTimedOut", &words);
        }
        Some(Rollout::Running { .. } | Rollout::Serving { .. } | Rollout::Superseded { .. }) | None => {}
    }
    let holds = || plan.held.iter().map(|held| &held.reason);
    // A suspension or a contested repair says nothing about the commit.
    let blocks =
        |hold: &&Hold| !is_passing(hold.reason()) && !matches!(hold, Hold::Suspended { .. } | Hold::Contested { .. });
    if let Some(hold) = holds().find(blocks) {
        return Some((State::Failure, hold.reason().to_owned(), hold.message()));
    }
    let pending = |why: &str, words: String| Some((State::Pending, why.to_owned(), words));
    if let Some(hold) = holds().find(|hold| matches!(hold, Hold::Suspended { .. } | Hold::WaitsFor { .. })) {
        return pending(hold.reason(), hold.message());
    }
    if plan.is_settled() {
        return Some((State::Success, "Healthy".to_owned(), "Synced and Healthy".to_owned()));
    }
    if let Some(Rollout::Running { progress, .. }) = &plan.rollout {
        return pending("Progressing", format!("rolling out {} task{}", progress.desired, plural(progress.desired)));
    }
    if follows(plan) { pending("Progressing", "being applied".to_owned()) } else { None }
}

fn plural(count: i64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use trueup_core::names::{ApplicationName, Arn, EnvironmentName};
    use trueup_core::plan::{Health, Held, Progress, Subject, Sync};
    use trueup_engine::{ApplicationStatus, SourceStatus};

    use super::*;

    /// A status of the daemon: the head, and plans of applications in production.
    pub fn standing(head: &str, plans: impl IntoIterator<Item = Plan>) -> Status {
        let now = Timestamp::UNIX_EPOCH;
        let source = SourceStatus { revision: Some(Revision::new(head)), last_success: Some(now), failure: None };
        let applications = plans.into_iter().map(|plan| {
            let key = (plan.environment.clone(), plan.application.clone());
            (key, Arc::new(ApplicationStatus { plan, observed: now, since: now }))
        });
        Status { source, applications: applications.collect(), ..Status::default() }
    }

    /// A plan of `web` that has nothing to do.
    pub fn plan(revision: &str) -> Plan {
        let revision = Revision::new(revision);
        Plan::settled(EnvironmentName::new("production"), ApplicationName::new("web"), revision)
    }

    fn task_definition() -> Arn {
        Arn::new("arn:aws:ecs:eu-west-1:1:task-definition/web:2")
    }

    pub fn running(revision: &str) -> Plan {
        let progress = Progress { desired: 2, ..Progress::default() };
        let rollout = Rollout::Running { task_definition: task_definition(), progress };
        Plan { rollout: Some(rollout), health: Health::Progressing, ..plan(revision) }
    }

    pub fn rolled_back(revision: &str) -> Plan {
        let rollout = Rollout::RolledBack {
            task_definition: task_definition(),
            serving: task_definition(),
            reason: "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
            done: true,
            recorded: false,
        };
        Plan { rollout: Some(rollout), health: Health::Degraded, sync: Sync::OutOfSync, ..plan(revision) }
    }

    fn held(revision: &str, reason: Hold) -> Plan {
        let held = Held { subject: Subject::Application, changes: Vec::new(), reason };
        Plan { held: vec![held], sync: Sync::OutOfSync, ..plan(revision) }
    }

    fn refused() -> Hold {
        Hold::CallRefused { operation: "ecs:UpdateService".to_owned(), code: None, message: "x\ny".repeat(200) }
    }

    fn unverified() -> Hold {
        Hold::Unverified { commit: Revision::new("h"), detail: "it is not signed".to_owned() }
    }

    fn invalid() -> Hold {
        Hold::InvalidDocument { problems: vec!["web/service.toml:1:1: it is wrong".to_owned()] }
    }

    #[test]
    fn statuses_follow_how_the_application_stands_and_are_set_once() {
        // the head, and how web stands | what is set
        let looks: Vec<(&str, Plan, &str)> = vec![
            ("a", plan("old"), ""),
            ("b", running("b"), "b pending Progressing"),
            ("b", running("b"), ""),
            ("b", plan("b"), "b success Healthy"),
            ("b", plan("b"), ""),
            ("b", held("b", refused()), ""),
            ("b", running("b"), "b pending Progressing"),
            ("b", rolled_back("b"), "b failure RolledBack"),
            ("b", rolled_back("b"), ""),
            ("c", plan("b"), "b success Healthy"),
            ("d", held("d", Hold::NotSettled { seconds: 3 }), ""),
            ("d", held("d", refused()), "d failure CallRefused"),
            ("d", plan("d"), "d success Healthy"),
            ("e", held("d", invalid()), "e failure InvalidDocument"),
            ("f", held("d", invalid()), ""),
            ("g", held("g", Hold::WaitsFor { applications: Vec::new() }), "g pending WaitsFor"),
            ("g", plan("g"), "g success Healthy"),
            ("h", held("g", unverified()), "h failure Unverified"),
            ("h", held("g", unverified()), ""),
            ("i", held("g", unverified()), "i failure Unverified"),
            ("j", plan("j"), "j success Healthy"),
        ];
        let mut evaluator = Evaluator::default();
        let mut told: BTreeMap<String, String> = BTreeMap::new();
        for (head, plan, expected) in looks {
            let shown = format!("{plan:?}");
            let wanted =
                evaluator.evaluate(&standing(head, [plan]), |_| true, |place| told.get(place).map(String::as_str));
            let values: Vec<String> = wanted.iter().map(CommitStatus::value).collect();
            assert_eq!(values.join(", "), expected, "{shown}");
            assert!(wanted.iter().all(|status| status.description.chars().count() <= 140));
            assert!(wanted.iter().all(|status| !status.description.contains('\n')));
            told.extend(wanted.into_iter().map(|status| (status.place.clone(), status.value())));
        }
    }

    #[test]
    fn after_a_start_only_what_is_new_or_on_its_way_is_told() {
        // the head, and how web stands when it is first seen | what was told by the process before | what is set
        let table = [
            ("a", plan("a"), None, "a success Healthy"),
            ("b", plan("a"), None, ""),
            ("b", rolled_back("a"), None, ""),
            ("b", running("a"), None, "a pending Progressing"),
            ("a", plan("a"), Some("a success Healthy"), ""),
            ("b", plan("a"), Some("a pending Progressing"), "a success Healthy"),
            ("b", rolled_back("a"), Some("a pending Progressing"), "a failure RolledBack"),
            ("b", plan("a"), Some("old success Healthy"), "a success Healthy"),
        ];
        for (head, plan, told, expected) in table {
            let wanted = Evaluator::default().evaluate(&standing(head, [plan]), |_| true, |_| told);
            let values: Vec<String> = wanted.iter().map(CommitStatus::value).collect();
            assert_eq!(values.join(", "), expected, "{head} {told:?}");
        }
    }
}
