//! When a target is checked.
//!
//! A target whose answers cannot change by themselves and whose state agrees with them is at rest: nothing is queued for
//! it. It is woken by what could change that: another health check, another script of a workload. So two hundred steady
//! services cost nothing, however long they run.

use std::time::Duration;

use super::model::{Address, TargetState};
use super::tick::Tick;
use crate::world::{Happening, World};

/// How long registration takes: milliseconds, from and to.
const REGISTRATION: (u64, u64) = (1_000, 10_000);

/// A target of a group in use is registered with the load balancer, and then checked.
pub(super) fn begin(world: &mut World, target_group: &str, address: &Address) {
    let (from, to) = REGISTRATION;
    let registration = world.chance.of("elb: registration").between(from, to + 1);
    let Some(group) = world.elb.target_groups.get_mut(target_group) else { return };
    let is_checked = group.is_checked();
    let Some(target) = group.targets.get_mut(address) else { return };
    if !is_checked {
        target.state = TargetState::Unavailable;
        target.next_check = None;
        return;
    }
    (target.state, target.passed, target.failed, target.failure) = (TargetState::Registering, 0, 0, None);
    schedule(world, target_group, address, Duration::from_millis(registration));
}

/// Checks every target again that was at rest, within its interval.
pub(super) fn wake_all(world: &mut World) {
    let groups: Vec<String> = world.elb.target_groups.keys().cloned().collect();
    for group in groups {
        wake(world, &group);
    }
}

/// Checks every target of a group again that was at rest, within its interval: its health check changed, or the
/// workload.
pub(super) fn wake(world: &mut World, target_group: &str) {
    let Some(group) = world.elb.target_groups.get(target_group) else { return };
    let interval = u64::try_from(group.interval().as_millis()).unwrap_or(u64::MAX);
    let at_rest = group.targets.iter().filter(|(_, target)| {
        target.next_check.is_none() && matches!(target.state, TargetState::Healthy | TargetState::Unhealthy)
    });
    let at_rest: Vec<Address> = at_rest.map(|(address, _)| address.clone()).collect();
    for address in at_rest {
        let wait = world.chance.of("elb: next check").between(0, interval);
        schedule(world, target_group, &address, Duration::from_millis(wait));
    }
}

/// A target is checked after this time.
pub(super) fn schedule(world: &mut World, target_group: &str, address: &Address, wait: Duration) {
    let at = world.now + wait;
    let group = world.elb.target_groups.get_mut(target_group);
    let Some(target) = group.and_then(|group| group.targets.get_mut(address)) else { return };
    target.next_check = Some(at);
    let tick = Tick::Check { target_group: target_group.to_owned(), target: address.clone() };
    world.at(at, Happening::Elb(tick));
}
