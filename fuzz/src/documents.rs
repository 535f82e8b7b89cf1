//! Documents, one by one and as a tree of desired state.

use std::collections::BTreeMap;

use trueup_core::desired::{FileTree, Loaded, load};
use trueup_core::document::{Problem, SourceFile, Validation, parse, validate_document};
use trueup_core::kind::Kind;
use trueup_core::names::Revision;

/// The first byte says which kind of document and which syntax, the rest is the file. Any bytes are parsed and checked, or
/// refused with problems whose places are in the file.
pub fn documents(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(first / 2) % Kind::ALL.len()];
    let path = if first % 2 == 0 { "document.toml" } else { "document.json" };
    let text = String::from_utf8_lossy(text).into_owned();
    let file = SourceFile::new(path, text.clone());
    match parse(&file) {
        Ok(node) => inspect(&validate_document(&node, kind, &Validation::default()), &text),
        Err(problems) => {
            assert!(!problems.is_empty(), "a refused file has a problem");
            inspect(&problems, &text);
        }
    }
}

/// Places are in the file, on the boundaries of characters, and messages are one line.
fn inspect(problems: &[Problem], text: &str) {
    for problem in problems {
        assert!(!problem.message.is_empty());
        if let Some(span) = &problem.span {
            assert!(text.get(span.range.clone()).is_some(), "{:?} is not in the file", span.range);
            let (line, column) = span.position();
            assert!(line >= 1 && column >= 1);
        }
    }
}

/// The files of a tree, in this order; the bytes are split at lines of `----`.
const FILES: [&str; 9] = [
    "web/app.toml",
    "web/task-definition.toml",
    "web/service.toml",
    "web/target-groups/a.toml",
    "web/listener-rules/b.json",
    "web/environments/production/service.toml",
    "web/environments/production/app.toml",
    "other/app.toml",
    "trueup.toml",
];

const CONFIGURATION: &str = "applications = [\"*\"]\n[environments.production]\naccount = \"123456789012\"\n\
                             region = \"eu-central-1\"\ncluster = \"main\"\n[environments.production.variables]\nx = \"y\"\n";

/// A tree of desired state: loaded twice with one result, and what is valid is resolved without any answer.
pub fn desired(data: &[u8]) {
    let loaded = load(&tree(data));
    let again = load(&tree(data));
    assert_eq!(
        format!("{:?}", loaded.problems),
        format!("{:?}", again.problems),
        "the same tree has the same problems"
    );
    resolve_all(&loaded);
}

/// Resolves what is valid, with nothing found.
pub(crate) fn resolve_all(loaded: &Loaded) {
    let revision = Revision::new("0".repeat(40));
    for application in loaded.applications.values().flatten() {
        let desired = application.resolve(&revision, &BTreeMap::new());
        let awaited = application.lookups().len();
        // An application without lookups has nothing unresolved.
        assert!(awaited > 0 || desired.unresolved.is_empty(), "{:?}", desired.unresolved);
    }
}

fn tree(data: &[u8]) -> FileTree {
    let text = String::from_utf8_lossy(data);
    let mut files: FileTree = BTreeMap::from([
        ("trueup.toml".to_owned(), CONFIGURATION.as_bytes().into()),
        ("web/app.toml".to_owned(), (&b""[..]).into()),
    ]);
    for (path, part) in FILES.into_iter().zip(text.split("\n----\n")) {
        // An empty part leaves the file out, or as it is.
        if !part.is_empty() {
            files.insert(path.to_owned(), part.as_bytes().into());
        }
    }
    files
}
