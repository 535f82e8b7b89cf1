//! What the answer to a health check does to a target, and what happens when it has drained.

use std::time::Duration;

use serde_json::Value;

use super::model::{Address, Target, TargetGroup, TargetState};
use super::queue::schedule;
use crate::ecs::model::Task;
use crate::ecs::scheduler::{self, CheckAnswer};
use crate::time::Time;
use crate::workload::Health;
use crate::world::World;

/// A target is due to be checked, unless it was put off or out meanwhile.
pub(super) fn check(world: &mut World, target_group: &str, address: &Address) {
    let Some(group) = world.elb.target_groups.get(target_group) else { return };
    let Some(target) = group.targets.get(address).filter(|target| target.next_check == Some(world.now)) else { return };
    if target.state == TargetState::Registering {
        let initial = |target: &mut Target| target.state = TargetState::Initial;
        change(world, target_group, address, initial);
        // The first check comes soon after registration, not an interval later.
        let wait = world.chance.of("elb: first check").between(100, 2_000);
        return schedule(world, target_group, address, Duration::from_millis(wait));
    }
    let path = group.text("HealthCheckPath").unwrap_or_default();
    let answer = match &target.task {
        Some(task) => scheduler::check(world, task, checked_port(group, address), path),
        None => CheckAnswer::Nothing,
    };
    let passed = passes(group, answer);
    let after_passes = group.number("HealthyThresholdCount").unwrap_or(5);
    let after_failures = group.number("UnhealthyThresholdCount").unwrap_or(2);
    let interval = group.interval();
    let (task, before) = (target.task.clone(), target.state);
    change(world, target_group, address, |target| {
        if passed {
            (target.passed, target.failed) = (target.passed + 1, 0);
        } else {
            (target.passed, target.failed) = (0, target.failed + 1);
            target.failure = match answer {
                CheckAnswer::Status(code) => Some(code),
                CheckAnswer::Nothing => None,
            };
        }
        // One passed check makes a new target healthy; the threshold is for one that recovers.
        let needed = if target.state == TargetState::Initial { 1 } else { after_passes };
        if target.passed >= needed {
            target.state = TargetState::Healthy;
        } else if target.failed >= after_failures {
            target.state = TargetState::Unhealthy;
        }
        target.next_check = None;
    });
    let group = world.elb.target_groups.get(target_group);
    let Some(state) = group.and_then(|group| group.targets.get(address)).map(|target| target.state) else { return };
    let settled = state == if passed { TargetState::Healthy } else { TargetState::Unhealthy };
    if let (true, Some(task)) = (state != before, &task) {
        scheduler::target_changed(world, task);
    }
    let task = task.as_ref().and_then(|task| world.ecs.tasks.get(task));
    let wait = match (settled, task.map(|task| Outlook::of(world, task))) {
        (false, _) | (true, Some(Outlook::Unknown)) => interval,
        (true, Some(Outlook::ChangesAt(at))) => until_check_after(world.now, at, interval),
        (true, Some(Outlook::Constant) | None) => return,
    };
    schedule(world, target_group, address, wait);
}

/// The deregistration delay of a target is over, unless it was registered again.
pub(super) fn drained(world: &mut World, target_group: &str, address: &Address) {
    let now = world.now;
    let Some(group) = world.elb.target_groups.get_mut(target_group) else { return };
    if matches!(group.targets.get(address), Some(Target { state: TargetState::Draining { until }, .. }) if *until <= now)
        && let Some(Target { task: Some(task), .. }) = group.targets.remove(address)
    {
        scheduler::target_changed(world, &task);
    }
}

fn change(world: &mut World, target_group: &str, address: &Address, change: impl FnOnce(&mut Target)) {
    let group = world.elb.target_groups.get_mut(target_group);
    if let Some(target) = group.and_then(|group| group.targets.get_mut(address)) {
        change(target);
    }
}

/// The checks of every interval continue, but those before `at` change nothing.
fn until_check_after(now: Time, at: Time, interval: Duration) -> Duration {
    let mut wait = interval;
    if let Ok(intervals) = u32::try_from(at.since(now).as_millis() / interval.as_millis().max(1)) {
        wait = interval * (intervals + 1);
    }
    wait
}

/// Whether a task's answers will change by themselves.
enum Outlook {
    /// No.
    Constant,
    /// Not before then.
    ChangesAt(Time),
    /// They may at any time.
    Unknown,
}

impl Outlook {
    fn of(world: &World, task: &Task) -> Self {
        if task.stopped_at.is_some() {
            return Self::Constant;
        }
        let Some(started) = task.started_at else { return Self::Unknown };
        let mut next: Option<Time> = None;
        for container in &task.containers {
            let behaviour = scheduler::behaviour(world, container);
            if matches!(behaviour.health, Health::Flaps { .. }) {
                return Self::Unknown;
            }
            let exit = behaviour.exits.map(|exit| started + exit.after);
            let coming =
                [Some(started + behaviour.ready_after), exit].into_iter().flatten().filter(|at| *at > world.now);
            next = next.into_iter().chain(coming).min();
        }
        next.map_or(Self::Constant, Self::ChangesAt)
    }
}

fn checked_port(group: &TargetGroup, address: &Address) -> u16 {
    group.text("HealthCheckPort").and_then(|port| port.parse().ok()).unwrap_or(address.1)
}

/// Whether an answer passes the group's check.
fn passes(group: &TargetGroup, answer: CheckAnswer) -> bool {
    let CheckAnswer::Status(status) = answer else { return false };
    if group.text("HealthCheckProtocol") == Some("TCP") {
        return true;
    }
    let matcher = group.settings.get("Matcher");
    match matcher.and_then(|matcher| matcher.get("HttpCode")).and_then(Value::as_str) {
        Some(codes) => matches(codes, status),
        // A gRPC code cannot be distinguished from an HTTP status; a healthy workload answers 200.
        None => status == 200,
    }
}

/// Whether a matcher such as `200-299,301` accepts a status.
pub(super) fn matches(codes: &str, status: u16) -> bool {
    codes.split(',').any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
            (Ok(from), Ok(to)) => (from..=to).contains(&status),
            _ => false,
        }
    })
}
