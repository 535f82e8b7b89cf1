//! Every kind of document has all its rooms: the page "Adding a kind of document" of `ARCHITECTURE.md`, held against the tree.

use std::fs;
use std::path::{Path, PathBuf};

use trueup_core::document::json_schema;
use trueup_core::kind::{Kind, Place};
use trueup_core::operation::Operation;
use trueup_core::permissions::ACTIONS;

const HEADING: &str = "## Adding a kind of document";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The name of a kind's modules and folders: `target_group`.
fn snake(kind: Kind) -> String {
    kind.as_str().replace('-', "_")
}

/// The paths in backticks that the page lists, in the order of the page.
fn listed() -> Vec<String> {
    let text = read("ARCHITECTURE.md");
    let (_, page) = text.split_once(HEADING).expect("the page is there");
    let page = page.split("\n## ").next().unwrap_or(page);
    let paths = page.split('`').skip(1).step_by(2).filter(|code| code.contains('/') && !code.contains([' ', '(']));
    paths.map(str::to_owned).collect()
}

#[test]
fn every_kind_has_every_file_that_the_page_lists() {
    let listed = listed();
    assert!(listed.iter().filter(|path| path.contains("KIND")).count() >= 8, "{listed:?}");
    for path in &listed {
        if !path.contains("KIND") {
            assert!(repository().join(path).exists(), "`{path}` does not exist");
            continue;
        }
        for kind in Kind::ALL {
            let never_deleted = kind.facts().order.deleted.is_none();
            if path.ends_with("/prune.rs") && never_deleted {
                continue;
            }
            let path = path.replace("KIND", &snake(kind));
            // Tests of a kind are one file, or a folder.
            let folder = path.strip_suffix(".rs").map(|path| repository().join(path).join("mod.rs"));
            let there = repository().join(&path).exists() || folder.is_some_and(|folder| folder.exists());
            assert!(there, "`{path}` does not exist");
        }
    }
}

#[test]
fn no_folder_of_a_kind_is_left_over() {
    for room in ["crates/trueup-core/src/kind", "crates/trueup-core/src/resources"] {
        for entry in fs::read_dir(repository().join(room)).expect("it is a folder") {
            let entry = entry.expect("it can be read");
            if entry.path().is_dir() {
                let name = entry.file_name().into_string().expect("names are text");
                assert!(Kind::ALL.iter().any(|kind| snake(*kind) == name), "`{room}/{name}` is no kind's");
            }
        }
    }
}

#[test]
fn every_kind_is_documented_has_a_schema_and_may_be_created_by_the_policy() {
    let docs = read("docs/desired-state.md");
    for kind in Kind::ALL {
        let (api, operation) = kind.request();
        let place = match kind.facts().place {
            Place::File(name) => format!("`APP/{name}.toml`"),
            Place::Folder(name) => format!("`APP/{name}/NAME.toml`"),
        };
        let row = docs.lines().find(|line| line.starts_with('|') && line.contains(&place));
        let row = row.unwrap_or_else(|| panic!("docs/desired-state.md has no row for {place}"));
        assert!(row.contains(&format!("`{operation}`")), "{row}");
        let schema = json_schema(kind);
        assert!(schema["title"].as_str().is_some_and(|title| title.contains(operation)), "{}", schema["title"]);
        let action = format!("{}:{operation}", api.iam_prefix());
        assert!(ACTIONS.iter().any(|one| one.name == action), "the IAM policy does not know {action}");
    }
}

#[test]
fn every_mutating_operation_is_in_the_table_of_iam_actions() {
    for operation in Operation::ALL {
        assert!(
            ACTIONS.iter().any(|one| one.name == operation.action()),
            "permissions/actions.rs has no row for {}",
            operation.action()
        );
    }
}

/// Code without what only tests compile.
fn product_code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("it can be read");
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

#[test]
fn the_machinery_below_the_kinds_names_none() {
    let rooms = ["drift", "plan", "plan/hold"];
    for room in rooms {
        let folder = repository().join("crates/trueup-core/src").join(room);
        for entry in fs::read_dir(folder).expect("it is a folder") {
            let path = entry.expect("it can be read").path();
            let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
            if is_test || path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            for (number, line) in product_code(&path).lines().enumerate() {
                let names_kind = !line.trim_start().starts_with("//")
                    && Kind::ALL.iter().any(|kind| line.contains(&format!("Kind::{kind:?}")));
                assert!(!names_kind, "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }
}
