//! Everything that was asked of the simulated AWS, and what became of it.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::faults::Moment;
use crate::resource::resources;
use crate::time::Time;
use crate::truth::Truth;
use crate::wire::{ApiError, Call};

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number: the first call is 0.
    pub index: u64,
    /// Which mutating call it is, when it is one: the first is 0.
    pub mutation: Option<u64>,
    /// When it arrived.
    pub at: Time,
    /// The ARN of who called.
    pub caller: String,
    /// The account that it works on.
    pub account: String,
    /// What was asked for.
    pub call: Call,
    /// The ARNs of what it is about ([`crate::resource::resources`]).
    pub resources: Vec<String>,
    /// The outcome when it was executed, now or late; a read's output is not kept.
    pub outcome: Option<Result<Value, ApiError>>,
    /// What the client got to know.
    pub fate: Fate,
    /// When it took effect, if at all.
    pub effect: Effect,
    /// What it really changed; none for reads, and for what was not executed.
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

/// What the client got to know of its call.
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
    /// Nothing.
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
    mutations: u64,
}

impl Recorder {
    /// All calls in the order in which they arrived; a call's index is its place.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The index that the next call gets.
    pub fn next_index(&self) -> u64 {
        self.records.len() as u64
    }

    /// The number that the next mutating call gets.
    pub fn next_mutation(&self) -> u64 {
        self.mutations
    }

    /// Mutating calls so far, whoever made them.
    pub fn mutations(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.mutation.is_some())
    }

    /// Takes in a call, before anything becomes of it.
    pub(crate) fn arrived(&mut self, at: Time, caller: &str, account: &str, call: Call) -> u64 {
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

    /// A call by its index.
    pub fn get(&self, index: u64) -> Option<&Record> {
        self.records.get(usize::try_from(index).ok()?)
    }

    /// The record of a call that arrived.
    pub(crate) fn record(&mut self, index: u64) -> &mut Record {
        let index = usize::try_from(index).expect("an index counts records in memory");
        &mut self.records[index]
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
        other => other.clone(),
    }
}

fn hidden(variable: &Value) -> Value {
    let mut variable = variable.clone();
    if let Some(value) = variable.get_mut("value") {
        *value = Value::from(format!("#{:08x}", hash(value.to_string().as_bytes()) >> 32));
    }
    variable
}

/// FNV-1a, 64 bits: tells bytes apart, no more.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
