//! A problem of a file: its message, its place, and what to write instead.

use std::fmt;

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
    /// The message: one sentence, lower case, values in backticks, no full stop.
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

    /// Adds the help text.
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

/// One line: `FILE:LINE:COLUMN: FIELD: MESSAGE (HELP)`, without what is not known.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.span {
            Some(span) => write!(f, "{span}: ")?,
            None => write!(f, "{}: ", self.file)?,
        }
        if let Some(field) = self.field.as_ref().filter(|field| !field.segments().is_empty()) {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
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

#[cfg(test)]
mod tests {
    use super::Problem;
    use crate::document::{SourceFile, Span};
    use crate::pointer::Pointer;

    #[test]
    fn a_problem_on_one_line_names_place_field_fault_and_help() {
        let file = SourceFile::new("app/service.toml", "launchType = \"FARGAT\"\n");
        let span = Span { file, range: 13..21 };
        let field = Pointer::root().join("launchType");
        let problem = Problem::at("illegal-value", &span, &field, "`FARGAT` is not a legal value here");
        assert_eq!(
            problem.clone().help("did you mean `FARGATE`?").to_string(),
            "app/service.toml:1:14: /launchType: `FARGAT` is not a legal value here (did you mean `FARGATE`?)"
        );
        assert_eq!(
            Problem { span: None, field: None, ..problem }.to_string(),
            "app/service.toml: `FARGAT` is not a legal value here"
        );
    }
}
