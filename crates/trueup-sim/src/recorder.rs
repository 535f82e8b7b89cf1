//! Records all calls to the simulated AWS, with their outcomes.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::faults::Moment;
use crate::hash::hash;
use crate::resource::resources;
use crate::time::Time;
use crate::truth::Truth;
use crate::wire::{ApiError, Call};

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number: the first call is 0.
    pub index: u64,
    /// Its number among the mutating calls, if it is one: the first is 0.
    pub mutation: Option<u64>,
    /// When it arrived.
    pub at: Time,
    /// The ARN of the caller.
    pub caller: String,
    /// The account that it works on.
    pub account: String,
    /// The call as requested.
    pub call: Call,
    /// The ARNs of the resources that it names ([`crate::resource::resources`]).
    pub resources: Vec<String>,
    /// The outcome when it was executed, now or late; a read's output is not kept.
    pub outcome: Option<Result<Value, ApiError>>,
    /// The outcome as the client saw it.
    pub fate: Fate,
    /// When it took effect, if at all.
    pub effect: Effect,
    /// The changes that it really caused; `None` for reads and for calls that were not executed.
    pub truth: Option<Truth>,
    /// The faults that hit it, by name.
    pub faults: Vec<&'static str>,
    /// Where in this call the client was stopped.
    pub cut: Option<Moment>,
}

impl Record {
    /// Whether the client knows that its call was done.
    pub fn known_done(&self) -> bool {
        matches!(self.fate, Fate::Answered { status: 200, .. }) && self.cut != Some(Moment::AfterSend)
    }

    /// Whether the call was executed, now or late, and succeeded.
    pub fn done(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }
}

/// The outcome of a call as the client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// An answer.
    Answered {
        /// HTTP status.
        status: u16,
        /// After this time.
        after: Duration,
        /// A hash of the answer's bytes.
        hash: u64,
    },
    /// The connection was reset.
    Reset,
    /// No answer at all.
    Silence,
}

/// Whether and when a call was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was not.
    None,
    /// When it arrived.
    AtOnce,
    /// It will be, or was, at this time.
    Late(Time),
}

/// The history of calls.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    records: Vec<Record>,
    /// How many calls before them are forgotten.
    forgotten: u64,
    /// How many calls are kept at least; all when `None`.
    kept: Option<usize>,
    mutations: u64,
}

impl Recorder {
    /// From now on keeps only the newest `calls` calls, and those whose effect is still pending. At times holds up to
    /// twice as many, so that dropping old ones costs little.
    ///
    /// For a simulation that runs for days without being judged: [`crate::judge`] needs the whole history.
    pub fn keep(&mut self, calls: usize) {
        self.kept = Some(calls);
    }

    /// All calls in the order in which they arrived; a call's index is its place, unless [`Recorder::keep`] had some
    /// forgotten.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The index that the next call gets.
    pub fn next_index(&self) -> u64 {
        self.forgotten + self.records.len() as u64
    }

    /// The number that the next mutating call gets.
    pub fn next_mutation(&self) -> u64 {
        self.mutations
    }

