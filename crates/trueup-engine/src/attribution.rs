//! Who contests drift: looked up in AWS's records in the background, so that the loop never waits for the answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::kind::Kind;
use trueup_core::live::Observed;
use trueup_core::names::{ApplicationName, EnvironmentName};
use trueup_core::plan::{Hold, Plan};
use trueup_ports::Cloud;

/// How long an answer is kept, and the shortest time between two lookups of one resource.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(10);

/// A document in an environment.
type Key = (EnvironmentName, ApplicationName, Kind, String);

/// The known writers of contested resources; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Attributions(Arc<Mutex<BTreeMap<Key, Asked>>>);

struct Asked {
    at: Instant,
    by: Option<String>,
}

impl Attributions {
    /// Adds the known writers to the holds of a plan, and starts looking up the unknown ones.
    pub fn fill(&self, cloud: &Arc<dyn Cloud>, plan: &mut Plan) {
        for held in &mut plan.held {
            let (Hold::Contested { by, .. }, Some(resource)) = (&mut held.reason, held.subject.resource()) else {
                continue;
            };
            let key = (plan.environment.clone(), plan.application.clone(), resource.kind, resource.name.clone());
            let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = asked.get(&key) {
                by.clone_from(&known.by);
            }
            let is_due = asked.get(&key).is_none_or(|known| known.at.elapsed() >= ASKED_AGAIN_AFTER);
            if is_due && resource.arn.is_some() {
                let before = by.clone();
                asked.insert(key.clone(), Asked { at: Instant::now(), by: before });
                let (all, cloud, resource) = (self.clone(), cloud.clone(), resource.clone());
                tokio::spawn(async move {
                    if let Observed::Present(by) = cloud.last_change(&resource).await {
                        all.note(&key, by);
                    }
                });
            }
        }
    }

    fn note(&self, key: &Key, by: String) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, known| known.at.elapsed() < ASKED_AGAIN_AFTER * 6);
        if let Some(known) = asked.get_mut(key) {
            known.by = Some(by);
        }
    }
}
