//! The time from commit to deployment, derived from the events as they are emitted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trueup_core::kind::Kind;
use trueup_core::names::{ApplicationName, EnvironmentName, Revision};
use trueup_core::plan::Cause;
use trueup_core::report::{Event, PlannedStep, What};

/// How many accepted commits are remembered.
const COMMITS_MAX: usize = 128;

/// How many applications are remembered, over all environments; more than anybody runs.
const APPLICATIONS_MAX: usize = 20_000;

/// A longer time says when trueup was started, or when an image was pushed, and nothing about deploying.
const TOOK_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The commit's time comes from another machine's clock: up to this far in the future it counts as now.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_mins(1);

/// A plan created within this time after a commit was accepted belongs to that commit.
const PLAN_FOLLOWS_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A commit that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Where.
    pub environment: EnvironmentName,
    /// What.
    pub application: ApplicationName,
    /// The application's revision.
    pub revision: Revision,
    /// From the commit's own time until the rollout was seen complete.
    pub took: Duration,
}

/// Follows the events of one process.
///
/// A rollout counts when a commit caused it: the plan before it has a step of the service or its task definition whose cause
/// is a change in git. Each revision of an application counts once, so that a moved image tag or a repaired drift, which
/// roll out under the same revision again, do not. What cannot be told is left out: a time of more than a day, a commit of
/// which this process does not know the time.
#[derive(Debug, Default)]
pub struct CommitToDeploy {
    /// The commits that were accepted, the newest last, with their own time and when they were accepted.
    accepted: VecDeque<Accepted>,
    applications: BTreeMap<(EnvironmentName, ApplicationName), Progress>,
}

#[derive(Debug)]
struct Accepted {
    revision: Revision,
    committed: Timestamp,
    seen: Timestamp,
}

#[derive(Debug, Default)]
struct Progress {
    /// The revision that was planned, and its commit time.
    planned: Option<(Revision, Timestamp)>,
    /// The revision that was given out last.
    given: Option<Revision>,
}

impl CommitToDeploy {
    /// Takes the next event. Returns the deployment that it completes.
    pub fn observe(&mut self, event: &Event) -> Option<Deployed> {
        let revision = event.revision.as_ref()?;
        match &event.what {
            What::RevisionAccepted { committed, .. } => {
                if self.accepted.len() == COMMITS_MAX {
                    self.accepted.pop_front();
                }
                let (revision, committed, seen) = (revision.clone(), *committed, event.time);
                self.accepted.push_back(Accepted { revision, committed, seen });
                None
            }
            What::PlanMade { steps } => {
                self.planned(event, revision, steps);
                None
            }
            What::RolloutCompleted { .. } => self.completed(event, revision),
            What::DaemonStarted { .. }
            | What::DaemonStopping { .. }
            | What::RevisionRejected { .. }
            | What::RevisionUnverified { .. }
            | What::SourceFailed { .. }
            | What::SourceRecovered { .. }
            | What::DriftDetected { .. }
            | What::DriftResolved { .. }
            | What::StepApplied { .. }
            | What::StepFailed { .. }
            | What::RolloutStarted { .. }
            | What::RolloutFailed { .. }
            | What::RolloutRolledBack { .. }
            | What::RolloutTimedOut { .. }
            | What::HoldStarted { .. }
            | What::HoldEnded { .. } => None,
        }
    }

    fn planned(&mut self, event: &Event, revision: &Revision, steps: &[PlannedStep]) {
        let Some(key) = key(event) else { return };
        let committed = if steps.iter().any(deploys_a_commit) { self.committed(revision, event.time) } else { None };
        if self.applications.len() >= APPLICATIONS_MAX && !self.applications.contains_key(&key) {
            self.applications.pop_first();
        }
        let application = self.applications.entry(key).or_default();
        // What is left of a plan, or came to it, belongs to the same commit.
        let goes_on = application.planned.as_ref().is_some_and(|(planned, _)| planned == revision);
        if !goes_on && application.given.as_ref() != Some(revision) {
            application.planned = committed.map(|committed| (revision.clone(), committed));
        }
    }

    /// The commit time of a revision of an application, as far as this process knows it.
    ///
    /// An application's revision is the last commit that changed it. Where that is not a commit which was the branch's head
    /// (several were pushed at once, or a branch was merged), the head that brought it is what counts: the application could
    /// not be deployed before.
    fn committed(&self, revision: &Revision, now: Timestamp) -> Option<Timestamp> {
        if let Some(accepted) = self.accepted.iter().rev().find(|accepted| accepted.revision == *revision) {
            return Some(accepted.committed);
        }
        // The first one that a process accepts brings nothing that is new.
        let newest = self.accepted.back().filter(|_| self.accepted.len() > 1)?;
        let since = now.duration_since(newest.seen);
        (since <= PLAN_FOLLOWS_MAX).then_some(newest.committed)
    }

    fn completed(&mut self, event: &Event, revision: &Revision) -> Option<Deployed> {
        let (environment, application) = key(event)?;
        let state = self.applications.get_mut(&(environment.clone(), application.clone()))?;
        let (revision, committed) = state.planned.take_if(|(planned, _)| planned == revision)?;
        state.given = Some(revision.clone());
        let took = event.time.duration_since(committed);
        if took > TOOK_MAX || took < -CLOCKS_APART_MAX {
            return None;
        }
        let took = took.max(SignedDuration::ZERO).unsigned_abs();
        Some(Deployed { environment, application, revision, took })
    }
}

