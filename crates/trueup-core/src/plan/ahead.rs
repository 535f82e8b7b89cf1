//! A copy that is behind: AWS carries a commit that this process does not have.

use jiff::Timestamp;
use serde::Serialize;

use crate::names::Revision;

/// A commit that another copy of this installation applied, and that is, or may be, newer than what this one would apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// The commit, as a tag in AWS has it.
    #[serde(rename = "commit")]
    pub revision: Revision,
    /// Whether git was polled since it was seen: then it is known to be newer, and this process has no valid documents
    /// of it.
    pub answered: bool,
    /// Since when the repository is unreachable; `None` when the last poll succeeded.
    pub unreachable_since: Option<Timestamp>,
}
