//! The limits in number, size and time of everything that a sender without the secret could exhaust.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// How many senders' rates are remembered. Who has more addresses than that is stopped by the rate of all together.
const SENDERS_MAX: usize = 1024;

/// Which part of the rate of all senders those have together who are beyond their own share: a quarter. Webhooks still
/// have four thousand small messages a second of that, and who keeps to its share has the rest.
const BEYOND_PART: u32 = 4;

/// The bounds of a listener. The defaults are those for webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time: 64. One more closes the oldest, so that no sender can lock others out by holding
    /// connections open; a genuine one lasts milliseconds.
    pub connections_max: usize,
    /// The largest body, in bytes: 1 MiB. GitHub cuts its own at 25 MB, but a push event lists 2,048 commits at most, and
    /// few have more than some hundred kilobytes. With `connections_max` this bounds the memory: 64 MiB at the very worst.
    pub body_bytes_max: usize,
    /// How long the request line and headers may take: 5 s.
    pub headers_time_max: Duration,
    /// How long the body may take: 5 s. Providers give up after 10 s for all.
    pub body_time_max: Duration,
    /// How long a connection may take together, answer and all: 15 s.
    pub connection_time_max: Duration,
    /// Requests of one sender a second, in the long run, that have nothing to do with what others send: 10. For IPv6 a
    /// sender is a network of 64 bits.
    pub sender_rate: NonZeroU32,
    /// The same at once: 60. A provider sends those of a busy organization in bursts.
    pub sender_burst: NonZeroU32,
    /// What the requests of all senders weigh a second, in the long run: 51,200. A request weighs one, and one more for
    /// each KiB of its body. So bodies of 50 MiB are read a second, whose HMACs take a part of one core.
    pub rate: NonZeroU32,
    /// What the requests of all senders weigh at once: 65,600, that is as many of the largest as there are connections.
    pub burst: NonZeroU32,
}

const fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the numbers here are none of them zero")
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            body_bytes_max: 1024 * 1024,
            headers_time_max: Duration::from_secs(5),
            body_time_max: Duration::from_secs(5),
            connection_time_max: Duration::from_secs(15),
            sender_rate: number(10),
            sender_burst: number(60),
            rate: number(51_200),
            burst: number(65_600),
        }
    }
}

impl Limits {
    /// The bounds of a listener for pages: nothing is sent to it, what it answers may be some megabytes, and making it takes
    /// milliseconds. A scraper asks a few times a minute.
    pub fn pages() -> Self {
        Self {
            connections_max: 16,
            body_bytes_max: 0,
            sender_rate: number(10),
            sender_burst: number(30),
            rate: number(20),
            burst: number(60),
            ..Self::default()
        }
    }
}

/// Weighs requests.
pub(crate) struct Rates {
    sender: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>,
    /// What senders beyond their own share take together.
    beyond: DefaultDirectRateLimiter,
    all: DefaultDirectRateLimiter,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let quota = |rate, burst| Quota::per_second(rate).allow_burst(burst);
        let part = |whole: NonZeroU32| NonZeroU32::new(whole.get() / BEYOND_PART).unwrap_or(NonZeroU32::MIN);
        Self {
            sender: RateLimiter::hashmap(quota(limits.sender_rate, limits.sender_burst)),
            beyond: RateLimiter::direct(quota(part(limits.rate), part(limits.burst))),
            all: RateLimiter::direct(quota(limits.rate, limits.burst)),
        }
    }

    /// Whether the limits leave room to read a request of this sender with this weight.
    ///
    /// A sender's own share is only what it has for certain. Beyond it a request is looked at all the same, for as long as
    /// all that are beyond theirs leave most of the rate to the others: behind a load balancer everybody is one sender, and
    /// a forged message is told from a genuine one only when it was read. Genuine ones are small, so that a flood of large
    /// ones, which is what costs, leaves room for them.
    pub(crate) fn admit(&self, sender: IpAddr, weight: NonZeroU32) -> bool {
        if self.sender.len() >= SENDERS_MAX {
            self.sender.retain_recent();
        }
        // Where so many are known that all were here a moment ago, the rate of all has to do.
        let is_counted = self.sender.len() < SENDERS_MAX;
        let has_room = |rate: &DefaultDirectRateLimiter| matches!(rate.check_n(weight), Ok(Ok(())));
        let is_within = !is_counted || self.sender.check_key(&network(sender)).is_ok();
        (is_within || has_room(&self.beyond)) && has_room(&self.all)
    }
}

/// A sender's network: the owner of one IPv6 address has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Limits {
        let one = number(1);
        Limits { sender_rate: one, sender_burst: number(2), rate: one, burst: number(8), ..Limits::default() }
    }

    #[test]
    fn who_goes_beyond_its_share_is_stopped_before_it_takes_the_share_of_others() {
        // All of it happens within the second in which nothing comes back: two of a sender's own, a quarter of eight beyond.
        let rates = Rates::new(&tiny());
        let admit = |address: &str| rates.admit(address.parse().unwrap(), number(1));
        assert_eq!([(); 9].map(|()| admit("192.0.2.1")).iter().filter(|admitted| **admitted).count(), 4);
        assert!(!admit("::ffff:192.0.2.1"), "an address is the same on a socket for both kinds");
        assert!(admit("192.0.2.2"), "another sender has a share of its own");
        assert!(admit("2001:db8::1") && admit("2001:db8::2"), "a network of 64 bits is one sender");
        assert!(!admit("2001:db8::3"), "and what is beyond the shares is gone");
        assert!(admit("192.0.2.3"));
        assert!(!admit("192.0.2.4"), "all together have their share, too");
    }

    #[test]
    fn a_large_request_beyond_the_share_is_stopped_before_small_ones_are() {
        let few = number(1);
        let limits = Limits { sender_rate: few, sender_burst: few, rate: few, burst: number(400), ..Limits::default() };
        let rates = Rates::new(&limits);
        let admit = |weight| rates.admit("192.0.2.1".parse().unwrap(), number(weight));
        // the weight | whether it is looked at: a share of one, then a hundred
        for (weight, admitted) in [(60, true), (60, true), (60, false), (60, false), (3, true), (3, true), (500, false)]
        {
            assert_eq!(admit(weight), admitted, "{weight}");
        }
    }

    #[test]
    fn as_many_senders_as_there_are_addresses_need_no_more_memory() {
        let limits = Limits { rate: number(1_000_000), burst: number(1_000_000), ..Limits::default() };
        let rates = Rates::new(&limits);
        for number in 0..5_000_u32 {
            rates.admit(IpAddr::V4(number.into()), super::number(1));
        }
        assert!(rates.sender.len() <= SENDERS_MAX, "{}", rates.sender.len());
    }
}
