//! Handles one message, without a socket: checks it and passes the hint on.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use tokio::sync::Notify;
use tokio::time::{Duration, sleep};

use crate::answer::{Answer, Refused};
use crate::place::Place;
use crate::push::Event;
use crate::replays::Replays;
use crate::secrets::SecretSource;
use crate::signature::Claim;

/// After a hint, the next is passed on no sooner. A merge queue or a script pushes several times a second; git is asked at
/// once for the first push, and once more for all others of that second.
const BETWEEN_HINTS: Duration = Duration::from_secs(1);

/// The repository and branch that are followed.
#[derive(Clone, Debug)]
pub struct Watched {
    /// All names of the repository. None at all: then only a generic webhook that names none is of interest.
    pub repository: Vec<Place>,
    /// The branch's short name.
    pub branch: String,
}

/// Takes messages.
pub struct Receiver {
    secrets: SecretSource,
    watched: Watched,
    replays: Mutex<Replays>,
    hinted: Notify,
    now_seconds: Box<dyn Fn() -> i64 + Send + Sync>,
    trigger: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Receiver {
    /// A receiver that calls `trigger`, which must not wait, when there was a push. `now_seconds` is the time since 1970.
    pub fn new(
        secrets: SecretSource,
        watched: Watched,
        now_seconds: impl Fn() -> i64 + Send + Sync + 'static,
        trigger: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            secrets,
            watched,
            replays: Mutex::default(),
            hinted: Notify::new(),
            now_seconds: Box::new(now_seconds),
            trigger: Box::new(trigger),
        }
    }

    /// Whether the headers could belong to a genuine message: without, its body need not be read.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn admits(headers: &HeaderMap) -> Result<(), Refused> {
        Claim::of(headers).map(|_| ())
    }

    /// Checks a message. Blocks only to read the file of secrets.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        self.judge(headers, body).unwrap_or_else(Answer::Refused)
    }

    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refused> {
        let claim = Claim::of(headers)?;
        let delivery = claim.check(&self.secrets.current(), body, (self.now_seconds)())?;
        let push = match Event::read(claim.provider, headers, body)? {
            Event::Ping => return Ok(Answer::Pong),
            Event::Other => return Ok(Answer::Ignored(crate::Ignored::OtherEvent)),
            Event::Push(push) => push,
        };
        if let Err(ignored) = push.concerns(&self.watched.repository, &self.watched.branch) {
            return Ok(Answer::Ignored(ignored));
        }
        if !self.replays.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery) {
            return Ok(Answer::Replayed);
        }
        self.hinted.notify_one();
        Ok(Answer::Accepted)
    }

    /// Passes hints on while it is polled: the first at once, those within the next second together. No hint is lost,
    /// even while the future is not polled.
    pub async fn pass_on(&self) -> Infallible {
        loop {
            self.hinted.notified().await;
            (self.trigger)();
            sleep(BETWEEN_HINTS).await;
        }
    }
}
