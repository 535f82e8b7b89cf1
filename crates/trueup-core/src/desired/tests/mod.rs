//! Small trees of desired state, and the problems that loading reports.

mod across;
mod certain;
mod containers;
mod example;
mod fargate;
mod keys;
mod layout;
mod load_balancing;
mod merging;
mod own_files;
mod plaintext;
mod references;
mod resolving;
mod secrets;
mod services;
mod size;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Application, FileTree, Loaded, load};
use crate::document::Problem;
use crate::document::marked::MarkedFiles;
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
    let found = problems(text);
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    assert_eq!(lines(&found), lines(expected), "\n{found}\n");
}

/// Checks that files have exactly the problems that are marked in them (see [`crate::document::marked`]).
///
/// The files are those of an application `web` in one environment: `trueup.toml` and `web/app.toml` need not be among them.
#[track_caller]
fn check_marked(text: &str) {
    let marked = MarkedFiles::parse(text);
    let mut files = tree(ONE_ENVIRONMENT);
    files.insert("web/app.toml".to_owned(), Arc::from(&b""[..]));
    files.extend(marked.files.iter().map(|(path, content)| (path.clone(), Arc::from(content.as_bytes()))));
    marked.assert_marked_with(&load(&files).problems);
}

/// Replacements in the example, each of a text that is there at least once; the first occurrence is replaced.
type Edits<'a> = &'a [(&'a str, &'a str)];

/// Checks the problems of the example after each of some edits.
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
