//! Small trees of desired state, and what loading says of them.

mod example;
mod layout;
mod merging;
mod own_files;
mod references;
mod resolving;
mod rules;
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
    let expected: Vec<&str> = expected.lines().map(|line| line.trim_start_matches("    ")).filter(|line| !line.is_empty()).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), expected, "\n{told}\n");
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
