//! From a request to what the client experiences.

use crate::http::{Reply, Request};
use crate::time::Time;
use crate::world::World;

/// A simulated AWS.
#[derive(Debug)]
pub struct Simulator {
    /// The account that is simulated.
    pub world: World,
}

impl Simulator {
    /// A simulation of one account in one region from a seed, beginning at [`Time::START`].
    pub fn new(account: &str, region: &str, seed: u64) -> Self {
        Self { world: World::new(account, region, seed, Time::START) }
    }

    /// Takes in a request that arrives at `now`.
    pub fn handle(&mut self, now: Time, _request: &Request) -> Reply {
        self.world.advance(now);
        Reply::Silence
    }
}
