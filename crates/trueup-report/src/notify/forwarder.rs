//! Forwards events to one target, one after the other: a webhook, or a chat.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::report::{Event, json_line};

use super::digest::short;
use super::memory::Memory;
use super::queue::Queue;
use super::sender::{Outcome, Sender};
use super::subject::{Mark, mark};

/// How long the record of an earlier process is trusted: by then, everything that still holds was reported to this process.
const INHERITED_MAX: Duration = Duration::from_mins(15);

/// An event on its way to a target.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// What happened.
    pub event: Arc<Event>,
    /// Whether it is sent. Otherwise it only ends what was sent before.
    pub is_sent: bool,
}

/// Forwards messages to one target.
pub(super) struct Forwarder {
    pub name: String,
    pub queue: Arc<Queue<Message>>,
    pub sender: Sender<Event>,
    pub memory: Memory,
}

impl Forwarder {
    /// Forwards messages until the queue is closed and empty.
    pub async fn run(mut self) {
        let began = Instant::now();
        while let Some(message) = self.queue.next().await {
            if began.elapsed() > INHERITED_MAX {
                self.memory.forget_inherited();
            }
            self.forward(message).await;
            let dropped = self.queue.take_dropped();
            if dropped > 0 {
                tracing::warn!(notifications = %self.name, dropped, "Notifications were dropped: events came faster than the target accepts them.");
            }
        }
    }

    async fn forward(&mut self, Message { event, is_sent }: Message) {
        let mark = mark(&event);
        if let Mark::Once { key, value } = &mark
            && self.memory.knows(key, value)
        {
            return;
        }
        if let Mark::Ends { key } = &mark {
            self.memory.forget(key);
        }
        if !is_sent {
            return;
        }
        let id = short(&[&self.name, &json_line(&event)]);
        let outcome = self.sender.send(&event, &id).await;
        // What could not be delivered is not recorded, so that it is sent when the event comes again.
        if let Mark::Once { key, value } = &mark
            && outcome == Outcome::Delivered
        {
            self.memory.record(key, value);
        }
    }
}
