//! Tells one target events, one after the other: a webhook, or a chat.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::report::{Event, json_line};
use trueup_ports::Clock;
use url::Url;

use super::address;
use super::courier::{Courier, Outcome};
use super::digest::short;
use super::memory::Memory;
use super::queue::Queue;
use super::settings::Post;
use super::subject::{Mark, mark};
use super::transport::Request;
use super::{slack, webhook};
use crate::secret::{Secret, SecretSource};

/// What a process before this one told is believed for as long: by then everything that still holds was met again.
const INHERITED_MAX: Duration = Duration::from_mins(15);

/// Something for a target.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// What happened.
    pub event: Arc<Event>,
    /// It is told; otherwise it only ends what was told.
    pub told: bool,
}

/// Tells one target.
pub(super) struct Teller {
    pub name: String,
    pub post: Post,
    pub queue: Arc<Queue<Letter>>,
    pub courier: Courier,
    pub memory: Memory,
    pub clock: Arc<dyn Clock>,
}

impl Teller {
    /// Tells whatever comes, until the queue is closed and empty.
    pub async fn run(mut self) {
        let began = Instant::now();
        while let Some(letter) = self.queue.next().await {
            if began.elapsed() > INHERITED_MAX {
                self.memory.forget_inherited();
            }
            self.tell(letter).await;
            let dropped = self.queue.take_dropped();
            if dropped > 0 {
                tracing::warn!(notifications = %self.name, dropped, "Notifications came faster than they could be delivered.");
            }
        }
    }

    async fn tell(&mut self, Letter { event, told }: Letter) {
        let mark = mark(&event);
        if let Mark::Tells { key, value } = &mark
            && self.memory.knows(key, value)
        {
            return;
        }
        if let Mark::Ends { key } = &mark {
            self.memory.forget(key);
        }
        if !told {
            return;
        }
        let id = short(&[&self.name, &json_line(&event)]);
        let (post, clock) = (&self.post, &self.clock);
        let outcome = self.courier.deliver(&id, || request(post, &event, &id, &**clock), |_, _| false).await;
        // What could not be told may be told when it comes again.
        if let Mark::Tells { key, value } = &mark
            && outcome == Outcome::Delivered
        {
            self.memory.tell(key, value);
        }
    }
}

/// The request that tells an event, with the secrets as they are now.
fn request(post: &Post, event: &Event, id: &str, clock: &dyn Clock) -> Result<Request, String> {
    match post {
        Post::Webhook { url, secret } => {
            let (url, secret) = (target(url)?, read(secret)?);
            Ok(webhook::request(url, &secret, webhook::body(event), id, event.what.name(), clock.now()))
        }
        Post::Slack { url } => {
            let body = slack::message(event).to_string();
            Ok(Request { url: target(url)?, headers: Vec::new(), body })
        }
    }
}

fn target(source: &SecretSource) -> Result<Url, String> {
    address::parse(read(source)?.expose()).map_err(|flaw| format!("{source} holds no usable URL: {flaw}"))
}

fn read(source: &SecretSource) -> Result<Secret, String> {
    source.read().map_err(|error| error.to_string())
}
