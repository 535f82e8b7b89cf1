//! From a succession of plans to events: a state that lasts is told once, and again after it changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, PlannedStep, RootCause, What};
use crate::digest::Digest;
use crate::drift::Change;
use crate::kind::Kind;
use crate::names::{Arn, Revision};
use crate::plan::{Held, Hold, Operation, Plan, Resource, Rollout, Sync};

/// What was told of one application in one environment. As data it outlives the process ([`super::Notes`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edges {
    /// With the digest of what was told to have changed.
    #[serde(with = "pairs")]
    drift: BTreeMap<ResourceKey, (Resource, String)>,
    #[serde(with = "pairs")]
    holds: BTreeMap<HoldKey, ToldHold>,
    steps: Option<(Revision, BTreeSet<StepKey>)>,
    rollout: Option<ToldRollout>,
    /// Whether a rollout could be looked for at all so far.
    looked: bool,
}

/// A hold that was told as begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToldHold {
    resource: Option<Resource>,
    root: Option<RootCause>,
}

/// A rollout as far as it decides whether the next look is news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToldRollout {
    state: State,
    /// The task definition revision that it is about.
    task_definition: Arn,
    /// What serves instead, where ECS or a person went back.
    serving: Option<Arn>,
}

/// What state a rollout was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Running,
    Serving,
    Failed,
    RolledBack,
    Stopped,
    Superseded,
    TimedOut,
}

/// A resource by what it is in git: its ARN comes later.
type ResourceKey = (Kind, String);
/// A hold by resource, reason and what belongs to the reason, without what differs from time to time.
type HoldKey = (Option<ResourceKey>, String, String);
/// A step by operation and resource: what exactly it changes becomes clearer while a plan is carried out.
type StepKey = (Operation, ResourceKey);

impl Edges {
    /// Compares a plan with what was told before, and gives back what is new, in the order: drift, holds, the plan,
    /// the rollout.
    pub fn observe(&mut self, plan: &Plan, now: Timestamp) -> Vec<Event> {
        let mut news = Vec::new();
        self.observe_drift(plan, &mut news);
        self.observe_holds(plan, &mut news);
        self.observe_steps(plan, &mut news);
        self.observe_rollout(plan, &mut news);
        let event = |what| Event {
            time: now,
            environment: Some(plan.environment.clone()),
            application: Some(plan.application.clone()),
            revision: Some(plan.revision.clone()),
            what,
        };
        news.into_iter().map(event).collect()
    }

    fn observe_drift(&mut self, plan: &Plan, news: &mut Vec<What>) {
        let mut drift: BTreeMap<ResourceKey, (Resource, Vec<Change>)> = BTreeMap::new();
        let steps = plan.steps.iter().map(|step| (Some(&step.resource), step.drifted().cloned().collect::<Vec<_>>()));
        let held = plan.held.iter().map(|held| (held.resource.as_ref(), held.drift().to_vec()));
        for (resource, changes) in steps.chain(held) {
            let Some(resource) = resource.filter(|_| !changes.is_empty()) else { continue };
            let entry = drift.entry(key(resource)).or_insert_with(|| (resource.clone(), Vec::new()));
            entry.1.extend(changes);
        }
        for (key, (resource, changes)) in &drift {
            if self.drift.get(key).is_none_or(|(_, told)| *told != digest(changes)) {
                let (resource, changes) = (resource.clone(), changes.clone());
                let gone = changes.iter().any(|change| change.path.segments().is_empty() && change.live.is_absent());
                let reason = if gone { "deleted" } else { "changed" };
                news.push(What::DriftDetected { resource, reason, changes });
            }
        }
        let now = drift.into_iter().map(|(key, (resource, changes))| (key, (resource, digest(&changes)))).collect();
        for (key, (resource, changes)) in std::mem::replace(&mut self.drift, now) {
            if self.drift.contains_key(&key) {
                continue;
            }
            if plan.sync == Sync::Unknown {
                // Not seen is not the same as gone.
                self.drift.insert(key, (resource, changes));
            } else {
                news.push(What::DriftResolved { resource });
            }
        }
    }

