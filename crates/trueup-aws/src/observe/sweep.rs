//! A cache of attributes and tags, and the choice of entries to read again in a cycle.
//!
//! Attributes cost one call per target group, tags one per twenty resources; services and target groups themselves come
//! ten and four hundred per call. Reading all of them every cycle would cost more than everything else together, so a
//! cycle rereads what its budget allows, stalest first. Entries that were never read, failed to be read or were just
//! written are always read. With n target groups and a budget of b calls left over, another writer's change of an
//! attribute is seen after at most about n / b cycles: at once in small systems, in hours with a thousand groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::live::{FailureKind, Observed, ReadFailure};

/// How many resources one `DescribeTags` takes. Source: Elastic Load Balancing API reference, `DescribeTags`.
const TAGGED_RESOURCES_MAX: usize = 20;

/// How long an entry that is not requested stays in the cache.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// The part of a resource that an entry holds. Each part is read by separate calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    TargetGroupAttributes,
    TargetGroupTags,
    RuleTags,
}

impl Part {
    fn resources_max(self) -> usize {
        match self {
            Self::TargetGroupAttributes => 1,
            Self::TargetGroupTags | Self::RuleTags => TAGGED_RESOURCES_MAX,
        }
    }
}

/// A part of a resource, by its ARN.
pub(crate) type Key = (Part, String);

/// Attributes or tags, by key.
pub(crate) type Texts = BTreeMap<String, String>;

/// The resources of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) part: Part,
    pub(crate) resources: Vec<String>,
}

/// The cached attributes and tags.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    entries: BTreeMap<Key, Entry>,
    /// Counts observations: staleness is measured in rounds, because observations may follow each other immediately.
    round: u64,
}

#[derive(Debug)]
struct Entry {
    /// The round in which it was read last; `None` when it must be read.
    read: Option<u64>,
    value: Observed<Texts>,
    wanted: Instant,
}

impl Sweep {
    /// Begins a round: returns the calls for `keys`, at most `budget` unless more must be read.
    pub(crate) fn begin(&mut self, keys: &BTreeSet<Key>, refresh: &BTreeSet<String>, budget: usize) -> Vec<Batch> {
        self.round += 1;
        let now = Instant::now();
        for key in keys {
            let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry::unread(now));
            entry.wanted = now;
            if refresh.contains(&key.1) || name(&key.1).is_some_and(|name| refresh.contains(name)) {
                entry.read = None;
            }
        }
        self.entries.retain(|_, entry| now.saturating_duration_since(entry.wanted) < FORGOTTEN_AFTER);

        let mut stalest: Vec<_> = keys.iter().map(|key| (self.entries[key].read, key)).collect();
        // `None` sorts first: an entry that must be read is the stalest of all.
        stalest.sort();
        let mut batches: Vec<Batch> = Vec::new();
        for (read, (part, resource)) in stalest {
            let may_call = read.is_none() || batches.len() < budget;
            // The newest batch of a part is the only one that can have room.
            let newest = batches.iter_mut().rev().find(|batch| batch.part == *part);
            match newest.filter(|batch| batch.has_room()) {
                Some(batch) => batch.resources.push(resource.clone()),
                None if may_call => batches.push(Batch { part: *part, resources: vec![resource.clone()] }),
                None => {}
            }
        }
        batches
    }

    /// Caches the result of a read. After a failed read the entry is unknown, and is read again in the next round.
    pub(crate) fn record(&mut self, key: &Key, value: Observed<Texts>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.read = value.present().map(|_| self.round);
            entry.value = value;
        }
    }

    /// The cached value of an entry.
    pub(crate) fn get(&self, key: &Key) -> Observed<Texts> {
        self.entries.get(key).map_or_else(unread, |entry| entry.value.clone())
    }

    /// Whether the entry was read in this round.
    pub(crate) fn is_fresh(&self, key: &Key) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.read == Some(self.round))
    }

    /// Has all entries of a resource read again in the next round.
    pub(crate) fn forget(&mut self, resource: &str) {
        for part in [Part::TargetGroupAttributes, Part::TargetGroupTags, Part::RuleTags] {
            if let Some(entry) = self.entries.get_mut(&(part, resource.to_owned())) {
                entry.read = None;
            }
        }
    }
}

