//! Intervals, spread a little so that many copies do not poll at the same moment.

use std::time::Duration;

/// A source of small deviations, the same for the same name: nothing here is random, and the schedule of a test is the
/// same every time.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Starts a sequence that depends on `name` alone.
    pub fn of(name: &str) -> Self {
        Self(seed(name))
    }

    /// A duration between nine and eleven tenths of `interval`.
    pub fn spread(&mut self, interval: Duration) -> Duration {
        // SplitMix64 (Steele, Lea, Flood 2014): small, good enough for spreading, and needs no dependency.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let thousandths = u32::try_from(mixed % 201).expect("less than 201");
        interval * (900 + thousandths) / 1000
    }
}

/// FNV-1a, 64 bits: the start of a name's sequence.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Jitter;

    #[test]
    fn intervals_are_spread_by_a_tenth_and_the_same_for_the_same_name() {
        let minute = Duration::from_mins(1);
        let draw = |name: &str| {
            let mut jitter = Jitter::of(name);
            (0..100).map(|_| jitter.spread(minute)).collect::<Vec<_>>()
        };
        let drawn = draw("production");
        assert!(drawn.iter().all(|at| (Duration::from_secs(54)..=Duration::from_secs(66)).contains(at)));
        assert!(drawn.iter().max() > drawn.iter().min());
        assert_eq!(drawn, draw("production"));
        assert_ne!(drawn, draw("staging"));
    }
}
