//! The corpora of the fuzzers as ordinary tests: a finding does not come back.

use std::path::Path;

/// Runs every file of a corpus.
fn run(target: &str, body: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .expect("the corpus is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    assert!(files.len() >= 8, "{} has {} files", directory.display(), files.len());
    for file in files {
        // A panic names the test; this names the file.
        eprintln!("{}", file.display());
        body(&std::fs::read(&file).expect("it can be read"));
    }
}

#[test]
fn documents() {
    run("documents", trueup_fuzz::documents);
}

#[test]
fn desired() {
    run("desired", trueup_fuzz::desired);
}

#[test]
fn references() {
    run("references", trueup_fuzz::references);
}

#[test]
fn signatures() {
    run("signatures", trueup_fuzz::signatures);
}

#[test]
fn webhook() {
    run("webhook", trueup_fuzz::webhook);
}

#[test]
fn git_trees() {
    run("git_trees", trueup_fuzz::git_trees);
}
