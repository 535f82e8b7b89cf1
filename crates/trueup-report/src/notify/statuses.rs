//! Sets the statuses of commits at one provider, one after the other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use trueup_core::names::Revision;
use trueup_core::plan::Plan;
use trueup_engine::Status;

use super::digest::short;
use super::evaluation::{CommitStatus, Evaluator, State};
use super::filter::Filter;
use super::memory::Memory;
use super::queue::Queue;
use super::sender::{Outcome, Sender};

/// How often the applications are evaluated when no event comes.
const EVALUATION_INTERVAL: Duration = Duration::from_secs(2);

/// The pause after a round in which the provider failed, and the number of rounds after which a status is given up.
const REST: Duration = Duration::from_mins(5);
const ROUNDS_MAX: u32 = 24;

/// A commit that was rejected as a whole.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub revision: Revision,
    pub message: String,
}

/// Sets statuses at one provider.
pub(super) struct Reporter {
    pub filter: Filter,
    pub rejected: Arc<Queue<Rejected>>,
    /// Woken by each event: the applications are evaluated at once.
    pub wake: Arc<Notify>,
    pub sender: Sender<CommitStatus>,
    pub memory: Memory,
    pub closing: watch::Receiver<bool>,
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
}

impl Reporter {
    /// Sets statuses until the process stops, and then once more what is left.
    pub async fn run(mut self) {
        let (mut evaluator, mut rounds, mut rest) = (Evaluator::default(), 0, None::<Instant>);
        let mut rejected = None;
        loop {
            let closing = *self.closing.borrow();
            if closing || rest.is_none_or(|until| Instant::now() >= until) {
                let wanted = self.wanted(&mut evaluator, rejected.as_ref());
                if self.set_all(wanted, rounds >= ROUNDS_MAX).await.is_ok() {
                    (rounds, rest, rejected) = (0, None, None);
                } else {
                    (rounds, rest) = (rounds + 1, Some(Instant::now() + REST));
                }
            }
            if closing {
                return;
            }
            tokio::select! {
                // The rejection is kept until its status is set, or until a newer one replaces it.
                Some(newer) = self.rejected.next() => rejected = Some(newer),
                () = self.wake.notified() => {}
                () = sleep(EVALUATION_INTERVAL) => {}
                _ = self.closing.wait_for(|closing| *closing) => {}
            }
        }
    }

    fn wanted(&self, evaluator: &mut Evaluator, rejected: Option<&Rejected>) -> Vec<CommitStatus> {
        let recorded = |place: &str| self.memory.value(place);
        let takes = |plan: &Plan| self.filter.takes_names(plan.environment.as_str(), plan.application.as_str());
        let mut wanted = evaluator.evaluate(&(self.status)(), takes, recorded);
        if let Some(Rejected { revision, message }) = rejected {
            let status = CommitStatus::new(String::new(), revision.clone(), State::Failure, "Rejected", message);
            if recorded("") != Some(&status.value()) {
                wanted.push(status);
            }
        }
        wanted
    }

    /// Sets them in order. A status that is refused is not set again; where the provider fails, the rest waits for the next
    /// round, except in the last.
    async fn set_all(&mut self, wanted: Vec<CommitStatus>, last: bool) -> Result<(), GaveUp> {
        for status in wanted {
            let id = short(&[&status.place, &status.value()]);
            let outcome = self.sender.send(&status, &id).await;
            if outcome == Outcome::GivenUp && !last {
                return Err(GaveUp);
            }
            self.memory.record(&status.place, &status.value());
        }
        Ok(())
    }
}

/// The provider could not be reached.
struct GaveUp;

#[cfg(test)]
mod tests;
