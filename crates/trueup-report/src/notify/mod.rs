//! Notifications: which targets outside of trueup are notified of what happened, and how.
//!
//! The engine puts events into queues and never waits. Each target has a task of its own, so that a target that fails or is
//! slow delays no other. What is sent is bounded in number, size and time; answers are never shown.
//!
//! | file | idea |
//! |---|---|
//! | `targets/` | the configuration, and a file for each kind of target: settings, rendering, delivery |
//! | `deliver.rs` | what a target must be able to do |
//! | `sender.rs` | retries |
//! | `forwarder.rs` | forwards events to one target; `filter.rs` and `subject.rs` say which, `memory.rs` which were sent before |
//! | `statuses.rs` | sets commit statuses at one provider; `evaluation.rs` says which |

mod address;
mod deliver;
mod digest;
mod evaluation;
mod filter;
mod forwarder;
mod memory;
mod queue;
mod sender;
mod statuses;
mod subject;
mod targets;
mod transport;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use trueup_core::report::{Event, What};
use trueup_engine::{Sink, Status};
use trueup_ports::Clock;

use self::deliver::{Deliver, Outlets};
use self::evaluation::CommitStatus;
pub use self::filter::{EVENTS_DEFAULT, Filter, is_passing};
use self::forwarder::{Forwarder, Message};
use self::memory::Memory;
use self::queue::Queue;
use self::sender::Sender;
use self::statuses::{Rejected, Reporter};
use self::subject::{Mark, mark};
pub use self::targets::{GitHub, GitLab, Hosting, Means, SHOWN_KEYS, Slack, Table, Target, Webhook};
use self::transport::Http;

/// How many events wait for one target.
const QUEUE_MAX: usize = 256;

/// Why no notification can be sent.
#[derive(Debug, thiserror::Error)]
#[error("notifications cannot be sent: {0}")]
pub struct NotifyError(reqwest::Error);

/// All targets, before the engine starts.
pub struct Notifications {
    targets: Vec<(Target, Inbox)>,
    outlets: Outlets,
}

/// Where the engine puts what a target is notified of.
#[derive(Clone)]
enum Inbox {
    Events(Arc<Queue<Message>>),
    Statuses { rejected: Arc<Queue<Rejected>>, wake: Arc<Notify> },
}

/// What a target takes: events, or statuses of commits.
enum Delivery {
    Events(Box<dyn Deliver<Event>>),
    Statuses(Box<dyn Deliver<CommitStatus>>),
}

impl From<Means> for Delivery {
    fn from(means: Means) -> Self {
        match means {
            Means::Webhook(target) => Self::Events(Box::new(target)),
            Means::Slack(target) => Self::Events(Box::new(target)),
            Means::GitHub(target) => Self::Statuses(Box::new(target)),
            Means::GitLab(target) => Self::Statuses(Box::new(target)),
        }
    }
}

impl Notifications {
    /// Prepares to notify these targets.
    ///
    /// # Errors
    /// When this machine has no TLS to offer.
    pub fn new(targets: Vec<Target>, clock: Arc<dyn Clock>) -> Result<Self, NotifyError> {
        let http = Arc::new(Http::new(clock.clone()).map_err(NotifyError)?);
        let inbox = |means: &Means| match means {
            Means::Webhook(_) | Means::Slack(_) => Inbox::Events(Arc::new(Queue::new(QUEUE_MAX))),
            Means::GitHub(_) | Means::GitLab(_) => {
                Inbox::Statuses { rejected: Arc::new(Queue::new(QUEUE_MAX)), wake: Arc::default() }
            }
        };
        let targets = targets.into_iter().map(|target| {
            let inbox = inbox(&target.means);
            (target, inbox)
        });
        Ok(Self { targets: targets.collect(), outlets: Outlets { http, clock } })
    }

    /// The sink that the engine emits events to. It never waits.
    pub fn sink(&self) -> Arc<dyn Sink> {
        let inboxes = self.targets.iter().map(|(target, inbox)| (target.filter.clone(), inbox.clone()));
        Arc::new(Inboxes(inboxes.collect()))
    }

    /// Starts to send. `status` returns the status of all applications; `memory` is a directory for the record of what was
    /// sent, where there is one.
    pub fn start(self, status: impl Fn() -> Status + Send + Sync + 'static, memory: Option<&Path>) -> Running {
        let closing = watch::Sender::new(false);
        let status: Arc<dyn Fn() -> Status + Send + Sync> = Arc::new(status);
        let (mut tasks, mut queues) = (JoinSet::new(), Vec::new());
        for (Target { name, filter, means }, inbox) in self.targets {
            let file = memory.map(|directory| directory.join(format!("{}.json", digest::short(&[&name]))));
            let (memory, outlets) = (Memory::open(file), self.outlets.clone());
            match (Delivery::from(means), inbox) {
                (Delivery::Events(target), Inbox::Events(queue)) => {
                    queues.push(queue.clone());
                    let sender = Sender::new(name.clone(), target, outlets, closing.subscribe());
                    tasks.spawn(Forwarder { name, queue, sender, memory }.run());
                }
                (Delivery::Statuses(target), Inbox::Statuses { rejected, wake }) => {
                    let sender = Sender::new(name, target, outlets, closing.subscribe());
                    let (closing, status) = (closing.subscribe(), status.clone());
                    tasks.spawn(Reporter { filter, rejected, wake, sender, memory, closing, status }.run());
                }
                (Delivery::Events(_), Inbox::Statuses { .. }) | (Delivery::Statuses(_), Inbox::Events(_)) => {
                    unreachable!("a target's inbox is made for its means")
                }
            }
        }
        Running { tasks, queues, closing }
    }
}

struct Inboxes(Vec<(Filter, Inbox)>);

impl Sink for Inboxes {
    fn emit(&self, event: &Event) {
        let ends = matches!(mark(event), Mark::Ends { .. });
        let mut shared = None;
        for (filter, inbox) in &self.0 {
            match inbox {
                Inbox::Events(queue) => {
                    let is_sent = filter.takes(event);
                    if is_sent || ends {
                        let event = shared.get_or_insert_with(|| Arc::new(event.clone())).clone();
                        queue.push(Message { event, is_sent });
                    }
                }
                Inbox::Statuses { rejected, wake } => {
                    if let (What::RevisionRejected { message, .. }, Some(revision)) = (&event.what, &event.revision) {
                        rejected.push(Rejected { revision: revision.clone(), message: message.clone() });
                    }
                    wake.notify_one();
                }
            }
        }
    }
}

/// The tasks that send. Dropping it aborts them.
pub struct Running {
    tasks: JoinSet<()>,
    queues: Vec<Arc<Queue<Message>>>,
    closing: watch::Sender<bool>,
}

impl Running {
    /// Sends what is left, without pauses, for at most this long.
    pub async fn finish(mut self, within: Duration) {
        self.closing.send_replace(true);
        self.queues.iter().for_each(|queue| queue.close());
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            tracing::warn!("Some notifications could not be delivered before the process stopped.");
        }
    }
}

#[cfg(test)]
mod tests;
