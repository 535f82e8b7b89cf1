//! Health checks of containers: their ranges, and enough time to start.

use super::load_balancers::own_target_group;
use super::{ApplicationView, Located, member_or};
use crate::document::Problem;

/// Source: ECS API reference, `HealthCheck`.
const RANGES: [(&str, i64, i64); 3] = [("interval", 5, 300), ("retries", 1, 10), ("startPeriod", 0, 300)];

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for check in subject.containers().iter().filter_map(|container| container.get("healthCheck")) {
        for (name, least, most) in RANGES {
            if let Some(value) = check.member_int(name).filter(|value| !(least..=most).contains(value)) {
                let message = format!("`{name}` is {value}, and must be from {least} to {most}");
                problems.push(
                    member_or(&check, name).problem("out-of-range", message).help(format!("write {least} to {most}")),
                );
            }
        }
    }
    start_period(subject, problems);
}

/// A target group that tolerates a slow start implies an application that starts slowly. A container health check that
/// fails earlier restarts it for ever, unless it has a start period or the service a grace period.
fn start_period(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(service) = &subject.service else { return };
    match service.get("healthCheckGracePeriodSeconds") {
        None => {}
        Some(grace) if grace.node.as_i64() == Some(0) => {}
        Some(_) => return,
    }
    for load_balancer in service.list("loadBalancers") {
        let Some((name, group)) = own_target_group(subject, &load_balancer) else { continue };
        let container = load_balancer.member_text("containerName").and_then(|name| subject.container(name));
        let Some(check) = container.and_then(|container| container.get("healthCheck")) else { continue };
        match check.get("startPeriod") {
            None => {}
            Some(period) if period.node.as_i64() == Some(0) => {}
            Some(_) => continue,
        }
        let (Some(own), Some(its)) = (
            product(&check, ("interval", 30), ("retries", 3)),
            product(&group, ("HealthCheckIntervalSeconds", 30), ("UnhealthyThresholdCount", 2)),
        ) else {
            continue;
        };
        if own < its {
            problems.push(
                check
                    .problem(
                        "no-start-period",
                        format!("the container fails its health check {own} s after its start, its target group `{name}` would wait {its} s"),
                    )
                    .help(format!("add `startPeriod`, {} s or more", its - own)),
            );
        }
    }
}

/// The time until a check that always fails counts as failed, in seconds; `None` when it is unknown.
fn product(place: &Located<'_>, interval: (&str, i64), times: (&str, i64)) -> Option<i64> {
    let value = |(name, default): (&str, i64)| match place.get(name) {
        None => Some(default),
        Some(place) => place.node.as_i64().filter(|value| (0..100_000).contains(value)),
    };
    Some(value(interval)? * value(times)?)
}
