//! The input of the rules: the history of calls, and the facts known to the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ecs::model::ServiceKey;
use crate::recorder::{Effect, Record};
use crate::time::Time;
use crate::truth::Deployed;
use crate::wire::Api;

/// How long a call whose fate is unknown to its caller may explain another one. Longer than the product reads back.
pub(super) const UNKNOWN_FATE: Duration = Duration::from_mins(15);
/// How long a stale read, or another writer's write between read and write, may explain a call.
pub(super) const OLD_NEWS: Duration = Duration::from_mins(2);
/// A kill explains calls up to this long before it: their answers may not have been read.
const BEFORE_KILL: Duration = Duration::from_mins(1);

/// The facts that the harness knows because it caused them.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The product's principals: access key ids, or parts of caller ARNs. Each running copy has its own.
    pub products: Vec<String>,
    /// The pushed commits, oldest first, by ancestry.
    pub commits: Vec<Commit>,
    /// Names of installations that the product runs as: values of `trueup:instance` that are its own.
    pub instances: BTreeSet<String>,
    /// Whether anything may be pruned.
    pub may_prune: bool,
    /// Ends of the ARNs of resources that every commit wants: they are never deleted.
    pub wanted: BTreeSet<String>,
    /// Services whose desired count git leaves out or a scalable target governs.
    pub foreign_counts: BTreeSet<ServiceKey>,
    /// Images, as task definitions name them, whose deployments cannot succeed.
    pub bad_images: BTreeSet<String>,
    /// The retries that an operator requested: service and time.
    pub retries: Vec<(ServiceKey, Time)>,
    /// When a copy of the product was killed.
    pub kills: Vec<Time>,
    /// The time after which nothing may be written.
    pub quiet_since: Option<Time>,
    /// Texts that must not leak.
    pub canaries: Vec<Canary>,
}

/// A commit in the watched repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its id: the value of `trueup:revision`.
    pub id: String,
    /// When it was pushed.
    pub at: Time,
    /// For services whose content it determines: the images of their containers, in order.
    pub images: BTreeMap<ServiceKey, Vec<String>>,
}

/// A text that may only be seen in certain places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The text: letters and digits.
    pub text: String,
    /// The calls in whose input it belongs.
    pub belongs: Vec<(Api, String)>,
}

/// Something that must never happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, such as `needless write`.
    pub rule: &'static str,
    /// The index of the call, when it is one.
    pub call: Option<u64>,
    /// What happened.
    pub text: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.call {
            Some(call) => write!(formatter, "{} (call {call}): {}", self.rule, self.text),
            None => write!(formatter, "{}: {}", self.rule, self.text),
        }
    }
}

/// What the rules read.
pub(super) struct History<'a> {
    pub(super) records: &'a [Record],
    pub(super) facts: &'a Facts,
}

/// A deployment, the call that began it, and when that call took effect.
#[derive(Clone, Copy)]
pub(super) struct Begun<'a> {
    pub(super) record: &'a Record,
    pub(super) at: Time,
    pub(super) deployed: &'a Deployed,
}

impl<'a> History<'a> {
    pub(super) fn is_product(&self, record: &Record) -> bool {
        self.facts
            .products
            .iter()
            .any(|known| record.call.access_key == *known || record.caller.contains(known.as_str()))
    }

    /// The product's mutating calls, executed or not.
    pub(super) fn product_writes(&self) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(|record| record.mutation.is_some() && self.is_product(record))
    }

    /// All deployments that calls began, by service, in the order in which they began.
    pub(super) fn deployments(&self) -> BTreeMap<&'a ServiceKey, Vec<Begun<'a>>> {
        let mut by_service: BTreeMap<&ServiceKey, Vec<Begun>> = BTreeMap::new();
        for record in self.records {
            for deployed in record.truth.iter().flat_map(|truth| &truth.deployments) {
                let begun = Begun { record, at: effect_time(record), deployed };
                by_service.entry(&deployed.service).or_default().push(begun);
            }
        }
        for deployments in by_service.values_mut() {
            deployments.sort_by_key(|begun| (begun.at, begun.record.index));
        }
        by_service
    }

    /// Whether the caller could not know what became of a call: no answer, a 5xx, a late effect, or it was killed.
    pub(super) fn fate_unknown(&self, record: &Record) -> bool {
        let may_be_done = record.outcome.as_ref().is_none_or(Result::is_ok);
        (!record.known_done() && may_be_done) || self.killed_after(record)
    }

    fn killed_after(&self, record: &Record) -> bool {
        record.cut.is_some()
            || self.facts.kills.iter().any(|kill| record.at <= *kill && kill.since(record.at) <= BEFORE_KILL)
    }
}

pub(super) fn effect_time(record: &Record) -> Time {
    match record.effect {
        Effect::Late(at) => at,
        Effect::AtOnce | Effect::None => record.at,
    }
}

/// Whether two calls concern the same resource, or are the same request to create one.
pub(super) fn related(one: &Record, other: &Record) -> bool {
    one.resources.iter().any(|resource| other.resources.contains(resource))
        || (one.call.action == other.call.action && one.call.input == other.call.input)
}

/// The name of a call, such as `ecs:UpdateService of web`.
pub(super) fn named(record: &Record) -> String {
    let what = format!("{}:{}", record.call.service.iam_name(), record.call.action);
    match record.resources.first().and_then(|arn| arn.splitn(6, ':').nth(5)) {
        Some(resource) => format!("{what} of {resource}"),
        None => what,
    }
}
