//! Brings a message to its target: again when that may help, a few times, and then no more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::digest::digest;
use super::transport::{Reply, Request, Transport};

/// How often one message is sent at most.
const ATTEMPTS_MAX: u32 = 6;

/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// A target that wants to be left alone for longer than this does not get the message.
const WANTED_PAUSE_MAX: Duration = Duration::from_mins(5);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The target has it.
    Delivered,
    /// The target does not want it, and would not want it again.
    Refused,
    /// The target could not be reached, or could not take it.
    GivenUp,
}

/// Whoever brings messages to one target, one after the other.
pub(super) struct Courier {
    /// The target's name, for logs.
    name: String,
    transport: Arc<dyn Transport>,
    /// The process stops: nothing is waited for.
    closing: watch::Receiver<bool>,
    /// The target fails, and that was told.
    told: bool,
}

impl Courier {
    pub fn new(name: String, transport: Arc<dyn Transport>, closing: watch::Receiver<bool>) -> Self {
        Self { name, transport, closing, told: false }
    }

    /// Sends a message. `id` is the same for each attempt; `request` makes it anew for each, as signatures carry times and
    /// secrets are exchanged. `accepts` says of a refusal with that status and body that it is as good as none.
    pub async fn deliver(
        &mut self,
        id: &str,
        request: impl Fn() -> Result<Request, String>,
        accepts: impl Fn(u16, &str) -> bool,
    ) -> Outcome {
        for attempt in 1.. {
            let closing = *self.closing.borrow();
            let request = match request() {
                Ok(request) => request,
                Err(error) => {
                    self.tell(None, &error);
                    return Outcome::GivenUp;
                }
            };
            let host = request.url.host_str().unwrap_or_default().to_owned();
            let (error, wanted) = match self.transport.post(request).await {
                Reply::Answer { status: 200..=299, .. } => {
                    self.told = false;
                    return Outcome::Delivered;
                }
                Reply::Answer { status, ref body, .. } if accepts(status, body) => return Outcome::Delivered,
                Reply::Answer { status, retry_after, .. } => {
                    let error = format!("it answered with status {status}");
                    if !is_repeated(status, retry_after) {
                        self.tell(Some(&host), &error);
                        return Outcome::Refused;
                    }
                    (error, retry_after)
                }
                Reply::Failed(error) => (error, None),
            };
            let pause = wanted.unwrap_or_else(|| pause(id, attempt));
            if closing || attempt >= ATTEMPTS_MAX || pause > WANTED_PAUSE_MAX {
                self.tell(Some(&host), &error);
                return Outcome::GivenUp;
            }
            tokio::select! {
                () = sleep(pause) => {}
                // Then there is one more attempt.
                _ = self.closing.wait_for(|closing| *closing) => {}
            }
        }
        Outcome::GivenUp
    }

    /// Tells once that the target fails, and again when it does after it did not.
    fn tell(&mut self, host: Option<&str>, error: &str) {
        if !std::mem::replace(&mut self.told, true) {
            let (target, host) = (&self.name, host.unwrap_or_default());
            tracing::warn!(notifications = %target, %host, %error, "A notification could not be delivered.");
        }
    }
}

/// Whether the same message may be taken another time: the server failed, asks for patience, or (GitHub) forbids with the
/// time from which on it does not.
fn is_repeated(status: u16, retry_after: Option<Duration>) -> bool {
    matches!(status, 408 | 429 | 500..=599) || (status == 403 && retry_after.is_some())
}

