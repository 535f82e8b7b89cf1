//! One seed, and a stream of chance for every concern, so that a new concern does not reshuffle the others.

use std::collections::BTreeMap;

use crate::hash::hash;

/// All streams of one simulation.
#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    streams: BTreeMap<&'static str, Stream>,
}

/// The chance of one concern: SplitMix64 (Steele, Lea and Flood, 2014), which is small and good enough for a simulation.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Chance {
    /// All streams begin from this seed and their own name.
    pub fn new(seed: u64) -> Self {
        Self { seed, streams: BTreeMap::new() }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The stream of a concern, such as `"task ids"` or `"lost answers"`.
    pub fn of(&mut self, concern: &'static str) -> &mut Stream {
        let seed = self.seed;
        self.streams.entry(concern).or_insert_with(|| Stream::named(seed, concern))
    }
}

impl Stream {
    /// A stream of its own, for the code that drives the simulation.
    pub fn named(seed: u64, concern: &str) -> Self {
        // The hash of the name makes streams differ whatever the seed is.
        let mut stream = Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash(concern.as_bytes()) };
        stream.bits();
        stream
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `from..to`; `from` when the range is empty.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        if to <= from { from } else { from + self.bits() % (to - from) }
    }

    /// True with this probability, in percent.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }

    /// One of several; `None` when there is none.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.between(0, items.len() as u64)).ok()?;
        items.get(index)
    }

    /// So many lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[(self.bits() >> 60) as usize])).collect()
    }
}
