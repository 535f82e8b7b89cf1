//! Every call in the sources is in the table of permissions, and the table has nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use trueup_core::permissions::{ACTIONS, is_known};

/// Prefixes of IAM's actions that this crate may call.
const SERVICES: [&str; 10] = [
    "ecs",
    "elasticloadbalancing",
    "application-autoscaling",
    "ecr",
    "secretsmanager",
    "ssm",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "sts",
];

/// The sources of the crate, by path.
fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("sources are UTF-8")));
        }
    }
}

/// `"SERVICE:Operation"` literals: the names under which calls are counted.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|literal| {
        literal.split_once(':').is_some_and(|(service, operation)| {
            SERVICES.contains(&service)
                && operation.starts_with(|c: char| c.is_ascii_uppercase())
                && operation.chars().all(|c| c.is_ascii_alphanumeric())
        })
    })
}

/// The operations that the macro `operations!` of a file lists.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let (_, list) = text.split_once("\noperations! {").expect("the file lists its operations");
    let (list, _) = list.split_once("\n}").expect("the list ends");
    list.lines().filter_map(|line| line.split_whitespace().next()).filter(|word| word.starts_with(char::is_uppercase))
}

/// All calls that the sources can make.
fn calls() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut calls = BTreeSet::new();
    for (path, text) in &files {
        calls.extend(literals(text).map(str::to_owned));
        for (file, service) in [("src/ecs.rs", "ecs"), ("src/elb.rs", "elasticloadbalancing")] {
            if path.ends_with(file) {
                calls.extend(listed(text).map(|operation| format!("{service}:{operation}")));
            }
        }
    }
    calls
}

#[test]
fn every_call_is_in_the_table_of_permissions() {
    let calls = calls();
    assert!(calls.len() > 35, "the sources were not understood: {calls:?}");
    let unknown: Vec<_> = calls.iter().filter(|call| !is_known(call)).collect();
    assert!(unknown.is_empty(), "add {unknown:?} to trueup_core::permissions::ACTIONS and to docs/permissions.md");
}

#[test]
fn nothing_is_in_the_table_that_nobody_calls() {
    // A role is passed and assumed by naming it.
    let elsewhere = ["iam:PassRole", "sts:AssumeRole"];
    let calls = calls();
    let unused: Vec<_> = ACTIONS
        .iter()
        .map(|action| action.name)
        .filter(|name| !calls.contains(*name) && !elsewhere.contains(name))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}
