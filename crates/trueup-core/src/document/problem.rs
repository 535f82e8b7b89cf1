//! What is wrong with a file: what, where, and what to write instead.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::source::Span;
use crate::pointer::Pointer;

/// One problem of one file.
///
/// Serializes as `{"file","line","column","field","code","message","help"}`, the last two of the places null where a
/// problem is about a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable name for this kind of problem, in kebab case, such as `unknown-member`.
    pub code: &'static str,
    /// What is wrong: one sentence, lower case, values in backticks, no full stop.
    pub message: String,
    /// The file, relative to the root of the desired state.
    pub file: String,
    /// Where in the file; absent when the problem is about the file as a whole (it is missing, or not text).
    pub span: Option<Span>,
    /// The field, by index in lists.
    pub field: Option<Pointer>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(code: &'static str, span: &Span, field: &Pointer, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            file: span.file.path().to_owned(),
            span: Some(span.clone()),
            field: Some(field.clone()),
            help: None,
        }
    }

    /// A problem of a whole file.
    pub fn of_file(code: &'static str, file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), file: file.into(), span: None, field: None, help: None }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The order in which problems are shown: by file, then from top to bottom.
    pub fn sort_key(&self) -> (&str, usize, &str) {
        (&self.file, self.span.as_ref().map_or(0, |span| span.range.start), &self.message)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let position = self.span.as_ref().map(Span::position);
        let mut out = serializer.serialize_struct("Problem", 7)?;
        out.serialize_field("file", &self.file)?;
        out.serialize_field("line", &position.map(|(line, _)| line))?;
        out.serialize_field("column", &position.map(|(_, column)| column))?;
        out.serialize_field("field", &self.field)?;
        out.serialize_field("code", self.code)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("help", &self.help)?;
        out.end()
    }
}

/// For tests: `FILE:LINE:COLUMN FIELD MESSAGE | HELP`, a line each.
#[cfg(test)]
pub(super) fn render(problems: &[Problem]) -> String {
    use std::fmt::Write as _;
    problems.iter().fold(String::new(), |mut out, problem| {
        let place = problem.span.as_ref().map_or_else(|| problem.file.clone(), ToString::to_string);
        let field = problem.field.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "{place} {field} {} | {}", problem.message, problem.help.as_deref().unwrap_or("-")).unwrap();
        out
    })
}
