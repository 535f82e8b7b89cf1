//! One token bucket and the calls that wait for it: which is next, and how fast.
//!
//! All clients of an account share AWS's rates, so the published rate is an upper bound for trueup. When AWS throttles
//! nevertheless, our rate is halved, and recovers slowly. When AWS throttles or does not answer, the bucket's capacity
//! drops to one call, and every answer raises it by one: calls that waited for the end of an outage are sent at the
//! rate, and not all at once.

use std::array;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use trueup_ports::Priority;

use crate::rate::Rate;

/// One turn in this many goes to the less urgent call that has waited longest, however many urgent ones wait.
const TURNS_FOR_ONE_LESS_URGENT: u32 = 8;

/// The lowest share of our rate to which throttling reduces it.
const PART_MIN: f64 = 1.0 / 16.0;

/// The share of our rate that is regained each second after throttling: all of it in two minutes.
const PART_BACK_PER_SECOND: f64 = 1.0 / 120.0;

/// The number of priorities.
const PRIORITIES: usize = 4;

/// A token bucket, and the calls that wait for it.
#[derive(Debug)]
pub(crate) struct Line {
    rate: Rate,
    /// The share of the rate in use at present, after throttling.
    part: f64,
    /// When the rate was last lowered.
    lowered: Option<Instant>,
    /// The bucket's present capacity, in calls.
    room: f64,
    tokens: f64,
    /// When the tokens were counted.
    at: Instant,
    waiting: [VecDeque<Waiting>; PRIORITIES],
    entered: u64,
    /// Consecutive turns of the most urgent priority while others waited.
    passed_over: u32,
}

/// A call that waits.
#[derive(Debug)]
struct Waiting {
    number: u64,
    wake: Arc<Notify>,
}

/// Whether a waiting call may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    /// It goes now, and waits no longer.
    Granted,
    /// It is the next, and its token comes after this time.
    In(Duration),
    /// Others go before it; it is woken when it may be the next.
    Behind,
}