/// The pause after an attempt: twice as long each time, by up to a half shorter, so that many do not come back at once.
/// Which part is left off comes from the message, so that nobody needs chance.
fn pause(id: &str, attempt: u32) -> Duration {
    let whole = PAUSE * 2u32.pow((attempt - 1).min(5));
    let [byte, ..] = digest(&[id, &attempt.to_string()]);
    whole.saturating_sub(whole / 2 * u32::from(byte) / 256)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::time::Instant;
    use url::Url;

    use super::*;

    /// Answers from a list; with the last one for ever.
    struct Script(Mutex<Vec<Reply>>);

    #[async_trait]
    impl Transport for Script {
        async fn post(&self, _: Request) -> Reply {
            let mut replies = self.0.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        }
    }

    fn answer(status: u16, retry_after: Option<u64>) -> Reply {
        Reply::Answer { status, retry_after: retry_after.map(Duration::from_secs), body: format!("body {status}") }
    }

    #[expect(clippy::unnecessary_wraps, reason = "requests can fail elsewhere")]
    fn request() -> Result<Request, String> {
        Ok(Request {
            url: Url::parse("https://hooks.example.com/x").unwrap(),
            headers: Vec::new(),
            body: String::new(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_help_is_repeated_with_growing_pauses_and_the_rest_is_not() {
        let failed = || Reply::Failed("nobody is there".to_owned());
        // replies | what becomes of it | seconds that it takes, from and to
        let table = [
            (vec![answer(204, None)], Outcome::Delivered, 0.0..=0.0),
            (vec![failed(), answer(200, None)], Outcome::Delivered, 0.5..=1.0),
            (vec![answer(503, None), answer(429, None), answer(200, None)], Outcome::Delivered, 1.5..=3.0),
            (vec![answer(429, Some(30)), answer(200, None)], Outcome::Delivered, 30.0..=30.0),
            (vec![answer(403, Some(60)), answer(201, None)], Outcome::Delivered, 60.0..=60.0),
            (vec![answer(429, Some(3600))], Outcome::GivenUp, 0.0..=0.0),
            (vec![answer(403, None)], Outcome::Refused, 0.0..=0.0),
            (vec![answer(302, None)], Outcome::Refused, 0.0..=0.0),
            (vec![answer(404, None)], Outcome::Refused, 0.0..=0.0),
            (vec![answer(409, None)], Outcome::Delivered, 0.0..=0.0),
            (vec![answer(500, None)], Outcome::GivenUp, 15.5..=31.0),
            (vec![failed()], Outcome::GivenUp, 15.5..=31.0),
        ];
        for (replies, expected, seconds) in table {
            let told = format!("{replies:?}");
            let (_sender, closing) = watch::channel(false);
            let mut courier = Courier::new("x".to_owned(), Arc::new(Script(Mutex::new(replies))), closing);
            let began = Instant::now();
            let outcome = courier.deliver("id", request, |status, body| status == 409 && body == "body 409").await;
            let took = began.elapsed().as_secs_f64();
            assert_eq!(outcome, expected, "{told}");
            assert!(seconds.contains(&((took * 100.0).round() / 100.0)), "{told} took {took}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stops_waits_for_nothing_and_tries_once_more() {
        let (sender, closing) = watch::channel(false);
        let script = Script(Mutex::new(vec![answer(429, Some(200)), answer(200, None)]));
        let mut courier = Courier::new("x".to_owned(), Arc::new(script), closing.clone());
        let delivered = tokio::spawn(async move { courier.deliver("id", request, |_, _| false).await });
        tokio::task::yield_now().await;
        sender.send_replace(true);
        let began = Instant::now();
        assert_eq!(delivered.await.unwrap(), Outcome::Delivered);
        assert_eq!(began.elapsed(), Duration::ZERO);

        let script = Script(Mutex::new(vec![answer(500, None)]));
        let mut courier = Courier::new("x".to_owned(), Arc::new(script), closing);
        assert_eq!(courier.deliver("id", request, |_, _| false).await, Outcome::GivenUp);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[test]
    fn pauses_double_and_differ_from_message_to_message() {
        for attempt in 1..=5 {
            let whole = PAUSE * 2u32.pow(attempt - 1);
            let pauses: std::collections::BTreeSet<_> = (0..100).map(|id| pause(&id.to_string(), attempt)).collect();
            assert!(pauses.iter().all(|pause| (whole / 2..=whole).contains(pause)));
            assert!(pauses.len() > 50, "{pauses:?}");
        }
    }
}
