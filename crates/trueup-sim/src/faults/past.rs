//! The world as it was, for stale reads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::time::Time;
use crate::world::World;

/// Copies of worlds, made only while a fault asks for them.
///
/// Between two mutating calls a world goes its way by itself, and always the same way. So a copy after each of those calls
/// is enough: any moment is the copy before it, let run until then.
#[derive(Clone, Debug, Default)]
pub struct Past {
    copies: BTreeMap<(String, String), VecDeque<World>>,
}

impl Past {
    /// Keeps a world as it is now, and forgets what is older than needed.
    pub fn keep(&mut self, world: &World, memory: Duration) {
        let place = (world.account.clone(), world.region.clone());
        let copies = self.copies.entry(place).or_default();
        copies.push_back(world.clone());
        let oldest = world.now - memory;
        // The newest copy that is old enough has to stay: it is what moments right after it are made from.
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

    /// A world as it was at a time; as old as possible when that is longer ago than anything kept.
    pub fn at(&self, account: &str, region: &str, time: Time) -> Option<World> {
        let copies = self.copies.get(&(account.to_owned(), region.to_owned()))?;
        let copy = copies.iter().rev().find(|copy| copy.now <= time).or(copies.front())?;
        let mut world = copy.clone();
        world.advance(time);
        Some(world)
    }
}
