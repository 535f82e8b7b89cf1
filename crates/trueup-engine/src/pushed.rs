//! After a push: git is polled until it has answered with something newer.

use std::time::Duration;

use tokio::time::Instant;
use trueup_ports::GitOutcome;

/// How long after a trigger git is polled again, when the poll brought nothing. Each wait is twice the one before.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// How often git is polled again while it answers and has nothing new: after 2, 4 and 8 seconds. A webhook may arrive before
/// every server of a provider shows the push; if nothing came by then, there was nothing (or another poll found it).
const STILL_MAX: u32 = 3;
/// `FIRST_WAIT` doubled this often is longer than git's interval may be.
const DOUBLINGS_MAX: u32 = 16;

/// The poll interval may be an hour where webhooks are relied upon. So a trigger does not end with one poll, but when git
/// answered with something new, or had enough time to.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// The number of polls since the push without a new answer; `None` when no push is open.
    asked: Option<u32>,
    again: Option<Instant>,
}

impl Pushed {
    /// Records a push; git is about to be polled.
    pub fn begin(&mut self) {
        *self = Self { asked: Some(0), again: None };
    }

    /// Records the outcome of a poll.
    pub fn asked(&mut self, outcome: GitOutcome, now: Instant) {
        let Some(times) = self.asked else { return };
        // An outage may outlast any number of retries; the waits grow until the poll interval is shorter.
        let done = outcome == GitOutcome::Moved || outcome == GitOutcome::Still && times >= STILL_MAX;
        *self = if done {
            Self::default()
        } else {
            let wait = FIRST_WAIT * 2_u32.pow(times.min(DOUBLINGS_MAX));
            Self { asked: Some(times.saturating_add(1)), again: Some(now + wait) }
        };
    }

    /// When git is to be polled: at `regular`, or before.
    pub fn next(&self, regular: Instant) -> Instant {
        self.again.map_or(regular, |again| again.min(regular))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from a push until each poll, up to an hour.
    fn asks(answer: impl Fn(usize) -> GitOutcome) -> Vec<u64> {
        let begun = Instant::now();
        let (mut now, hour) = (begun, begun + Duration::from_hours(1));
        let mut pushed = Pushed::default();
        let mut asks = Vec::new();
        pushed.begin();
        while now < hour {
            asks.push((now - begun).as_secs());
            pushed.asked(answer(asks.len()), now);
            now = pushed.next(hour);
        }
        asks
    }

    #[test]
    fn git_is_polled_until_it_has_something_new_or_had_enough_time() {
        assert_eq!(asks(|_| GitOutcome::Moved), [0]);
        assert_eq!(asks(|_| GitOutcome::Still), [0, 2, 6, 14]);
        assert_eq!(asks(|time| if time < 3 { GitOutcome::Still } else { GitOutcome::Moved }), [0, 2, 6]);
        assert_eq!(asks(|_| GitOutcome::Failed), [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046]);
        assert_eq!(asks(|time| if time < 4 { GitOutcome::Failed } else { GitOutcome::Moved }), [0, 2, 6, 14]);
    }

    #[test]
    fn without_a_push_git_is_polled_at_its_interval() {
        let (now, hour) = (Instant::now(), Instant::now() + Duration::from_hours(1));
        let mut pushed = Pushed::default();
        for asked in [GitOutcome::Still, GitOutcome::Failed, GitOutcome::Moved] {
            pushed.asked(asked, now);
            assert_eq!(pushed.next(hour), hour);
        }
    }
}
