//! Small trees of desired state, and what loading says of them.

mod across;
mod certain;
mod example;
mod layout;
mod merging;
mod own_files;
mod plaintext;
mod references;
mod resolving;
mod rules;
mod service_rules;
mod size;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Application, FileTree, Loaded, load};
use crate::document::Problem;
use crate::names::{ApplicationName, EnvironmentName};

/// A `trueup.toml` with one environment.
const ONE_ENVIRONMENT: &str = r#"
== trueup.toml
[environments.production]
account = "210987654321"
region = "eu-central-1"
cluster = "main"
"#;

/// Files from a text: `== PATH` begins one.
fn tree(text: &str) -> FileTree {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(path) => current = Some(files.entry(path.trim().to_owned()).or_default()),
            None => {
                if let Some(file) = &mut current {
                    file.push_str(line);
                    file.push('\n');
                }
            }
        }
    }
    files.into_iter().map(|(path, text)| (path, Arc::from(text.as_bytes()))).collect()
}

/// A problem on one line, and its help on the next.
fn show(problem: &Problem) -> String {
    let place = problem.span.as_ref().map_or_else(|| problem.file.clone(), ToString::to_string);
    let help = problem.help.as_ref().map_or_else(String::new, |help| format!("\n  help: {help}"));
    format!("{place}: {}: {}{help}", problem.code, problem.message)
}

/// All problems of a tree.
fn problems(text: &str) -> String {
    load(&tree(text)).problems.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// Checks that a tree has exactly these problems.
#[track_caller]
fn check(text: &str, expected: &str) {
    let told = problems(text);
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    assert_eq!(lines(&told), lines(expected), "\n{told}\n");
}

/// Replacements in the example, each of a text that stands there once or more; the first one is replaced.
type Edits<'a> = &'a [(&'a str, &'a str)];

/// Checks what is told of the example after each of some edits.
#[track_caller]
fn check_edits(cases: &[(Edits<'_>, &str)]) {
    for (edits, expected) in cases {
        let mut text = example::ELEARNING.to_owned();
        for (from, to) in *edits {
            assert!(text.contains(from), "the example has no {from}");
            text = text.replacen(from, to, 1);
        }
        check(&text, expected);
    }
}

/// An application of a loaded tree that must be valid.
#[track_caller]
fn application<'a>(loaded: &'a Loaded, environment: &str, name: &str) -> &'a Application {
    let key = (EnvironmentName::new(environment), ApplicationName::new(name));
    let application = loaded.applications.get(&key).unwrap_or_else(|| panic!("no {name} in {environment}"));
    application.as_ref().unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(show).collect::<Vec<_>>().join("\n"));
    })
}
