//! The load balancers of a service: their containers, ports and target groups match.
//!
//! Source: ECS API reference, `LoadBalancer`.

use std::collections::BTreeSet;

use super::containers::missing;
use super::{ApplicationView, Located, member_or};
use crate::document::{NodeValue, Problem};
use crate::kind::Kind;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(service) = &subject.service else { return };
    for load_balancer in service.list("loadBalancers") {
        container_and_port(subject, &load_balancer, problems);
        if let Some(place) = load_balancer.get("targetGroupArn") {
            must_be_arn(&place, problems);
        }
        target_type(subject, &load_balancer, problems);
    }
}

fn container_and_port(subject: &ApplicationView<'_>, load_balancer: &Located<'_>, problems: &mut Vec<Problem>) {
    if load_balancer.get("targetGroupArn").is_some() {
        for member in ["containerName", "containerPort"] {
            if load_balancer.get(member).is_none() {
                let message = format!("`{member}` is missing");
                let help = "name the port of the container that the target group sends to";
                problems.push(load_balancer.problem("missing-member", message).help(help));
            }
        }
    }
    let Some(place) = load_balancer.get("containerName") else { return };
    let Some(name) = place.text().filter(|_| subject.container_names_known()) else { return };
    let Some(container) = subject.container(name) else {
        let containers = subject.containers();
        let known: BTreeSet<&str> = containers.iter().filter_map(|one| one.member_text("name")).collect();
        return missing(&place, "container", name, &known, "name one of the task definition", problems);
    };
    let mappings = container.list("portMappings");
    let Some(port) = load_balancer.member_int("containerPort") else { return };
    let range = |mapping: &Located<'_>| mapping.get("containerPortRange").is_some();
    let unknown = |mapping: &Located<'_>| mapping.member_int("containerPort").is_none();
    if mappings
        .iter()
        .any(|mapping| range(mapping) || unknown(mapping) || mapping.member_int("containerPort") == Some(port))
    {
        return;
    }
    let ports: Vec<String> =
        mappings.iter().filter_map(|mapping| Some(mapping.member_int("containerPort")?.to_string())).collect();
    let help = match ports.as_slice() {
        [] => format!("add `portMappings` with `containerPort = {port}` to `{name}`"),
        ports => format!("`{name}` has {}", ports.join(", ")),
    };
    let message = format!("container `{name}` has no port {port}");
    problems.push(member_or(load_balancer, "containerPort").problem("unknown-port", message).help(help));
}

/// A target group is given by its ARN, as text or by reference.
pub(super) fn must_be_arn(place: &Located<'_>, problems: &mut Vec<Problem>) {
    if let Some(text) = place.text().filter(|text| !text.starts_with("arn:")) {
        problems.push(
            place
                .problem("not-an-arn", format!("`{text}` is not the ARN of a target group"))
                .help(format!("write `${{target_group.{text}}}`")),
        );
    }
}

/// Source: ECS developer guide, "Use an Application Load Balancer for Amazon ECS": `ip` for tasks with a network
/// interface of their own, `instance` for the others.
fn target_type(subject: &ApplicationView<'_>, load_balancer: &Located<'_>, problems: &mut Vec<Problem>) {
    let Some((name, group)) = own_target_group(subject, load_balancer) else { return };
    let wanted = match subject.network_mode() {
        Some("awsvpc") => "ip",
        Some("bridge" | "host") if !subject.on_fargate() => "instance",
        _ => return,
    };
    let given = match group.get("TargetType") {
        None => "instance",
        Some(place) => match place.text() {
            Some(text) => text,
            None => return,
        },
    };
    if matches!(given, "ip" | "instance") && given != wanted {
        let mode = subject.network_mode().unwrap_or_default();
        let message = format!(
            "target group `{name}` has targets of type `{given}`, with the network mode `{mode}` they are `{wanted}`"
        );
        let place = member_or(&group, "TargetType");
        problems.push(place.problem("target-type", message).help(format!("write `TargetType = \"{wanted}\"`")));
    }
}

/// The target group document of this application that an element of `loadBalancers` refers to.
pub(super) fn own_target_group<'a>(
    subject: &ApplicationView<'a>,
    load_balancer: &Located<'a>,
) -> Option<(&'a str, Located<'a>)> {
    let NodeValue::String(text) = &load_balancer.get("targetGroupArn")?.node.value else { return None };
    let name = text.strip_prefix("${target_group.")?.strip_suffix('}')?;
    subject.documents_of(Kind::TargetGroup).find(|(known, _)| *known == name)
}
