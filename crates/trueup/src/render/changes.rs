//! Changes, path by path, with before and after.

use std::fmt::Write as _;

use trueup_core::drift::Change;
use trueup_core::report::printable;

use crate::terminal::{ADDED, CHANGED, REMOVED};

/// One change a line, indented by `indent` spaces, paths aligned.
///
/// `+` where git has something that AWS lacks, `-` the other way around, `~` where both differ.
pub fn lines(changes: &[Change], indent: usize) -> String {
    let width = changes.iter().map(|change| change.path.to_string().chars().count()).max().unwrap_or(0).min(70);
    let mut out = String::new();
    for change in changes {
        let path = match change.path.to_string() {
            root if root.is_empty() => "(everything)".to_owned(),
            path => printable(&path).into_owned(),
        };
        let [live, desired] = [&change.live, &change.desired].map(ToString::to_string);
        let (live, desired) = (printable(&live), printable(&desired));
        let (style, symbol, values) = match (change.live.is_absent(), change.desired.is_absent()) {
            (true, _) => (ADDED, '+', desired.into_owned()),
            (false, true) => (REMOVED, '-', live.into_owned()),
            (false, false) => (CHANGED, '~', format!("{live} -> {desired}")),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{:indent$}{style}{symbol}{style:#} {path:width$}  {values}", "");
    }
    out
}
