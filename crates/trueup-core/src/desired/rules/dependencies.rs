//! `dependsOn` of containers: the named containers exist, can meet the awaited condition, and form no cycle.
//!
//! Source: ECS API reference, `ContainerDependency`.

use std::collections::{BTreeMap, BTreeSet};

use super::containers::{is_essential, missing};
use super::{ApplicationView, member_or};
use crate::document::Problem;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    if !subject.container_names_known() {
        return;
    }
    let containers = subject.containers();
    let by_name: BTreeMap<&str, _> =
        containers.iter().filter_map(|container| Some((container.member_text("name")?, container))).collect();
    let names: BTreeSet<&str> = by_name.keys().copied().collect();
    let waits_for: BTreeMap<&str, BTreeSet<&str>> = by_name
        .iter()
        .map(|(name, container)| {
            let on = container.list("dependsOn");
            (*name, on.iter().filter_map(|one| one.member_text("containerName")).collect())
        })
        .collect();
    for (name, container) in &by_name {
        for dependency in container.list("dependsOn") {
            let Some(place) = dependency.get("containerName") else { continue };
            let Some(other) = place.text() else { continue };
            let Some(target) = by_name.get(other) else {
                missing(&place, "container", other, &names, "name one of this task definition", problems);
                continue;
            };
            if waits_on(&waits_for, other, name) {
                let message = if other == *name {
                    "the container waits for itself".to_owned()
                } else {
                    format!("`{other}` waits for `{name}`, too, so neither starts")
                };
                problems.push(place.problem("depends-on-cycle", message).help("remove one of the dependencies"));
            }
            let condition = member_or(&dependency, "condition");
            match condition.text() {
                Some("HEALTHY") if target.get("healthCheck").is_none() => {
                    let message = format!("container `{other}` has no `healthCheck`, so it never becomes `HEALTHY`");
                    let help = format!("add a `healthCheck` to `{other}`, or wait for `START`");
                    problems.push(condition.problem("depends-on-condition", message).help(help));
                }
                Some(end @ ("COMPLETE" | "SUCCESS")) if is_essential(target) == Some(true) => {
                    let message = format!("container `{other}` is essential: when it ends, so does the task");
                    let help = format!("set `essential = false` in `{other}`, or do not wait for `{end}`");
                    problems.push(condition.problem("depends-on-condition", message).help(help));
                }
                _ => {}
            }
        }
    }
}

/// Whether `from` is `to` or waits for it, directly or through others.
fn waits_on<'a>(waits_for: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(waits_for.get(name).into_iter().flatten());
        }
    }
    false
}
