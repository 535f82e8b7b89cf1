//! Elements of a keyed set whose keys must differ.

use std::collections::BTreeSet;

use super::{ApplicationView, Located};
use crate::desired::merge::key_of;
use crate::document::{NodeValue, Problem};
use crate::kind::Kind;

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for document in subject.documents {
        walk(document.kind, &mut Vec::new(), &Located::root(&document.node), problems);
    }
    for container in subject.containers() {
        let environment = container.list("environment");
        let plain: BTreeSet<&str> = environment.iter().filter_map(|entry| entry.member_text("name")).collect();
        for place in container.list("secrets").iter().filter_map(|secret| secret.get("name")) {
            if let Some(name) = place.text().filter(|name| plain.contains(name)) {
                problems.push(
                    place
                        .problem("duplicate-key", format!("`{name}` is in `environment` as well"))
                        .help("a variable is either plain or a secret: remove one of them"),
                );
            }
        }
    }
}

fn walk<'a>(kind: Kind, path: &mut Vec<&'a str>, place: &Located<'a>, problems: &mut Vec<Problem>) {
    match &place.node.value {
        NodeValue::Object(_) => {
            for (name, member) in place.members() {
                path.push(name);
                walk(kind, path, &member, problems);
                path.pop();
            }
        }
        NodeValue::List(_) => {
            let key = kind.list_key(&path[..]).filter(|_| !(kind.facts().may_repeat)(path));
            let mut seen = BTreeSet::new();
            for item in place.items() {
                if let Some(key) = key
                    && let Some(value) = key_of(key, item.node).filter(|value| !value.contains("${"))
                {
                    if seen.contains(&value) {
                        let problem = item.problem("duplicate-key", format!("`{value}` is in this list twice"));
                        problems.push(problem.help("remove one of the two"));
                    }
                    seen.insert(value);
                }
                path.push("*");
                walk(kind, path, &item, problems);
                path.pop();
            }
        }
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
    }
}