    fn observe_holds(&mut self, plan: &Plan, news: &mut Vec<What>) {
        let mut holds = BTreeMap::new();
        // A call that fails again and again is told by its failure; that each try is awaited for a while is no news.
        let fails = |about: &Option<Resource>| {
            let failed = |held: &&Held| matches!(held.reason, Hold::WriteFailed { .. });
            plan.held.iter().filter(failed).any(|held| held.resource.as_ref().map(key) == about.as_ref().map(key))
        };
        for held in &plan.held {
            if matches!(held.reason, Hold::NotSettled { .. }) && fails(&held.resource) {
                continue;
            }
            let key = hold_key(held);
            let root = RootCause::of(&held.reason);
            if !self.holds.contains_key(&key) && !holds.contains_key(&key) {
                let Held { resource, changes, reason } = held.clone();
                news.push(What::HoldStarted {
                    resource,
                    message: reason.message(),
                    cure: reason.remedy().to_owned(),
                    hold: reason,
                    changes,
                    applications: BTreeSet::new(),
                });
            }
            holds.insert(key, ToldHold { resource: held.resource.clone(), root });
        }
        let told = std::mem::replace(&mut self.holds, holds);
        for (key, ToldHold { resource, root }) in told {
            // The same reason with other details was told as begun again: it did not end.
            let goes_on = self.holds.keys().any(|(about, reason, _)| *about == key.0 && *reason == key.1);
            if !goes_on {
                news.push(What::HoldEnded { resource, reason: key.1, applications: BTreeSet::new(), root });
            }
        }
    }

    fn observe_steps(&mut self, plan: &Plan, news: &mut Vec<What>) {
        if plan.steps.is_empty() {
            // A step that is awaited will be tried again: it is the same plan.
            if !plan.held.iter().any(|held| matches!(held.reason, Hold::NotSettled { .. })) {
                self.steps = None;
            }
            return;
        }
        // A step without changes only writes our tags: it belongs to the change that it follows.
        let steps: BTreeSet<StepKey> =
            plan.steps.iter().filter(|step| !step.changes.is_empty()).map(step_key).collect();
        // While a plan is carried out, what is left of it is no news.
        let told = self.steps.take().filter(|(revision, _)| *revision == plan.revision);
        if let Some((revision, told)) = told
            && steps.is_subset(&told)
        {
            self.steps = Some((revision, told));
            return;
        }
        if !steps.is_empty() {
            news.push(What::PlanMade { steps: plan.steps.iter().map(PlannedStep::from).collect() });
        }
        self.steps = Some((plan.revision.clone(), steps));
    }

    fn observe_rollout(&mut self, plan: &Plan, news: &mut Vec<What>) {
        let Some(rollout) = &plan.rollout else {
            // Nothing was read of it, or the service is gone, or ECS does nothing about what git wants.
            if plan.sync != Sync::Unknown {
                self.rollout = None;
                self.looked = true;
            }
            return;
        };
        let first = !std::mem::replace(&mut self.looked, true);
        let now = ToldRollout::from(rollout);
        let before = self.rollout.replace(now.clone());
        if before.as_ref().is_some_and(|before| before.is_same(&now)) {
            return;
        }
        // What is on its way or serves when it is first seen was told by whoever saw it begin; what failed, by whoever
        // wrote the tag.
        let went_on = before.as_ref().is_some_and(|before| matches!(before.state, State::Running | State::TimedOut));
        news.extend(match rollout {
            // One that had timed out goes on, such as beside the plan for a newer commit.
            Rollout::Running { task_definition, .. }
                if before.as_ref().is_some_and(|before| before.timed_out(task_definition)) =>
            {
                None
            }
            Rollout::Running { task_definition, progress } if !first => {
                Some(What::RolloutStarted { task_definition: task_definition.clone(), desired: progress.desired })
            }
            Rollout::Serving { task_definition } => before
                .filter(|before| before.serving.as_ref() != Some(task_definition))
                .map(|_| What::RolloutCompleted { task_definition: task_definition.clone() }),
            Rollout::Failed { recorded: true, .. }
            | Rollout::RolledBack { recorded: true, .. }
            | Rollout::Stopped { recorded: true, .. }
                if !went_on =>
            {
                None
            }
            Rollout::RolledBack { task_definition, serving, reason, .. } => Some(What::RolloutRolledBack {
                task_definition: task_definition.clone(),
                serving: serving.clone(),
                reason: reason.clone(),
                finding: None,
            }),
            Rollout::Stopped { task_definition, serving, reason, .. } if task_definition != serving => {
                Some(What::RolloutRolledBack {
                    task_definition: task_definition.clone(),
                    serving: serving.clone(),
                    reason: reason.clone(),
                    finding: None,
                })
            }
            Rollout::Failed { task_definition, reason, .. } | Rollout::Stopped { task_definition, reason, .. } => {
                let (task_definition, reason) = (task_definition.clone(), reason.clone());
                Some(What::RolloutFailed { task_definition, reason, finding: None })
            }
            Rollout::TimedOut { task_definition, progress } => Some(What::RolloutTimedOut {
                task_definition: task_definition.clone(),
                desired: progress.desired,
                running: progress.running,
                since: progress.since,
                finding: None,
            }),
            Rollout::Running { .. } | Rollout::Superseded { .. } => None,
        });
    }
}

