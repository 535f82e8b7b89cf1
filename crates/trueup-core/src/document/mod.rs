//! Documents: files whose body is exactly one AWS API request, in TOML or JSON, with the place of every value.
//!
//! [`source_file`] turns bytes into text, [`parse`] turns the text into a [`Node`], [`validate_document`] checks it.

mod json;
#[cfg(test)]
pub(crate) mod marked;
pub mod node;
pub mod problem;
pub mod schema;
pub mod source;
mod toml;
pub mod validate;

#[cfg(test)]
mod syntax_tests;

use std::ops::Range;
use std::sync::Arc;

pub use self::node::{Node, NodeMember, NodeValue};
pub use self::problem::Problem;
pub use self::schema::{json_schema, json_schema_of_app, json_schema_of_trueup};
pub use self::source::{SourceFile, Span};
pub(crate) use self::validate::nearest;
pub use self::validate::{References, Validation, validate, validate_document};
use crate::pointer::Pointer;

/// The largest file that is read, in bytes: 1 MiB. `RegisterTaskDefinition` refuses more than 64 KiB, so a larger file is
/// not a document, and every later bound on time and memory follows from this one.
pub const FILE_SIZE_MAX: usize = 1 << 20;

/// How deep objects and lists may be nested, the outermost counted. AWS's requests need less than a dozen
/// levels. Bounded because every walk over a [`Node`], dropping it included, uses stack for each level.
pub const DEPTH_MAX: usize = 64;

/// How many problems of syntax are reported per file: after a few, the rest follow from the first.
const SYNTAX_PROBLEMS_MAX: usize = 20;

/// A format that documents are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.1, by the extension `.toml`.
    Toml,
    /// JSON (RFC 8259), by the extension `.json`.
    Json,
}

impl Format {
    /// The format of a file by its path's extension; `None` when it is neither.
    pub fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads a file's bytes as text. `path` is relative to the root of the desired state.
///
/// A byte order mark at the start is removed: some editors write one, and the AWS CLI accepts it.
///
/// # Errors
/// `file-too-large` above [`FILE_SIZE_MAX`], `not-text` when the bytes are not UTF-8.
pub fn source_file(path: &str, bytes: &[u8]) -> Result<Arc<SourceFile>, Problem> {
    if bytes.len() > FILE_SIZE_MAX {
        let message = format!("the file has {} bytes, more than the {FILE_SIZE_MAX} that are read", bytes.len());
        return Err(Problem::of_file("file-too-large", path, message));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(path, text.strip_prefix('\u{feff}').unwrap_or(text))),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
            Err(Problem::of_file("not-text", path, format!("the file is not UTF-8 text: line {line} has other bytes"))
                .help("save it as UTF-8"))
        }
    }
}

/// Reads a file in the format of its extension. The outermost value is an object.
///
/// # Errors
/// The first twenty syntax problems from top to bottom: text that is not TOML or JSON, a duplicate key, a value that
/// JSON does not have (TOML's dates, `inf`, `nan`), nesting deeper than [`DEPTH_MAX`], a root that is not an object.
pub fn parse(file: &Arc<SourceFile>) -> Result<Node, Vec<Problem>> {
    let parsed = match Format::of(file.path()) {
        Some(Format::Toml) => toml::parse(file),
        Some(Format::Json) => json::parse(file),
        None => {
            let message = "a document's name ends in `.toml` or `.json`";
            Err(vec![Problem::of_file("unknown-format", file.path(), message)])
        }
    };
    parsed.map_err(|mut problems| {
        problems.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        problems.truncate(SYNTAX_PROBLEMS_MAX);
        problems
    })
}

/// Whether a text is exactly one reference, `${…}`, and nothing else.
fn is_one_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(|name| !name.contains(['{', '}']))
}

/// The problem of a value that is nested deeper than [`DEPTH_MAX`].
fn too_deep(file: &Arc<SourceFile>, range: Range<usize>, field: &Pointer) -> Problem {
    let span = Span { file: Arc::clone(file), range };
    let message = format!("objects and lists are nested deeper than {DEPTH_MAX} levels");
    Problem::at("nested-too-deeply", &span, field, message).help("no AWS request is that deep")
}
