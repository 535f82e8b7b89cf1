//! Faults that AWS and the network have been seen to inflict on a call.
//!
//! | file | idea |
//! |---|---|
//! | `rule.rs` | fault rules: what fails, when, and for which calls |
//! | `texts.rs` | how faults alter a call and its answer |
//! | `past.rs` | earlier states of a world, for stale reads |

pub(crate) mod past;
mod rule;
pub(crate) mod texts;

use std::collections::BTreeMap;
use std::time::Duration;

pub use rule::{Ending, Executed, Fault, FaultRule, Moment, What, When};

use crate::chance::Stream;
use crate::recorder::Record;
use crate::time::Time;

/// All active faults.
#[derive(Clone, Debug)]
pub struct Faults {
    seed: u64,
    next: u64,
    named: BTreeMap<&'static str, u64>,
    rules: BTreeMap<u64, Active>,
}

/// Which rule, to take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u64);

/// A rule with what it remembers.
#[derive(Clone, Debug)]
struct Active {
    rule: FaultRule,
    chance: Stream,
    matched: u64,
    /// The latest time that a stale read answered from.
    seen: Time,
}

/// What becomes of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultVerdict {
    /// What decides its fate, when anything does.
    pub decisive: Option<Fault>,
    /// So much longer until the answer.
    pub slow: Duration,
    /// A read answers as of this time.
    pub as_of: Option<Time>,
    /// Entries go missing from the answer: chance, how many of a hundred, reported.
    pub partial: Option<(Stream, u64, bool)>,
    /// Pages of a listing have at most so many entries.
    pub page: Option<u64>,
    /// The server's clock, in seconds ahead of true time.
    pub ahead: i64,
    /// The names of all faults that hit.
    pub names: Vec<&'static str>,
}

impl Faults {
    /// None yet. Each rule draws from a stream of its own, so that a new one does not reshuffle the others.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0, named: BTreeMap::new(), rules: BTreeMap::new() }
    }

    /// Activates a rule. Of several rules that decide a call's fate, the one added first does.
    pub fn add(&mut self, rule: FaultRule) -> RuleId {
        let name = rule.fault.name();
        let number = self.named.entry(name).or_default();
        let chance = Stream::named(self.seed, &format!("fault: {name} {number}"));
        *number += 1;
        let id = self.next;
        self.next += 1;
        self.rules.insert(id, Active { rule, chance, matched: 0, seen: Time(0) });
        RuleId(id)
    }

    /// Takes a rule back; false when it is gone already.
    pub fn remove(&mut self, id: RuleId) -> bool {
        self.rules.remove(&id.0).is_some()
    }

    /// Takes all rules back: the quiet end of a history.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// How far back a read may be answered from, now or later; `None` when no rule asks for the past.
    pub(crate) fn memory(&self, now: Time) -> Option<Duration> {
        let stale = self.rules.values().filter_map(|active| match (active.rule.fault, active.rule.when) {
            (Fault::Stale { .. }, When::Between(_, to)) if to <= now => None,
            (Fault::Stale { up_to, .. }, _) => Some(up_to),
            _ => None,
        });
        stale.max()
    }

    /// Decides over a call that just arrived.
    pub(crate) fn judge(&mut self, record: &Record) -> FaultVerdict {
        let mut verdict = FaultVerdict::default();
        for active in self.rules.values_mut() {
            if !active.hits(record) {
                continue;
            }
            let fault = active.rule.fault;
            match fault {
                Fault::Slow(longer) => verdict.slow += longer,
                Fault::Stale { up_to, monotonic } if record.mutation.is_none() => {
                    let oldest = u64::try_from(up_to.as_millis()).unwrap_or(u64::MAX);
                    let age = Duration::from_millis(active.chance.between(0, oldest.saturating_add(1)));
                    let as_of = if monotonic { (record.at - age).max(active.seen) } else { record.at - age };
                    active.seen = active.seen.max(as_of);
                    verdict.as_of = Some(as_of);
                }
                Fault::Stale { .. } => continue,
                Fault::Partial { percent, told } => {
                    verdict.partial = Some((Stream::named(active.chance.bits(), "entries"), percent, told));
                }
                Fault::ShortPages(size) => verdict.page = Some(size.max(1)),
                Fault::ClockSkew(ahead) => verdict.ahead = ahead,
                Fault::Throttled
                | Fault::ServerError { .. }
                | Fault::NoAnswer { .. }
                | Fault::Expired
                | Fault::Denied
                | Fault::Cut(_) => {
                    if verdict.decisive.is_some() {
                        continue;
                    }
                    verdict.decisive = Some(fault);
                }
            }
            verdict.names.push(fault.name());
        }
        verdict
    }
}

impl Active {
    /// Whether the rule is about this call. Chance is drawn only where the rule could hit.
    fn hits(&mut self, record: &Record) -> bool {
        if !self.rule.what.matches(&record.call, &record.caller, &record.resources) {
            return false;
        }
        let nth = self.matched;
        self.matched += 1;
        let now = match self.rule.when {
            When::Always => true,
            When::Between(from, to) => from <= record.at && record.at < to,
            When::Nth(wanted) => wanted == nth,
            When::Call(index) => index == record.index,
            When::Mutation(nth) => record.mutation == Some(nth),
        };
        now && self.chance.percent(self.rule.percent)
    }
}
