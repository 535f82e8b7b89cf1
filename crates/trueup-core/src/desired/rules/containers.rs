//! Containers of one task: their references exist, their ports do not clash, and one of them is essential.

use std::collections::{BTreeMap, BTreeSet};

use super::{ApplicationView, Located, member_or};
use crate::document::{Problem, nearest};

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(definition) = &subject.task_definition else { return };
    let containers = subject.containers();
    if !containers.is_empty() && containers.iter().all(|one| one.member_flag("essential") == Some(false)) {
        let message = "no container is essential";
        let help = "a task needs at least one: remove `essential = false` from its main container";
        problems
            .push(member_or(definition, "containerDefinitions").problem("no-essential-container", message).help(help));
    }
    ports(subject, &containers, problems);

    let volumes = definition.list("volumes");
    let volumes: Option<BTreeSet<&str>> = volumes.iter().map(|volume| volume.member_text("name")).collect();
    let names: BTreeSet<&str> = containers.iter().filter_map(|one| one.member_text("name")).collect();
    for container in &containers {
        for place in container.list("mountPoints").iter().filter_map(|mount| mount.get("sourceVolume")) {
            if let (Some(volumes), Some(name)) = (&volumes, place.text())
                && !volumes.contains(name)
            {
                missing(&place, "volume", name, volumes, "add it to `volumes`", problems);
            }
        }
        for place in container.list("volumesFrom").iter().filter_map(|from| from.get("sourceContainer")) {
            if let Some(name) = place.text().filter(|name| subject.container_names_known() && !names.contains(name)) {
                missing(&place, "container", name, &names, "name one of this task definition", problems);
            }
        }
        if subject.network_mode() == Some("awsvpc") && !container.list("links").is_empty() {
            let message = "the network mode `awsvpc` has no links";
            let help = "remove them: the containers of a task reach each other at `localhost`";
            problems.push(member_or(container, "links").problem("links", message).help(help));
        }
    }
}

/// Reports a reference to something that does not exist.
pub(super) fn missing(
    place: &Located<'_>,
    what: &str,
    name: &str,
    known: &BTreeSet<&str>,
    otherwise: &str,
    problems: &mut Vec<Problem>,
) {
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    };
    problems.push(place.problem("unknown-name", format!("the task definition has no {what} `{name}`")).help(help));
}

/// Source: ECS API reference, `PortMapping`: in `awsvpc` and `host` mode the containers of a task share their ports; in
/// `bridge` mode they share the host's.
fn ports(subject: &ApplicationView<'_>, containers: &[Located<'_>], problems: &mut Vec<Problem>) {
    let Some(mode) = subject.network_mode() else { return };
    let mut taken: BTreeMap<(i64, &str), &str> = BTreeMap::new();
    for container in containers {
        let name = container.member_text("name").unwrap_or("another container");
        for mapping in container.list("portMappings") {
            let (container_port, host_port) = (mapping.member_int("containerPort"), mapping.member_int("hostPort"));
            if mapping.get("protocol").is_some_and(|protocol| protocol.text().is_none()) {
                continue;
            }
            if let (Some(port), Some(host)) = (container_port, host_port)
                && matches!(mode, "awsvpc" | "host")
                && host != 0
                && host != port
            {
                let message = format!("with the network mode `{mode}` the host's port is the container's, {port}");
                let place = member_or(&mapping, "hostPort");
                problems.push(place.problem("host-port", message).help("remove `hostPort`"));
            }
            let port = match mode {
                "awsvpc" | "host" => container_port,
                "bridge" => host_port.filter(|port| *port != 0),
                _ => None,
            };
            let protocol = mapping.member_text("protocol").unwrap_or("tcp");
            let Some(port) = port else { continue };
            if let Some(other) = taken.insert((port, protocol), name) {
                let place = member_or(&mapping, if mode == "bridge" { "hostPort" } else { "containerPort" });
                let message = format!("port {port}/{protocol} is taken by container `{other}`");
                problems.push(place.problem("port-clash", message).help("containers of one task need different ports"));
            }
        }
    }
}

/// Whether a container is essential; `None` when it is not known. Containers are, unless they say otherwise.
pub(super) fn is_essential(container: &Located<'_>) -> Option<bool> {
    match container.get("essential") {
        None => Some(true),
        Some(place) => place.node.as_bool(),
    }
}
