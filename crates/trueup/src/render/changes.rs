//! Changes, path by path, with before and after.

use std::fmt::Write as _;

use trueup_core::drift::Change;

use crate::terminal::{ADDED, CHANGED, REMOVED, clean};

/// One change a line, indented by `indent` spaces, paths aligned.
///
/// `+` where git has something that AWS lacks, `-` the other way around, `~` where both differ.
pub fn lines(changes: &[Change], indent: usize) -> String {
    let width = changes.iter().map(|change| change.path.to_string().chars().count()).max().unwrap_or(0).min(70);
    let mut out = String::new();
    for change in changes {
        let path = match clean(&change.path.to_string()) {
            root if root.is_empty() => "(everything)".to_owned(),
            path => path,
        };
        let (style, symbol, values) = match (change.live.is_absent(), change.desired.is_absent()) {
            (true, _) => (ADDED, '+', clean(&change.desired.to_string())),
            (false, true) => (REMOVED, '-', clean(&change.live.to_string())),
            (false, false) => {
                (CHANGED, '~', format!("{} -> {}", clean(&change.live.to_string()), clean(&change.desired.to_string())))
            }
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{:indent$}{style}{symbol}{style:#} {path:width$}  {values}", "");
    }
    out
}
