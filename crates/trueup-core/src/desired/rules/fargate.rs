//! Settings that Fargate does not support.
//!
//! Source: ECS developer guide, "Task definition differences for Fargate".

use super::{ApplicationView, member_or};
use crate::document::Problem;

/// The longest `stopTimeout` on Fargate, in seconds. Source: ECS API reference, `ContainerDefinition`.
const STOP_TIMEOUT_SECONDS_MAX: i64 = 120;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    if !subject.on_fargate() {
        return;
    }
    if let Some(definition) = &subject.task_definition {
        let mode = definition.get("networkMode");
        if mode.as_ref().is_none_or(|mode| mode.text().is_some_and(|mode| mode != "awsvpc")) {
            let message = "tasks on Fargate need the network mode `awsvpc`";
            let place = member_or(definition, "networkMode");
            problems.push(place.problem("fargate-network-mode", message).help("write `networkMode = \"awsvpc\"`"));
        }
        if !definition.list("placementConstraints").is_empty() {
            unsupported(&member_or(definition, "placementConstraints"), "placement constraints", problems);
        }
        for volume in definition.list("volumes") {
            if let Some(path) = volume.get("host").and_then(|host| host.get("sourcePath")) {
                unsupported(&path, "volumes of the host", problems);
            }
            if let Some(docker) = volume.get("dockerVolumeConfiguration") {
                unsupported(&docker, "Docker volumes", problems);
            }
        }
    }
    for container in subject.containers() {
        if container.member_flag("privileged") == Some(true) {
            unsupported(&member_or(&container, "privileged"), "privileged containers", problems);
        }
        if let Some(seconds) = container.member_int("stopTimeout").filter(|seconds| *seconds > STOP_TIMEOUT_SECONDS_MAX)
        {
            problems.push(
                member_or(&container, "stopTimeout")
                    .problem(
                        "fargate-stop-timeout",
                        format!("Fargate waits {STOP_TIMEOUT_SECONDS_MAX} s at most, not {seconds} s"),
                    )
                    .help(format!("write {STOP_TIMEOUT_SECONDS_MAX} or less")),
            );
        }
        if let Some(driver) = container.get("logConfiguration").and_then(|logs| logs.get("logDriver"))
            && driver.text().is_some_and(|driver| !matches!(driver, "awslogs" | "splunk" | "awsfirelens"))
        {
            let message = "Fargate does not have this log driver";
            problems
                .push(driver.problem("fargate-log-driver", message).help("write `awslogs`, `awsfirelens` or `splunk`"));
        }
    }
    let Some(service) = subject.service.as_ref().filter(|_| subject.service_on_fargate()) else { return };
    for (member, what) in
        [("placementConstraints", "placement constraints"), ("placementStrategy", "placement strategies")]
    {
        if !service.list(member).is_empty() {
            unsupported(&member_or(service, member), what, problems);
        }
    }
    if service.member_text("schedulingStrategy") == Some("DAEMON") {
        unsupported(&member_or(service, "schedulingStrategy"), "daemon services", problems);
    }
}

fn unsupported(place: &super::Located<'_>, what: &str, problems: &mut Vec<Problem>) {
    problems.push(place.problem("not-on-fargate", format!("Fargate does not have {what}")).help("remove it"));
}
