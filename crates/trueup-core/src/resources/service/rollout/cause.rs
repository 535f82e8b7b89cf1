//! Whether the cause that ended a deployment may have been temporary.
//!
//! It is only reported: ECS tried several times before it gave up, so even a temporary cause lasted for minutes, and a
//! controller that retries by itself starts a second deployment for one change. An operator ends the hold with
//! `trueup retry`.

/// Phrases in AWS's messages about temporary causes: throttling, permissions that still propagate, exhausted capacity.
///
/// Source: ECS developer guide, service event messages and stopped task error messages; IAM user guide, "Changes that I
/// make are not always immediately visible".
const PASSING: [&str; 9] = [
    "rate exceeded",
    "throttlingexception",
    "toomanyrequests",
    "unable to assume",
    "cannot be assumed",
    "capacity is unavailable",
    "no capacity",
    "resource:fargate",
    "internal error",
];

/// Whether any of these messages names a temporary cause.
pub(super) fn is_passing<'a>(words: impl IntoIterator<Item = &'a str>) -> bool {
    words.into_iter().any(|words| {
        let words = words.to_lowercase();
        PASSING.iter().any(|passing| words.contains(passing))
    })
}

#[cfg(test)]
mod tests {
    use super::is_passing;

    #[test]
    fn passing_causes_are_told_from_lasting_ones() {
        let table = [
            ("(service web) was unable to place a task. Reason: Capacity is unavailable at this time.", true),
            ("(service web) failed to launch a task with (error ECS was unable to assume the role 'arn').", true),
            ("(service web) operations are being throttled on elb. Will try again later. (Rate exceeded)", true),
            ("ECS deployment circuit breaker: tasks failed to start.", false),
            ("CannotPullContainerError: image Manifest does not contain descriptor matching platform", false),
            ("", false),
        ];
        for (words, passing) in table {
            assert_eq!(is_passing([words]), passing, "{words}");
        }
    }
}
