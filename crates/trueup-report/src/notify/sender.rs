//! Sends a message to its target, and retries a few times where that may help.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::deliver::{Attempt, Deliver, Outlets};
use super::digest::digest;

/// How often one message is attempted at most.
const ATTEMPTS_MAX: u32 = 6;

/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// A target that asks for a longer pause than this does not get the message.
const WANTED_PAUSE_MAX: Duration = Duration::from_mins(5);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The target has it.
    Delivered,
    /// The target refuses it, and would refuse it again.
    Refused,
    /// The target could not be reached, or could not take it.
    GivenUp,
}

/// Sends messages to one target, one after the other.
pub(super) struct Sender<M> {
    /// The target's name, for logs.
    name: String,
    target: Box<dyn Deliver<M>>,
    outlets: Outlets,
    /// True once the process stops: then there are no pauses.
    closing: watch::Receiver<bool>,
    /// Whether it was logged that the target fails.
    logged: bool,
}

impl<M: Sync> Sender<M> {
    /// A sender to this target.
    pub fn new(name: String, target: Box<dyn Deliver<M>>, outlets: Outlets, closing: watch::Receiver<bool>) -> Self {
        Self { name, target, outlets, closing, logged: false }
    }

    /// Sends a message. `id` is the same for each attempt, so that a receiver can recognize a repetition.
    pub async fn send(&mut self, message: &M, id: &str) -> Outcome {
        for attempt in 1.. {
            // Read before the attempt: when the process is told to stop during one, there is one more.
            let closing = *self.closing.borrow();
            let (host, error, wanted) = match self.target.deliver(message, id, &self.outlets).await {
                Attempt::Delivered => {
                    self.logged = false;
                    return Outcome::Delivered;
                }
                Attempt::Refused { host, error } => {
                    self.log(Some(&host), &error);
                    return Outcome::Refused;
                }
                Attempt::Unready { error } => {
                    self.log(None, &error);
                    return Outcome::GivenUp;
                }
                Attempt::Failed { host, error, retry_after } => (host, error, retry_after),
            };
            let pause = wanted.unwrap_or_else(|| pause(id, attempt));
            if closing || attempt >= ATTEMPTS_MAX || pause > WANTED_PAUSE_MAX {
                self.log(Some(&host), &error);
                return Outcome::GivenUp;
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.closing.wait_for(|closing| *closing) => {}
            }
        }
        Outcome::GivenUp
    }

    /// Logs that the target fails: once, and again when it fails after it had worked.
    fn log(&mut self, host: Option<&str>, error: &str) {
        if !std::mem::replace(&mut self.logged, true) {
            let (target, host) = (&self.name, host.unwrap_or_default());
            tracing::warn!(notifications = %target, %host, %error, "A notification could not be delivered.");
        }
    }
}

/// The pause after an attempt: twice as long each time, shortened by up to a half, so that many messages are not retried at
/// the same moment. How much is a function of the message and the attempt, so that no randomness is needed.
fn pause(id: &str, attempt: u32) -> Duration {
    let whole = PAUSE * 2u32.pow((attempt - 1).min(5));
    let [byte, ..] = digest(&[id, &attempt.to_string()]);
    whole.saturating_sub(whole / 2 * u32::from(byte) / 256)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use jiff::Timestamp;
    use tokio::time::Instant;
    use trueup_ports::Clock;
    use url::Url;

    use super::*;
    use crate::notify::transport::{Reply, Request, Transport};

    /// Answers from a list, and repeats the last answer.
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

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    /// A target that posts nothing in particular, and takes a 409 with this body for a success.
    struct Accepting(&'static str);

    #[async_trait]
    impl Deliver<()> for Accepting {
        async fn deliver(&self, (): &(), _: &str, by: &Outlets) -> Attempt {
            let url = Url::parse("https://hooks.example.com/x").unwrap();
            let request = Request { url, headers: Vec::new(), body: String::new() };
            by.post(request, |status, body| status == 409 && body == self.0).await
        }
    }

    fn sender(replies: Vec<Reply>, accepts: &'static str, closing: watch::Receiver<bool>) -> Sender<()> {
        let outlets = Outlets { http: Arc::new(Script(Mutex::new(replies))), clock: Arc::new(Fixed) };
        Sender::new("x".to_owned(), Box::new(Accepting(accepts)), outlets, closing)
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
            let mut sender = sender(replies, "body 409", closing);
            let began = Instant::now();
            let outcome = sender.send(&(), "id").await;
            let took = began.elapsed().as_secs_f64();
            assert_eq!(outcome, expected, "{told}");
            assert!(seconds.contains(&((took * 100.0).round() / 100.0)), "{told} took {took}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stops_waits_for_nothing_and_tries_once_more() {
        let (stop, closing) = watch::channel(false);
        let mut patient = sender(vec![answer(429, Some(200)), answer(200, None)], "none", closing.clone());
        let delivered = tokio::spawn(async move { patient.send(&(), "id").await });
        tokio::task::yield_now().await;
        stop.send_replace(true);
        let began = Instant::now();
        assert_eq!(delivered.await.unwrap(), Outcome::Delivered);
        assert_eq!(began.elapsed(), Duration::ZERO);

        let mut failing = sender(vec![answer(500, None)], "none", closing);
        assert_eq!(failing.send(&(), "id").await, Outcome::GivenUp);
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
