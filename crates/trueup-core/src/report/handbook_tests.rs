//! Compares the handbook with the code: every event and every reason has a row, and no row is for another.

use std::collections::BTreeMap;

use super::samples;

const HANDBOOK: &str = include_str!("../../../../docs/handbook.md");

/// The rows of a chapter's table: the name in backticks in the first cell, and the other cells.
fn rows(chapter: &str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let (_, text) = HANDBOOK.split_once(&format!("\n## {chapter}\n")).expect("the chapter is there");
    let text = text.split("\n## ").next().unwrap_or_default();
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
        let (name, cells) = cells.split_first()?;
        Some((name.strip_suffix('`')?, cells.to_vec()))
    };
    text.lines().filter_map(row).collect()
}

#[track_caller]
fn agree(chapter: &str, mut names: Vec<&'static str>, cells: usize) {
    let rows = rows(chapter);
    names.sort_unstable();
    names.dedup();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), names, "{chapter}");
    for (name, row) in rows {
        assert!(row.len() == cells && row.iter().all(|cell| cell.len() > 4), "{name}: {row:?}");
    }
}

#[test]
fn every_event_says_what_to_do() {
    agree("Every event", samples::events().iter().map(|event| event.what.name()).collect(), 2);
}

#[test]
fn every_reason_says_what_ends_it_and_what_to_do() {
    agree("Why something is held", samples::holds().iter().map(crate::plan::Hold::reason).collect(), 2);
}
