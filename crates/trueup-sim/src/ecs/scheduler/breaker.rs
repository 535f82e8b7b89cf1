//! The circuit breaker's threshold (ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures").

/// `thresholdConfiguration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threshold {
    /// So many percent of the desired count, never below 3 nor above 200.
    BoundedPercent(u64),
    /// So many percent of the desired count.
    UnboundedPercent(u64),
    /// So many tasks.
    Count(u64),
}

impl Threshold {
    /// How many failed tasks fail a deployment, with the desired count of this moment.
    pub fn of(self, desired: u64) -> u64 {
        match self {
            Self::BoundedPercent(percent) => (desired * percent).div_ceil(100).clamp(3, 200),
            Self::UnboundedPercent(percent) => (desired * percent).div_ceil(100),
            Self::Count(count) => count,
        }
    }

    /// Whether so many failures fail a deployment. No failure never does, however small the threshold.
    pub fn reached(self, failures: u64, desired: u64) -> bool {
        failures > 0 && failures >= self.of(desired)
    }
}

#[cfg(test)]
mod tests {
    use super::Threshold::{BoundedPercent, Count, UnboundedPercent};
    use super::*;

    #[test]
    fn the_threshold_follows_the_desired_count_within_its_bounds() {
        let table: [(Threshold, &[(u64, u64)]); 6] = [
            (BoundedPercent(50), &[(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)]),
            (BoundedPercent(10), &[(10, 3), (31, 4), (5_000, 200)]),
            (BoundedPercent(100), &[(2, 3), (4, 4), (300, 200)]),
            (UnboundedPercent(50), &[(1, 1), (3, 2), (800, 400)]),
            (UnboundedPercent(1), &[(1, 1), (100, 1), (101, 2)]),
            (Count(7), &[(0, 7), (1, 7), (900, 7)]),
        ];
        for (threshold, rows) in table {
            for (desired, expected) in rows {
                assert_eq!(threshold.of(*desired), *expected, "{threshold:?} of {desired}");
            }
        }
    }

    #[test]
    fn a_deployment_fails_when_failures_reach_the_threshold_and_never_without_a_failure() {
        for (threshold, failures, desired, expected) in [
            (BoundedPercent(50), 2, 1, false),
            (BoundedPercent(50), 3, 1, true),
            (BoundedPercent(50), 3, 7, false),
            (Count(1), 1, 10, true),
            (UnboundedPercent(50), 0, 0, false),
            (UnboundedPercent(50), 1, 0, true),
        ] {
            assert_eq!(threshold.reached(failures, desired), expected, "{threshold:?}: {failures} of {desired}");
        }
    }
}
