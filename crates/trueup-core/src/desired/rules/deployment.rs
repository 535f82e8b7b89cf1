//! Deployment and placement of a service: settings that contradict each other, or can never make progress.

use super::{ApplicationView, Located};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(service) = &subject.service else { return };
    let daemon = service.member_text("schedulingStrategy") == Some("DAEMON");
    if daemon {
        daemon_service(service, problems);
    } else if subject.deployed_by_ecs() {
        deadlock(service, problems);
    }
    capacity(service, problems);
    if service.member_text("launchType") == Some("EC2")
        && let Some(place) = service.get("platformVersion")
    {
        let message = "only Fargate has platform versions";
        problems.push(place.key_problem("platform-version", message).help("remove `platformVersion`"));
    }
}

/// Source: ECS developer guide, "Daemon scheduling strategy"; API reference, `DeploymentConfiguration`.
fn daemon_service(service: &Located<'_>, problems: &mut Vec<Problem>) {
    for name in ["desiredCount", "placementStrategy"] {
        if let Some(place) = service.get(name) {
            let message = format!("a `DAEMON` service has no `{name}`: it runs one task on every instance");
            problems.push(place.key_problem("daemon", message).help("remove it"));
        }
    }
    let configuration = service.get("deploymentConfiguration");
    if let Some(place) = configuration.and_then(|configuration| configuration.get("maximumPercent"))
        && place.node.as_i64().is_some_and(|percent| percent != 100)
    {
        let message = "the `maximumPercent` of a `DAEMON` service is 100";
        problems.push(place.problem("daemon", message).help("write 100, or remove it"));
    }
}

/// A rolling deployment that may neither start a task nor stop one.
///
/// Source: ECS developer guide, "Deploy Amazon ECS services by replacing tasks": the upper bound is rounded down, the
/// lower bound up; 200 and 100 by default.
fn deadlock(service: &Located<'_>, problems: &mut Vec<Problem>) {
    let Some(configuration) = service.get("deploymentConfiguration") else { return };
    let rolling = configuration.get("strategy").is_none_or(|strategy| strategy.text() == Some("ROLLING"));
    let percent = |name: &str, default: i64| match configuration.get(name) {
        None => Some(default),
        Some(place) => place.node.as_i64().filter(|percent| (0..100_000).contains(percent)),
    };
    let (Some(most), Some(least), true) =
        (percent("maximumPercent", 200), percent("minimumHealthyPercent", 100), rolling)
    else {
        return;
    };
    let count = service
        .get("desiredCount")
        .and_then(|count| count.node.as_i64())
        .filter(|count| (0..1_000_000).contains(count));
    // Without a known count, only deadlocks that every count has.
    let stuck = match count {
        // There is no task to stop.
        Some(0) => false,
        Some(count) => count * most / 100 <= count && (count * least + 99) / 100 >= count,
        None => most <= 100 && least >= 100,
    };
    if stuck {
        let tasks = count.map_or_else(String::new, |count| format!(" of `desiredCount` {count}"));
        let message = format!(
            "a deployment{tasks} with maximum {most} % and minimum {least} % may neither start nor stop a task"
        );
        let help = "raise `maximumPercent` (200 starts new tasks first), or lower `minimumHealthyPercent`";
        problems.push(configuration.problem("deployment-deadlock", message).help(help));
    }
}

/// Source: ECS API reference, `CreateService`, `launchType` and `capacityProviderStrategy`; `CapacityProviderStrategyItem`.
fn capacity(service: &Located<'_>, problems: &mut Vec<Problem>) {
    let Some(strategy) = service.get("capacityProviderStrategy") else { return };
    let providers: Vec<Located<'_>> = strategy.items().collect();
    if providers.is_empty() {
        return;
    }
    if let Some(launch_type) = service.get("launchType") {
        let message = "`launchType` and `capacityProviderStrategy` exclude each other";
        problems.push(launch_type.key_problem("launch-type", message).help("keep one of the two"));
    }
    let fargate = |one: &Located<'_>| Some(matches!(one.member_text("capacityProvider")?, "FARGATE" | "FARGATE_SPOT"));
    let kinds: Vec<bool> = providers.iter().filter_map(fargate).collect();
    if kinds.contains(&true) && kinds.contains(&false) {
        let message = "Fargate's capacity providers cannot be mixed with others";
        problems.push(
            strategy
                .problem("capacity-providers", message)
                .help("keep either `FARGATE` and `FARGATE_SPOT`, or the others"),
        );
    }
    let with_base: Vec<Located<'_>> =
        providers.iter().filter_map(|one| one.get("base")).filter(|base| base.node.as_i64() > Some(0)).collect();
    for place in with_base.iter().skip(1) {
        let message = "only one capacity provider of a strategy may have a `base`";
        problems.push(place.problem("capacity-providers", message).help("remove it here"));
    }
}
