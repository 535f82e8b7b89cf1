//! The arithmetic of a rolling update (ECS API reference, `DeploymentConfiguration`).

/// How many tasks must stay healthy: rounded up.
pub(super) fn floor(desired: u64, minimum_healthy_percent: u64) -> u64 {
    (desired * minimum_healthy_percent).div_ceil(100)
}

/// How many tasks may be RUNNING or on the way to it, old and new together: rounded down.
pub(super) fn ceiling(desired: u64, maximum_percent: u64) -> u64 {
    desired * maximum_percent / 100
}

/// Whether old tasks can never be replaced: nothing may start and nothing may stop.
pub(super) fn deadlocked(desired: u64, floor: u64, ceiling: u64) -> bool {
    ceiling <= desired && floor >= desired
}

/// What there is at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tasks {
    /// `desiredCount`.
    pub desired: u64,
    pub floor: u64,
    pub ceiling: u64,
    /// Of the PRIMARY, not stopping and not to be replaced for being unwell.
    pub new: u64,
    /// Of those, healthy.
    pub new_healthy: u64,
    /// Of older deployments, not stopping.
    pub old: u64,
    /// Of those, healthy.
    pub old_healthy: u64,
    /// Everything that takes a place below the ceiling.
    pub occupied: u64,
    /// Stop old tasks down to the minimum at once, although there is room to start first.
    pub eager: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Move {
    /// So many tasks of the PRIMARY start.
    pub start: u64,
    /// So many old tasks stop, unhealthy ones first.
    pub stop: u64,
}

/// The next move of a rolling update.
pub(super) fn next(tasks: Tasks) -> Move {
    let wanted = tasks.desired.saturating_sub(tasks.new);
    let start = wanted.min(tasks.ceiling.saturating_sub(tasks.occupied));
    let replaced = (tasks.old + tasks.new_healthy).saturating_sub(tasks.desired);
    let for_room = if tasks.eager { wanted } else { wanted - start };
    let spare = (tasks.new_healthy + tasks.old_healthy).saturating_sub(tasks.floor);
    let unhealthy = tasks.old - tasks.old_healthy;
    Move { start, stop: replaced.max(for_room).min(unhealthy + spare).min(tasks.old) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_rounded_towards_safety() {
        for (desired, minimum, maximum, expected) in [
            (4, 50, 100, (2, 4, false)),
            (4, 100, 200, (4, 8, false)),
            (2, 75, 200, (2, 4, false)),
            (3, 100, 125, (3, 3, true)),
            (1, 100, 199, (1, 1, true)),
            (1, 0, 100, (0, 1, false)),
            (10, 33, 133, (4, 13, false)),
        ] {
            let (floor, ceiling) = (floor(desired, minimum), ceiling(desired, maximum));
            let got = (floor, ceiling, deadlocked(desired, floor, ceiling));
            assert_eq!(got, expected, "{desired} {minimum}/{maximum}");
        }
    }

    /// Plays an update whose tasks become healthy, and leave, at once between two moves.
    fn play(desired: u64, minimum: u64, maximum: u64, eager: bool) -> Vec<(u64, u64)> {
        let (floor, ceiling) = (floor(desired, minimum), ceiling(desired, maximum));
        let (mut new, mut old, mut moves) = (0, desired, Vec::new());
        loop {
            let tasks = Tasks {
                desired,
                floor,
                ceiling,
                new,
                new_healthy: new,
                old,
                old_healthy: old,
                occupied: new + old,
                eager,
            };
            let step = next(tasks);
            if step == Move::default() || moves.len() > 20 {
                return moves;
            }
            assert!(
                new + old - step.stop >= floor.min(desired),
                "{desired} {minimum}/{maximum} went below its minimum"
            );
            assert!(
                new + old + step.start <= ceiling.max(desired),
                "{desired} {minimum}/{maximum} went above its maximum"
            );
            new += step.start;
            old -= step.stop;
            moves.push((step.start, step.stop));
        }
    }

    #[test]
    fn starts_and_stops_come_in_the_order_that_the_bounds_allow() {
        for (desired, minimum, maximum, eager, expected) in [
            (4, 50, 100, false, vec![(0, 2), (2, 0), (0, 2), (2, 0)]),
            (4, 100, 200, false, vec![(4, 0), (0, 4)]),
            (2, 75, 200, false, vec![(2, 0), (0, 2)]),
            (3, 100, 125, false, vec![]),
            (1, 100, 199, false, vec![]),
            (1, 0, 100, false, vec![(0, 1), (1, 0)]),
            (1, 100, 200, false, vec![(1, 0), (0, 1)]),
            (4, 100, 150, false, vec![(2, 0), (0, 2), (2, 0), (0, 2)]),
            (4, 50, 200, false, vec![(4, 0), (0, 4)]),
            (4, 50, 200, true, vec![(4, 2), (0, 2)]),
            (1, 0, 200, true, vec![(1, 1)]),
        ] {
            assert_eq!(play(desired, minimum, maximum, eager), expected, "{desired} {minimum}/{maximum} {eager}");
        }
    }

    #[test]
    fn a_new_task_that_is_not_healthy_yet_replaces_nothing() {
        let tasks =
            Tasks { desired: 2, floor: 2, ceiling: 4, new: 2, old: 2, old_healthy: 2, occupied: 4, ..Tasks::default() };
        assert_eq!(next(tasks), Move::default());
        assert_eq!(next(Tasks { new_healthy: 1, ..tasks }), Move { start: 0, stop: 1 });
    }

    #[test]
    fn unhealthy_old_tasks_are_no_reason_to_wait() {
        let tasks = Tasks { desired: 2, floor: 2, ceiling: 2, old: 2, occupied: 2, ..Tasks::default() };
        assert_eq!(next(tasks), Move { start: 0, stop: 2 });
    }
}