fn key(event: &Event) -> Option<(EnvironmentName, ApplicationName)> {
    Some((event.environment.clone()?, event.application.clone()?))
}

/// Whether a step makes ECS roll out because git changed.
fn deploys_a_commit(step: &PlannedStep) -> bool {
    matches!(step.cause, Cause::Create | Cause::Pending)
        && matches!(step.subject.kind(), Some(Kind::Service | Kind::TaskDefinition))
}

#[cfg(test)]
mod tests {
    use trueup_core::names::Arn;
    use trueup_core::plan::{Operation, Resource};

    use super::*;

    /// An event from seconds, revision and content.
    fn event(seconds: i64, revision: &str, what: What) -> Event {
        let is_application = !matches!(what, What::RevisionAccepted { .. });
        Event {
            time: Timestamp::from_second(seconds).unwrap(),
            environment: is_application.then(|| EnvironmentName::new("production")),
            application: is_application.then(|| ApplicationName::new("web")),
            revision: Some(Revision::new(revision)),
            what,
        }
    }

    fn accepted(committed: i64) -> What {
        let committed = Timestamp::from_second(committed).unwrap();
        What::RevisionAccepted { subject: "Release".to_owned(), committed, rewritten: false }
    }

    fn planned(kind: Kind, cause: Cause) -> What {
        let resource = Resource { kind, name: "web".to_owned(), arn: None };
        let step =
            PlannedStep { operation: Operation::UpdateService, subject: resource.into(), cause, changes: Vec::new() };
        What::PlanMade { steps: vec![step] }
    }

    fn completed() -> What {
        What::RolloutCompleted { task_definition: Arn::new("arn:aws:ecs:eu-west-1:1:task-definition/web:1") }
    }

    /// Reads a line such as `110 a pending`: the event at that second, of that revision. A commit is accepted with
    /// its own time.
    fn read(line: &str) -> Event {
        let words: Vec<&str> = line.split_whitespace().collect();
        let what = match words[2..] {
            ["accepted", committed] => accepted(committed.parse().unwrap()),
            ["pending"] => planned(Kind::Service, Cause::Pending),
            ["create"] => planned(Kind::TaskDefinition, Cause::Create),
            ["drift"] => planned(Kind::Service, Cause::Drift),
            ["group"] => planned(Kind::TargetGroup, Cause::Pending),
            ["completed"] => completed(),
            _ => panic!("{line}"),
        };
        event(words[0].parse().unwrap(), words[1], what)
    }

    #[test]
    fn a_rollout_counts_once_and_only_where_a_commit_caused_it() {
        // what it is | what is told | the seconds that come of it
        let table: [(&str, &str, &[u64]); 10] = [
            ("a commit", "110 a accepted 100, 111 a pending, 190 a completed", &[90]),
            (
                "a new application, planned in two goes",
                "110 a accepted 100, 111 a create, 600 a drift, 700 a completed",
                &[600],
            ),
            (
                "drift, and what is no rollout",
                "110 a accepted 100, 111 a drift, 190 a completed, 191 a group, 199 a completed",
                &[],
            ),
            (
                "the same revision again: a moved image tag",
                "110 a accepted 100, 111 a pending, 190 a completed, 500 a pending, 590 a completed",
                &[90],
            ),
            (
                "a newer commit pre-empts",
                "110 a accepted 100, 111 a pending, 120 b accepted 115, 121 b pending, 190 b completed",
                &[75],
            ),
            (
                "another application's commit is the head meanwhile",
                "110 a accepted 100, 111 a pending, 120 b accepted 115, 190 a completed",
                &[90],
            ),
            (
                "a merge: the application's revision was never the head",
                "10 old accepted 5, 110 merge accepted 100, 111 a pending, 190 a completed",
                &[90],
            ),
            (
                "the same long after any commit",
                "10 old accepted 5, 110 merge accepted 100, 900 a pending, 950 a completed",
                &[],
            ),
            (
                "a start finds an old revision whose image moved",
                "110 head accepted 100, 111 a pending, 190 a completed",
                &[],
            ),
            (
                "more than a day; clocks that are far apart, and a little",
                "90000 a accepted 100, 90001 a pending, 90100 a completed,
                 90200 b accepted 99999, 90201 b pending, 90300 b completed,
                 90400 c accepted 90430, 90401 c pending, 90420 c completed",
                &[0],
            ),
        ];
        for (what, told, expected) in table {
            let mut deploys = CommitToDeploy::default();
            let given = told.split(',').filter_map(|line| deploys.observe(&read(line)));
            assert_eq!(given.map(|given| given.took.as_secs()).collect::<Vec<_>>(), expected, "{what}");
        }
    }

    #[test]
    fn what_is_remembered_has_bounds() {
        let mut deploys = CommitToDeploy::default();
        for number in 0..i64::try_from(APPLICATIONS_MAX).unwrap() + 100 {
            deploys.observe(&event(number, &number.to_string(), accepted(number)));
            let mut plan = event(number, &number.to_string(), planned(Kind::Service, Cause::Pending));
            plan.application = Some(ApplicationName::new(number.to_string()));
            deploys.observe(&plan);
        }
        assert_eq!((deploys.accepted.len(), deploys.applications.len()), (COMMITS_MAX, APPLICATIONS_MAX));
    }
}