impl Batch {
    fn has_room(&self) -> bool {
        self.resources.len() < self.part.resources_max()
    }
}

impl Entry {
    fn unread(now: Instant) -> Self {
        Self { read: None, value: unread(), wanted: now }
    }
}

/// Splits resources into calls for `part`.
pub(crate) fn batches(part: Part, resources: &[String]) -> Vec<Batch> {
    resources.chunks(part.resources_max()).map(|chunk| Batch { part, resources: chunk.to_vec() }).collect()
}

fn unread() -> Observed<Texts> {
    Observed::Unknown(ReadFailure {
        operation: "elasticloadbalancing:DescribeTags".into(),
        kind: FailureKind::Unavailable,
        message: "it was not read yet".into(),
    })
}

/// The name in a target group's ARN: `…:targetgroup/NAME/ID`.
fn name(arn: &str) -> Option<&str> {
    arn.split_once(":targetgroup/")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(groups: usize) -> BTreeSet<Key> {
        let arn = |n| format!("arn:aws:elasticloadbalancing:r:1:targetgroup/g{n:03}/{n}");
        (0..groups).flat_map(|n| [(Part::TargetGroupAttributes, arn(n)), (Part::TargetGroupTags, arn(n))]).collect()
    }

    fn round(sweep: &mut Sweep, keys: &BTreeSet<Key>, refresh: &[&str], budget: usize) -> Vec<Batch> {
        let batches = sweep.begin(keys, &refresh.iter().map(|&name| name.to_owned()).collect(), budget);
        for batch in &batches {
            for resource in &batch.resources {
                sweep.record(&(batch.part, resource.clone()), Observed::Present(Texts::new()));
            }
        }
        batches
    }

    fn calls(batches: &[Batch], part: Part) -> usize {
        batches.iter().filter(|batch| batch.part == part).count()
    }

    #[tokio::test]
    async fn everything_is_read_once_and_then_in_turns() {
        let (mut sweep, keys) = (Sweep::default(), keys(60));
        let first = round(&mut sweep, &keys, &[], 2);
        assert_eq!((calls(&first, Part::TargetGroupAttributes), calls(&first, Part::TargetGroupTags)), (60, 3));

        let mut seen = BTreeSet::new();
        for _ in 0..32 {
            let batches = round(&mut sweep, &keys, &[], 2);
            assert!(batches.len() <= 2, "{batches:?}");
            seen.extend(batches.into_iter().flat_map(|b| b.resources.into_iter().map(move |r| (b.part, r))));
        }
        assert_eq!(seen, keys, "63 calls in turns of two: 32 rounds show every part again");
    }

    #[tokio::test]
    async fn what_was_written_and_what_failed_is_read_whatever_the_budget() {
        let (mut sweep, keys) = (Sweep::default(), keys(3));
        round(&mut sweep, &keys, &[], 0);
        assert_eq!(round(&mut sweep, &keys, &[], 0), []);

        let by_name = round(&mut sweep, &keys, &["g001"], 0);
        assert_eq!(calls(&by_name, Part::TargetGroupAttributes), 1);
        assert_eq!(calls(&by_name, Part::TargetGroupTags), 1);

        let key = keys.first().expect("there are three").clone();
        sweep.forget(&key.1);
        assert!(matches!(sweep.get(&key), Observed::Present(_)), "it is read again, but not unknown meanwhile");
        assert_eq!(calls(&round(&mut sweep, &keys, &[], 0), Part::TargetGroupAttributes), 1);

        sweep.record(&key, unread());
        assert!(!sweep.is_fresh(&key));
        assert_eq!(calls(&round(&mut sweep, &keys, &[], 0), Part::TargetGroupAttributes), 1);
        assert!(sweep.is_fresh(&key));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_is_forgotten() {
        let mut sweep = Sweep::default();
        round(&mut sweep, &keys(5), &[], 0);
        tokio::time::advance(FORGOTTEN_AFTER).await;
        round(&mut sweep, &keys(1), &[], 0);
        assert_eq!(sweep.entries.len(), 2);
    }
}
