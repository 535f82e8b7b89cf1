//! When the scheduler checks a service again.

use std::time::Duration;

use super::timing;
use crate::ecs::model::ServiceKey;
use crate::ecs::tick::Tick;
use crate::world::{Happening, World};

/// The scheduler checks the service after the seconds that it needs to notice a change.
pub(super) fn wake_soon(world: &mut World, service: &ServiceKey) {
    let after = timing::REACTION.draw(world);
    wake(world, service, after);
}

/// The scheduler checks the service after this time, unless it does so earlier anyway.
pub(super) fn wake(world: &mut World, service: &ServiceKey, after: Duration) {
    let at = world.now + after;
    let Some(known) = world.ecs.services.get_mut(service) else { return };
    if known.memory.wake_at.is_some_and(|planned| planned <= at && planned >= world.now) {
        return;
    }
    known.memory.wake_at = Some(at);
    world.at(at, Happening::Ecs(Tick::Service(service.clone())));
}
