//! How the load balancer's health checks of a deployment's own tasks failed.

use std::collections::BTreeSet;

use super::class::Class;
use super::evidence::{Evidence, Target, Task};
use super::words::Words;

/// A failed health check of one target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    /// What it says.
    pub(super) class: Class,
    /// The target group's ARN.
    pub(super) group: String,
    /// The port that was checked.
    pub(super) port: Option<i64>,
    /// AWS's words, such as `Health checks failed with these codes: [503]`.
    pub(super) words: String,
}

/// The failed health checks of these tasks: as the target groups show them now, and as service events told them.
pub(super) fn failures(evidence: &Evidence, tasks: &[&Task]) -> Vec<Failure> {
    let addresses: BTreeSet<&str> = tasks.iter().flat_map(|task| &task.addresses).map(String::as_str).collect();
    // A task that still runs has got over what an event once said of it; the target groups show how it is now.
    let ids: BTreeSet<&str> = tasks.iter().filter(|task| task.is_stopped()).map(|task| task.id()).collect();
    let mut failures = Vec::new();
    for (group, targets) in &evidence.targets {
        // A target that is an instance may belong to any task on it.
        let ours = targets.present().into_iter().flatten().filter(|target| addresses.contains(target.id.as_str()));
        failures.extend(ours.filter_map(|target| of_target(group.as_str(), target)));
    }
    for event in evidence.events.present().into_iter().flatten() {
        let words = Words::new(&event.message);
        if !words.has("is unhealthy in (target-group") || !words.after("(task ").is_some_and(|id| ids.contains(id)) {
            continue;
        }
        let said = words
            .rest("due to (reason")
            .and_then(|rest| Some(rest.text.trim().strip_suffix('.')?.strip_suffix(')')?.to_owned()));
        let said = said.unwrap_or_default();
        failures.push(Failure {
            class: class_of("", &said),
            group: words.after("is unhealthy in (target-group ").unwrap_or_default().to_owned(),
            port: words.after("(port ").and_then(|port| port.parse().ok()),
            words: said,
        });
    }
    failures
}

fn of_target(group: &str, target: &Target) -> Option<Failure> {
    let (reason, words) =
        (target.reason.as_deref().unwrap_or_default(), target.description.as_deref().unwrap_or_default());
    let class = class_of(reason, words);
    // Where nobody checks (`unused`, `unavailable`) no check failed; but a zone that is not served is told as `unused`.
    let failed = target.state.starts_with("unhealthy") || class == Class::TargetZoneNotEnabled;
    failed.then(|| Failure { class, group: group.to_owned(), port: target.port, words: words.to_owned() })
}

/// What a reason code (empty where there is none) and its description say.
///
/// Source: Elastic Load Balancing API reference, `TargetHealth`; ALB guide, target group health checks.
fn class_of(reason: &str, description: &str) -> Class {
    let words = Words::new(description);
    if words.has("availability zone that is not enabled") {
        return Class::TargetZoneNotEnabled;
    }
    if reason == "Target.ResponseCodeMismatch" || words.has("failed with these codes") {
        return Class::TargetResponseCode;
    }
    if reason == "Target.Timeout" || words.has("request timed out") {
        return Class::TargetTimeout;
    }
    Class::TargetUnhealthy
}