impl Line {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            part: 1.0,
            lowered: None,
            room: rate.burst,
            tokens: rate.burst,
            at: now,
            waiting: array::from_fn(|_| VecDeque::new()),
            entered: 0,
            passed_over: 0,
        }
    }

    /// Queues a call behind those of its priority. Returns its number in the line.
    pub(crate) fn enter(&mut self, priority: Priority, wake: Arc<Notify>) -> u64 {
        self.entered += 1;
        self.waiting[priority as usize].push_back(Waiting { number: self.entered, wake });
        self.entered
    }

    /// Removes a call from the line, if it is there, and wakes the one that is next now.
    pub(crate) fn leave(&mut self, priority: Priority, number: u64) {
        self.waiting[priority as usize].retain(|waiting| waiting.number != number);
        if let Some((_, next)) = self.next() {
            next.wake.notify_one();
        }
    }

    /// Whether a waiting call may go now; when it may, it has left the line.
    pub(crate) fn ask(&mut self, priority: Priority, number: u64, now: Instant) -> Asked {
        self.refill(now);
        let Some((next, _)) = self.next().filter(|(_, next)| next.number == number) else { return Asked::Behind };
        let missing = 1.0 - self.tokens;
        if missing > 0.0 {
            return Asked::In(Duration::from_secs_f64(missing / (self.rate.per_second * self.part)));
        }
        self.tokens -= 1.0;
        let others_wait = self.waiting[next + 1..].iter().any(|waiting| !waiting.is_empty());
        let went_first = self.most_urgent() == Some(next);
        self.passed_over = if went_first && others_wait { self.passed_over + 1 } else { 0 };
        self.leave(priority, number);
        Asked::Granted
    }

    /// Records that the endpoint answered: the capacity grows by one call.
    pub(crate) fn works(&mut self) {
        self.room = (self.room + 1.0).min(self.rate.burst);
    }

    /// Records that the endpoint failed or did not answer: waiting calls must not flood it when it recovers.
    pub(crate) fn fails(&mut self) {
        self.room = 1.0;
        self.tokens = self.tokens.min(0.0);
    }

    /// Records that AWS throttled a call that was sent at `sent`. A call that was in flight when the rate was lowered
    /// is no evidence against the lower rate.
    pub(crate) fn throttled(&mut self, sent: Instant, now: Instant) {
        self.refill(now);
        self.fails();
        if self.lowered.is_none_or(|lowered| lowered < sent) {
            self.part = (self.part / 2.0).max(PART_MIN);
            self.lowered = Some(now);
        }
    }

    fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + seconds * self.rate.per_second * self.part).min(self.room);
        self.part = (self.part + seconds * PART_BACK_PER_SECOND).min(1.0);
        self.at = now;
    }

    /// The most urgent priority that has a waiting call.
    fn most_urgent(&self) -> Option<usize> {
        self.waiting.iter().position(|waiting| !waiting.is_empty())
    }

    /// The call whose turn it is, with the index of its priority.
    fn next(&self) -> Option<(usize, &Waiting)> {
        let first = self.most_urgent()?;
        let fronts = |from: usize| (from..PRIORITIES).filter_map(|n| Some((n, self.waiting[n].front()?)));
        let less_urgent = (self.passed_over + 1 >= TURNS_FOR_ONE_LESS_URGENT)
            .then(|| fronts(first + 1).min_by_key(|(_, waiting)| waiting.number));
        less_urgent.flatten().or_else(|| fronts(first).next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Bucket;

    /// Simulates some seconds in which a call is always waiting and every call is answered at once with `answer`.
    /// Returns the number of calls sent in each second.
    fn seconds(line: &mut Line, now: &mut Instant, seconds: usize, answer: impl Fn(&mut Line, Instant)) -> Vec<u32> {
        let mut went = vec![0; seconds];
        let start = *now;
        loop {
            let number = line.enter(Priority::Rest, Arc::new(Notify::new()));
            loop {
                match line.ask(Priority::Rest, number, *now) {
                    Asked::In(wait) => *now += wait.max(Duration::from_millis(1)),
                    Asked::Granted => break,
                    Asked::Behind => unreachable!("nobody else waits"),
                }
            }
            let second = usize::try_from((*now - start).as_secs()).expect("it is small");
            match went.get_mut(second) {
                Some(went) => *went += 1,
                None => return went,
            }
            answer(line, *now);
        }
    }

    fn line() -> (Line, Instant) {
        let now = Instant::now();
        (Line::new(Bucket::ServiceRead.rate(), now), now)
    }

    #[tokio::test]
    async fn after_an_outage_calls_go_on_at_the_rate_and_the_burst_comes_back_with_the_answers() {
        let (mut line, mut now) = line();
        let whole = seconds(&mut line, &mut now, 1, |line, _| line.works())[0];
        assert!((94..=97).contains(&whole), "80 of AWS's 100 at once, and 16 a second: {whole}");
        now += Duration::from_mins(10);
        line.fails();
        now += Duration::from_mins(10);
        let went = seconds(&mut line, &mut now, 10, |line, _| line.works());
        assert!(went.iter().all(|went| (15..=17).contains(went)), "{went:?}");
        now += Duration::from_mins(10);
        let whole = seconds(&mut line, &mut now, 1, |line, _| line.works())[0];
        assert!((94..=97).contains(&whole), "as before: {whole}");
    }

    #[tokio::test]
    async fn throttling_halves_the_rate_down_to_a_sixteenth_and_it_comes_back_in_two_minutes() {
        let (mut line, mut now) = line();
        let throttled = seconds(&mut line, &mut now, 20, |line, now| line.throttled(now, now));
        assert!(throttled[10..].iter().all(|went| (1..=2).contains(went)), "{throttled:?}");
        let back = seconds(&mut line, &mut now, 120, |line, _| line.works());
        assert!(back.windows(10).all(|w| w.iter().sum::<u32>() <= 161), "never faster than the rate: {back:?}");
        assert!((6..=10).contains(&back[55]) && (15..=17).contains(&back[119]), "{back:?}");
    }

    #[tokio::test]
    async fn calls_that_were_under_way_together_are_throttled_once() {
        let (mut line, sent) = line();
        let later = sent + Duration::from_secs(1);
        for _ in 0..16 {
            line.throttled(sent, later);
        }
        assert!((line.part - 0.5).abs() < 1e-9, "{}", line.part);
        line.throttled(later + Duration::from_millis(1), later + Duration::from_millis(2));
        assert!(line.part < 0.26, "one that was sent at the lower rate tells that it is too high: {}", line.part);
    }
}