impl From<&Rollout> for ToldRollout {
    fn from(rollout: &Rollout) -> Self {
        let told = |state, task_definition: &Arn, serving: Option<&Arn>| Self {
            state,
            task_definition: task_definition.clone(),
            serving: serving.cloned(),
        };
        match rollout {
            Rollout::Running { task_definition, .. } => told(State::Running, task_definition, None),
            Rollout::Serving { task_definition } => told(State::Serving, task_definition, None),
            Rollout::Failed { task_definition, .. } => told(State::Failed, task_definition, None),
            Rollout::RolledBack { task_definition, serving, .. } => {
                told(State::RolledBack, task_definition, Some(serving))
            }
            Rollout::Stopped { task_definition, serving, .. } => told(State::Stopped, task_definition, Some(serving)),
            Rollout::Superseded { task_definition, .. } => told(State::Superseded, task_definition, None),
            Rollout::TimedOut { task_definition, .. } => told(State::TimedOut, task_definition, None),
        }
    }
}

impl ToldRollout {
    /// Whether two looks saw one and the same: a count that changed is no news, and neither is a rollback that is done.
    fn is_same(&self, other: &Self) -> bool {
        (self.state, &self.task_definition) == (other.state, &other.task_definition)
    }

    /// Whether the rollout of this revision was told as timed out.
    fn timed_out(&self, revision: &Arn) -> bool {
        self.state == State::TimedOut && self.task_definition == *revision
    }
}

/// What was told to have changed, as a digest: it outlives the process, and values need not.
fn digest(changes: &[Change]) -> String {
    let changes = serde_json::to_vec(changes).expect("a change has string keys only");
    Digest::of(&changes).to_string()
}

/// Maps whose keys are no strings, as data: pairs of key and value.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

fn key(resource: &Resource) -> ResourceKey {
    (resource.kind, resource.name.clone())
}

fn step_key(step: &crate::plan::Step) -> StepKey {
    (step.call.operation, key(&step.resource))
}

fn hold_key(held: &Held) -> HoldKey {
    let mut detail = serde_json::to_value(&held.reason).expect("a hold has string keys only");
    forget_passing(&mut detail);
    (held.resource.as_ref().map(key), held.reason.reason().to_owned(), detail.to_string())
}

/// Takes out what differs from one occurrence to the next though nothing changed: AWS's messages carry request ids,
/// and time goes on.
fn forget_passing(detail: &mut Value) {
    if let Value::Object(members) = detail {
        members
            .retain(|name, _| !matches!(name.as_str(), "message" | "detail" | "seconds" | "failed_at" | "transient"));
        members.values_mut().for_each(forget_passing);
    }
}

#[cfg(test)]
mod tests;
