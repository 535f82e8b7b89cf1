//! For tests: files with marks, in which a problem is a line of carets below its place, with its code, field and message, and
//! its help in the next line.
//!
//! ```text
//! == web/service.toml
//! launchType = "FARGAT"
//!              ^^^^^^^^ illegal-value /launchType: `FARGAT` is not a legal value here
//!              help: did you mean `FARGATE`?
//! ```

use std::fmt::Write as _;

use super::problem::Problem;

/// The files of a text in order, by path, without the marks.
pub(crate) struct MarkedFiles {
    /// The text that the files were taken from, without the indentation that all its lines share.
    pub text: String,
    /// Path and content of each file.
    pub files: Vec<(String, String)>,
}

impl MarkedFiles {
    /// Splits a text into files: `== PATH` begins a file.
    pub fn parse(text: &str) -> Self {
        let text = without_indentation(text);
        let mut files: Vec<(String, String)> = Vec::new();
        let (mut after_mark, mut first) = (false, true);
        for line in text.lines() {
            let trimmed = line.trim_start();
            after_mark = trimmed.starts_with('^') || (after_mark && trimmed.starts_with("help: "));
            if let Some(path) = line.strip_prefix("== ") {
                files.push((path.to_owned(), String::new()));
                first = true;
            } else if !after_mark {
                let (_, content) = files.last_mut().expect("a text begins with `== PATH`");
                // Without the last line's end, so that a file can end in the middle of a value.
                if !std::mem::replace(&mut first, false) {
                    content.push('\n');
                }
                content.push_str(line);
            }
        }
        Self { text, files }
    }

    /// The files with these problems marked in them; those of other files follow at the end.
    pub fn mark(&self, problems: &[Problem]) -> String {
        let mut out = String::new();
        for (path, content) in &self.files {
            let of_file: Vec<&Problem> = problems.iter().filter(|problem| problem.file == *path).collect();
            writeln!(out, "== {path}").unwrap();
            of_file.iter().filter(|problem| problem.span.is_none()).for_each(|problem| mark(&mut out, problem));
            // Not `lines`, which leaves an empty last line out.
            let lines: Vec<&str> = if content.is_empty() { Vec::new() } else { content.split('\n').collect() };
            for (index, line) in lines.iter().enumerate() {
                writeln!(out, "{line}").unwrap();
                of_file
                    .iter()
                    .filter(|problem| line_of(problem) == Some(index + 1))
                    .for_each(|one| mark(&mut out, one));
            }
            // A file can end before the line of a problem: something is missing there.
            of_file
                .iter()
                .filter(|problem| line_of(problem) > Some(lines.len()))
                .for_each(|problem| mark(&mut out, problem));
        }
        for problem in problems.iter().filter(|problem| self.files.iter().all(|(path, _)| problem.file != *path)) {
            writeln!(out, "== {}", problem.file).unwrap();
            mark(&mut out, problem);
        }
        out
    }

    /// Compares the marks of the text with these problems, as a whole.
    #[track_caller]
    pub fn assert_marked_with(&self, problems: &[Problem]) {
        let marked = self.mark(problems);
        assert!(marked == self.text, "found:\n{marked}\nexpected:\n{}", self.text);
    }
}

fn line_of(problem: &Problem) -> Option<usize> {
    problem.span.as_ref().map(|span| span.position().0)
}

fn mark(out: &mut String, problem: &Problem) {
    let (column, width) = problem.span.as_ref().map_or((1, 1), |span| {
        let text = &span.file.text()[span.range.clone()];
        // As `trueup check` underlines it: to the end of the line at most, and at least one character.
        (span.position().1, text.lines().next().unwrap_or_default().chars().count().max(1))
    });
    let (indent, carets) = (" ".repeat(column - 1), "^".repeat(width));
    let field = problem.field.as_ref().filter(|field| !field.segments().is_empty());
    let field = field.map(|field| format!(" {field}")).unwrap_or_default();
    writeln!(out, "{indent}{carets} {}{field}: {}", problem.code, problem.message).unwrap();
    if let Some(help) = &problem.help {
        writeln!(out, "{indent}help: {help}").unwrap();
    }
}

/// A text without blank lines at its ends and without the indentation that all its lines share.
fn without_indentation(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(shared..).unwrap_or_default().trim_end()).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}
