//! What a target must be able to do, and what one attempt at it came to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use trueup_ports::Clock;

use super::transport::{Reply, Request, Transport};

/// A target that messages of type `M` can be delivered to.
///
/// Not every target is an HTTPS POST: what a target needs to reach the outside is in [`Outlets`].
#[async_trait]
pub(super) trait Deliver<M>: Send + Sync {
    /// Attempts to deliver a message, once. `id` is the same for each attempt at one message. The request is made for each
    /// attempt, as signatures carry times and secrets may be exchanged meanwhile.
    async fn deliver(&self, message: &M, id: &str, by: &Outlets) -> Attempt;
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The target has the message.
    Delivered,
    /// The target refuses the message, and would refuse it again.
    Refused {
        /// Whom the message was sent to.
        host: String,
        /// Why.
        error: String,
    },
    /// The target could not be reached, or could not take the message now.
    Failed {
        /// Whom the message was sent to.
        host: String,
        /// Why.
        error: String,
        /// The pause that the target asks for.
        retry_after: Option<Duration>,
    },
    /// Nothing could be sent: a secret cannot be read, or what it holds cannot be used.
    Unready {
        /// Why.
        error: String,
    },
}

/// The ways out that a target may use.
#[derive(Clone)]
pub(super) struct Outlets {
    /// HTTPS.
    pub http: Arc<dyn Transport>,
    /// For times in signatures.
    pub clock: Arc<dyn Clock>,
}

impl Outlets {
    /// Posts a request. `accepts` says of an answer with that status and body that the target has the message all the same.
    pub async fn post(&self, request: Request, accepts: impl FnOnce(u16, &str) -> bool) -> Attempt {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        match self.http.post(request).await {
            Reply::Answer { status: 200..=299, .. } => Attempt::Delivered,
            Reply::Answer { status, ref body, .. } if accepts(status, body) => Attempt::Delivered,
            Reply::Answer { status, retry_after, .. } => {
                let error = format!("it answered with status {status}");
                if is_repeated(status, retry_after) {
                    Attempt::Failed { host, error, retry_after }
                } else {
                    Attempt::Refused { host, error }
                }
            }
            Reply::Failed(error) => Attempt::Failed { host, error, retry_after: None },
        }
    }
}

/// Whether the same message may be accepted later: the server failed, asks for patience, or (GitHub) forbids with the time
/// until which it does.
fn is_repeated(status: u16, retry_after: Option<Duration>) -> bool {
    matches!(status, 408 | 429 | 500..=599) || (status == 403 && retry_after.is_some())
}
