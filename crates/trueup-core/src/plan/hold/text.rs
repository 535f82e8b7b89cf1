//! A hold in words: what the functions of each family return, and how they join lists.

use super::super::Sync;

/// One hold in words.
pub(super) struct HoldText {
    /// The reason's name, stable, as reports and metrics carry it.
    pub(super) reason: &'static str,
    /// The problem, in one sentence.
    pub(super) message: String,
    /// The condition that ends it, in one sentence that an operator can act on.
    pub(super) remedy: &'static str,
    /// What it says about sync by itself; `None` when the held changes decide.
    pub(super) implies: Option<Sync>,
}

/// Names in backticks, with commas between.
pub(super) fn list(names: &[String]) -> String {
    list_of(names, |name| format!("`{name}`"))
}

/// Items as text, with commas between.
pub(super) fn list_of<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}
