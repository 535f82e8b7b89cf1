//! A service has a network configuration if its tasks have network interfaces of their own.
//!
//! Source: ECS API reference, `CreateService`, `networkConfiguration`.

use super::ApplicationView;
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(service) = &subject.service else { return };
    if subject.task_definition.is_none() {
        if subject.complete && subject.deployed_by_ecs() {
            let message = "the service has no task definition to run";
            problems.push(service.problem("no-task-definition", message).help("add `task-definition.toml` or `.json`"));
        }
        return;
    }
    let given = service.get("networkConfiguration");
    let mode = subject.network_mode();
    let address = given.as_ref().and_then(|network| network.get("awsvpcConfiguration")?.get("assignPublicIp"));
    if let Some(place) = address.filter(|place| place.text() == Some("ENABLED"))
        && mode == Some("awsvpc")
        && service.member_text("launchType") == Some("EC2")
    {
        let message = "tasks of the launch type `EC2` get no public address";
        problems.push(place.problem("public-address", message).help("remove `assignPublicIp`"));
    }
    if mode == Some("awsvpc") {
        if subject.deployed_by_ecs() && given.and_then(|network| network.get("awsvpcConfiguration")).is_none() {
            let message = "tasks with the network mode `awsvpc` need a network configuration";
            let help = "add `networkConfiguration.awsvpcConfiguration` with `subnets` and `securityGroups`";
            problems.push(service.problem("no-network-configuration", message).help(help));
        }
    } else if let (Some(mode), Some(place), false) = (mode, given, subject.on_fargate()) {
        let message = format!("tasks with the network mode `{mode}` have no network configuration");
        let help = "remove it, or set `networkMode` to `awsvpc` in the task definition";
        problems.push(place.problem("network-configuration", message).help(help));
    }
}
