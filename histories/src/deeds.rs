//! What the player of a history did: the facts that the judge cannot see in AWS.

use std::collections::{BTreeMap, BTreeSet};

use trueup_sim::Time;
use trueup_sim::ecs::model::ServiceKey;
use trueup_sim::judge::{Canary, Commit, Facts};
use trueup_sim::wire::Api;

use crate::account::{CLUSTER, SECRET};
use crate::desired::{Desired, image};
use crate::surroundings::BAD;

/// What the player of a history did.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    copies: BTreeSet<String>,
    commits: Vec<(String, Time, Desired)>,
    kills: Vec<Time>,
    retries: Vec<(String, Time)>,
    quiet_since: Option<Time>,
}

impl Deeds {
    pub(crate) fn pushed(&mut self, revision: &str, at: Time, desired: &Desired) {
        self.commits.push((revision.to_owned(), at, desired.clone()));
    }

    pub(crate) fn started(&mut self, copy: &str) {
        self.copies.insert(copy.to_owned());
    }

    /// Records that a copy was killed.
    pub fn killed(&mut self, at: Time) {
        self.kills.push(at);
    }

    /// Records that a person asked for a failed revision of a service again.
    pub fn retried(&mut self, service: &str, at: Time) {
        self.retries.push((service.to_owned(), at));
    }

    /// Records that from now on nothing is to be written.
    pub fn quiet(&mut self, since: Time) {
        self.quiet_since = Some(since);
    }

    /// In the form of the judge.
    pub(crate) fn facts(&self) -> Facts {
        let key = |name: &String| ServiceKey { cluster: CLUSTER.to_owned(), name: name.clone() };
        let commits = self.commits.iter().map(|(id, at, desired)| {
            let images = desired.applications.iter();
            let images: BTreeMap<_, _> =
                images.map(|(name, application)| (key(name), vec![image(name, &application.tag)])).collect();
            Commit { id: id.clone(), at: *at, images }
        });
        let all = || self.commits.iter().flat_map(|(_, _, desired)| &desired.applications);
        let uncounted = all().filter(|(_, application)| application.count.is_none()).map(|(name, _)| key(name));
        let counted: BTreeSet<_> =
            all().filter(|(_, application)| application.count.is_some()).map(|(name, _)| key(name)).collect();
        let autoscaled = all().filter(|(_, application)| application.autoscaled).map(|(name, _)| key(name));
        let names: BTreeSet<&String> = all().map(|(name, _)| name).collect();
        // What every commit wants is never deleted.
        let always = names
            .iter()
            .filter(|name| self.commits.iter().all(|(_, _, desired)| desired.applications.contains_key(name.as_str())));
        Facts {
            products: self.copies.iter().cloned().collect(),
            commits: commits.collect(),
            instances: BTreeSet::from(["trueup".to_owned()]),
            may_prune: self.commits.iter().any(|(_, _, desired)| desired.prune),
            wanted: always.map(|name| format!("/{CLUSTER}/{name}")).collect(),
            foreign_counts: uncounted.filter(|key| !counted.contains(key)).chain(autoscaled).collect(),
            bad_images: names.iter().flat_map(|name| BAD.map(|tag| image(name, tag))).collect(),
            retries: self.retries.iter().map(|(name, at)| (key(name), *at)).collect(),
            kills: self.kills.clone(),
            quiet_since: self.quiet_since,
            canaries: vec![Canary {
                text: SECRET.to_owned(),
                belongs: vec![(Api::Ecs, "RegisterTaskDefinition".to_owned())],
            }],
        }
    }
}
