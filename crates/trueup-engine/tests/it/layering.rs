//! The files of the crate form layers: no two of them need each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files that a file names with `crate::`, outside its tests.
fn needed(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let paths = code.split("crate::").skip(1);
    paths.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()).collect()
}

#[test]
fn no_two_files_of_the_engine_need_each_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the crate has sources") {
        let path = entry.expect("its folder can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if name != "lib" {
            files.insert(name, needed(&fs::read_to_string(&path).expect("it can be read")));
        }
    }
    let names: BTreeSet<String> = files.keys().cloned().collect();
    for needed in files.values_mut() {
        needed.retain(|name| names.contains(name));
    }
    assert!(files["reconcile"].contains("cycle"), "the needs are read from the sources: {files:?}");

    // From the bottom up: files whose needs are all removed are the next layer. Files of a circle are never removed.
    while let Some(lowest) = files.iter().find(|(_, needed)| needed.is_empty()).map(|(name, _)| name.clone()) {
        files.remove(&lowest);
        for needed in files.values_mut() {
            needed.remove(&lowest);
        }
    }
    assert!(files.is_empty(), "these files form a circle, or need one: {files:#?}");
}
