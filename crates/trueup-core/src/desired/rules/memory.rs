//! Containers must fit into their task.
//!
//! Source: ECS API reference, `ContainerDefinition`, `cpu`, `memory` and `memoryReservation`.

use super::fargate_size::{cpu_units, mebibytes};
use super::{ApplicationView, member_or};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(definition) = &subject.task_definition else { return };
    let containers = subject.containers();
    for container in &containers {
        let (hard, soft) = (container.get("memory"), container.get("memoryReservation"));
        if let (Some(hard), Some(place)) = (hard.as_ref().and_then(|place| place.node.as_i64()), &soft)
            && place.node.as_i64().is_some_and(|soft| soft > hard)
        {
            let message = format!("`memoryReservation` is above `memory`, which is {hard}");
            problems.push(place.problem("memory-reservation", message).help("reserve less, or raise `memory`"));
        }
        if definition.get("memory").is_none() && hard.is_none() && soft.is_none() {
            let message = "the container has no memory, and its task has none either";
            let help = "add `memory` or `memoryReservation` here, or `memory` to the task";
            problems.push(container.problem("no-memory", message).help(help));
        }
    }
    // A container reserves its soft limit where it has one.
    let sum = |names: [&str; 2]| -> i64 {
        let of = |one: &super::Located<'_>| {
            names.iter().find_map(|name| one.member_int(name)).unwrap_or(0).clamp(0, 1 << 40)
        };
        containers.iter().map(of).sum()
    };
    let totals = [
        ("memory", sum(["memoryReservation", "memory"]), definition.member_text("memory").and_then(mebibytes), "MiB"),
        (
            "cpu",
            sum(["cpu", "cpu"]),
            definition.member_text("cpu").and_then(cpu_units).filter(|_| subject.on_fargate()),
            "CPU units",
        ),
    ];
    for (name, sum, total, unit) in totals {
        if let Some(total) = total.filter(|total| sum > *total) {
            problems.push(
                member_or(definition, name)
                    .problem(
                        "containers-exceed-task",
                        format!("the containers reserve {sum} {unit}, the task has {total}"),
                    )
                    .help(format!("raise the task's `{name}`, or lower that of its containers")),
            );
        }
    }
}
