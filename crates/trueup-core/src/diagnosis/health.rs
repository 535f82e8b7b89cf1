//! The load balancer's failed health checks of a deployment's own tasks.

use std::collections::BTreeSet;

use super::class::Class;
use super::evidence::{Evidence, Target, Task};
use super::message::Message;

/// A failed health check of one target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FailedHealthCheck {
    /// The class of the failure.
    pub(super) class: Class,
    /// The target group's ARN.
    pub(super) group: String,
    /// The port that was checked.
    pub(super) port: Option<i64>,
    /// AWS's description, such as `Health checks failed with these codes: [503]`.
    pub(super) message: String,
}

/// The failed health checks of these tasks: those that the target groups show now, and those in service events.
pub(super) fn failures(evidence: &Evidence, tasks: &[&Task]) -> Vec<FailedHealthCheck> {
    let addresses: BTreeSet<&str> = tasks.iter().flat_map(|task| &task.addresses).map(String::as_str).collect();
    // A task that still runs has recovered from an event about it; the target groups show its current health.
    let ids: BTreeSet<&str> = tasks.iter().filter(|task| task.is_stopped()).map(|task| task.id()).collect();
    let mut failures = Vec::new();
    for (group, targets) in &evidence.targets {
        // A target that is an instance may belong to any task on it.
        let ours = targets.present().into_iter().flatten().filter(|target| addresses.contains(target.id.as_str()));
        failures.extend(ours.filter_map(|target| of_target(group.as_str(), target)));
    }
    for event in evidence.events.present().into_iter().flatten() {
        let message = Message::new(&event.message);
        if !message.has("is unhealthy in (target-group") || !message.after("(task ").is_some_and(|id| ids.contains(id))
        {
            continue;
        }
        let description = message
            .rest("due to (reason")
            .and_then(|rest| Some(rest.text.trim().strip_suffix('.')?.strip_suffix(')')?.to_owned()));
        let description = description.unwrap_or_default();
        failures.push(FailedHealthCheck {
            class: class_of("", &description),
            group: message.after("is unhealthy in (target-group ").unwrap_or_default().to_owned(),
            port: message.after("(port ").and_then(|port| port.parse().ok()),
            message: description,
        });
    }
    failures
}

fn of_target(group: &str, target: &Target) -> Option<FailedHealthCheck> {
    let (reason, message) =
        (target.reason.as_deref().unwrap_or_default(), target.description.as_deref().unwrap_or_default());
    let class = class_of(reason, message);
    // Where nothing is checked (`unused`, `unavailable`) no check failed; but a zone that is not served shows as `unused`.
    let failed = target.state.starts_with("unhealthy") || class == Class::TargetZoneNotEnabled;
    failed.then(|| FailedHealthCheck { class, group: group.to_owned(), port: target.port, message: message.to_owned() })
}

/// The class of a reason code (empty where there is none) and its description.
///
/// Source: Elastic Load Balancing API reference, `TargetHealth`; ALB guide, target group health checks.
fn class_of(reason: &str, description: &str) -> Class {
    let message = Message::new(description);
    if message.has("availability zone that is not enabled") {
        return Class::TargetZoneNotEnabled;
    }
    if reason == "Target.ResponseCodeMismatch" || message.has("failed with these codes") {
        return Class::TargetResponseCode;
    }
    if reason == "Target.Timeout" || message.has("request timed out") {
        return Class::TargetTimeout;
    }
    Class::TargetUnhealthy
}
