//! What seeded histories choose from, and how.

use trueup_sim::chance::Stream;

/// The applications that may be there.
pub(super) const NAMES: [&str; 4] = ["api", "jobs", "shop", "web"];

/// Tags of images that come up.
pub(super) const GOOD: [&str; 4] = ["1", "2", "3", "slow"];

/// Actions whose denial is interesting.
pub(super) const DENIED: [&str; 6] = [
    "ecs:UpdateService",
    "ecs:RegisterTaskDefinition",
    "ecs:DescribeServices",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:DescribeRules",
    "ecs:TagResource",
];

/// A small number in `from..to`.
pub(super) fn small(chance: &mut Stream, from: u64, to: u64) -> usize {
    usize::try_from(chance.between(from, to)).expect("it is small")
}

/// One of several, of which there is at least one.
pub(super) fn pick<T: Clone>(chance: &mut Stream, items: &[T]) -> T {
    chance.one_of(items).expect("there is something to choose from").clone()
}
