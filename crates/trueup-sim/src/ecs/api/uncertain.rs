//! Where AWS's behaviour is not known for sure: each world does one or the other, by its seed.
//!
//! | question | one way | the other way |
//! |---|---|---|
//! | an environment value that is `""` | is kept | drops the variable |
//! | `networkMode` omitted, not Fargate | is echoed as `bridge` | stays absent |
//! | `systemControls` omitted | is echoed as `[]` | stays absent |
//! | half a `runtimePlatform` | is completed | is echoed as sent |
//! | an untouched circuit breaker | `resetOnHealthyTask` and `thresholdConfiguration` are shown | only `enable` and `rollback` |
//! | `deploymentConfiguration.alarms` never set | absent | all off |
//! | members left out of a `deploymentConfiguration` that is sent to `UpdateService` | keep their values | get the defaults |
//! | another `capacityProviderStrategy` without `forceNewDeployment` | is refused | is accepted and starts no deployment |
//! | `DeleteService` of a service that is DRAINING or INACTIVE | `ServiceNotFoundException` | `ServiceNotActiveException` |
//! | a grace period where nothing checks health | is refused | is accepted and unused |
//! | `BLUE_GREEN` without `bakeTimeInMinutes` | is refused | means none |
//! | a task definition that was deregistered | may not be used at once | may be used for up to ten minutes |

use std::time::Duration;

use crate::chance::Stream;
use crate::world::World;

/// The longest time that a deregistered task definition may still be used (API reference, `DeregisterTaskDefinition`).
const DEREGISTERED_USABLE_SECONDS_MAX: u64 = 600;

/// A question of the table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// An environment variable with an empty value is dropped.
    EmptyEnvironmentIsDropped,
    /// `networkMode` stays absent when omitted.
    NetworkModeStaysAbsent,
    /// `systemControls` stays absent when omitted.
    SystemControlsStayAbsent,
    /// Half a `runtimePlatform` is echoed as sent.
    HalfPlatformIsEchoed,
    /// An untouched circuit breaker is shown with two members only.
    CircuitBreakerIsShort,
    /// `alarms` that were never set are shown as all off.
    AlarmsAreTold,
    /// Members left out of a `deploymentConfiguration` in an update get the defaults.
    LeftOutConfigurationIsReset,
    /// A capacity provider strategy changes only with `forceNewDeployment`.
    StrategyNeedsForce,
    /// `DeleteService` of a deleted service answers `ServiceNotActiveException`.
    DeletedIsNotActive,
    /// `healthCheckGracePeriodSeconds` without a load balancer or a container's check is accepted.
    IdleGracePeriodIsAccepted,
    /// `BLUE_GREEN` may leave out `bakeTimeInMinutes`.
    BakeTimeIsOptional,
}

/// Whether this world does what the question says.
pub(super) fn does(world: &World, question: Question) -> bool {
    use Question as Q;
    let concern = match question {
        Q::EmptyEnvironmentIsDropped => "empty environment values",
        Q::NetworkModeStaysAbsent => "omitted network modes",
        Q::SystemControlsStayAbsent => "omitted system controls",
        Q::HalfPlatformIsEchoed => "half runtime platforms",
        Q::CircuitBreakerIsShort => "untouched circuit breakers",
        Q::AlarmsAreTold => "alarms that were never set",
        Q::LeftOutConfigurationIsReset => "left out deployment configuration",
        Q::StrategyNeedsForce => "capacity provider strategies without force",
        Q::DeletedIsNotActive => "deleting what is deleted",
        Q::IdleGracePeriodIsAccepted => "grace periods where nothing checks",
        Q::BakeTimeIsOptional => "omitted bake times",
    };
    // A stream of its own and not one of the world's: the answer must be the same whenever it is asked.
    Stream::named(world.chance.seed(), concern).percent(50)
}

/// How long a deregistered task definition may still be used in this world.
pub(super) fn deregistered_usable(world: &World) -> Duration {
    let mut stream = Stream::named(world.chance.seed(), "use of deregistered task definitions");
    Duration::from_secs(if stream.percent(50) { 0 } else { stream.between(1, DEREGISTERED_USABLE_SECONDS_MAX + 1) })
}

#[cfg(test)]
mod tests {
    use super::{Question, deregistered_usable, does};
    use crate::{Time, World};

    #[test]
    fn every_question_has_both_answers_among_some_worlds_and_one_within_each() {
        let worlds: Vec<World> =
            (0..40).map(|seed| World::new("123456789012", "eu-west-1", seed, Time::START)).collect();
        for question in [
            Question::EmptyEnvironmentIsDropped,
            Question::NetworkModeStaysAbsent,
            Question::SystemControlsStayAbsent,
            Question::HalfPlatformIsEchoed,
            Question::CircuitBreakerIsShort,
            Question::AlarmsAreTold,
            Question::LeftOutConfigurationIsReset,
            Question::StrategyNeedsForce,
            Question::DeletedIsNotActive,
            Question::IdleGracePeriodIsAccepted,
            Question::BakeTimeIsOptional,
        ] {
            let yes = worlds.iter().filter(|world| does(world, question)).count();
            assert!(yes > 0 && yes < worlds.len(), "{question:?}: {yes} of {}", worlds.len());
            assert!(worlds.iter().all(|world| does(world, question) == does(world, question)));
        }
        let usable: Vec<u64> = worlds.iter().map(|world| deregistered_usable(world).as_secs()).collect();
        assert!(
            usable.contains(&0)
                && usable.iter().any(|seconds| *seconds > 0)
                && usable.iter().all(|seconds| *seconds <= 600)
        );
    }
}
