//! Notifications: who is told outside of trueup what happened, and how.
//!
//! The loop puts events into queues and goes on. Each target has a task of its own, so that one that fails or is slow delays
//! no other; what is told is bounded in number, size and time, and nothing of it comes back.

mod address;
mod courier;
mod digest;
mod filter;
mod memory;
mod queue;
mod settings;
mod slack;
mod statuses;
mod subject;
mod teller;
mod transport;
mod verdict;
mod webhook;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use trueup_core::report::{Event, What};
use trueup_engine::{Sink, Status};
use trueup_ports::Clock;

use self::courier::Courier;
pub use self::filter::{EVENTS_DEFAULT, Filter, is_passing};
use self::memory::Memory;
use self::queue::Queue;
pub use self::settings::{Means, Post, Provider, SHOWN_KEYS, Statuses, Table, Target};
use self::statuses::{Rejected, Reporter};
use self::subject::{Mark, mark};
use self::teller::{Letter, Teller};
use self::transport::{Http, Transport};

/// How many events wait for one target.
const QUEUE_MAX: usize = 256;

/// Why nobody can be told anything.
#[derive(Debug, thiserror::Error)]
#[error("notifications cannot be sent: {0}")]
pub struct NotifyError(reqwest::Error);

/// All targets, before the loop begins.
pub struct Notifications {
    targets: Vec<(Target, Letterbox)>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

/// Where the loop puts what a target is told.
#[derive(Clone)]
enum Letterbox {
    Events(Arc<Queue<Letter>>),
    Statuses { rejected: Arc<Queue<Rejected>>, wake: Arc<Notify> },
}

impl Notifications {
    /// Gets ready to tell these targets.
    ///
    /// # Errors
    /// When this machine has no TLS to offer.
    pub fn new(targets: Vec<Target>, clock: Arc<dyn Clock>) -> Result<Self, NotifyError> {
        let transport = Arc::new(Http::new(clock.clone()).map_err(NotifyError)?);
        Ok(Self::with(targets, transport, clock))
    }

    fn with(targets: Vec<Target>, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let letterbox = |target: &Target| match target.means {
            Means::Events(_) => Letterbox::Events(Arc::new(Queue::new(QUEUE_MAX))),
            Means::Statuses(_) => {
                Letterbox::Statuses { rejected: Arc::new(Queue::new(QUEUE_MAX)), wake: Arc::default() }
            }
        };
        let targets = targets.into_iter().map(|target| {
            let letterbox = letterbox(&target);
            (target, letterbox)
        });
        Self { targets: targets.collect(), transport, clock }
    }

    /// What the loop tells. Never waits.
    pub fn sink(&self) -> Arc<dyn Sink> {
        let letterboxes = self.targets.iter().map(|(target, letterbox)| (target.filter.clone(), letterbox.clone()));
        Arc::new(Letterboxes(letterboxes.collect()))
    }

    /// Begins to tell. `status` says how everything stands; `memory` is a directory for what was told, where there is one.
    pub fn start(self, status: impl Fn() -> Status + Send + Sync + 'static, memory: Option<&Path>) -> Running {
        let closing = watch::Sender::new(false);
        let status: Arc<dyn Fn() -> Status + Send + Sync> = Arc::new(status);
        let (mut tasks, mut queues) = (JoinSet::new(), Vec::new());
        for (Target { name, filter, means }, letterbox) in self.targets {
            let file = memory.map(|directory| directory.join(format!("{}.json", digest::short(&[&name]))));
            let memory = Memory::open(file);
            let courier = Courier::new(name.clone(), self.transport.clone(), closing.subscribe());
            match (means, letterbox) {
                (Means::Events(post), Letterbox::Events(queue)) => {
                    queues.push(queue.clone());
                    let clock = self.clock.clone();
                    tasks.spawn(Teller { name, post, queue, courier, memory, clock }.run());
                }
                (Means::Statuses(statuses), Letterbox::Statuses { rejected, wake }) => {
                    let (closing, status) = (closing.subscribe(), status.clone());
                    let reporter = Reporter { statuses, filter, rejected, wake, courier, memory, closing, status };
                    tasks.spawn(reporter.run());
                }
                (Means::Events(_), Letterbox::Statuses { .. }) | (Means::Statuses(_), Letterbox::Events(_)) => {
                    unreachable!("a target's letterbox is made for its means")
                }
            }
        }
        Running { tasks, queues, closing }
    }
}

struct Letterboxes(Vec<(Filter, Letterbox)>);

impl Sink for Letterboxes {
    fn emit(&self, event: &Event) {
        let ends = matches!(mark(event), Mark::Ends { .. });
        let mut shared = None;
        for (filter, letterbox) in &self.0 {
            match letterbox {
                Letterbox::Events(queue) => {
                    let told = filter.takes(event);
                    if told || ends {
                        let event = shared.get_or_insert_with(|| Arc::new(event.clone())).clone();
                        queue.push(Letter { event, told });
                    }
                }
                Letterbox::Statuses { rejected, wake } => {
                    if let (What::RevisionRejected { message, .. }, Some(revision)) = (&event.what, &event.revision) {
                        rejected.push(Rejected { revision: revision.clone(), message: message.clone() });
                    }
                    wake.notify_one();
                }
            }
        }
    }
}

/// The tasks that tell. When it is dropped they end where they are.
pub struct Running {
    tasks: JoinSet<()>,
    queues: Vec<Arc<Queue<Letter>>>,
    closing: watch::Sender<bool>,
}

impl Running {
    /// Tells what is left, without pauses, for as long as it may take.
    pub async fn finish(mut self, within: Duration) {
        self.closing.send_replace(true);
        self.queues.iter().for_each(|queue| queue.close());
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            tracing::warn!("Not all notifications could be delivered before the end.");
        }
    }
}

#[cfg(test)]
mod tests;
