//! From successive plans to events: a state that lasts is reported once, and again after it changed.

mod rollout;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::rollout::ReportedRollout;
use super::{Event, PlannedStep, RootCause, What};
use crate::digest::Digest;
use crate::drift::Change;
use crate::kind::Kind;
use crate::names::Revision;
use crate::plan::{Held, Hold, Operation, Plan, Resource, Subject, Sync};

/// The state of one application in one environment that was last reported as events. It survives restarts
/// ([`super::Notes`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportedState {
    /// Reported drift by resource, with the digest of its changes.
    #[serde(with = "pairs")]
    drift: BTreeMap<ResourceKey, (Resource, String)>,
    /// Reported holds that have not ended.
    #[serde(with = "pairs")]
    holds: BTreeMap<HoldKey, ReportedHold>,
    /// The plan that was reported last, while it is carried out.
    steps: Option<(Revision, BTreeSet<StepKey>)>,
    rollout: Option<ReportedRollout>,
    /// Whether the service was read at least once, so that the absence of a rollout is known.
    #[serde(rename = "looked")]
    rollout_read: bool,
}

/// A hold that was reported as started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ReportedHold {
    resource: Option<Resource>,
    root: Option<RootCause>,
}

/// A resource as git names it: its ARN is known only after it was created.
type ResourceKey = (Kind, String);
/// A hold by resource, reason and the reason's members, without those that differ from one occurrence to the next.
type HoldKey = (Option<ResourceKey>, String, String);
/// A step by operation and resource: its exact changes become known only while a plan is carried out.
type StepKey = (Operation, Option<ResourceKey>);

impl ReportedState {
    /// Compares a plan with what was reported before, records it, and returns the new events: drift, holds, the plan, the
    /// rollout, in this order.
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
        let steps =
            plan.steps.iter().map(|step| (step.subject.resource(), step.drifted().cloned().collect::<Vec<_>>()));
        let held = plan.held.iter().map(|held| (held.subject.resource(), held.drift().to_vec()));
        for (resource, changes) in steps.chain(held) {
            let Some(resource) = resource.filter(|_| !changes.is_empty()) else { continue };
            let entry = drift.entry(key(resource)).or_insert_with(|| (resource.clone(), Vec::new()));
            entry.1.extend(changes);
        }
        for (key, (resource, changes)) in &drift {
            if self.drift.get(key).is_none_or(|(_, reported)| *reported != digest(changes)) {
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
                // A failed read does not prove that the drift is gone.
                self.drift.insert(key, (resource, changes));
            } else {
                news.push(What::DriftResolved { resource });
            }
        }
    }

    fn observe_holds(&mut self, plan: &Plan, news: &mut Vec<What>) {
        let mut holds = BTreeMap::new();
        // After each retry of a call that keeps failing, its resource is held as not settled as well. The failure is the
        // news; each wait is not.
        let fails = |about: &Subject| {
            let failed = |held: &&Held| matches!(held.reason, Hold::WriteFailed { .. });
            plan.held.iter().filter(failed).any(|held| held.subject.is_same(about))
        };
        for held in &plan.held {
            if matches!(held.reason, Hold::NotSettled { .. }) && fails(&held.subject) {
                continue;
            }
            let key = hold_key(held);
            let root = RootCause::of(&held.reason);
            if !self.holds.contains_key(&key) && !holds.contains_key(&key) {
                let Held { subject, changes, reason } = held.clone();
                news.push(What::HoldStarted {
                    resource: subject.resource().cloned(),
                    message: reason.message(),
                    cure: reason.remedy().to_owned(),
                    hold: reason,
                    changes,
                    applications: BTreeSet::new(),
                });
            }
            holds.insert(key, ReportedHold { resource: held.subject.resource().cloned(), root });
        }
        let before = std::mem::replace(&mut self.holds, holds);
        for (key, ReportedHold { resource, root }) in before {
            // The same reason with other details was just reported as started: it did not end in between.
            let continues = self.holds.keys().any(|(about, reason, _)| *about == key.0 && *reason == key.1);
            if !continues {
                news.push(What::HoldEnded { resource, reason: key.1, applications: BTreeSet::new(), root });
            }
        }
    }

    fn observe_steps(&mut self, plan: &Plan, news: &mut Vec<What>) {
        if plan.steps.is_empty() {
            // A step that has not settled will be retried: that is still the reported plan.
            if !plan.is_unsettled() {
                self.steps = None;
            }
            return;
        }
        // A step without changes only writes trueup's tags: it belongs to the change that it follows.
        let steps: BTreeSet<StepKey> =
            plan.steps.iter().filter(|step| !step.changes.is_empty()).map(step_key).collect();
        // While a plan is carried out, its remaining steps are no news.
        let reported = self.steps.take().filter(|(revision, _)| *revision == plan.revision);
        if let Some((revision, reported)) = reported
            && steps.is_subset(&reported)
        {
            self.steps = Some((revision, reported));
            return;
        }
        if !steps.is_empty() {
            news.push(What::PlanMade { steps: plan.steps.iter().map(PlannedStep::from).collect() });
        }
        self.steps = Some((plan.revision.clone(), steps));
    }
}

/// Changes as a digest: it is stored across restarts, and values of environment variables must not be.
fn digest(changes: &[Change]) -> String {
    let changes = serde_json::to_vec(changes).expect("a change has string keys only");
    Digest::of(&changes).to_string()
}

/// Serializes maps whose keys are not strings as lists of pairs.
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
    (step.call.operation, step.subject.resource().map(key))
}

fn hold_key(held: &Held) -> HoldKey {
    let mut detail = serde_json::to_value(&held.reason).expect("a hold has string keys only");
    remove_varying(&mut detail);
    (held.subject.resource().map(key), held.reason.reason().to_owned(), detail.to_string())
}

/// Removes the members that differ from one occurrence to the next although nothing changed: AWS's messages contain
/// request ids, and times advance.
fn remove_varying(detail: &mut Value) {
    if let Value::Object(members) = detail {
        members
            .retain(|name, _| !matches!(name.as_str(), "message" | "detail" | "seconds" | "failed_at" | "transient"));
        members.values_mut().for_each(remove_varying);
    }
}
