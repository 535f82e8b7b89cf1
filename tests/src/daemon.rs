//! `trueup run` as a child process: its events as data.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{Process, Signal};
use crate::world::LIMIT;

/// How long it may take to end after SIGTERM (the promise is 25 s).
const END_LIMIT: Duration = Duration::from_secs(25);

/// How many events are shown when the one waited for did not come.
const EVENTS_SHOWN_MAX: usize = 15;

/// A running daemon.
pub struct Daemon {
    process: Process,
    /// Everything it emitted, in order, as far as it was read.
    pub events: Vec<Value>,
}

impl Daemon {
    /// Takes over a child that prints an event as JSON on each line of its stdout.
    pub fn new(process: Process) -> Self {
        Self { process, events: Vec::new() }
    }

    /// Reads events until one is as `wanted`, and gives it. The next wait begins behind it.
    ///
    /// # Errors
    /// When none came in time: with `what` and the last events.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let line = self.process.next_line(deadline).with_context(|| self.unseen(what))?;
            let Some(line) = line else {
                bail!("the daemon ended: {}\n{}", self.unseen(what), self.process.last_words());
            };
            let event = self.take(&line)?;
            if wanted(&event) {
                return Ok(event);
            }
        }
    }

    /// Waits for the event `name` of a revision.
    ///
    /// # Errors
    /// When it did not come in time.
    pub fn wait_for_revision(&mut self, name: &str, revision: &str) -> Result<Value> {
        self.wait_for(&format!("{name} {revision}"), |event| event["event"] == name && event["revision"] == revision)
    }

    /// Sends SIGTERM, reads the rest of the events and gives the exit code with the time it took.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(&mut self) -> Result<(Option<i32>, Duration)> {
        let begun = Instant::now();
        self.process.signal(Signal::TERM)?;
        let status = self.process.wait(END_LIMIT)?;
        let took = begun.elapsed();
        self.read_rest()?;
        Ok((status.code(), took))
    }

    /// Sends SIGKILL and waits for the end.
    ///
    /// # Errors
    /// When it has ended before.
    pub fn kill(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process.wait(END_LIMIT)?;
        self.read_rest()
    }

    /// Waits until it ends on its own, and returns its exit code.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn wait(&mut self) -> Result<Option<i32>> {
        let status = self.process.wait(LIMIT)?;
        self.read_rest()?;
        Ok(status.code())
    }

    /// What it wrote to stderr last.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }

    fn read_rest(&mut self) -> Result<()> {
        while let Some(line) = self.process.next_line(Instant::now() + END_LIMIT)? {
            self.take(&line)?;
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<Value> {
        let event: Value = serde_json::from_str(line).with_context(|| format!("not an event: {line}"))?;
        self.events.push(event.clone());
        Ok(event)
    }

    fn unseen(&self, what: &str) -> String {
        let shown = &self.events[self.events.len().saturating_sub(EVENTS_SHOWN_MAX)..];
        let shown: Vec<String> = shown.iter().map(Value::to_string).collect();
        format!("waited for {what}; the last events were\n{}", shown.join("\n"))
    }
}