    /// Mutating calls so far, by any caller.
    pub fn mutations(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.mutation.is_some())
    }

    /// Records a call on arrival, before it is executed.
    pub(crate) fn arrived(&mut self, at: Time, caller: &str, account: &str, call: Call) -> u64 {
        self.forget();
        let index = self.next_index();
        let resources = resources(&call, account);
        let mutation = call.mutates().then_some(self.mutations);
        self.mutations += u64::from(mutation.is_some());
        self.records.push(Record {
            index,
            mutation,
            at,
            caller: caller.to_owned(),
            account: account.to_owned(),
            call,
            resources,
            outcome: None,
            fate: Fate::Silence,
            effect: Effect::None,
            truth: None,
            faults: Vec::new(),
            cut: None,
        });
        index
    }

    /// Forgets what need not be kept, once that is as much as what must be.
    fn forget(&mut self) {
        let Some(kept) = self.kept else { return };
        if self.records.len() < kept.saturating_mul(2) {
            return;
        }
        let is_awaited = |record: &Record| matches!(record.effect, Effect::Late(_)) && record.outcome.is_none();
        let awaited = self.records.iter().position(is_awaited).unwrap_or(self.records.len());
        let old = awaited.min(self.records.len() - kept);
        self.records.drain(..old);
        self.forgotten += old as u64;
    }

    /// A call by its index; none when it never arrived, or is forgotten.
    pub fn get(&self, index: u64) -> Option<&Record> {
        self.records.get(usize::try_from(index.checked_sub(self.forgotten)?).ok()?)
    }

    /// The record of a call that arrived and that is still being worked on, so that it is not forgotten.
    pub(crate) fn record(&mut self, index: u64) -> &mut Record {
        let place = index.checked_sub(self.forgotten).and_then(|place| usize::try_from(place).ok());
        &mut self.records[place.expect("a call that is worked on is kept")]
    }

    /// The history as text, a line per call: the same seed and inputs give the same text, to the byte.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for record in &self.records {
            let _ = writeln!(text, "{record}");
        }
        text
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Call { service, action, region, input, .. } = &self.call;
        let caller = self.caller.rsplit(':').next().unwrap_or_default();
        write!(formatter, "{} {} {caller} {}/{region} {service:?}.{action}", self.index, self.at.iso(), self.account)?;
        write!(formatter, " {}", shown(input))?;
        match &self.outcome {
            None => write!(formatter, " -> not executed")?,
            Some(Ok(_)) => write!(formatter, " -> done")?,
            Some(Err(error)) => write!(formatter, " -> {}: {}", error.code, error.message)?,
        }
        if let Effect::Late(at) = self.effect {
            write!(formatter, " late, at {}", at.iso())?;
        }
        if !self.faults.is_empty() {
            write!(formatter, " [{}]", self.faults.join(", "))?;
        }
        if self.truth.as_ref().is_some_and(|truth| !truth.changed) {
            write!(formatter, ", changing nothing")?;
        }
        match self.fate {
            Fate::Answered { status, after, hash } => {
                write!(formatter, "; answered {status} after {} ms, {hash:016x}", after.as_millis())
            }
            Fate::Reset => write!(formatter, "; connection reset"),
            Fate::Silence => write!(formatter, "; silence"),
        }
    }
}

/// An input, with a hash in the place of every environment value.
fn shown(input: &Value) -> Value {
    match input {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| match member.as_array() {
                    Some(items) if name == "environment" => {
                        (name.clone(), Value::Array(items.iter().map(hidden).collect()))
                    }
                    _ => (name.clone(), shown(member)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => input.clone(),
    }
}

fn hidden(variable: &Value) -> Value {
    let mut variable = variable.clone();
    if let Some(value) = variable.get_mut("value") {
        *value = Value::from(format!("#{:08x}", hash(value.to_string().as_bytes()) >> 32));
    }
    variable
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Effect, Recorder};
    use crate::time::Time;
    use crate::wire::{Api, Call};

    fn arrive(recorder: &mut Recorder) -> u64 {
        let call = Call {
            service: Api::Ecs,
            action: "UpdateService".to_owned(),
            access_key: "me".to_owned(),
            region: "eu-west-1".to_owned(),
            input: json!({}),
        };
        recorder.arrived(Time::START, "arn:aws:iam::123456789012:user/me", "123456789012", call)
    }

    #[test]
    fn all_calls_are_kept_unless_told_otherwise_and_then_the_newest_by_their_own_numbers() {
        let (mut whole, mut bounded) = (Recorder::default(), Recorder::default());
        bounded.keep(10);
        for index in 0..1_000 {
            assert_eq!((arrive(&mut whole), arrive(&mut bounded)), (index, index));
            assert_eq!(bounded.record(index).mutation, Some(index), "the newest can be worked on");
            assert!(bounded.records().len() <= 20, "{} at {index}", bounded.records().len());
        }
        assert_eq!(whole.records().len(), 1_000);
        assert!(bounded.get(0).is_none() && bounded.get(1_000).is_none());
        assert_eq!(bounded.get(990).map(|record| record.index), Some(990));
    }

    #[test]
    fn a_call_whose_effect_is_still_to_come_is_kept() {
        let mut recorder = Recorder::default();
        recorder.keep(1);
        let late = arrive(&mut recorder);
        recorder.record(late).effect = Effect::Late(Time::START + Duration::from_mins(1));
        for _ in 0..10 {
            arrive(&mut recorder);
        }
        recorder.record(late).outcome = Some(Ok(json!({})));
        arrive(&mut recorder);
        assert!(recorder.get(late).is_none(), "it is over");
        assert_eq!(recorder.next_index(), 12);
    }
}
