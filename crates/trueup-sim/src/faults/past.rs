//! Earlier states of a world, for stale reads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::time::Time;
use crate::world::World;

/// Copies of worlds, taken only while a fault needs them.
///
/// Between two mutating calls a world evolves deterministically. So one copy after each mutating call is enough: the
/// state at any moment is the last copy before it, advanced to that moment.
#[derive(Clone, Debug, Default)]
pub struct Past {
    copies: BTreeMap<(String, String), VecDeque<World>>,
}

impl Past {
    /// Keeps a copy of the present world, and drops copies that are older than needed.
    pub fn keep(&mut self, world: &World, memory: Duration) {
        let place = (world.account.clone(), world.region.clone());
        let copies = self.copies.entry(place).or_default();
        copies.push_back(world.clone());
        let oldest = world.now - memory;
        // The newest copy that is old enough must stay: the moments right after it are derived from it.
        while copies.get(1).is_some_and(|second| second.now <= oldest) {
            copies.pop_front();
        }
    }

    /// Whether there is no copy of a world yet.
    pub fn lacks(&self, world: &World) -> bool {
        !self.copies.contains_key(&(world.account.clone(), world.region.clone()))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.copies.clear();
    }

    /// The state of a world at a time; the oldest kept state when the time is before that.
    pub fn at(&self, account: &str, region: &str, time: Time) -> Option<World> {
        let copies = self.copies.get(&(account.to_owned(), region.to_owned()))?;
        let copy = copies.iter().rev().find(|copy| copy.now <= time).or(copies.front())?;
        let mut world = copy.clone();
        world.advance(time);
        Some(world)
    }
}
